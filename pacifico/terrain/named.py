"""Named elevation sources: 3DEP (United States) and Copernicus GLO-30 (world)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.crs import LONLAT
from pacifico.errors import DEMError, OutsideServiceError
from pacifico.terrain.raster.addresses import display_name, host_of
from pacifico.terrain.raster.mosaic import merged
from pacifico.terrain.raster.window import lonlat_text, ring_of
from pacifico.terrain.remote.vrt import window_state
from pacifico.terrain.remote.web_files import etag
from pacifico.terrain.remote.windows import read_remote
from pacifico.terrain.sources import NAMED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyproj import CRS

    from pacifico.terrain.raster.read import ReadRequest
    from pacifico.terrain.raster.window import Bounds, RasterWindow
    from pacifico.terrain.remote.settings import SourceSettings

SURFACE_WARNING = (
    "GLO-30 is a surface model: its heights include trees and roofs; slopes and earthwork in forest and settlements are "
    "those of their tops"
)
WORLDWIDE = "glo30"
"""Source to suggest where another has no elevation."""
HALF_CELL_DEG = 0.5 / 3600
"""GLO-30's tiles are shifted by half a cell from whole degrees, to the west and north [°]."""


def glo30_id(lon: int, lat: int) -> str:
    """Name of the GLO-30 tile with this lower left corner.

    Examples
    --------
    >>> glo30_id(-96, 44)
    'Copernicus_DSM_COG_10_N44_00_W096_00_DEM'
    """
    northing = f"{'N' if lat >= 0 else 'S'}{abs(lat):02d}_00"
    easting = f"{'E' if lon >= 0 else 'W'}{abs(lon):03d}_00"
    return f"Copernicus_DSM_COG_10_{northing}_{easting}_DEM"


def glo30_tiles(lonlat: Bounds) -> list[tuple[int, int]]:
    """Lower left corners of the tiles that cover bounds in degrees.

    From west to east, then south to north. East is beyond 180 for bounds across the antimeridian.
    """
    west, south, east, north = lonlat
    columns = range(math.floor(west + HALF_CELL_DEG), math.floor(east + HALF_CELL_DEG) + 1)
    rows = range(math.ceil(south - HALF_CELL_DEG) - 1, math.ceil(north - HALF_CELL_DEG))
    return [((column + 180) % 360 - 180, row) for row in rows for column in columns]


def named_window(name: str, request: ReadRequest, site_bounds: Bounds, settings: SourceSettings) -> RasterWindow:
    """Elevation of a named source within bounds.

    Parameters
    ----------
    name : {"3dep", "3dep-30", "glo30"}
        Source.
    request : ReadRequest
        What to read: the site with its halo.
    site_bounds : tuple of float
        West, south, east, north of the site [m]. A tile may be missing (open sea) if only the halo needs it; its part is
        nodata.
    settings : SourceSettings
        Addresses, retries, cache.

    Raises
    ------
    OutsideServiceError
        The service fails, or does not cover the site.
    """
    try:
        window = READERS.get(name, _one_raster)(name, request, site_bounds, settings)
    except DEMError as error:
        raise OutsideServiceError(f"{_not_covered(name, site_bounds, request.crs)} ({error})") from error
    if np.isnan(window.values).all():
        raise OutsideServiceError(_not_covered(name, site_bounds, request.crs))
    return window


def url_window(url: str, request: ReadRequest, settings: SourceSettings) -> RasterWindow:
    """Elevation of a raster at an address within bounds.

    Parameters
    ----------
    url : str
        http, https or s3 address.
    request : ReadRequest
        What to read.
    settings : SourceSettings
        Retries, cache.

    Raises
    ------
    DEMError
        It is no elevation raster, or does not meet the bounds.
    OutsideServiceError
        There is no such file, or the server fails.
    """
    state = etag(url, settings)
    if state is None:
        raise OutsideServiceError(f"{display_name(url)}: there is no such file at {host_of(url)}; check the address")
    if state and url.lower().split("?", 1)[0].endswith(".vrt"):
        state = window_state(url, state, request, settings)
    return read_remote([url], [state], request, settings)[0]


def _not_covered(name: str, bounds: Bounds, crs: CRS) -> str:
    """Message that a named source has no elevation at a site."""
    return (
        f"{name} has no elevation at the site ({lonlat_text(bounds, crs)}): it covers {NAMED[name].coverage}; "
        f"use {'a DEM file' if name == WORLDWIDE else f'{WORLDWIDE} or a DEM file'}"
    )


def _one_raster(name: str, request: ReadRequest, site_bounds: Bounds, settings: SourceSettings) -> RasterWindow:  # noqa: ARG001 (as the readers of tiles)
    """Elevation of a source that is one raster.

    Parameters
    ----------
    name : str
        Source.
    request : ReadRequest
        What to read.
    site_bounds : tuple of float
        Bounds of the site [m].
    settings : SourceSettings
        Addresses, retries, cache.
    """
    url = settings.urls[name]
    state = etag(url, settings)
    if state is None:
        raise OutsideServiceError(f"{name}: there is no {display_name(url)} at its server; the address may have moved")
    state = window_state(url, state, request, settings)
    window = read_remote([url], [state], request, settings)[0]
    return replace(window, band_unit=window.band_unit or "metre")


def _glo30(name: str, request: ReadRequest, site_bounds: Bounds, settings: SourceSettings) -> RasterWindow:
    """Elevation of GLO-30, merged from its tiles.

    Parameters
    ----------
    name : str
        Source.
    request : ReadRequest
        What to read.
    site_bounds : tuple of float
        Bounds of the site [m]: tiles there may not be missing.
    settings : SourceSettings
        Addresses, retries, cache.
    """
    tiles = glo30_tiles(_lonlat_bounds(request.bounds, request.crs))
    needed = set(glo30_tiles(_lonlat_bounds(site_bounds, request.crs)))
    urls, states, absent = [], [], []
    for tile in tiles:
        identity = glo30_id(*tile)
        url = f"{settings.urls[name]}/{identity}/{identity}.tif"
        state = etag(url, settings)
        if state is None:
            absent.append((tile, identity))
            continue
        urls.append(url)
        states.append(state)
    if not urls:
        raise OutsideServiceError(_not_covered(name, site_bounds, request.crs))
    missing = [identity for tile, identity in absent if tile in needed]
    if missing:
        raise OutsideServiceError(
            f"glo30 has no tile {missing[0]}, which the site needs: open sea has none; check the boundary, or give a DEM file"
        )
    window = merged(read_remote(urls, states, request, settings))
    notes = tuple(
        f"glo30 has no tile {identity} (open sea): the site's surroundings there are nodata" for _, identity in absent
    )
    return replace(
        window,
        band_unit=window.band_unit or "metre",
        surface_model=True,
        warnings=(*window.warnings, SURFACE_WARNING, *notes),
    )


def _lonlat_bounds(bounds: Bounds, crs: CRS) -> Bounds:
    """Bounds in degrees; longitudes run on across the antimeridian."""
    ring = ring_of(bounds, crs, LONLAT)
    return ring[:, 0].min(), ring[:, 1].min(), ring[:, 0].max(), ring[:, 1].max()


READERS: Mapping[str, Callable[[str, ReadRequest, Bounds, SourceSettings], RasterWindow]] = {"glo30": _glo30}
"""Readers of sources that are more than one raster."""
