"""What a layout's roads are like, measured from its GeoJSON alone and by other means than the engine's."""

from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from pyproj import Transformer
from shapely import LineString
from shapely.ops import substring

LOOK_M = 60.0
"""Of a road at once: what comes near to it farther on is no bend."""
LEAST_M2 = 0.02
"""Of ground between a line and the disc; less is rounding."""
SPARE_M = 0.12
"""A line may lie this far off the arc of the least radius: a slight kink is no bend, and arcs are drawn as chords."""


def _lines(layout):
    """Centrelines in the working CRS, in plan."""
    to_m = Transformer.from_crs("EPSG:4326", layout["pacifico"]["crs"], always_xy=True)
    out = []
    for f in layout["features"]:
        if f["properties"]["kind"] == "road":
            lon, lat = np.array(f["geometry"]["coordinates"])[:, :2].T
            out.append(np.column_stack(to_m.transform(lon, lat)))
    return out


def _tight_bends(lines, radius):
    """Places where a disc of the radius, rolled along either side of a line, can't touch it: one for each bend."""
    found = []
    parts = shapely.MultiLineString([shapely.set_precision(LineString(x), 1e-3) for x in lines])
    for whole in shapely.get_parts(shapely.line_merge(parts)):
        for s in np.arange(0.0, whole.length, LOOK_M / 2):
            part = substring(whole, s, min(s + LOOK_M, whole.length))
            away = part.buffer(SPARE_M)
            filled = part.buffer(radius, quad_segs=48).buffer(0.01 - radius, quad_segs=48).difference(away)
            for spot in shapely.get_parts(filled):
                if spot.area > LEAST_M2:
                    at = shapely.get_coordinates(spot.representative_point())[0]
                    if all(np.hypot(*(at - f)) > radius for f in found):
                        found.append(at)
    return np.array(found).reshape(-1, 2)


def _dead_ends(lines, entry, over_m):
    """Ends of roads from which it is farther than that to where roads meet."""
    lines = [x for x in lines if len(x) > 1]
    ends = np.array([p for x in lines for p in (x[0], x[-1])])
    _, node = np.unique(np.round(ends, 2), axis=0, return_inverse=True)
    node = node.reshape(-1, 2)
    degree = np.bincount(node.ravel())
    count = 0
    for i, pair in enumerate(node.tolist()):
        for side in (0, 1):
            at = lines[i][-side]
            if degree[pair[side]] != 1 or np.hypot(*(at - entry)) < 1.0:
                continue
            road, far, here = i, 0.0, pair[side]
            while True:
                far += LineString(lines[road]).length
                a, b = node[road].tolist()
                here = b if here == a else a
                if degree[here] != 2:
                    break
                road = next(j for j in np.flatnonzero((node == here).any(axis=1)).tolist() if j != road)
            count += far > over_m + 0.05
    return count


@pytest.fixture(scope="session")
def road_faults():
    """Measure of a layout, by its GeoJSON: bends tighter than an inner radius and dead ends that are too long."""

    def measured(layout, *, radius_m=12.0, over_m=45.0):
        lines = _lines(layout)
        width = max(f["properties"]["width_m"] for f in layout["features"] if f["properties"]["kind"] == "road")
        to_m = Transformer.from_crs("EPSG:4326", layout["pacifico"]["crs"], always_xy=True)
        gate = next(f for f in layout["features"] if f["properties"]["kind"] == "entry")
        entry = np.array(to_m.transform(*gate["geometry"]["coordinates"][:2]))
        return SimpleNamespace(
            bends=_tight_bends(lines, radius_m + width / 2), dead_ends=_dead_ends(lines, entry, over_m)
        )  # fmt: skip

    return measured
