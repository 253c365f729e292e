"""Report folders.

Staged beside their final name and moved there in one step.
"""

from __future__ import annotations

import os
import secrets
import shutil
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.run import manifest

if TYPE_CHECKING:
    from pathlib import Path


def check(out_dir: Path) -> None:
    """Refuse an output folder that a report must not replace.

    Raises
    ------
    InputError
        It is a file, or holds files that pacifico did not write.
    """
    if not os.path.lexists(out_dir):
        return
    if out_dir.is_symlink() or not out_dir.is_dir():
        raise InputError(f"{out_dir} is not a folder: name another for the report")
    if not any(out_dir.iterdir()):
        return
    if not (out_dir / manifest.NAME).is_file():
        raise InputError(f"{out_dir} is not empty and holds no pacifico report: name another folder")
    content = manifest.read(out_dir)
    known = {manifest.NAME, *content.get("outputs", {}), *(i["path"] for i in content.get("inputs", {}).values())}
    for path in sorted(out_dir.rglob("*")):
        name = path.relative_to(out_dir).as_posix()
        if path.is_dir() or name in known or manifest.is_litter(path.relative_to(out_dir)):
            continue
        raise InputError(f"{out_dir} holds {name!r}, which is not part of its report: move it, or name another folder")


def stage(out_dir: Path) -> Path:
    """Make a hidden folder beside `out_dir` for a new report."""
    parent = out_dir.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        staged = parent / f".{out_dir.name}.{secrets.token_hex(4)}.part"
        staged.mkdir()
    except OSError as error:
        raise InputError(f"no folder can be made in {parent} ({error.strerror}): name another for the report") from None
    return staged


def place(staged: Path, out_dir: Path) -> None:
    """Move a finished folder to its name, replacing an older report."""
    check(out_dir)
    if not out_dir.exists() or not any(out_dir.iterdir()):
        staged.rename(out_dir)
        return
    old = staged.with_suffix(".old")
    out_dir.rename(old)
    try:
        staged.rename(out_dir)
    except OSError:
        old.rename(out_dir)
        raise
    shutil.rmtree(old)
