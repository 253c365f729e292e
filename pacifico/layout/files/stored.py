"""layout.geojson read back: held to the contract by hand, geometry in both the working CRS and degrees."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from pacifico.crs import LONLAT, reproject
from pacifico.errors import CRSMismatchError, InputError
from pacifico.layout.files.geojson import SCHEMA_VERSION, schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely.geometry.base import BaseGeometry

Rule = dict[str, Any]

_AREA = ("Polygon", "MultiPolygon")
GEOMETRIES: dict[str, tuple[str, ...]] = {
    "boundary": _AREA,
    "buildable": _AREA,
    "exclusion": _AREA,
    "entry": ("Point",),
    "asset": ("Polygon",),
    "pad": ("Polygon",),
    "road": ("LineString",),
    "cable": ("LineString",),
}
"""Kinds of feature, in the order of every export, and the geometries that each may have."""

_TEXT: Rule = {"type": "string"}
_NUMBER: Rule = {"type": "number"}
_POSITIVE: Rule = {"type": "number", "minimum": 0}
# What the shipped schema leaves to the contract's text; {} may be absent.
_OTHERS: dict[str, dict[str, Rule]] = {
    "boundary": {"name": {}},
    "buildable": {},
    "exclusion": {"name": _TEXT, "zone_type": _TEXT, "buffer_m": _POSITIVE, "cost_multiplier": _POSITIVE},
    "entry": {"name": {}},
}
_DEPTH = {"Point": 0, "LineString": 1, "Polygon": 2, "MultiPolygon": 3}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}
_LARGEST = 1e15
_AUTHORITY_CODE = re.compile(r"[A-Za-z]{2,16}:[0-9]{1,9}")
_REMEDY = "give a layout.geojson as pacifico wrote it"


@dataclass(frozen=True)
class Part:
    """One feature."""

    kind: str
    properties: Mapping[str, Any]
    """Those of the contract, in its order."""
    lonlat: BaseGeometry
    """Longitude, latitude [°] and, of roads, design height [m]."""
    geometry: BaseGeometry
    """Working CRS [m]."""

    def __getitem__(self, name: str) -> Any:
        return self.properties[name]


@dataclass(frozen=True)
class Parts:
    """A layout's features and what is said about them."""

    about: Mapping[str, Any]
    """The member `pacifico`."""
    crs: CRS
    """Working CRS, in metres."""
    parts: tuple[Part, ...]

    def of_kind(self, kind: str) -> list[Part]:
        """Features of a kind, in the file's order."""
        return [p for p in self.parts if p.kind == kind]

    @property
    def name(self) -> str:
        """Name of the site; may be empty, and may hold anything."""
        return next((str(p["name"]) for p in self.of_kind("boundary") if p["name"]), "")


def columns(kind: str) -> dict[str, Rule]:
    """Properties of a kind in the contract's order, without `kind` itself, each with its rule of JSON Schema."""
    if kind in _OTHERS:
        return _OTHERS[kind]
    return {name: rule for name, rule in schema()["$defs"][kind]["properties"].items() if name != "kind"}


