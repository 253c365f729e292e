#!/usr/bin/env python3
"""Check piles.csv against its layout and its DEM, with nothing of the package.

Usage: check_piles.py piles.csv layout.geojson dem.tif [--dem-units m|ft]

Each pile stands in an array of the layout, on the DEM's ground, in its reveal window; piles marked as outside fail too. Tubes
are straight or bend no more than allowed, keep their slope, and differ in height from the next row by no more than allowed.
Ground is graded only inside the boundary, clear of exclusions, pads and roads. Ground between neighbouring piles, graded or
natural, is no steeper than the limit, along rows and across them. Exit status: 0 where nothing fails, else 1.
"""

import argparse
import csv
import json
import math
import sys
from pathlib import Path

import numpy as np
import rasterio
import shapely
from pyproj import Transformer
from shapely.geometry import shape
from shapely.ops import transform

LIMITS = {
    "straight_tracker": {
        "min_reveal_m": 1.2,
        "max_reveal_m": 1.8,
        "bend_deg": 0.0,
        "along": 15.0,
        "across": 20.0,
        "step_m": 1.5,
    },
    "terrain_following": {
        "min_reveal_m": 1.2,
        "max_reveal_m": 1.8,
        "bend_deg": 0.75,
        "along": 20.0,
        "across": 20.0,
        "step_m": 1.5,
    },
    "fixed_tilt": {
        "min_reveal_m": 1.1,
        "max_reveal_m": 1.9,
        "bend_deg": 0.0,
        "along": 15.0,
        "across": 20.0,
        "step_m": 1.5,
    },
}
"""Limits of each racking where the layout's spec overrides none: slopes [%], height difference of neighbouring rows [m]."""
FEET = {"m": 1.0, "ft": 0.3048}
ROUNDED_M = 5e-4
"""Rounding of heights in piles.csv, of sums and differences of them [m]."""
GRADED_M = 1e-3
"""Difference from natural ground above which ground counts as graded [m]."""
PITCH_M = 15.0
"""Largest distance between neighbouring rows [m]."""


def limits_of(about):
    """Limits of a layout's racking."""
    spec = about.get("spec", {})
    fixed = spec.get("solar", {}).get("mounting") == "fixed"
    name = spec.get("racking", {}).get("name", "by_mounting")
    if name == "by_mounting":
        name = "fixed_tilt" if fixed else "straight_tracker"
    own = spec.get(name, {})
    found = dict(LIMITS[name])
    for key, rule in (("min_reveal_m",) * 2, ("max_reveal_m",) * 2, ("bend_deg", "max_bend_deg"),
                      ("along", "max_slope_along_pct"), ("across", "max_slope_across_pct"), ("step_m", "max_row_step_m")):  # fmt: skip
        found[key] = own.get(rule, found[key])
    return name, found


def ground_at(path, crs, x, y, metres):
    """Bilinear heights of a raster at points of another CRS [m]."""
    with rasterio.open(path) as src:
        z = src.read(1, masked=True).astype(float).filled(np.nan) * src.scales[0] + src.offsets[0]
        column, row = ~src.transform * np.array(Transformer.from_crs(crs, src.crs, always_xy=True).transform(x, y))
    column, row = column - 0.5, row - 0.5
    c0 = np.clip(np.floor(column).astype(int), 0, z.shape[1] - 2)
    r0 = np.clip(np.floor(row).astype(int), 0, z.shape[0] - 2)
    f, g = np.clip(column - c0, 0, 1), np.clip(row - r0, 0, 1)
    upper, lower = (z[r, c0] * (1 - f) + z[r, c0 + 1] * f for r in (r0, r0 + 1))
    return (upper * (1 - g) + lower * g) * metres


