"""Point of interconnection: where the plant connects to the grid."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import shapely

from pacifico.crs import LONLAT, transformer
from pacifico.errors import InputError, PacificoError
from pacifico.escaping import decoded
from pacifico.site.features import clean_name, to_lonlat
from pacifico.site.formats import read_file
from pacifico.site.model import Anchor
from pacifico.site.zone_types import is_poi

if TYPE_CHECKING:
    from pacifico.site.model import Site


def read_poi(path: str | Path) -> tuple[float, float]:
    """Longitude and latitude of a file's grid connection [°].

    It is the first point that is named or marked as one, else the only point of the file.

    Raises
    ------
    InputError
        The file can't be read, or holds no such point.
    """
    path = Path(path)
    source = clean_name(decoded(path.name))
    try:
        reading, _ = read_file(path)
        features = [f for layer in map(to_lonlat, reading.layers) for f in layer.features]
    except PacificoError as error:
        raise type(error)(f"{source}: {error}") from None
    named = [xy[0] for f in features if is_poi(f) for xy in f.points]
    points = named[:1] or [xy[0] for f in features for xy in f.points]
    if len(points) != 1:
        raise InputError(
            f"{source}: {len(points)} points and none named as the point of interconnection; name one 'POI', or leave one"
        )
    return float(points[0][0]), float(points[0][1])


def with_poi(site: Site, lonlat: tuple[float, float]) -> Site:
    """Site with another point of interconnection.

    Raises
    ------
    InputError
        It is no longitude and latitude, or has no place in the working CRS.
    """
    lon, lat = lonlat
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InputError(
            f"poi {lon:g},{lat:g} is not a longitude and latitude; give degrees, such as --poi -93.68,41.95"
        )
    x, y = transformer(LONLAT, site.crs).transform(lon, lat)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InputError(f"poi {lon:g},{lat:g} is on another side of the earth; give a place near the site")
    others = tuple(replace(a, is_poi=False) for a in site.anchors)
    return replace(site, anchors=(*others, Anchor(shapely.Point(x, y), "POI", is_poi=True)))
