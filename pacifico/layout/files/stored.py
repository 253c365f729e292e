"""Read and check a layout.geojson, in degrees and the working CRS."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from pacifico.crs import LONLAT, reproject_all
from pacifico.errors import CRSMismatchError, InputError
from pacifico.layout.files.geojson import schema
from pacifico.layout.files.versions import READ_VERSIONS, source_cell_m, upgraded

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
    "crossing": ("LineString",),
    "fence": ("LineString",),
}
"""Geometry types of each kind of feature, in the order of every export."""

_TEXT: Rule = {"type": "string"}
_NUMBER: Rule = {"type": "number"}
_POSITIVE: Rule = {"type": "number", "minimum": 0}
_OTHERS: dict[str, dict[str, Rule]] = {
    "boundary": {"name": {}},
    "buildable": {},
    "exclusion": {"name": _TEXT, "zone_type": _TEXT, "buffer_m": _POSITIVE, "cost_multiplier": _POSITIVE},
    "entry": {"name": {}},
}
"""Properties that the JSON Schema leaves open; {} may be absent."""
_OPTIONAL: dict[str, dict[str, Rule]] = {
    "exclusion": {name: {"type": "boolean"} for name in ("crossable", "drivable", "existing")},
    "crossing": {"existing": {"type": "boolean"}},
}
"""Properties that are read where a feature has them."""
_DEPTH = {"Point": 0, "LineString": 1, "Polygon": 2, "MultiPolygon": 3}
"""Depth of nested lists around the positions of a geometry."""
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
"""Larger numbers are mistakes, and overflow in geometry."""
_AUTHORITY_CODE = re.compile(r"[A-Za-z]{2,16}:[0-9]{1,9}")
_REMEDY = "give a layout.geojson as pacifico wrote it"

LEVEL = "level ground"
"""Source of a DEM that is assumed level, not measured."""
COARSE_M = 10.0
"""Cell size from which volumes of earthwork are not reliable [m]."""


@dataclass(frozen=True)
class StoredFeature:
    """Feature of a stored layout."""

    kind: str
    properties: Mapping[str, Any]
    """Properties of the contract in its order, without `kind`."""
    lonlat: BaseGeometry
    """Geometry in longitude and latitude [°]; of roads with design heights [m]."""
    geometry: BaseGeometry
    """Geometry in the working CRS [m]."""

    def __getitem__(self, name: str) -> Any:
        return self.properties[name]


@dataclass(frozen=True, repr=False)
class StoredLayout:
    """Layout read back from its file."""

    about: Mapping[str, Any]
    """The member `pacifico` in the latest version: metrics, warnings, unplaced, dem and others."""
    crs: CRS
    """Working CRS, in metres."""
    features: tuple[StoredFeature, ...]

    def __repr__(self) -> str:
        return f"<StoredLayout {self.name!r}: {self.about['profile']}, {len(self.features)} features>"

    @classmethod
    def of(cls, content: Mapping[str, Any] | StoredLayout) -> StoredLayout:
        """Check the content of a layout.geojson and take its features.

        Parameters
        ----------
        content : mapping or StoredLayout
            FeatureCollection of the file; a layout that was checked before is returned as it is.

        Raises
        ------
        InputError
            A member, a property or a geometry is missing or invalid.
        CRSMismatchError
            The working CRS is unknown, or not projected in metres.
        """
        if isinstance(content, StoredLayout):
            return content
        try:
            return cls._of(content)
        except RecursionError:
            raise InputError(f"the layout is nested too deeply; {_REMEDY}") from None

    @classmethod
    def _of(cls, content: Mapping[str, Any]) -> StoredLayout:
        """As `of`, without a limit on nesting."""
        about = content.get("pacifico") if isinstance(content, dict) else None
        if not isinstance(about, dict) or content.get("type") != "FeatureCollection":
            raise InputError(f"this is no FeatureCollection with a member 'pacifico'; {_REMEDY}")
        version = about.get("schema_version")
        if version not in READ_VERSIONS or isinstance(version, bool):
            raise InputError(
                f"the layout has schema_version {_shown(version)}; this pacifico reads "
                f"{' and '.join(map(str, READ_VERSIONS))}: make the layout again, or use the pacifico that wrote it"
            )
        about = upgraded(about)
        _check_about(about)
        crs = _working_crs(about["crs"])
        given = content.get("features")
        if not isinstance(given, list):
            raise InputError(f"'features' is {_shown(given)}, not a list; {_REMEDY}")
        features = _reprojected([_feature(feature, number) for number, feature in enumerate(given, start=1)], crs)
        if not any(f.kind == "boundary" for f in features):
            raise InputError(f"the layout has no feature of kind 'boundary'; {_REMEDY}")
        return cls(about, crs, features)

    @classmethod
    def read(cls, path: str | Path) -> StoredLayout:
        """Read a layout.geojson.

        Parameters
        ----------
        path : str or Path
            The file.

        Raises
        ------
        InputError
            As `read_layout`.
        """
        return _checked(Path(path))[1]

    def of_kind(self, kind: str) -> list[StoredFeature]:
        """Features of one kind, in the order of the file."""
        return [f for f in self.features if f.kind == kind]

    @property
    def name(self) -> str:
        """Name of the site; may be empty, and may have any characters."""
        return next((str(f["name"]) for f in self.of_kind("boundary") if f["name"]), "")

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Metrics of the layout."""
        metrics: Mapping[str, Any] = self.about["metrics"]
        return metrics

    @cached_property
    def boundary(self) -> BaseGeometry:
        """Boundary of the site in the working CRS [m]."""
        return shapely.union_all([f.geometry for f in self.of_kind("boundary")])

    @property
    def coarse(self) -> bool:
        """Whether the DEM is too coarse for reliable volumes."""
        return source_cell_m(self.about["dem"]) > COARSE_M


