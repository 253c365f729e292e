"""Environment of a notebook's processes.

No credentials, a fresh home, and caches of their own.

A kernel must not be able to leave code for another job. Compiled kernels of numba are code, so with `isolated` every job
gets a cache folder of its own: links to the worker's prepared cache, which should be read-only, and room for new files.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pacifico.jobs.runner import terrain_cache
from pacifico.run.kernel import scrubbed

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT = re.compile(
    r"PATH|LANG|LANGUAGE|LC_.*|TZ|PYTHON(PATH|UTF8|DONTWRITEBYTECODE|WARNINGS)|LD_LIBRARY_PATH|VIRTUAL_ENV|CONDA_PREFIX"
    r"|(GDAL|PROJ|CPL|OGR|NUMBA|OMP|OPENBLAS|MKL)_.*|(SSL|CURL|REQUESTS)_C.*|PACIFICO_.*|(https?|no)_proxy",
    re.IGNORECASE,
)
_NUMBA_FOLDER = "numba-cache"
_CACHE_FOLDER = ".cache"

#: AWS files point to nothing, also where a planted home would hold some: a profile there may name a program to run.
AWS_PINNED = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def environment(folder: Path, source: Mapping[str, str] | None = None, *, isolated: bool = False) -> dict[str, str]:
    """Environment of the processes of one job.

    Parameters
    ----------
    folder : Path
        The job's scratch folder, which becomes its home.
    source : mapping, optional
        Variables to choose from; by default this process's.
    isolated : bool
        Whether the job has caches of its own, as in a worker that serves several owners. Else it shares this user's.

    Returns
    -------
    dict
        The whole environment: variables that notebooks need by name, and none that looks like a credential.
    """
    given = os.environ if source is None else source
    kept = {name: value for name, value in scrubbed(given).items() if _KEPT.fullmatch(name)}
    shared = given.get("XDG_CACHE_HOME") or str(Path(given.get("HOME") or "/tmp") / _CACHE_FOLDER)  # noqa: S108 (a cache)
    own = {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "XDG_CACHE_HOME": str(folder / _CACHE_FOLDER) if isolated else shared,
        "PACIFICO_DEM_CACHE": str(folder / terrain_cache.FOLDER),
        "PYTHONHASHSEED": "0",
        "PYTHONSAFEPATH": "1",  # the working folder is where a job writes: nothing is imported from it
        **AWS_PINNED,
    }
    if isolated and given.get("NUMBA_CACHE_DIR"):
        own["NUMBA_CACHE_DIR"] = str(folder / _NUMBA_FOLDER)
    return {**kept, **own}


def prepare_caches(folder: Path, source: Mapping[str, str] | None = None) -> None:
    """Fill an isolated job's caches.

    Links to compiled kernels, copies of font lists.

    Parameters
    ----------
    folder : Path
        The job's scratch folder.
    source : mapping, optional
        Variables that name the prepared caches; by default this process's.
    """
    given = os.environ if source is None else source
    if prepared := given.get("NUMBA_CACHE_DIR"):
        link_files(Path(prepared), folder / _NUMBA_FOLDER)
    shared = given.get("XDG_CACHE_HOME") or str(Path(given.get("HOME") or "/tmp") / _CACHE_FOLDER)  # noqa: S108
    fonts = folder / _CACHE_FOLDER / "matplotlib"
    fonts.mkdir(parents=True, exist_ok=True)
    for path in Path(given.get("MPLCONFIGDIR") or Path(shared) / "matplotlib").glob("fontlist-*.json"):
        with contextlib.suppress(OSError):  # made again where it can't be read
            shutil.copyfile(path, fonts / path.name)


def link_files(source: Path, target: Path) -> None:
    """Make a folder tree of links to the files of another.

    numba writes a new file and renames it over the old name, so a link is replaced and its target never changes.
    """
    target.mkdir(parents=True, exist_ok=True)
    for path in source.rglob("*"):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(path.resolve())
