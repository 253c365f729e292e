"""Marks on the maps of reports: scale bar, north arrow, colour bar and names."""

from __future__ import annotations

from pacifico.report.marks.colour_bar import colour_bar
from pacifico.report.marks.names import write_names
from pacifico.report.marks.orientation import beside, metres_per_point, nice, nice_above, north_arrow, scale_bar

__all__ = [
    "beside",
    "colour_bar",
    "metres_per_point",
    "nice",
    "nice_above",
    "north_arrow",
    "scale_bar",
    "write_names",
]
