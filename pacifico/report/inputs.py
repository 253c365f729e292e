"""Site and ground of a report, with the DEM window kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.site.boundary import read_site
from pacifico.site.services.addresses import is_url
from pacifico.terrain.clip import clip_source, is_clip, open_clip
from pacifico.terrain.dem import level_ground
from pacifico.terrain.sources import SAMPLE, sample_site_path

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.site.model import Site
    from pacifico.terrain.heights import Units
    from pacifico.terrain.remote.settings import SourceSettings

INPUTS = Path("inputs")
"""Folder of a report that holds its inputs, so that it can be made again without their sources."""


def site_of(boundary: str, *, layer: str | None = None) -> Site:
    """Site of a boundary file, or the shipped sample site for `sample`."""
    return read_site(sample_site_path() if boundary == SAMPLE else boundary, layer=layer)


def local_boundary(boundary: str, folder: Path) -> str:
    """Path of a boundary file, fetched from its address.

    Parameters
    ----------
    boundary : str
        Path, address (http, https) or ``sample``.
    folder : Path
        Existing folder.

    Raises
    ------
    InputError, OutsideServiceError
        As for `fetch_file`.
    """
    if not is_url(boundary):
        return boundary
    from pacifico.site.services.files import fetch_file  # noqa: PLC0415 (requests takes 0.2 s)

    found = fetch_file(boundary)
    path = folder / "boundary" / found.name
    path.parent.mkdir()
    path.write_bytes(found.data)
    return str(path)


def dem_for(boundary: str, dem: str | None, *, terrain: bool = True) -> str | None:
    """DEM as named; the sample site has its own by default."""
    return SAMPLE if boundary == SAMPLE and terrain and not dem else dem


def ground_of(
    site: Site,
    dem: str | None,
    *,
    terrain: bool = True,
    resolution_m: float | None = None,
    units: Units | None = None,
    keep_in: Path | None = INPUTS,
    settings: SourceSettings | None = None,
) -> xr.DataArray:
    """DEM of a site, with the window read kept as `dem.tif`.

    Parameters
    ----------
    site : Site
        Site to cover.
    dem : str or None
        As for `open_dem`, or a clip kept by an earlier run.
    terrain : bool
        False for level ground; `dem` must then be None.
    resolution_m, units
        As for `open_dem`.
    keep_in : Path, optional
        Folder for the clip; nothing is kept if it does not exist. A DEM in this folder is replaced by its clip.
    settings : SourceSettings, optional
        Addresses of the named sources and the cache; the public ones by default.

    Raises
    ------
    InputError
        Neither a DEM nor level ground was asked for, or both were.
    DEMError, OutsideServiceError
        As `open_dem` raises them.
    """
    if not terrain:
        if dem:
            raise InputError(f"terrain is off but a DEM is given ({dem}): leave one of them out")
        return level_ground(site, resolution_m=resolution_m or 10.0)
    if not dem:
        raise InputError("no DEM was given: name a file or a source such as 'sample' or '3dep', or turn terrain off")
    if is_clip(dem):
        return open_clip(site, dem, resolution_m=resolution_m, units=units)
    if keep_in is None or not keep_in.is_dir():
        from pacifico.terrain.dem import open_dem  # noqa: PLC0415

        return open_dem(site, dem, resolution_m=resolution_m, units=units, settings=settings)
    new = clip_source(site, dem, keep_in / "dem.part.tif", resolution_m=resolution_m, settings=settings)
    if Path(dem).parent == keep_in:
        Path(dem).unlink()
    clip = new.rename(keep_in / "dem.tif")
    return open_clip(site, clip, resolution_m=resolution_m, units=units)
