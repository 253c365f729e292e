"""Inputs of a run.

Copied into the report folder before it, described after it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.escaping import decoded
from pacifico.run.manifest import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "inputs"


def names(inputs: Mapping[str, Path]) -> dict[str, str]:
    """Name of each input's copy, by parameter.

    Raises
    ------
    InputError
        A file is missing.
    """
    named: dict[str, str] = {}
    for parameter, path in inputs.items():
        if not Path(path).is_file():
            raise InputError(f"{parameter}: there is no file {path}; check the path")
        name = Path(path).name
        if decoded(name) != name:  # the locale can't decode it, so that it can't be both a path and text
            suffix = Path(name).suffix
            name = f"{parameter}{suffix if suffix.isascii() else ''}"
        named[parameter] = f"{parameter}-{name}" if name in named.values() else name
    return named


def copy(inputs: Mapping[str, Path], named: Mapping[str, str], staged: Path) -> dict[str, dict[str, Any]]:
    """Copy inputs into a staged report folder and describe them by parameter."""
    target = staged / FOLDER
    target.mkdir()
    described = {}
    for parameter, path in inputs.items():
        to = target / named[parameter]
        try:
            shutil.copyfile(path, to)
        except PermissionError:
            raise InputError(f"{parameter}: {path} can't be read; check its permissions") from None
        described[parameter] = {"path": f"{FOLDER}/{to.name}", **describe(to)}
    return described


def settle(
    described: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, Any], staged: Path
) -> dict[str, dict[str, Any]]:
    """Describe the inputs after the run.

    A notebook may keep what it fetched as `inputs/PARAMETER.EXT`, such as the window of a DEM. A reproduction then uses
    this file for the parameter, in place of the original name, address or larger file. The notebook may delete a copy
    that it replaced so.

    Parameters
    ----------
    described : mapping
        The copies as `copy` described them.
    parameters : mapping
        The notebook's values by name.
    staged : Path
        The report folder.
    """
    by_path = {entry["path"]: parameter for parameter, entry in described.items()}
    settled: dict[str, dict[str, Any]] = {}
    for file in sorted((staged / FOLDER).iterdir()):
        path = f"{FOLDER}/{file.name}"
        entry = {"path": path, **describe(file)}
        parameter = by_path.get(path)
        if parameter is not None and entry == described[parameter]:
            settled.setdefault(parameter, entry)
        elif file.stem in parameters or parameter is not None:
            name = parameter or file.stem
            settled[name] = {**entry, "kept_by_run": True, "given": described.get(name, parameters.get(name))}
        else:
            settled[file.name] = {**entry, "kept_by_run": True}
    return settled
