"""What a window of a remote VRT hangs on: the VRT's own words about it, and the state of the tiles that it names there.

A VRT's ETag tells of the VRT alone: tiles behind it are replaced under their old names. And a VRT of a country changes
wherever one of its tiles does, which is no news for a site elsewhere.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urljoin
from xml.etree.ElementTree import ParseError, tostring

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from pacifico.crs import transformer
from pacifico.terrain.raster import cell_window, horizontal_crs, outline
from pacifico.terrain.remote import etag, fetched

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pacifico.terrain.raster import Affine6, Bounds
    from pacifico.terrain.remote import SourceSettings

MOST_TILES = 64
_ASKING = 8


def window_state(url: str, state: str, bounds: Bounds, crs: CRS, settings: SourceSettings) -> str:
    """What tells this state of a VRT's window from another; empty where that can't be told.

    Parameters
    ----------
    url, state : str
        Of the VRT, and its ETag.
    bounds : tuple of float
        West, south, east, north in `crs`.
    crs : CRS
        CRS of `bounds`.
    settings : SourceSettings
        Patience and cache: the VRT's text is kept there under its ETag.

    Raises
    ------
    OutsideServiceError
        Where the server fails even after the retries.
    """
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415 (needed for VRTs alone)

    try:
        root = fromstring(fetched(url, state, settings))
        tiles = _cut_to(root, bounds, crs, url)
    except (ParseError, CRSError, ValueError):
        return ""  # GDAL is to say what is wrong with it
    if tiles is None or len(tiles) > MOST_TILES:
        return ""
    with ThreadPoolExecutor(_ASKING) as pool:
        states = list(pool.map(lambda tile: etag(tile, settings), tiles))
    if not all(found and found.strip() for found in states):
        return ""
    digest = hashlib.sha256(tostring(root))
    for tile, found in zip(tiles, states, strict=True):
        digest.update(f"\n{tile} {found}".encode())
    return digest.hexdigest()


def _cut_to(root: Element, bounds: Bounds, crs: CRS, url: str) -> list[str] | None:
    """Take the sources that don't touch the bounds out of a VRT, and give the addresses of the others.

    None where the VRT is not a plain mosaic of files on web servers.
    """
    if root.tag != "VRTDataset" or root.get("subClass"):
        return None
    corners = [float(n) for n in root.findtext("GeoTransform", "").split(",")]
    if len(corners) != 6:
        return None
    c, a, b, f, d, e = corners
    transform: Affine6 = (a, b, c, d, e, f)
    shape = int(root.get("rasterYSize", "")), int(root.get("rasterXSize", ""))
    flat = horizontal_crs(CRS.from_user_input(root.findtext("SRS", "")))
    west, south, east, north = bounds
    ring = outline((east - west, 0.0, west, 0.0, south - north, north), (1, 1))
    x, y = transformer(crs, flat).transform(ring[:, 0], ring[:, 1])
    window = cell_window(transform, shape, np.column_stack([x, y]))
    if window is None:
        return None
    r0, r1, c0, c1 = window
    tiles = set()
    for parent in list(root.iter()):
        for source in [child for child in parent if child.find("SourceFilename") is not None]:
            place = source.find("DstRect")
            if place is None:
                return None
            left, top, wide, high = (float(place.get(name, "")) for name in ("xOff", "yOff", "xSize", "ySize"))
            if left < c1 and left + wide > c0 and top < r1 and top + high > r0:
                address = _address(source, url)
                if address is None:
                    return None
                tiles.add(address)
            else:
                parent.remove(source)
    return sorted(tiles)


def _address(source: Element, url: str) -> str | None:
    """Address of a source's file; None where it lies on no web server, or is a VRT itself."""
    name = source.find("SourceFilename")
    text = (name.text or "").strip() if name is not None else ""
    relative = name is not None and name.get("relativeToVRT") == "1"
    address = urljoin(url, text) if relative else text.removeprefix("/vsicurl/")
    plain = address.startswith(("http://", "https://")) and not address.lower().endswith(".vrt")
    return address if plain else None
