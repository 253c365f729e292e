"""Folders for Jupyter where the user has no home, as in many containers."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_FOLDERS = ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")


def provide_folders() -> None:
    """Give Jupyter temporary folders if the user has no home.

    Its packages look for a home folder on import, and fail without one.
    """
    try:
        Path.home()
    except RuntimeError:  # no HOME, and no entry for this user
        missing = [name for name in _FOLDERS if name not in os.environ]
        if missing:
            folder = tempfile.mkdtemp(prefix="pacifico-jupyter-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            os.environ.update(dict.fromkeys(missing, folder))
