"""Read any supported file: its content decides the format, not its extension."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pacifico.errors import SiteError
from pacifico.escaping import decoded
from pacifico.site.archive import Archive, Member
from pacifico.site.features import (
    MAX_FILE_BYTES,
    SHAPEFILE_MAGIC,
    SQLITE_MAGIC,
    Layer,
    Reading,
    clean_name,
    counted,
    quoted,
    quoted_list,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_KNOWN = "KML, KMZ, GeoJSON, GeoPackage or a zipped shapefile"
_SHAPEFILE_PARTS = ("shp", "shx", "dbf", "prj", "cpg")
_LOGS = ("-wal", "-journal")
"""Endings of SQLite's log files: what was saved last is there until the database is closed."""
_EXTENSIONS = {
    "KML": {"kml", "xml"},
    "GeoJSON": {"geojson", "json", "geojsonl", "geojsons", "ndjson", "jsonl"},
    "GeoPackage": {"gpkg"},
    "zip archive": {"kmz", "zip"},
    "shapefile": {"shp"},
}
_GEOGRAPHIC_JSON = re.compile(rb'"(coordinates|rings|FeatureCollection)"')


def read_file(path: Path) -> tuple[Reading, bytes]:
    """Features of a file and its companion files, and its bytes.

    Raises
    ------
    SiteError, CRSMismatchError
        Where it can't be read.
    """
    data = _read_bytes(path)
    return read_features(data, decoded(path.name), companions=_companions(path, data)), data


def _read_bytes(path: Path) -> bytes:
    """Bytes of a regular file within the size limit."""
    try:
        if not path.exists():
            raise SiteError("the file does not exist; check the path")
        if not path.is_file():
            raise SiteError(f"it is not a file; give a {_KNOWN}")
        with path.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, SiteError):
            raise
        raise SiteError(
            f"the file can't be opened ({clean_name(str(error.args[-1]))}); check the path and its permissions"
        ) from None


def _companions(path: Path, data: bytes) -> dict[str, bytes]:
    """Companions of a file: shapefile parts by extension, SQLite logs by ending."""
    if data.startswith(SQLITE_MAGIC):
        real = path.resolve()
        logs = {ending: real.with_name(real.name + ending) for ending in _LOGS}
        return {ending: _read_bytes(log) for ending, log in logs.items() if log.is_file() and log.stat().st_size}
    if not data.startswith(SHAPEFILE_MAGIC):
        return {}
    parts = {
        extension: path.with_suffix(f".{spelling}")
        for extension in _SHAPEFILE_PARTS[1:]
        for spelling in (extension.upper(), extension)
        if path.with_suffix(f".{spelling}").is_file()
    }
    return {extension: _read_bytes(part) for extension, part in parts.items()}


def read_features(data: bytes, filename: str, *, companions: Mapping[str, bytes] | None = None) -> Reading:
    """Features of a file's bytes, whatever its format.

    Parameters
    ----------
    data : bytes
        Content of the file.
    filename : str
        Its name without folders.
    companions : mapping of bytes, optional
        Other files that belong to it: of a .shp by extension, of a GeoPackage '-wal' and '-journal'. None where it is
        not known whether there are any.

    Raises
    ------
    SiteError, CRSMismatchError
        Where it can't be read.
    """
    if not data:
        raise SiteError(f"the file is empty; give a {_KNOWN}")
    if len(data) > MAX_FILE_BYTES:
        raise SiteError(f"the file is larger than {MAX_FILE_BYTES / 1e6:.0f} MB, the limit; export the site alone")
    kind = _kind(data)
    extension = filename.rpartition(".")[2].lower()
    if kind == "zip archive":
        return _with_link_warning(_read_archive(data, extension))
    reading = _read_single(kind, data, filename.rpartition(".")[0] or filename, companions)
    expected = next((k for k, extensions in _EXTENSIONS.items() if extension in extensions), None)
    if expected not in {None, kind}:
        message = f"the name ends in .{extension}, but the content is {kind}; read as {kind}"
        reading = replace(reading, warnings=(message, *reading.warnings))
    return _with_link_warning(reading)


def _with_link_warning(reading: Reading) -> Reading:
    """Reading with a warning on network links that were not followed."""
    if not reading.links:
        return reading
    links = counted(len(reading.links), "network link")
    warning = f"{links} never followed ({quoted_list(reading.links)}); save what {'it shows' if len(reading.links) == 1 else 'they show'} in the file"
    return replace(
        reading, warnings=(*reading.warnings, warning), skipped=(f"{links} (never followed)", *reading.skipped)
    )


def _kind(data: bytes) -> str:
    """Format of a file, by its first bytes."""
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip archive"
    if data.startswith(SQLITE_MAGIC):
        return "GeoPackage"
    if data.startswith(SHAPEFILE_MAGIC):
        return "shapefile"
    head = (
        data[:4096]
        .removeprefix(b"\xef\xbb\xbf")
        .removeprefix(b"\xff\xfe")
        .removeprefix(b"\xfe\xff")
        .lstrip(b"\x00 \t\r\n\x1e")
    )
    if head.startswith(b"<"):
        return "KML"
    if head.startswith((b"{", b"[")):
        return "GeoJSON"
    raise SiteError(f"the content is in no format that pacifico reads; give a {_KNOWN}")