def read(piles_path):
    """Columns of piles.csv."""
    with Path(piles_path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    text = {k: np.array([r[k] for r in rows]) for k in rows[0]}
    return {k: v if k == "array" else v.astype(float) for k, v in text.items()}


def neighbours(p):
    """Pairs of piles next to each other in a row, and of piles beside each other in neighbouring rows."""
    number = np.unique(p["array"], return_inverse=True)[1]
    key = np.unique(np.stack([number, p["row"]]), axis=1, return_inverse=True)[1].ravel()
    a = np.flatnonzero(key[1:] == key[:-1])
    tree = shapely.STRtree(shapely.points(p["x"], p["y"]))
    b, c = tree.query(shapely.points(p["x"], p["y"]), predicate="dwithin", distance=PITCH_M)
    kept = (b < c) & (number[b] == number[c]) & (p["pile"][b] == p["pile"][c]) & (key[b] != key[c])
    b, c = b[kept], c[kept]
    run = np.hypot(p["x"][b] - p["x"][c], p["y"][b] - p["y"][c])
    nearest = run <= run.min() + 0.01 if len(run) else np.zeros(0, bool)
    return (a, a + 1), (b[nearest], c[nearest])


def check(piles_path, layout_path, dem_path, dem_units="m"):
    """Findings by name, and those that fail."""
    layout = json.loads(Path(layout_path).read_text(encoding="utf-8"))
    about, p = layout["pacifico"], read(piles_path)
    name, limit = limits_of(about)
    forward = Transformer.from_crs(4326, about["crs"], always_xy=True).transform
    kinds = {}
    for f in layout["features"]:
        kinds.setdefault(f["properties"]["kind"], []).append((f["properties"], transform(lambda x, y, z=None: forward(x, y), shape(f["geometry"]))))  # fmt: skip
    found, fails = {"racking": name, "piles": len(p["x"])}, []

    def rule(what, value, ok):
        found[what] = value
        if not ok:
            fails.append(f"{what} = {value}")

    rule(
        "piles_not_in_metrics",
        len(p["x"]) - about["metrics"]["pile_count"],
        len(p["x"]) == about["metrics"]["pile_count"],
    )
    arrays = {q["asset_id"]: g.buffer(0.05) for q, g in kinds["asset"] if q["asset_type"] == "solar_array"}
    points = shapely.points(p["x"], p["y"])
    off = sum(int((~shapely.contains(arrays[a], points[p["array"] == a])).sum()) for a in np.unique(p["array"]))
    rule("piles_outside_their_array", off, off == 0)
    rule("arrays_without_piles", len(set(arrays) - set(p["array"])), set(arrays) == set(p["array"]))
    z = ground_at(dem_path, about["crs"], p["x"], p["y"], FEET[dem_units])
    apart = np.abs(z - p["ground_m"])
    rule("ground_off_the_dem_p95_m", round(float(np.nanpercentile(apart, 95)), 3), np.nanpercentile(apart, 95) <= 0.5)

    reveal = p["top_m"] - p["graded_ground_m"]
    out = (reveal < limit["min_reveal_m"] - ROUNDED_M) | (reveal > limit["max_reveal_m"] + ROUNDED_M)
    rule("piles_outside_window", int(out.sum()), not out.any())
    rule("piles_marked_as_outside", int((p["in_window"] == 0).sum()), (p["in_window"] == 1).all())

    def over(pairs, height, slope_pct):
        a, b = pairs
        run = np.hypot(p["x"][a] - p["x"][b], p["y"][a] - p["y"][b])
        return np.abs(height[b] - height[a]) - slope_pct / 100 * run

    along, across = neighbours(p)
    for what, pairs, height, slope_pct in (
        ("graded_slopes_along_over_limit", along, p["graded_ground_m"], limit["along"]),
        ("graded_slopes_across_over_limit", across, p["graded_ground_m"], limit["across"]),
        ("tube_slopes_over_limit", along, p["top_m"], limit["along"]),
    ):
        excess = over(pairs, height, slope_pct)
        rule(what, int((excess > ROUNDED_M).sum()), not (excess > ROUNDED_M).any())
        found[f"{what}_worst_m"] = round(float(excess.max(initial=-np.inf)), 4)
    step = np.abs(p["top_m"][across[1]] - p["top_m"][across[0]]) - limit["step_m"]
    rule("row_steps_over_limit", int((step > ROUNDED_M).sum()), not (step > ROUNDED_M).any())
    i = np.arange(1, len(p["x"]) - 1)
    i = i[(p["pile"][i + 1] == p["pile"][i] + 1) & (p["pile"][i] == p["pile"][i - 1] + 1)]
    before, after = (np.hypot(p["x"][j] - p["x"][i], p["y"][j] - p["y"][i]) for j in (i - 1, i + 1))
    bend = (p["top_m"][i + 1] - p["top_m"][i]) / after - (p["top_m"][i] - p["top_m"][i - 1]) / before
    worst = float(np.abs(bend).max(initial=0.0)) - math.tan(math.radians(limit["bend_deg"]))
    rule("bend_over_limit", round(worst, 5), worst <= 2e-4)

    graded = np.abs(p["graded_ground_m"] - p["ground_m"]) > GRADED_M
    found["piles_on_graded_ground"] = int(graded.sum())
    boundary = shapely.union_all([g for _, g in kinds["boundary"]])
    kept = [g.buffer(q.get("buffer_m") or 0) for q, g in kinds.get("exclusion", []) if q["zone_type"] != "cost"]
    kept += [g for _, g in kinds.get("pad", [])]
    kept += [shapely.force_2d(g).buffer(q["width_m"] / 2) for q, g in kinds.get("road", [])]
    on = shapely.intersects(shapely.union_all(kept), points[graded]) | ~shapely.contains(boundary, points[graded])
    rule("graded_where_ground_is_kept", int(on.sum()), not on.any())
    return found, fails


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("piles")
    parser.add_argument("layout")
    parser.add_argument("dem")
    parser.add_argument("--dem-units", choices=sorted(FEET), default="m")
    a = parser.parse_args()
    found, fails = check(a.piles, a.layout, a.dem, a.dem_units)
    for key, value in found.items():
        print(f"{key:35s} {value}")
    for line in fails:
        print("FAILS:", line)
    sys.exit(1 if fails else 0)


if __name__ == "__main__":
    main()
