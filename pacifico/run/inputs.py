"""What a run is made from: copied beside the report before it, described after it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.run.manifest import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "inputs"


def names(inputs: Mapping[str, Path]) -> dict[str, str]:
    """Name of each input's copy, by parameter.

    Raises
    ------
    InputError
        A file is not there.
    """
    named: dict[str, str] = {}
    for parameter, path in inputs.items():
        if not Path(path).is_file():
            raise InputError(f"{parameter}: there is no file {path}")
        name = Path(path).name
        named[parameter] = f"{parameter}-{name}" if name in named.values() else name
    return named


def copy(inputs: Mapping[str, Path], named: Mapping[str, str], staged: Path) -> dict[str, dict[str, Any]]:
    """Copy inputs into a staged report folder; their description, by parameter."""
    target = staged / FOLDER
    target.mkdir()
    described = {}
    for parameter, path in inputs.items():
        to = target / named[parameter]
        try:
            shutil.copyfile(path, to)
        except PermissionError:
            raise InputError(f"{parameter}: {path} may not be read") from None
        described[parameter] = {"path": f"{FOLDER}/{to.name}", **describe(to)}
    return described


def settle(
    given: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, Any], staged: Path
) -> dict[str, dict[str, Any]]:
    """Describe the inputs as the run leaves them.

    A notebook may keep what it fetched as `inputs/PARAMETER.EXT`, such as the window of a DEM: this file then stands for
    that parameter when the run is made again, in place of what was given (a name, an address, a larger file). A copy
    that the notebook has replaced in this way may be deleted by it.
    """
    by_path = {entry["path"]: parameter for parameter, entry in given.items()}
    settled: dict[str, dict[str, Any]] = {}
    for file in sorted((staged / FOLDER).iterdir()):
        path = f"{FOLDER}/{file.name}"
        entry = {"path": path, **describe(file)}
        parameter = by_path.get(path)
        if parameter is not None and entry == given[parameter]:
            settled.setdefault(parameter, entry)
        elif file.stem in parameters or parameter is not None:
            name = parameter or file.stem
            settled[name] = {**entry, "kept_by_run": True, "given": given.get(name, parameters.get(name))}
        else:
            settled[file.name] = {**entry, "kept_by_run": True}
    return settled
