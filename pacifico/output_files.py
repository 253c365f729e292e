"""Output files that appear whole or not at all, and checks of their places before the work."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pacifico.errors import InputError, PacificoError

if TYPE_CHECKING:
    from collections.abc import Iterator


PROBE_BYTES = 1 << 16
"""Bytes written to find out whether a disk is full; more than a block of any usual file system."""


@contextmanager
def disk_errors(*folders: Path) -> Iterator[None]:
    """Raise the disk's own error where a library hides it.

    Writers of SQLite, PDF and TIFF fail with errors of their own on a full disk. A probe asks the disk again.

    Parameters
    ----------
    *folders : Path
        Folders that the block writes to.

    Raises
    ------
    OSError
        Nothing more can be written to one of the folders.
    """
    try:
        yield
    except PacificoError:
        raise
    except Exception as error:
        if getattr(error, "errno", None) is None:
            for folder in folders:
                _probe(folder, error)
        raise


def _probe(folder: Path, error: Exception) -> None:
    """Write to a folder; raise the disk's error from the first one."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as cause:
        raise OSError(cause.errno, cause.strerror, str(folder)) from error


@contextmanager
def atomic_files(*paths: Path, suffix: str = "") -> Iterator[tuple[Path, ...]]:
    """Temporary files that take the place of the targets when the block succeeds.

    A symbolic link is followed: the file it points to is replaced, the link stays. A device or a named pipe is written
    through, never replaced.

    Parameters
    ----------
    *paths : Path
        Files to write.
    suffix : str
        Ending of the temporary names, for writers that choose a format by it.

    Yields
    ------
    tuple of Path
        One temporary file for each target.

    Raises
    ------
    InputError
        A target is a folder, or its folder is missing.

    Examples
    --------
    >>> with atomic_files(Path("report.txt")) as (part,):  # doctest: +SKIP
    ...     part.write_text("all of it")
    """
    mark = secrets.token_hex(4)
    with ExitStack() as stack:
        moves = []
        for path in paths:
            target = path.resolve() if path.is_symlink() else path
            if target.is_dir():
                raise InputError(f"{path} is a folder; give a file name to write")
            if not target.parent.is_dir():
                raise InputError(f"the folder {target.parent} does not exist; create it first, or name another file")
            special = target.exists() and not target.is_file()
            if special:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pacifico-")))
            else:
                folder = target.parent
            part = folder / f".{target.name[:120]}.{mark}.part{suffix}"
            stack.callback(part.unlink, missing_ok=True)
            moves.append((part, target, special))
        with disk_errors(*(part.parent for part, _, _ in moves)):
            yield tuple(part for part, _, _ in moves)
        for part, target, special in moves:
            if special:
                with part.open("rb") as source, target.open("wb") as device:
                    shutil.copyfileobj(source, device)
            else:
                os.replace(part, target)  # noqa: PTH105 (atomic, also onto an existing file)


def writable_file(out: Path) -> None:
    """Refuse an output file that can't be written, before the work.

    Raises
    ------
    InputError
        It is a folder, or its folder is missing or read-only.
    """
    if out.is_dir():
        raise InputError(f"{out} is a folder; give a file name for --out, such as {out / 'layout.geojson'}")
    target = out.resolve() if out.is_symlink() else out
    if not target.parent.is_dir():
        raise InputError(f"the folder {target.parent} does not exist; create it first, or give another --out")
    if target.exists() and not target.is_file():
        return  # a device or a named pipe is written through
    _require_open(target.parent)


def writable_folder(out: Path, *, replaced: bool = False) -> None:
    """Refuse an output folder that can't be written or created, before the work.

    Parameters
    ----------
    out : Path
    replaced : bool
        The folder is replaced as a whole, which needs its parent too.

    Raises
    ------
    InputError
        There is a file in its place, or the place is read-only.
    """
    if str(out) == "-":
        raise InputError("--out - is standard output, but this command writes a folder; name one, such as --out result")
    place = out.absolute()
    there = next(p for p in (place, *place.parents) if p.exists())
    if not there.is_dir():
        raise InputError(f"{there} is a file; give a folder for --out")
    _require_open(there)
    if replaced and there == place:
        _require_open(place.parent)


def _require_open(folder: Path) -> None:
    """Refuse a folder in which no file can be made."""
    # permission bits don't cover read-only disks, quotas and root: try it
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"nothing can be written in {folder} ({error.strerror}); check its permissions, or give another --out"
        ) from None
