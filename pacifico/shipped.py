"""Kernels compiled ahead, held by wheels.

`compiled/` in the package holds numba's files of each kernel, in a folder for each module, and `target.json`, what they were compiled
for. Where that is this machine, they are copied to where numba looks for them. Compiled kernels are code, so they are taken from the
package's own folder alone.

`python -m pacifico.compiling --ship FOLDER` writes such a folder.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import uuid
from importlib.metadata import version
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from pacifico.processor import choose_processor

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = Path(__file__).parent / "compiled"
_TARGET = "target.json"


def target(sources: str) -> dict[str, str]:
    """Return all that compiled kernels depend on.

    Parameters
    ----------
    sources : str
        A hash of the kernels' source code.
    """
    choose_processor()
    return {
        "sources": sources,
        "numba": version("numba"),
        "python": sys.implementation.cache_tag or "",
        "platform": sys.platform,
        "machine": platform.machine(),
        "processor": os.environ.get("NUMBA_CPU_NAME", ""),
        "features": os.environ.get("NUMBA_CPU_FEATURES", "of the host"),
    }


def take_shipped(names: Iterable[str], sources: str, folder: Path = FOLDER) -> bool:
    """Copy shipped kernels to numba's cache if they fit.

    Parameters
    ----------
    names : iterable of str
        Kernels, `module:name`.
    sources : str
        A hash of the kernels' source code.
    folder : path, optional
        Folder of shipped kernels, by default that of the package.

    Returns
    -------
    bool
        Whether the folder holds kernels for this machine.

    Raises
    ------
    OSError
        If the cache can't be written.
    """
    try:
        found = json.loads((folder / _TARGET).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False  # a wheel for any platform, or a source tree
    if found != target(sources):
        return False
    for module, cache in _caches(names).items():
        for index in _files(folder / module, module, ".nbi"):
            if (cache / index.name).exists():
                continue  # compiled here, perhaps from older sources: numba sees to it
            # the index last: numba reads it before the data
            for path in (*sorted(index.parent.glob(f"{index.stem}.*.nbc")), index):
                _copy(path, cache / path.name)
    return True


def write_shipped(names: Iterable[str], sources: str, folder: Path) -> None:
    """Write a folder of the kernels in numba's cache.

    Parameters
    ----------
    names, sources
        As for `take_shipped`.
    folder : path
        Folder to write; it must not exist.
    """
    for module, cache in _caches(names).items():
        (folder / module).mkdir(parents=True)
        for path in (*_files(cache, module, ".nbi"), *_files(cache, module, ".nbc")):
            shutil.copyfile(path, folder / module / path.name)
    (folder / _TARGET).write_text(json.dumps(target(sources), indent=1) + "\n", encoding="utf-8")


def _caches(names: Iterable[str]) -> dict[str, Path]:
    """Where numba keeps the kernels of each module."""
    first = {name.partition(":")[0]: name for name in names}
    return {module: Path(resolve_name(name).stats.cache_path) for module, name in sorted(first.items())}


def _files(folder: Path, module: str, suffix: str) -> list[Path]:
    """Files of a module's kernels: modules of one room share a folder."""
    return sorted(folder.glob(f"{module.rpartition('.')[2]}.*{suffix}"))


def _copy(source: Path, destination: Path) -> None:
    """Copy a file at once: another process may read it meanwhile."""
    part = destination.with_name(f"{destination.name}.{uuid.uuid4().hex[:8]}")
    try:
        shutil.copyfile(source, part)
        part.replace(destination)
    finally:
        part.unlink(missing_ok=True)
