"""Shipped notebook templates and their parameters."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "None": (type(None),),
    "list": (list, tuple),
    "dict": (dict,),
}


@dataclass(frozen=True)
class Parameter:
    """One assignment of a template's parameters cell."""

    name: str
    annotation: str
    """As written, such as `float | None`; empty without a type."""
    required: bool
    """Whether its comment begins with "required"; the default then is for runs by hand."""


@dataclass(frozen=True)
class Template:
    """A notebook to run."""

    name: str
    path: Path
    sha256: str
    parameters: Mapping[str, Parameter]


def folder() -> Path:
    """Folder of the templates.

    In the wheel, or beside the package in a checkout.
    """
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "notebooks", package.parent / "notebooks"):
        if candidate.is_dir():
            return candidate
    raise InputError(f"no notebooks beside {package}: install pacifico again, its templates are missing")


def names() -> list[str]:
    """Names of all shipped notebooks."""
    return sorted(p.stem for p in folder().glob("*.ipynb"))


def find(name: str) -> Template:
    """Return the shipped template of a name.

    Raises
    ------
    InputError
        There is none; the message lists all.
    """
    path = folder() / f"{name}.ipynb"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise InputError(f"no notebook is called {name!r}; there are: {', '.join(names())}")
    return read(path)


def read(path: Path) -> Template:
    """Read a template and its parameters cell.

    Raises
    ------
    InputError
        Not exactly one cell is tagged `parameters`, or it holds more than assignments.
    """
    content = path.read_bytes()
    cells = json.loads(content)["cells"]
    tagged = [c for c in cells if "parameters" in c.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1:
        raise InputError(f"{path.name} has {len(tagged)} cells tagged 'parameters'; a template needs exactly one")
    source = "".join(tagged[0]["source"])
    parameters = {p.name: p for p in _assignments(source, path.name)}
    return Template(path.stem, path, hashlib.sha256(content).hexdigest(), parameters)


def check(template: Template, parameters: Mapping[str, Any]) -> None:
    """Refuse unknown, missing and mistyped parameters.

    Raises
    ------
    InputError
        The message names all of them.
    """
    known = template.parameters
    faults = [f"{n!r} is not a parameter" for n in sorted(set(parameters) - set(known))]
    faults += [f"{n!r} is missing" for n, p in known.items() if p.required and n not in parameters]
    for name, value in parameters.items():
        if name in known and (fault := _misfit(known[name], value)):
            faults.append(fault)
    if faults:
        raise InputError(f"notebook {template.name}: {'; '.join(faults)}. It takes: {', '.join(known)}")


@functools.lru_cache(maxsize=32)
def _assignments(source: str, where: str) -> tuple[Parameter, ...]:
    """Parameters of a cell.

    They are kept: each submit and each job asks for those of the same few notebooks.
    """
    lines = source.splitlines()
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, annotation, bare = node.target.id, ast.unparse(node.annotation), node.value is None
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name, annotation, bare = node.targets[0].id, "", False
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        else:
            raise InputError(f"{where}: line {node.lineno} of its parameters cell is not 'name: type = value'")
        rest = lines[(node.end_lineno or node.lineno) - 1].encode()[node.end_col_offset or 0 :].decode()
        found.append(Parameter(name, annotation, bare or rest.strip(" #").startswith("required")))
    return tuple(found)


def _misfit(parameter: Parameter, value: Any) -> str | None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return f"{parameter.name} = {value!r} is not plain JSON"
    kinds = [k.strip().split("[")[0] for k in parameter.annotation.split("|")] if parameter.annotation else []
    if not kinds or any(k not in _TYPES for k in kinds):
        return None
    allowed = tuple(t for k in kinds for t in _TYPES[k])
    fits = isinstance(value, allowed) and (not isinstance(value, bool) or bool in allowed)
    if fits and isinstance(value, float) and int in allowed and float not in allowed:
        fits = math.isclose(value, round(value))
    return None if fits else f"{parameter.name} = {value!r} is not {parameter.annotation}"
