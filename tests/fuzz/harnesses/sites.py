"""What the harnesses of boundary files share: the readers of sites and exclusions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely
from fuzz.scaffold import BreachError, require_one_line, written

import pacifico
from pacifico.crs import utm
from pacifico.errors import PacificoError
from pacifico.site.boundary import read_site_bytes
from pacifico.site.exclusions import load_exclusions

if TYPE_CHECKING:
    from collections.abc import Iterator

LON, LAT = -84.2, 36.6
RING = [[LON, LAT], [LON + 0.01, LAT], [LON + 0.01, LAT + 0.01], [LON, LAT + 0.01], [LON, LAT]]
HOLE = [[LON + 0.004, LAT + 0.004], [LON + 0.004, LAT + 0.005], [LON + 0.005, LAT + 0.005], [LON + 0.004, LAT + 0.004]]
SITE = pacifico.Site("site", utm(LON, LAT), shapely.box(750_000, 4_053_000, 751_000, 4_054_000), source="", sha256="")
"""Site that exclusions are read for."""


def read_boundary(data: bytes, name: str) -> Iterator[str]:
    """Read a file as the site's boundary and as exclusions; yields names and warnings.

    Parameters
    ----------
    data : bytes
        Content of the file.
    name : str
        Its name.
    """
    refusal: PacificoError | None = None
    try:
        site = read_site_bytes(data, name)
    except PacificoError as error:
        refusal = error
    else:
        if not site.boundary.is_valid or not 0 < site.area_ha < float("inf"):
            raise BreachError(f"a site with the invalid boundary {site.boundary.wkt[:200]}")
        yield from (site.name, *site.warnings)
        yield from (z.name for z in site.exclusions if z.name)
        yield from (a.name for a in site.anchors if a.name)
        yield from (line.name for line in site.lines)
    try:
        found = load_exclusions(written(data, name), SITE)
    except PacificoError as error:
        require_one_line(str(error))
    else:
        yield from found.warnings
        yield from (z.name for z in found.zones if z.name)
    if refusal is not None:
        raise refusal