def read_layout(path: str | Path) -> dict[str, Any]:
    """Content of a layout.geojson.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    InputError
        It can't be read, or is no layout that pacifico wrote; one line says where and why.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}); check the path and its permissions") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON ({str(error)[:80]}); {_REMEDY}") from None
    try:
        parts_of(content)
    except InputError as error:
        raise type(error)(f"{path}: {error}") from None
    found: dict[str, Any] = content
    return found


def parts_of(layout: Mapping[str, Any]) -> Parts:
    """Features of a layout, checked against the contract.

    Raises
    ------
    InputError
        A member, a property or a geometry is missing or of the wrong kind.
    """
    about = layout.get("pacifico") if isinstance(layout, dict) else None
    if not isinstance(about, dict) or layout.get("type") != "FeatureCollection":
        raise InputError(f"this is no FeatureCollection with a member 'pacifico'; {_REMEDY}")
    version = about.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise InputError(
            f"the layout has schema_version {_shown(version)}; this pacifico reads {SCHEMA_VERSION}: make the layout again, "
            "or use the pacifico that wrote it"
        )
    _check_about(about)
    crs = _working_crs(about["crs"])
    features = layout.get("features")
    if not isinstance(features, list):
        raise InputError(f"'features' is {_shown(features)}, not a list; {_REMEDY}")
    parts = tuple(_part(feature, number, crs) for number, feature in enumerate(features, start=1))
    if not any(p.kind == "boundary" for p in parts):
        raise InputError(f"the layout has no feature of kind 'boundary'; {_REMEDY}")
    return Parts(about, crs, parts)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number in JSON")


def _check_about(about: Mapping[str, Any]) -> None:
    """Refuse a member `pacifico` that the shipped schema does not allow; members it does not know pass."""
    rule = schema()["properties"]["pacifico"]
    for name in rule["required"]:
        if not _fits(about.get(name), rule["properties"][name]):
            raise InputError(f"the layout's {name} {_shown(about.get(name))} is not as the contract has it; {_REMEDY}")


def _working_crs(said: Any) -> CRS:
    try:
        # Authority and code alone: PROJ would also take file names and pipelines.
        crs = CRS.from_user_input(said) if isinstance(said, str) and _AUTHORITY_CODE.fullmatch(said) else None
    except CRSError:
        crs = None
    if crs is None:
        raise CRSMismatchError(f"the layout's working CRS {_shown(said)} is unknown; {_REMEDY}")
    if not crs.is_projected or {axis.unit_conversion_factor for axis in crs.axis_info[:2]} != {1.0}:
        raise CRSMismatchError(f"the layout's working CRS {said} is not projected in metres; {_REMEDY}")
    return crs


def _part(feature: Any, number: int, crs: CRS) -> Part:
    where = f"feature {number}"
    properties = feature.get("properties") if isinstance(feature, dict) and feature.get("type") == "Feature" else None
    kind = properties.get("kind") if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(kind, str) or kind not in GEOMETRIES:
        raise InputError(f"{where} has kind {_shown(kind)}, not one of {', '.join(GEOMETRIES)}; {_REMEDY}")
    where = f"{where} ({kind})"
    found = {}
    for name, rule in columns(kind).items():
        if name not in properties and rule:
            raise InputError(f"{where} has no {name}; {_REMEDY}")
        value = properties.get(name)
        if not _fits(value, rule or {"type": ["string", "null"]}):
            raise InputError(f"{where} has {name} {_shown(value)}, which the contract does not allow; {_REMEDY}")
        found[name] = value
    lonlat = _geometry(feature.get("geometry"), GEOMETRIES[kind], where, heights=kind == "road")
    moved = reproject(lonlat, LONLAT, crs)
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        raise InputError(f"{where} lies beyond the reach of the working CRS {crs.name}; {_REMEDY}")
    return Part(kind, found, lonlat, moved)


def _fits(value: Any, rule: Rule) -> bool:
    """Whether a value keeps a rule; the words of JSON Schema that the contract's members and properties use."""
    if "$ref" in rule:
        return _fits(value, schema()["$defs"][rule["$ref"].rpartition("/")[2]])
    if ("enum" in rule and value not in rule["enum"]) or ("const" in rule and value != rule["const"]):
        return False
    said = rule.get("type", [])
    types = [said] if isinstance(said, str) else said
    if types and not any(
        isinstance(value, _TYPES[t]) and (t == "boolean" or not isinstance(value, bool)) for t in types
    ):
        return False
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = rule.get("minimum", -_LARGEST), rule.get("maximum", _LARGEST)
        return bool(low <= value <= high and value > rule.get("exclusiveMinimum", -_LARGEST))
    if isinstance(value, str):
        return len(value) >= int(rule.get("minLength", 0))
    if isinstance(value, list):
        least, most = int(rule.get("minItems", 0)), int(rule.get("maxItems", _LARGEST))
        return least <= len(value) <= most and all(_fits(item, rule.get("items", {})) for item in value)
    if isinstance(value, dict):
        known, others = rule.get("properties", {}), rule.get("additionalProperties") or {}
        return all(name in value for name in rule.get("required", ())) and all(
            _fits(item, known.get(name, others)) for name, item in value.items()
        )
    return True


def _geometry(said: Any, allowed: tuple[str, ...], where: str, *, heights: bool) -> BaseGeometry:
    kind = said.get("type") if isinstance(said, dict) else None
    if not isinstance(kind, str) or kind not in allowed:
        raise InputError(f"{where} has a geometry of type {_shown(kind)}, not {' or '.join(allowed)}; {_REMEDY}")
    coordinates = said.get("coordinates")
    if not _well_formed(coordinates, _DEPTH[kind], 3 if heights else 2, closed="Polygon" in kind):
        raise InputError(
            f"{where} has coordinates that are no {kind} in degrees{' with heights' if heights else ''}; {_REMEDY}"
        )
    return shapely.geometry.shape({"type": kind, "coordinates": coordinates})


def _well_formed(value: Any, depth: int, least: int, *, closed: bool) -> bool:
    if not isinstance(value, list) or not value:
        return False
    if depth == 0:
        return (
            least <= len(value) <= 3
            and all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < _LARGEST for v in value)
            and -180 <= value[0] <= 180
            and -90 <= value[1] <= 90
        )
    if not all(_well_formed(item, depth - 1, least, closed=closed) for item in value):
        return False
    if depth > 1:
        return True
    if len({len(position) for position in value}) > 1:
        return False
    return len(value) >= 4 and value[0] == value[-1] if closed else len(value) >= 2


def _shown(value: Any) -> str:
    """Value on one line, cut short; only plain ones are spelt out."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
