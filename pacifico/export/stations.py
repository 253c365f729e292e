"""Road stations as CSV, for setting out in the field."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pacifico.analysis.stationing import stations_along
from pacifico.crs import LONLAT, transformer
from pacifico.layout.files.stored import StoredLayout
from pacifico.output_files import atomic_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely import LineString

    from pacifico.grid import Ground

COLUMNS = ("road_id", "station", "station_m", "x", "y", "lon", "lat", "ground_m", "design_m", "fill_m", "grade_pct")


def write_stations(
    layout: Mapping[str, Any] | StoredLayout, path: str | Path, *, every_m: float = 25.0, ground: Ground | None = None
) -> Path:
    """Write the stations of all roads.

    Parameters
    ----------
    layout : mapping or StoredLayout
        Content of a layout.geojson, or a layout read from one.
    path : str or Path
        File to write.
    every_m : float
        Distance between stations [m]; the start and end of each road are stations too.
    ground : Ground, optional
        Ground in the working CRS of the layout. Without it the columns `ground_m` and `fill_m` (design minus ground,
        negative in cut) are empty.

    Returns
    -------
    Path
        The file. The same layout gives the same bytes.

    Raises
    ------
    InputError
        The layout is invalid, the distance is under 1 m, or the file can't be written.
    """
    parts = StoredLayout.of(layout)
    roads = [(str(p["road_id"]), cast("LineString", p.geometry)) for p in parts.of_kind("road")]
    degrees = transformer(parts.crs, LONLAT)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for s in stations_along(roads, every_m=every_m, ground=ground):
        lon, lat = degrees.transform(s.x, s.y)
        heights = ["", ""] if s.ground_m is None or s.fill_m is None else [f"{s.ground_m:.3f}", f"{s.fill_m:.3f}"]
        place = [f"{s.x:.3f}", f"{s.y:.3f}", f"{lon:.8f}", f"{lat:.8f}"]
        design = [heights[0], f"{s.design_m:.3f}", heights[1], f"{s.grade_pct:.3f}"]
        rows.writerow([s.road_id, s.label, f"{s.station_m:.3f}", *place, *design])
    target = Path(path)
    with atomic_files(target) as (part,):
        part.write_text(text.getvalue(), encoding="utf-8", newline="")
    return target
