"""An independent script checks piles against layout and DEM, and finds what is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import rasterio

import pacifico
from pacifico.layout.criteria.racking import with_racking
from pacifico.vocabulary import RACKINGS

SCRIPT = Path(__file__).parent / "check_piles.py"


@pytest.fixture(scope="module")
def folder(make, tmp_path_factory):
    """Site on rolling ground, as files, with its layout and piles for each racking."""
    import numpy as np

    out = tmp_path_factory.mktemp("piles")
    dem = make.dem(make.ground(lambda x, y: 100 + 0.02 * x + 1.5 * np.sin(x / 31.0) * np.cos(y / 17.0)))
    with rasterio.open(
        out / "dem.tif", "w", driver="GTiff", height=dem.sizes["y"], width=dem.sizes["x"], count=1, dtype="float64",
        crs=dem.spatial_ref.attrs["crs_wkt"], transform=rasterio.Affine.from_gdal(*map(float, dem.spatial_ref.attrs["GeoTransform"].split())),
    ) as file:  # fmt: skip
        file.write(dem.values, 1)
    for racking in RACKINGS:
        plan = pacifico.generate_layout(make.site(), dem, target_capacity_kw=2000, spec=with_racking({}, racking))
        plan = pacifico.add_racking(plan, dem)
        plan.write(out / f"{racking}.geojson")
        plan.write_piles(out / f"{racking}.csv")
    return out


def run(folder, piles, layout):
    words = [sys.executable, str(SCRIPT), str(folder / piles), str(folder / layout), str(folder / "dem.tif")]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("racking", RACKINGS)
def test_nothing_fails(folder, racking):
    done = run(folder, f"{racking}.csv", f"{racking}.geojson")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "piles_outside_window                0" in done.stdout


def test_wrong_heights_are_found(folder):
    lines = (folder / "straight_tracker.csv").read_text().splitlines()
    names = lines[0].split(",")
    cells = lines[40].split(",")
    cells[names.index("top_m")] = f"{float(cells[names.index('top_m')]) + 1.0:.4f}"
    lines[40] = ",".join(cells)
    (folder / "wrong.csv").write_text("\n".join(lines) + "\n")
    done = run(folder, "wrong.csv", "straight_tracker.geojson")
    assert done.returncode == 1
    assert "FAILS: piles_outside_window = 1" in done.stdout
    assert "FAILS: bend_over_limit" in done.stdout


def test_ground_and_tubes_over_their_limits_are_found(folder):
    """Stricter limits in the layout's spec than those it was made by."""
    layout = json.loads((folder / "straight_tracker.geojson").read_text())
    layout["pacifico"]["spec"]["straight_tracker"] = {
        "max_slope_along_pct": 1.0, "max_slope_across_pct": 1.0, "max_row_step_m": 0.1,
    }  # fmt: skip
    (folder / "strict.geojson").write_text(json.dumps(layout))
    done = run(folder, "straight_tracker.csv", "strict.geojson")
    for what in ("graded_slopes_along", "graded_slopes_across", "tube_slopes", "row_steps"):
        assert f"FAILS: {what}_over_limit = " in done.stdout


def test_piles_marked_as_outside_fail_too(folder):
    text = (folder / "straight_tracker.csv").read_text().splitlines()
    text[40] = text[40].rpartition(",")[0] + ",0"
    (folder / "marked.csv").write_text("\n".join(text) + "\n")
    assert "FAILS: piles_marked_as_outside = 1" in run(folder, "marked.csv", "straight_tracker.geojson").stdout