@cache
def columns(kind: str) -> dict[str, Rule]:
    """Properties that every feature of a kind has, with their JSON Schema rules.

    They are in the order of the contract, without `kind`.
    """
    if kind in _OTHERS:
        return _OTHERS[kind]
    definition = schema()["$defs"][kind]
    return {name: definition["properties"][name] for name in definition["required"] if name != "kind"}


def read_layout(path: str | Path) -> dict[str, Any]:
    """Content of a layout.geojson, checked and upgraded.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    InputError
        It can't be read, or is no layout written by pacifico; one line says where and why.
    """
    return _checked(Path(path))[0]


def _checked(path: Path) -> tuple[dict[str, Any], StoredLayout]:
    """Content of a file, and the layout in it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}); check the path and its permissions") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON ({str(error)[:80]}); {_REMEDY}") from None
    try:
        layout = StoredLayout.of(content)
    except InputError as error:
        raise type(error)(f"{path}: {error}") from None
    return {**content, "pacifico": layout.about}, layout


def _refuse_constant(text: str) -> float:
    """Refuse NaN and infinity, which JSON doesn't have."""
    raise ValueError(f"{text} is no number in JSON")


def _check_about(about: Mapping[str, Any]) -> None:
    """Refuse a member `pacifico` that breaks the schema; unknown members pass."""
    rule = schema()["properties"]["pacifico"]
    known = [name for name in rule["properties"] if name in rule["required"] or name in about]
    for name in known:
        if not _fits(about.get(name), rule["properties"][name]):
            raise InputError(f"the layout's {name} {_shown(about.get(name))} is not valid; {_REMEDY}")


def _working_crs(given: Any) -> CRS:
    """Working CRS from its authority and code."""
    try:
        # authority and code only: PROJ also takes file names and pipelines
        crs = CRS.from_user_input(given) if isinstance(given, str) and _AUTHORITY_CODE.fullmatch(given) else None
    except CRSError:
        crs = None
    if crs is None:
        raise CRSMismatchError(f"the layout's working CRS {_shown(given)} is unknown; {_REMEDY}")
    if not crs.is_projected or {axis.unit_conversion_factor for axis in crs.axis_info[:2]} != {1.0}:
        raise CRSMismatchError(f"the layout's working CRS {given} is not projected in metres; {_REMEDY}")
    return crs


def _reprojected(checked: list[tuple[str, dict[str, Any], BaseGeometry]], crs: CRS) -> tuple[StoredFeature, ...]:
    """Features from kind, properties and geometry in degrees, all brought to the working CRS at once."""
    geometries = reproject_all([lonlat for _, _, lonlat in checked], LONLAT, crs)
    for number, ((kind, _, _), geometry) in enumerate(zip(checked, geometries, strict=True), start=1):
        if not np.isfinite(shapely.get_coordinates(geometry)).all():
            raise InputError(f"feature {number} ({kind}) is outside the area of the working CRS {crs.name}; {_REMEDY}")
    return tuple(StoredFeature(*feature, geometry) for feature, geometry in zip(checked, geometries, strict=True))


