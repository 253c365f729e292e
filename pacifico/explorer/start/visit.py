"""Folder of one visit: each visitor's kernel works in a folder of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "visit-"
"""Start of the names of folders of visits."""


def begin_visit(root: Path | None = None) -> Path:
    """Make a folder for this kernel and work in it; it is removed when the kernel ends.

    Nobody else can read the folder. The session file beside the notebook is switched off: visitors share the notebook.

    Parameters
    ----------
    root : Path, optional
        Folder that holds the folders of all visits; by default the present one.
    """
    root = Path.cwd() if root is None else root
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))  # for this user alone
    os.environ.pop("JPY_SESSION_NAME", None)
    os.chdir(folder)
    atexit.register(end_visit, folder)
    return folder


def end_visit(folder: Path) -> None:
    """Remove the folder of a visit."""
    os.chdir(folder.parent)
    shutil.rmtree(folder, ignore_errors=True)
