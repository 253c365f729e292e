"""State of a window of a remote VRT, tiles included.

A VRT's ETag covers the VRT alone: tiles are replaced under their old names. And a VRT of a country changes with each of its
tiles, wherever the site is.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urljoin
from xml.etree.ElementTree import ParseError, tostring

from pyproj import CRS
from pyproj.exceptions import CRSError

from pacifico.terrain.raster.window import cell_window, horizontal_crs, ring_of
from pacifico.terrain.remote.web_files import etag, fetched

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pacifico.terrain.raster.read import ReadRequest
    from pacifico.terrain.raster.window import Affine6
    from pacifico.terrain.remote.settings import SourceSettings

MOST_TILES = 64
"""Tiles under a site from which their states are not asked for: such windows are read without the cache."""
THREADS = 8
"""Requests for states at a time."""


def window_state(url: str, state: str, request: ReadRequest, settings: SourceSettings) -> str:
    """Identifier of a VRT window's state; empty if unknown.

    Parameters
    ----------
    url : str
        Address of the VRT.
    state : str
        Its ETag.
    request : ReadRequest
        What to read.
    settings : SourceSettings
        Retries and cache: the VRT's text is kept there under its ETag.

    Raises
    ------
    OutsideServiceError
        The server fails after all tries.
    """
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415 (needed for VRTs only)

    try:
        root = fromstring(fetched(url, state, settings))
        tiles = _cut_to(root, request, url)
    except (ParseError, CRSError, ValueError):
        return ""  # reading it will show what is wrong
    if tiles is None or len(tiles) > MOST_TILES:
        return ""
    with ThreadPoolExecutor(THREADS) as pool:
        states = list(pool.map(lambda tile: etag(tile, settings), tiles))
    if not all(found and found.strip() for found in states):
        return ""
    digest = hashlib.sha256(tostring(root))
    for tile, found in zip(tiles, states, strict=True):
        digest.update(f"\n{tile} {found}".encode())
    return digest.hexdigest()


def _cut_to(root: Element, request: ReadRequest, url: str) -> list[str] | None:
    """Remove a VRT's sources outside the bounds; return the other addresses.

    Parameters
    ----------
    root : Element
        The VRT; changed in place.
    request : ReadRequest
        Bounds.
    url : str
        Address of the VRT, which relative names start from.

    Returns
    -------
    list of str or None
        None if the VRT is not a plain mosaic of files on web servers.
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
    window = cell_window(transform, shape, ring_of(request.bounds, request.crs, flat))
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
    """Address of a source's file; None unless a plain web file."""
    name = source.find("SourceFilename")
    text = (name.text or "").strip() if name is not None else ""
    relative = name is not None and name.get("relativeToVRT") == "1"
    address = urljoin(url, text) if relative else text.removeprefix("/vsicurl/")
    plain = address.startswith(("http://", "https://")) and not address.lower().endswith(".vrt")
    return address if plain else None