def _feature(feature: Any, number: int) -> tuple[str, dict[str, Any], BaseGeometry]:
    """Kind, properties and geometry in degrees of a feature, checked; `number` names it in messages."""
    where = f"feature {number}"
    properties = feature.get("properties") if isinstance(feature, dict) and feature.get("type") == "Feature" else None
    kind = properties.get("kind") if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(kind, str) or kind not in GEOMETRIES:
        raise InputError(f"{where} has kind {_shown(kind)}, not one of {', '.join(GEOMETRIES)}; {_REMEDY}")
    where = f"{where} ({kind})"
    taken = {}
    for name, rule in columns(kind).items():
        if name not in properties and rule:
            raise InputError(f"{where} has no {name}; {_REMEDY}")
        value = properties.get(name)
        if not _fits(value, rule or {"type": ["string", "null"]}):
            raise InputError(f"{where} has {name} {_shown(value)}, which is not valid; {_REMEDY}")
        taken[name] = value
    for name, rule in _OPTIONAL.get(kind, {}).items():
        if name in properties:
            if not _fits(properties[name], rule):
                raise InputError(f"{where} has {name} {_shown(properties[name])}, not true or false; {_REMEDY}")
            taken[name] = properties[name]
    lonlat = _geometry(feature.get("geometry"), GEOMETRIES[kind], where, heights=kind == "road")
    return kind, taken, lonlat


def _fits(value: Any, rule: Rule) -> bool:
    """Whether a value keeps a JSON Schema rule, of those that occur."""
    if "$ref" in rule:
        return _fits(value, schema()["$defs"][rule["$ref"].rpartition("/")[2]])
    if ("enum" in rule and value not in rule["enum"]) or ("const" in rule and value != rule["const"]):
        return False
    allowed = rule.get("type", [])
    types = [allowed] if isinstance(allowed, str) else allowed
    if types and not any(
        isinstance(value, _TYPES[t]) and (t == "boolean" or not isinstance(value, bool)) for t in types
    ):
        return False
    if _is_number(value):
        low, high = rule.get("minimum", -_LARGEST), rule.get("maximum", _LARGEST)
        return bool(low <= value <= high and value > rule.get("exclusiveMinimum", -_LARGEST))
    if isinstance(value, str):
        return len(value) >= int(rule.get("minLength", 0))
    if isinstance(value, list):
        fewest, most = int(rule.get("minItems", 0)), int(rule.get("maxItems", _LARGEST))
        return fewest <= len(value) <= most and all(_fits(item, rule.get("items", {})) for item in value)
    if isinstance(value, dict):
        listed, others = rule.get("properties", {}), rule.get("additionalProperties") or {}
        return all(name in value for name in rule.get("required", ())) and all(
            _fits(item, listed.get(name, others)) for name, item in value.items()
        )
    return True


def _is_number(value: Any) -> bool:
    """Whether a value is a number of JSON."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _geometry(given: Any, allowed: tuple[str, ...], where: str, *, heights: bool) -> BaseGeometry:
    """Check a geometry in degrees.

    Parameters
    ----------
    given : Any
        Member ``geometry`` of a feature.
    allowed : tuple of str
        Geometry types of its kind.
    where : str
        Name of the feature, for messages.
    heights : bool
        Whether positions need heights.
    """
    kind = given.get("type") if isinstance(given, dict) else None
    if not isinstance(kind, str) or kind not in allowed:
        raise InputError(f"{where} has a geometry of type {_shown(kind)}, not {' or '.join(allowed)}; {_REMEDY}")
    coordinates = given.get("coordinates")
    if not _well_formed(coordinates, _DEPTH[kind], 3 if heights else 2, closed="Polygon" in kind):
        raise InputError(
            f"{where} has coordinates that are no {kind} in degrees{' with heights' if heights else ''}; {_REMEDY}"
        )
    return shapely.geometry.shape({"type": kind, "coordinates": coordinates})


def _well_formed(value: Any, depth: int, fewest: int, *, closed: bool) -> bool:
    """Whether coordinates have the right nesting, positions and rings.

    Parameters
    ----------
    value : Any
        Coordinates.
    depth : int
        Depth of nested lists around positions.
    fewest : int
        Least number of coordinates in a position.
    closed : bool
        Whether lines are rings.
    """
    if not isinstance(value, list | tuple) or not value:
        return False
    if depth == 0:
        return (
            fewest <= len(value) <= 3
            and all(_is_number(v) and abs(v) < _LARGEST for v in value)
            and -180 <= value[0] <= 180
            and -90 <= value[1] <= 90
        )
    if not all(_well_formed(item, depth - 1, fewest, closed=closed) for item in value):
        return False
    if depth > 1:
        return True
    if len({len(position) for position in value}) > 1:
        return False
    return len(value) >= 4 and value[0] == value[-1] if closed else len(value) >= 2


def _shown(value: Any) -> str:
    """Short text of a value, on one line."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
