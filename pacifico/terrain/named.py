"""Elevation by the name of its source: 3DEP of the United States, Copernicus GLO-30 of the world."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from pacifico.crs import LONLAT, transformer
from pacifico.errors import DEMError, OutsideServiceError
from pacifico.terrain.mosaic import merged
from pacifico.terrain.raster import RasterWindow, display_name, lonlat_text
from pacifico.terrain.remote import SourceSettings, etag, read_remote
from pacifico.terrain.vrt import window_state

if TYPE_CHECKING:
    from pyproj import CRS

    from pacifico.terrain.raster import Bounds

COVER = {
    "3dep": "the United States",
    "3dep-30": "the United States",
    "glo30": "the world's land",
}
SURFACE_WARNING = (
    "GLO-30 is a surface model: it runs over trees and roofs, not over bare ground; slopes and earthwork in forest and "
    "settlements are those of their tops"
)
HALF_CELL_DEG = 0.5 / 3600
"""GLO-30's tiles reach half a cell beyond their whole degrees to the west and north, and end as much short."""


def glo30_id(lon: int, lat: int) -> str:
    """Name of the GLO-30 tile with its lower left corner at whole degrees, as in Copernicus_DSM_COG_10_N44_00_W096_00_DEM."""
    northing = f"{'N' if lat >= 0 else 'S'}{abs(lat):02d}_00"
    easting = f"{'E' if lon >= 0 else 'W'}{abs(lon):03d}_00"
    return f"Copernicus_DSM_COG_10_{northing}_{easting}_DEM"


def glo30_tiles(lonlat: Bounds) -> list[tuple[int, int]]:
    """Lower left corners of the tiles that hold a part of the bounds [°], west to east, south to north."""
    west, south, east, north = lonlat
    columns = range(math.floor(west + HALF_CELL_DEG), math.floor(east + HALF_CELL_DEG) + 1)
    rows = range(math.ceil(south - HALF_CELL_DEG) - 1, math.ceil(north - HALF_CELL_DEG))
    return [((column + 180) % 360 - 180, row) for row in rows for column in columns]


def named_window(name: str, bounds: Bounds, site_bounds: Bounds, crs: CRS, settings: SourceSettings) -> RasterWindow:
    """Elevation of a named source within bounds.

    Parameters
    ----------
    name : {"3dep", "3dep-30", "glo30"}
        Source.
    bounds, site_bounds : tuple of float
        West, south, east, north [m] in `crs`, with and without the halo. A tile may be absent (open sea) where only the
        halo needs it; its part is nodata.
    crs : CRS
        Working CRS.
    settings : SourceSettings
        Addresses, patience, cache.

    Raises
    ------
    OutsideServiceError
        Where the service fails, or does not cover the site.
    """
    try:
        window = _glo30(bounds, site_bounds, crs, settings) if name == "glo30" else _tdep(name, bounds, crs, settings)
    except DEMError as error:
        raise OutsideServiceError(f"{_not_covered(name, site_bounds, crs)} ({error})") from error
    if np.isnan(window.values).all():
        raise OutsideServiceError(_not_covered(name, site_bounds, crs))
    return window


def url_window(url: str, bounds: Bounds, crs: CRS, settings: SourceSettings) -> RasterWindow:
    """Elevation of a raster at a web address within bounds.

    Raises
    ------
    DEMError
        Where it is no elevation raster, or does not meet the bounds.
    OutsideServiceError
        Where there is no such file, or the server fails.
    """
    state = etag(url, settings)
    if state is None:
        raise OutsideServiceError(
            f"{display_name(url)}: there is no such file at {urlsplit(url).hostname}; check the address"
        )
    if state and url.lower().split("?", 1)[0].endswith(".vrt"):
        state = window_state(url, state, bounds, crs, settings)
    return read_remote([url], [state], bounds, crs, settings)[0]


def _not_covered(name: str, bounds: Bounds, crs: CRS) -> str:
    return (
        f"{name} has no elevation at the site ({lonlat_text(bounds, crs)}): it covers {COVER[name]}; "
        f"use {'a DEM file' if name == 'glo30' else 'glo30 or a DEM file'}"
    )


def _tdep(name: str, bounds: Bounds, crs: CRS, settings: SourceSettings) -> RasterWindow:
    url = settings.tdep_url if name == "3dep" else settings.tdep30_url
    state = etag(url, settings)
    if state is None:
        raise OutsideServiceError(
            f"{name}: there is no {url.rsplit('/', 1)[-1]} at its server; the address may have moved"
        )
    state = window_state(url, state, bounds, crs, settings)
    window = read_remote([url], [state], bounds, crs, settings)[0]
    return replace(window, band_unit=window.band_unit or "metre")


def _glo30(bounds: Bounds, site_bounds: Bounds, crs: CRS, settings: SourceSettings) -> RasterWindow:
    change = transformer(crs, LONLAT)
    tiles = glo30_tiles(change.transform_bounds(*bounds, densify_pts=21))
    needed = set(glo30_tiles(change.transform_bounds(*site_bounds, densify_pts=21)))
    urls, states = [], []
    absent = []
    for tile in tiles:
        identity = glo30_id(*tile)
        url = f"{settings.glo30_url}/{identity}/{identity}.tif"
        state = etag(url, settings)
        if state is None:
            absent.append((tile, identity))
            continue
        urls.append(url)
        states.append(state)
    if not urls:
        raise OutsideServiceError(_not_covered("glo30", site_bounds, crs))
    missing = [identity for tile, identity in absent if tile in needed]
    if missing:
        raise OutsideServiceError(
            f"glo30 has no tile {missing[0]}, which the site needs: open sea has none; check the boundary, or give a DEM file"
        )
    window = merged(read_remote(urls, states, bounds, crs, settings))
    said = tuple(
        f"glo30 has no tile {identity} (open sea): the site's surroundings there are nodata" for _, identity in absent
    )
    return replace(
        window,
        band_unit=window.band_unit or "metre",
        surface_model=True,
        warnings=(*window.warnings, SURFACE_WARNING, *said),
    )
