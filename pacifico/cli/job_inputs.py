"""Input files of jobs, checked before they are submitted."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any


def boundary_as_geojson(path: Path, layer: str | None) -> bytes:
    """Boundary file as GeoJSON, checked before it is submitted."""
    from pacifico.site.boundary import read_site
    from pacifico.site.written import site_geojson

    return site_geojson(read_site(path, layer=layer))


def exclusions_as_geojson(
    boundary: Path, layer: str | None, sources: list[str], buffer_m: float | None
) -> tuple[bytes | None, tuple[str, ...]]:
    """All exclusions as one GeoJSON file, fetched and checked here, and warnings.

    Parameters
    ----------
    boundary : Path
        The site's boundary file.
    layer : str or None
        Its layer.
    sources : list of str
        Files and addresses.
    buffer_m : float or None
        Buffer of exclusions without their own [m].
    """
    import tempfile

    from pacifico.site.boundary import read_site
    from pacifico.site.combine import combine_exclusions
    from pacifico.site.exclusions import load_exclusions

    site = read_site(boundary, layer=layer)
    with tempfile.TemporaryDirectory(prefix="pacifico-exclusions-") as folder:
        combined = combine_exclusions(sources, site, Path(folder), buffer_m=buffer_m)
        if combined.path is None:
            return None, combined.warnings
        load_exclusions(combined.path, site)
        return combined.path.read_bytes(), combined.warnings


def check_files(given: dict[str, Any]) -> None:
    """Read the files that go with a boundary.

    A bad one is refused here and not by the job. A weather file is read where pvlib is installed.

    Parameters
    ----------
    given : dict
        Options by name: `boundary`, `layer`, `exclusions`, `roads` and `weather`.

    Raises
    ------
    InputError
        A file can't be read, or has nothing for its purpose.
    """
    from pacifico.analysis.weather import read_weather
    from pacifico.crs import LONLAT, reproject
    from pacifico.site.boundary import read_site
    from pacifico.site.exclusions import load_exclusions, load_roads
    from pacifico.site.services.addresses import is_url

    files = [source for source in map(str, given.get("exclusions") or ()) if not is_url(source)]
    roads, weather = given.get("roads"), given.get("weather")
    if not files and roads is None and weather is None:
        return
    site = read_site(given["boundary"], layer=given["layer"])
    for source in files:
        load_exclusions(source, site)
    if roads is not None:
        load_roads(roads, site)
    if weather is not None and importlib.util.find_spec("pvlib"):
        middle = reproject(site.boundary.centroid, site.crs, LONLAT)
        read_weather(weather, lat=middle.y, lon=middle.x)