def _read_single(kind: str, data: bytes, stem: str, companions: Mapping[str, bytes] | None) -> Reading:
    """Features of a file that is not an archive.

    Parameters
    ----------
    kind : str
        Format, as `_kind` names it.
    data : bytes
        Content.
    stem : str
        File name without extension.
    companions : mapping of bytes, optional
        As for `read_features`.
    """
    # The readers are imported when needed: GDAL's takes half a second.
    if kind == "KML":
        from pacifico.site.kml import read_kml  # noqa: PLC0415

        return read_kml(data)
    if kind == "GeoJSON":
        from pacifico.site.geojson import read_geojson  # noqa: PLC0415

        return read_geojson(data)
    from pacifico.site import vector  # noqa: PLC0415

    if kind == "GeoPackage":
        return vector.read_geopackage(data, logs=companions)
    return vector.read_shapefiles({stem: {**(companions or {}), "shp": data}})


def _read_archive(data: bytes, extension: str) -> Reading:
    """Features of a zip archive or a KMZ; several formats are refused."""
    archive = Archive(data)
    found = _by_format(archive)
    kmls = found.get("KML", [])
    is_kmz = extension == "kmz" or any(m.path.lower() == "doc.kml" for m in kmls)
    if len(found) > 1 and not (kmls and extension == "kmz"):
        held = " and ".join(f"{kind} ({quoted_list([m.path for m in ms])})" for kind, ms in found.items())
        raise SiteError(
            f"the archive holds files of {len(found)} formats: {held}; pack the site's alone, or give it unpacked"
        )
    if kmls and (is_kmz or len(kmls) == 1):
        from pacifico.site.kmz import read_kmz  # noqa: PLC0415 (see above)

        reading = read_kmz(archive, kmls)
        ignored = [m.path for kind, ms in found.items() if kind != "KML" for m in ms]
        if not ignored:
            return reading
        return replace(
            reading, warnings=(*reading.warnings, f"{quoted_list(ignored)} in the archive not read: a KMZ is its KML")
        )
    if "shapefile" in found:
        return _read_zipped_shapefiles(archive, found["shapefile"])
    if "KMZ" in found:
        raise SiteError(
            f"the archive holds another archive ({quoted_list([m.path for m in found['KMZ']])}); unpack it first"
        )
    if "file geodatabase" in found:
        raise SiteError("a file geodatabase is not supported; export the site's layer as GeoPackage or shapefile")
    for kind in ("KML", "GeoPackage", "GeoJSON"):
        if kind in found:
            return _read_members(archive, found[kind])
    wanted = "KML" if extension == "kmz" else "shapefile"
    held = ", ".join(quoted(m.path) for m in archive.members[:5]) or "nothing"
    raise SiteError(
        f"the archive holds no {wanted} (it holds {held}); pack a .kml, or a .shp with its .shx, .dbf and .prj"
    )


def _by_format(archive: Archive) -> dict[str, list[Member]]:
    """Members that may hold a site, by format."""
    found: dict[str, list[Member]] = {}
    kinds = {"shp": "shapefile", "kml": "KML", "kmz": "KMZ", "gpkg": "GeoPackage", "gdbtable": "file geodatabase"}
    kinds |= dict.fromkeys(_EXTENSIONS["GeoJSON"] - {"json"}, "GeoJSON")
    plain_json: list[Member] = []
    left = MAX_FILE_BYTES
    for member in archive.members:
        if member.extension == "json":
            # Many archives hold metadata as JSON: only what has geometry counts.
            data = archive.read(member, left)
            left -= len(data)
            if _GEOGRAPHIC_JSON.search(data):
                found.setdefault("GeoJSON", []).append(member)
            else:
                plain_json.append(member)
        elif member.extension in kinds:
            found.setdefault(kinds[member.extension], []).append(member)
    if not found and plain_json:
        found["GeoJSON"] = plain_json
    return found


def _read_members(archive: Archive, members: Sequence[Member]) -> Reading:
    """Features of an archive's files of one format, each a layer."""
    layers: list[Layer] = []
    warnings: list[str] = []
    links: list[str] = []
    title, marked = "", False
    by_path = {m.path: m for m in archive.members}
    left = MAX_FILE_BYTES
    for member in members:
        data = archive.read(member, left)
        left -= len(data)
        if (kind := _kind(data)) == "zip archive":
            raise SiteError(f"the archive holds another archive ({quoted(member.path)}); unpack it first")
        logs = {e: archive.read(by_path[member.path + e], left) for e in _LOGS if member.path + e in by_path} or None
        reading = _read_single(kind, data, member.stem, logs)
        warnings += [f"{quoted(member.path)}: {w}" if len(members) > 1 else w for w in reading.warnings]
        links += reading.links
        title, marked = reading.title, reading.marked
        if len(members) == 1:
            layers += reading.layers
        else:
            several = len(reading.layers) > 1
            layers += [replace(i, name=f"{member.stem}: {i.name}" if several else member.stem) for i in reading.layers]
    one = len(members) == 1
    return Reading(tuple(layers), title if one else "", tuple(warnings), links=tuple(links), marked=marked and one)


def _read_zipped_shapefiles(archive: Archive, shapefiles: Sequence[Member]) -> Reading:
    from pacifico.site.vector import read_shapefiles  # noqa: PLC0415 (see above)

    files = {(m.folder, m.stem.lower(), m.extension): m for m in archive.members}
    stems = [m.stem.lower() for m in shapefiles]
    layers: dict[str, dict[str, bytes]] = {}
    left = MAX_FILE_BYTES
    for shp in shapefiles:
        name = shp.stem if stems.count(shp.stem.lower()) == 1 else shp.path[: -len(".shp")]
        parts: dict[str, bytes] = {}
        for extension in _SHAPEFILE_PARTS:
            member = files.get((shp.folder, shp.stem.lower(), extension))
            if member is not None:
                parts[extension] = archive.read(member, left)
                left -= len(parts[extension])
        layers[name] = parts
    return read_shapefiles(layers)
