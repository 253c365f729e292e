"""Output files that appear complete or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pacifico.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_STEM = 120
"""Characters of a file's name kept in its temporary name, so that the longest legal name still fits."""


@contextmanager
def atomic_files(*paths: Path, suffix: str = "") -> Iterator[tuple[Path, ...]]:
    """Temporary files that replace the given files once the block succeeds.

    Parameters
    ----------
    paths : Path
        Files to write.
    suffix : str
        Ending of the temporary names, for writers that choose a format by it.

    Yields
    ------
    tuple of Path
        Temporary files to write to, in the folders of the given ones. A block that raises leaves none behind.

    Raises
    ------
    InputError
        A path is a folder, or its folder does not exist.
    """
    for path in paths:
        if path.is_dir():
            raise InputError(f"{path} is a folder; give a file name to write")
        if not path.parent.is_dir():
            raise InputError(f"the folder {path.parent} does not exist; create it first, or name another file")
    mark = secrets.token_hex(4)
    parts = tuple(path.with_name(f".{path.name[:LONGEST_STEM]}.{mark}.part{suffix}") for path in paths)
    try:
        yield parts
        for part, path in zip(parts, paths, strict=True):
            os.replace(part, path)  # noqa: PTH105 (atomic, also onto an existing file)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
