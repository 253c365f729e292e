"""Which reader a file needs, told by its content; the extension only settles what kind of archive it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.errors import SiteError
from pacifico.site.archive import Archive, Member
from pacifico.site.features import (
    MAX_FILE_BYTES,
    MAX_TEXT_BYTES,
    SHAPEFILE_MAGIC,
    SQLITE_MAGIC,
    Reading,
    clean_name,
    quoted,
)

if TYPE_CHECKING:
    from pathlib import Path

_KNOWN = "KML, KMZ, GeoJSON, GeoPackage or a zipped shapefile"
_SIDECARS = ("shp", "shx", "dbf", "prj", "cpg")
_EXTENSIONS = {
    "KML": {"kml", "xml"},
    "GeoJSON": {"geojson", "json"},
    "GeoPackage": {"gpkg"},
    "zip archive": {"kmz", "zip"},
    "shapefile": {"shp"},
}


def read_bytes_of(path: Path) -> bytes:
    """Bytes of a regular file within the size limit.

    Raises
    ------
    SiteError
        Where it is missing, unreadable, no regular file, empty or too large.
    """
    shown = quoted(path.name)
    try:
        if not path.exists():
            raise SiteError(f"{shown} does not exist; check the path")
        if not path.is_file():
            raise SiteError(f"{shown} is not a file; give a {_KNOWN}")
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, SiteError):
            raise
        raise SiteError(
            f"{shown} can't be opened ({clean_name(str(error.args[-1]))}); check the path and its rights"
        ) from None
    return data


def read_features(data: bytes, filename: str, *, sidecars: dict[str, bytes] | None = None) -> Reading:
    """Features of a file, whatever its format.

    Parameters
    ----------
    data : bytes
        Content of the file.
    filename : str
        Its name without folders.
    sidecars : dict of bytes, optional
        Of a bare .shp its other files, by extension.

    Raises
    ------
    SiteError, CRSMismatchError
        Where it can't be read.
    """
    if not data:
        raise SiteError(f"the file is empty; give a {_KNOWN}")
    if len(data) > MAX_FILE_BYTES:
        raise SiteError(f"the file is larger than {MAX_FILE_BYTES / 1e6:.0f} MB, the limit; export the site alone")
    kind = _kind_of(data)
    extension = filename.rpartition(".")[2].lower()
    if kind == "zip archive":
        return _read_archive(data, filename, extension)
    reading = _read_plain(kind, data, filename, sidecars or {})
    expected = next((k for k, extensions in _EXTENSIONS.items() if extension in extensions), None)
    if expected not in {None, kind}:
        said = f"the name ends in .{extension}, but the content is {kind}; read as such"
        reading = Reading(reading.layers, reading.title, (said, *reading.warnings), reading.passed_over)
    return reading


def _kind_of(data: bytes) -> str:
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
        .lstrip(b"\x00 \t\r\n")
    )
    if head.startswith(b"<"):
        return "KML"
    if head.startswith((b"{", b"[")):
        return "GeoJSON"
    raise SiteError(f"the content is none of those that are read; give a {_KNOWN}")


def _read_plain(kind: str, data: bytes, filename: str, sidecars: dict[str, bytes]) -> Reading:
    # The readers are imported when needed: GDAL's takes half a second.
    if kind == "KML":
        from pacifico.site.kml import read_kml  # noqa: PLC0415

        return read_kml(data)
    if kind == "GeoJSON":
        from pacifico.site.geojson import read_geojson  # noqa: PLC0415

        return read_geojson(data)
    from pacifico.site import vector  # noqa: PLC0415

    if kind == "GeoPackage":
        return vector.read_geopackage(data)
    return vector.read_shapefiles({filename.rpartition(".")[0] or filename: {**sidecars, "shp": data}})


def _read_archive(data: bytes, filename: str, extension: str) -> Reading:
    archive = Archive(data)
    by_extension: dict[str, list[Member]] = {}
    for member in archive.members:
        by_extension.setdefault(member.extension, []).append(member)
    shapefiles, kmls = by_extension.get("shp", []), by_extension.get("kml", [])
    if kmls and (extension == "kmz" or not shapefiles):
        return _read_kmz(archive, kmls)
    if shapefiles:
        return _read_zipped_shapefiles(archive, shapefiles)
    if "gdbtable" in by_extension:
        raise SiteError("a file geodatabase is not supported; export the site's layer as GeoPackage or shapefile")
    others = [m for e in ("gpkg", "geojson", "json") for m in by_extension.get(e, [])]
    if len(others) == 1:
        inner = archive.read(others[0], MAX_FILE_BYTES)
        if (kind := _kind_of(inner)) == "zip archive":
            raise SiteError("the archive holds another archive, which is not opened; unpack it first")
        return _read_plain(kind, inner, filename, {})
    wanted = "KML" if extension == "kmz" else "shapefile"
    held = ", ".join(quoted(m.path) for m in archive.members[:5]) or "nothing"
    raise SiteError(
        f"the archive holds no {wanted} (it holds {held}); pack a .kml, or a .shp with its .shx, .dbf and .prj"
    )


def _read_kmz(archive: Archive, kmls: list[Member]) -> Reading:
    """Read the root's doc.kml, else the first KML of the archive, as the KML standard says; never several merged."""
    from pacifico.site.kml import read_kml  # noqa: PLC0415 (see above)

    chosen = next((m for m in kmls if m.path.lower() == "doc.kml"), kmls[0])
    reading = read_kml(archive.read(chosen, MAX_TEXT_BYTES))
    if len(kmls) == 1:
        return reading
    ignored = ", ".join(quoted(m.path) for m in kmls[:6] if m is not chosen)
    said = f"the archive holds {len(kmls)} KML files; {quoted(chosen.path)} was read (doc.kml, else the first), not {ignored}"
    return Reading(reading.layers, reading.title, (*reading.warnings, said), reading.passed_over)


def _read_zipped_shapefiles(archive: Archive, shapefiles: list[Member]) -> Reading:
    from pacifico.site.vector import read_shapefiles  # noqa: PLC0415 (see above)

    files = {(m.folder, m.stem.lower(), m.extension): m for m in archive.members}
    stems = [m.stem.lower() for m in shapefiles]
    layers: dict[str, dict[str, bytes]] = {}
    left = MAX_FILE_BYTES
    for shp in shapefiles:
        name = shp.stem if stems.count(shp.stem.lower()) == 1 else shp.path[: -len(".shp")]
        parts: dict[str, bytes] = {}
        for extension in _SIDECARS:
            member = files.get((shp.folder, shp.stem.lower(), extension))
            if member is not None:
                parts[extension] = archive.read(member, left)
                left -= len(parts[extension])
        layers[name] = parts
    return read_shapefiles(layers)
