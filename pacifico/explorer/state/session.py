"""File of the document on the map, found again after the kernel is restarted."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import shapely
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from shapely.geometry import mapping, shape

from pacifico.errors import InputError
from pacifico.explorer.state.document import Document, DrawnZone, EditStep
from pacifico.explorer.state.overrides import Overrides
from pacifico.layout.criteria.design import Design
from pacifico.layout.criteria.setbacks import MAX_ENTRIES
from pacifico.layout.criteria.spec import make_spec
from pacifico.output_files import atomic_files
from pacifico.site.features import clean_name
from pacifico.site.model import ZoneType  # noqa: TC001 (pydantic reads it)
from pacifico.vocabulary import AssetKind, Profile, Strategy  # noqa: TC001 (pydantic reads them)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from pacifico.site.model import Site, Zone

MAX_BYTES = 2_000_000
"""Largest session file [bytes]: some 40,000 vertices."""
MAX_EDITS = 500
"""Most edits of a session; each is made again on every new layout."""
MAX_ZONES = 500
"""Most zones of a session."""
MAX_RULES = 100
"""Most catalog values that a session overrides."""
_WRITTEN = ("profile", "strategy", "target_capacity_kw", "setback_m", "max_road_grade_pct", "entry", "poi")

_Degrees = Annotated[float, Field(ge=-360, le=360)]
_Place = tuple[_Degrees, _Degrees]
_Length = Annotated[float, Field(ge=0, le=10_000)]
_Name = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]
_Edge = Annotated[int, Field(ge=1, strict=True)] | Annotated[str, Field(min_length=1, strict=True)]


_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_max_length=200)
"""Unknown members, NaN and infinity are refused."""


class _DesignPart(BaseModel):
    model_config = _STRICT

    profile: Profile
    strategy: Strategy
    target_capacity_kw: Annotated[float, Field(ge=100, le=5_000_000)] | None
    setback_m: _Length
    max_road_grade_pct: Annotated[float, Field(gt=0, le=100)]
    entry: _Place | None
    poi: _Place | None


class _ZonePart(BaseModel):
    model_config = _STRICT

    name: Annotated[str, Field(min_length=1)]
    area: dict[Literal["type", "coordinates"], Any]
    buffer_m: _Length
    use: ZoneType | None = None
    existing: bool = False
    """Both absent in sessions of earlier versions."""

    def drawn(self) -> DrawnZone:
        """Zone of the document; refused where its area is no polygon."""
        try:
            area = shape(self.area)
        except (shapely.errors.ShapelyError, ValueError, TypeError, AttributeError, KeyError, IndexError):
            raise InputError(f"zone {clean_name(self.name)!r} has no area") from None
        if not isinstance(area, shapely.Polygon | shapely.MultiPolygon) or area.is_empty or not area.is_valid:
            raise InputError(f"the area of zone {clean_name(self.name)!r} is no valid polygon")
        west, south, east, north = area.bounds
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
            raise InputError(f"the area of zone {clean_name(self.name)!r} is not in degrees")
        return DrawnZone(clean_name(self.name), area, self.buffer_m, self.use, self.existing)


class _EditPart(BaseModel):
    model_config = _STRICT

    operation: Literal["move", "rotate", "remove", "add"]
    asset_type: AssetKind
    at: _Place
    asset_id: Annotated[str, Field(pattern=r"^[a-z0-9_-]{0,64}$")]
    to: _Place | None
    to_deg: _Degrees | None


class _OverridesPart(BaseModel):
    model_config = _STRICT

    rules: Annotated[list[tuple[_Name, _Name, float]], Field(max_length=MAX_RULES)] = []
    edge_setbacks: Annotated[list[tuple[_Edge, _Length]], Field(max_length=MAX_ENTRIES)] = []
    storage_mwh: Annotated[float, Field(gt=0, le=1e6)] | None = None

    def overrides(self) -> Overrides:
        """Overrides of the document; refused where a value is out of its range."""
        found = Overrides(storage_mwh=self.storage_mwh)
        for section, rule, value in self.rules:
            make_spec({section: {rule: value}})
            found = found.with_rule(section, rule, value)
        for edge, setback_m in self.edge_setbacks:
            found = found.with_edge(edge, setback_m)
        return found


class _SessionFile(BaseModel):
    model_config = _STRICT

    schema_version: Literal[1]
    request: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    design: _DesignPart
    zones: Annotated[list[_ZonePart], Field(max_length=MAX_ZONES)]
    edits: Annotated[list[_EditPart], Field(max_length=MAX_EDITS)]
    overrides: _OverridesPart = _OverridesPart()
    """Absent in sessions of earlier versions."""


def parse_session(text: bytes, request: str) -> Document:
    """Document of a session file.

    Parameters
    ----------
    text : bytes
        Content of the file.
    request : str
        Key of the request that the session belongs to, from `request_key`.

    Raises
    ------
    InputError
        The file is too large, invalid, or of another request.
    """
    if len(text) > MAX_BYTES:
        raise InputError(f"the session has {len(text):,} bytes, {MAX_BYTES:,} at most are read")
    try:
        found = _SessionFile.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InputError(f"the session can't be read: {place}: {first['msg']}") from None
    if found.request != request:
        raise InputError("the session belongs to another site, DEM or starting design")
    zones = tuple(zone.drawn() for zone in found.zones)
    if len({zone.name for zone in zones}) < len(zones):
        raise InputError("two zones of the session have the same name")
    edits = tuple(EditStep(**dict(edit)) for edit in found.edits)
    try:
        overrides = found.overrides.overrides()
    except InputError as error:
        raise InputError(f"the session can't be read: {error}") from None
    return Document(Design(**dict(found.design)), zones, edits, overrides)


def session_text(document: Document, request: str) -> bytes:
    """Content of the session file of a document."""
    design = asdict(document.design)
    content = {
        "schema_version": 1,
        "request": request,
        "design": {name: design[name] for name in _WRITTEN},
        "zones": [
            {"name": z.name, "area": mapping(z.area), "buffer_m": z.buffer_m, "use": z.use, "existing": z.existing}
            for z in document.zones
        ],
        "edits": [asdict(edit) for edit in document.edits],
        "overrides": asdict(document.overrides),
    }
    return json.dumps(content, indent=1, allow_nan=False).encode()


def request_key(site: Site, dem: xr.DataArray, exclusions: tuple[Zone, ...], start: Design) -> str:
    """Key of a request: hash of site, DEM, exclusions and starting design.

    Parameters
    ----------
    site : Site
        Site of the map.
    dem : DataArray
        Its elevation model.
    exclusions : tuple of Zone
        Exclusions in addition to the site's.
    start : Design
        Design that the map starts with.
    """
    digest = hashlib.sha256()
    zones = (*site.exclusions, *exclusions)
    parts = [
        site.name,
        site.crs.to_wkt(),
        dem.attrs.get("sha256", ""),
        [dem[n].values[[0, -1]].tolist() for n in ("x", "y")],
    ]
    parts += [(z.name, z.zone_type, z.buffer_m, z.cost_multiplier, z.crossable, z.drivable) for z in zones]
    parts += [(a.name, a.is_entry, a.is_poi) for a in site.anchors]
    parts += [[line.name for line in site.lines], asdict(start)]
    digest.update(json.dumps(parts, default=str, sort_keys=True).encode())
    digest.update(np.ascontiguousarray(dem.values).tobytes())
    shapes = (
        site.boundary,
        *(z.geometry for z in zones),
        *(a.point for a in site.anchors),
        *(n.line for n in site.lines),
    )
    for geometry in shapes:
        digest.update(geometry.wkb)
    return digest.hexdigest()


def session_path(name: str, request: str, environment: Mapping[str, str] | None = None) -> Path | None:
    """Session file beside the notebook that runs; None outside a notebook.

    Parameters
    ----------
    name : str
        Name of the site.
    request : str
        Key of the request.
    environment : mapping, optional
        Variables of the process, by default its own; the server names the notebook in `JPY_SESSION_NAME`.
    """
    notebook = (os.environ if environment is None else environment).get("JPY_SESSION_NAME", "")
    if not notebook.endswith(".ipynb"):
        return None
    path = Path(notebook)
    folder = path.parent if path.is_absolute() and path.parent.is_dir() else Path.cwd()
    site = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:40] or "site"
    return folder / f"{path.stem}-{site}-{request[:8]}.session.json"


@dataclass(frozen=True)
class Session:
    """Session file of one request; without a path nothing is kept."""

    path: Path | None
    request: str

    @property
    def name(self) -> str:
        """Name of the file; empty without one."""
        return "" if self.path is None else self.path.name

    def load(self) -> Document | None:
        """Document of the file; None without a file.

        Raises
        ------
        InputError
            The file can't be read, or belongs to another request. It is kept under another name.
        """
        if self.path is None or not self.path.is_file():
            return None
        try:
            with self.path.open("rb") as file:
                return parse_session(file.read(MAX_BYTES + 1), self.request)
        except InputError as error:
            kept = self.path.with_suffix(".unread.json")
            self.path.replace(kept)
            raise InputError(f"{error}; it is kept as {kept.name}") from None
        except OSError as error:
            raise InputError(f"the session {self.path.name} can't be read: {error.strerror}") from None

    def save(self, document: Document) -> None:
        """Write the document.

        Raises
        ------
        InputError
            The file can't be written, or the document is larger than a session may be.
        """
        if self.path is None:
            return
        text = session_text(document, self.request)
        if len(text) > MAX_BYTES or len(document.edits) > MAX_EDITS or len(document.zones) > MAX_ZONES:
            raise InputError(
                f"the session is not saved: it has {len(text):,} bytes, {len(document.edits)} edits and "
                f"{len(document.zones)} zones; {MAX_BYTES:,}, {MAX_EDITS} and {MAX_ZONES} at most are kept"
            )
        try:
            with atomic_files(self.path) as (part,):
                part.write_bytes(text)
        except OSError as error:
            raise InputError(f"the session {self.path.name} can't be written: {error.strerror}") from None
