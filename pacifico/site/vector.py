"""GeoPackage and shapefile, read through GDAL (pyogrio).

GDAL chooses its driver by content, and some drivers follow links. So the magic numbers are checked first, and GDAL sees
only a temporary folder with our file names.
"""

from __future__ import annotations

import contextlib
import sqlite3
import struct
import tempfile
import warnings as python_warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyogrio
import pyogrio.raw
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely.errors import ShapelyError

from pacifico.errors import CRSMismatchError, SiteError
from pacifico.escaping import for_gdal
from pacifico.site.features import (
    MAX_COORDINATE,
    MAX_FEATURES,
    SHAPEFILE_MAGIC,
    Budget,
    Coords,
    Feature,
    Layer,
    Reading,
    clean_name,
    counted,
    feature_name,
    parse_crs,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_LAYERS = 200
"""Most layers of a GeoPackage."""
_KEYS = frozenset({"name", "title", "label", "kind", "type", "zone_type", "buffer_m", "cost_multiplier", "cost_multi"})
_GDAL_ERRORS = (DataSourceError, DataLayerError, FeatureError, FieldError, GeometryError)
_HEADER_WORDS = 50
_NO_CRS = "no CRS or an unreadable one, and none is guessed; set it, or reproject the file to EPSG:4326"
_MAX_WARNINGS = 5
_DAMAGED = "the GeoPackage is damaged or no GeoPackage; export it again"
_SQLITE_STEPS = 5_000_000
"""Longest SQLite statement [virtual machine steps]: a damaged schema could compute without end."""
_WAL_VERSION = 2
"""File format version (byte 18) of a SQLite file in write-ahead mode."""


def read_geopackage(data: bytes, *, logs: Mapping[str, bytes] | None = None) -> Reading:
    """Features of all layers of a GeoPackage.

    Parameters
    ----------
    data : bytes
        The file.
    logs : mapping of bytes, optional
        SQLite's '-wal' or '-journal' file beside it: what was saved last is there while another program has it open.
        None where it is not known whether there is one.

    Raises
    ------
    SiteError
        Where it is damaged or holds no layer.
    CRSMismatchError
        Where a layer with features has no CRS or an unknown one.

    References
    ----------
    SQLite, Write-Ahead Logging; Database File Format, section 1.3.
    """
    layers: list[Layer] = []
    warnings: list[str] = []
    with tempfile.TemporaryDirectory(prefix="pacifico-") as folder:
        path = Path(folder) / "site.gpkg"
        path.write_bytes(data)
        if logs:
            for ending, content in logs.items():
                path.with_name(path.name + ending).write_bytes(content)
            _apply_logs(path)
            warnings.append(
                f"read with the changes in its {' and '.join(sorted(logs))} file: another program has the GeoPackage open, or "
                "did not close it"
            )
        elif logs is None and len(data) > 18 and data[18] == _WAL_VERSION:
            warnings.append(
                "the GeoPackage is in write-ahead mode: changes in a -wal file beside it are not in this file; close it in "
                "other programs before you copy it"
            )
        budget = Budget()
        for name in _geopackage_layers(path):
            layer, layer_warnings = _read_layer(path, name, quoted(name), budget)
            warnings += layer_warnings
            if layer is not None:
                layers.append(layer)
    return Reading(tuple(layers), warnings=tuple(warnings))


def _apply_logs(path: Path) -> None:
    """Write the changes of a log into the copied database."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.set_progress_handler(lambda: 1, _SQLITE_STEPS)
        try:
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()  # rolls a journal back
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            database.execute("PRAGMA journal_mode = DELETE").fetchone()
        except (sqlite3.Error, UnicodeDecodeError):
            raise SiteError(_DAMAGED) from None


def _geopackage_layers(path: Path) -> list[str]:
    """Names of the feature tables; a view could compute endlessly and is refused."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        # Aborts a statement that takes too many steps.
        database.set_progress_handler(lambda: 1, _SQLITE_STEPS)
        try:
            database.execute("PRAGMA trusted_schema = OFF")
            tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not {"gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys"} <= tables:
                raise SiteError(_DAMAGED)
            rows = database.execute("SELECT table_name FROM gpkg_geometry_columns ORDER BY rowid").fetchmany(
                _MAX_LAYERS + 1
            )
        except (sqlite3.Error, UnicodeDecodeError):
            raise SiteError(_DAMAGED) from None
    names = [row[0] for row in rows]
    if len(names) > _MAX_LAYERS:
        raise SiteError(f"the GeoPackage has more than {_MAX_LAYERS} layers, the limit; export the site's layer alone")
    for name in names:
        if name not in tables:
            raise SiteError(
                f"the layer {quoted(str(name))} of the GeoPackage is a view or missing; export it as a table"
            )
    return names


def read_shapefiles(parts: Mapping[str, Mapping[str, bytes]]) -> Reading:
    """Features of one shapefile or several.

    Parameters
    ----------
    parts : mapping
        For each layer its files by extension (shp, shx, dbf, prj, cpg), in lower case.

    Raises
    ------
    SiteError
        Where a .shp is damaged.
    CRSMismatchError
        Where a .prj is missing or can't be read.
    """
    layers, warnings = [], []
    budget = Budget()
    with tempfile.TemporaryDirectory(prefix="pacifico-") as folder:
        for number, (name, files) in enumerate(parts.items()):
            shp = Path(folder) / f"layer{number}.shp"
            where = f"the shapefile {quoted(name)}"
            records = shapefile_index(files["shp"], where)
            if "prj" not in files:
                raise CRSMismatchError(
                    f"{where} has no .prj, so its CRS is not known, and none is guessed; add the .prj file"
                )
            for extension in ("shp", "shx", "dbf", "prj", "cpg"):
                if extension in files:
                    shp.with_suffix(f".{extension}").write_bytes(files[extension])
            if "shx" not in files:
                shp.with_suffix(".shx").write_bytes(records)
                warnings.append(f"{where} has no .shx; its index was rebuilt from the .shp")
            if "dbf" not in files:
                warnings.append(f"{where} has no .dbf, so no names or attributes")
            try:
                layer, layer_warnings = _read_layer(shp, None, where, budget)
            except CRSMismatchError:
                # GDAL reads only the CRS that Esri's own WKT can express.
                crs = _prj_crs(files["prj"], where)
                shp.with_suffix(".prj").unlink()
                layer, layer_warnings = _read_layer(shp, None, where, budget, crs=crs)
            warnings += layer_warnings
            if layer is not None:
                layers.append(Layer(clean_name(name), layer.crs, layer.features))
    return Reading(tuple(layers), warnings=tuple(warnings))


def _prj_crs(prj: bytes, where: str) -> CRS:
    """CRS of a .prj as PROJ reads it."""
    try:
        return parse_crs(CRS.from_wkt(prj.decode()).to_wkt(), where)
    except (CRSError, UnicodeDecodeError):
        raise CRSMismatchError(f"{where} has {_NO_CRS}") from None


def shapefile_index(shp: bytes, where: str) -> bytes:
    """Index (.shx) of a .shp, which must be whole.

    References
    ----------
    ESRI Shapefile Technical Description (1998): the header's length and the records' are in 16-bit words, big-endian.
    """
    if len(shp) < 100 or not shp.startswith(SHAPEFILE_MAGIC):
        raise SiteError(f"{where} is not a shapefile or is cut off ({len(shp)} bytes); export it again")
    (words,) = struct.unpack_from(">i", shp, 24)
    if words * 2 > len(shp):
        raise SiteError(f"{where} is cut off: {len(shp):,} bytes of {words * 2:,}; export it again")
    index: list[bytes] = []
    at = _HEADER_WORDS
    while at + 4 <= words:
        (length,) = struct.unpack_from(">i", shp, at * 2 + 4)
        if length < 2 or at + 4 + length > words:
            raise SiteError(f"{where} is damaged: record {len(index) + 1} reaches past the end; export it again")
        index.append(struct.pack(">ii", at, length))
        at += 4 + length
        if len(index) > MAX_FEATURES:
            raise SiteError(f"{where} holds more than {MAX_FEATURES:,} features, the limit; export the site alone")
    header = bytearray(shp[:100])
    struct.pack_into(">i", header, 24, _HEADER_WORDS + 4 * len(index))
    return bytes(header) + b"".join(index)


def _read_layer(
    path: Path, name: str | None, where: str, budget: Budget, *, crs: CRS | None = None
) -> tuple[Layer | None, list[str]]:
    """Layer of a file, None where it is empty, and warnings.

    Parameters
    ----------
    path : Path
        A copy in our folder.
    name : str, optional
        Layer of a GeoPackage.
    where : str
        Name of the layer, for messages.
    budget : Budget
        Counts features and vertices.
    crs : CRS, optional
        Its CRS, where GDAL can't read it.
    """
    meta, wkb, columns, warnings = _raw(path, name, where)
    if wkb is None or not len(wkb):
        return None, warnings
    if crs is None:
        if not meta["crs"]:
            raise CRSMismatchError(f"{where} has {_NO_CRS}")
        crs = parse_crs(meta["crs"], where)
    budget.spend("features", len(wkb))
    present = np.array([g is not None for g in wkb])
    if missing := int((~present).sum()):
        warnings.append(f"{where}: {counted(missing, 'feature')} without geometry skipped")
    geometries = _geometries(wkb[present], where, warnings)
    budget.spend("vertices", int(shapely.get_num_coordinates(geometries).sum()))
    if crs.datum is not None and crs.datum.name.lower().startswith("unknown"):
        warnings.append(f"{where}: the datum of {crs.name} is not named; WGS 84 assumed")
    fields = [str(field).lower() for field in meta["fields"]]
    rows: Iterator[tuple[Any, ...]] = (
        zip(*(column[present] for column in columns), strict=True) if fields else iter([()] * len(geometries))
    )
    features = tuple(
        _feature(geometry, dict(zip(fields, row, strict=True))) for geometry, row in zip(geometries, rows, strict=True)
    )
    return Layer(clean_name(name or ""), crs, features), warnings


def _raw(path: Path, name: str | None, where: str) -> tuple[dict[str, Any], Any, Any, list[str]]:
    """Metadata, geometries, relevant columns and warnings of a layer from GDAL."""
    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always")
        try:
            info = pyogrio.read_info(for_gdal(path), layer=name)
            wanted = [field for field in info["fields"] if str(field).lower() in _KEYS]
            meta, _, wkb, columns = pyogrio.raw.read(
                for_gdal(path),
                layer=name,
                columns=wanted,
                force_2d=True,
                max_features=MAX_FEATURES + 1,
                datetime_as_string=True,
            )
        except UnboundLocalError:
            # What pyogrio 0.13 raises where GDAL can't write the CRS down.
            raise CRSMismatchError(f"{where} has {_NO_CRS}") from None
        except (*_GDAL_ERRORS, UnicodeDecodeError, ValueError) as error:
            raise SiteError(f"{where} can't be read ({_first_line(error)}); export it again") from None
    messages = dict.fromkeys(f"{where}: {_first_line(item.message)}" for item in caught)
    return meta, wkb, columns, list(messages)[:_MAX_WARNINGS]


def _geometries(wkb: Any, where: str, warnings: list[str]) -> Any:
    try:
        with np.errstate(invalid="ignore"):
            found = shapely.from_wkb(wkb)
    except (ShapelyError, ValueError):
        try:
            with np.errstate(invalid="ignore"):
                found = shapely.from_wkb(wkb, on_invalid="fix")
        except (ShapelyError, ValueError) as error:
            raise SiteError(
                f"{where} holds a geometry that can't be read ({_first_line(error)}); export it again"
            ) from None
        if (found == None).any():  # noqa: E711 (element by element)
            raise SiteError(f"{where} holds a geometry that is not a simple feature; export it as polygons") from None
        warnings.append(f"{where}: rings that were not closed are closed")
    if not (np.abs(shapely.get_coordinates(found)) < MAX_COORDINATE).all():
        raise SiteError(f"{where} holds coordinates that are not finite numbers, or too large; export it again")
    return found


def _first_line(error: Exception | str) -> str:
    return clean_name((str(error).splitlines() or [type(error).__name__])[0])


def _feature(geometry: Any, row: dict[str, object]) -> Feature:
    polygons: list[tuple[Coords, ...]] = []
    lines: list[Coords] = []
    points: list[Coords] = []
    waiting: list[Any] = [geometry]
    while waiting:
        item = waiting.pop()
        if item.is_empty:
            continue
        if item.geom_type == "Polygon":
            polygons.append(tuple(shapely.get_coordinates(ring) for ring in (item.exterior, *item.interiors)))
        elif item.geom_type in {"LineString", "LinearRing"}:
            lines.append(shapely.get_coordinates(item))
        elif item.geom_type == "Point":
            points.append(shapely.get_coordinates(item))
        elif hasattr(item, "geoms"):
            waiting.extend(reversed(item.geoms))
        else:
            raise SiteError(f"a {item.geom_type} can't be read; export it with straight edges, as polygons")
    properties = {key: value.item() if isinstance(value, np.generic) else value for key, value in row.items()}
    return Feature(feature_name(properties), (), properties, tuple(polygons), tuple(lines), tuple(points))
