"""Site and elevation from uploaded files, with limits on their size and kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.site.boundary import read_site_bytes
from pacifico.terrain.dem import open_dem

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

    from pacifico.site.model import Site

MOST_SITE_BYTES = 20_000_000
"""Largest boundary file that the page takes [bytes]: some hundred thousand vertices."""
MOST_DEM_BYTES = 100_000_000
"""Largest elevation file that the page takes [bytes]: 25 million cells of 4 bytes."""
MOST_MESSAGE_BYTES = 128 << 20
"""Largest message that the browser may send to the server [bytes]: one file, which no message splits."""
SITE_ENDINGS = (".kml", ".kmz", ".geojson", ".json", ".gpkg", ".zip")
"""Endings that the browser's file dialog offers; the content decides how a file is read."""
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
"""First bytes of TIFF and BigTIFF files."""


def uploaded_site(name: str, content: bytes) -> Site:
    """Site of an uploaded boundary file.

    Parameters
    ----------
    name : str
        Name of the file, a label.
    content : bytes
        Its content.

    Raises
    ------
    InputError
        The file is too large, or holds no site.
    """
    if len(content) > MOST_SITE_BYTES:
        raise InputError(
            f"the boundary file has {len(content) / 1e6:,.1f} MB, {MOST_SITE_BYTES / 1e6:.0f} MB at most are taken; "
            "export the site alone"
        )
    return read_site_bytes(content, name)


def uploaded_dem(site: Site, content: bytes, folder: Path) -> xr.DataArray:
    """Elevation of a site from an uploaded GeoTIFF.

    Other kinds of rasters are refused, because some name files of this machine to read.

    Parameters
    ----------
    site : Site
        Site to cover.
    content : bytes
        Content of the file.
    folder : Path
        Folder of the visit, in which the file is kept.

    Raises
    ------
    InputError
        The file is too large, no GeoTIFF, or doesn't cover the site.
    """
    if len(content) > MOST_DEM_BYTES:
        raise InputError(
            f"the elevation file has {len(content) / 1e6:,.1f} MB, {MOST_DEM_BYTES / 1e6:.0f} MB at most are taken; cut it to "
            "the site"
        )
    if not content.startswith(_TIFF):
        raise InputError("the elevation file is no GeoTIFF; convert it to one")
    path = folder / "elevation.tif"
    path.write_bytes(content)
    return open_dem(site, path)
