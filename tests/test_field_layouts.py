"""Layouts on real terrain, held against an independent check that recomputes them from geometry and DEM.

The sites, the elevation models and the check are not part of the project: without them these tests are skipped.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pacifico.errors import NoBuildableGroundError

SHARED = Path(os.environ.get("PACIFICO_FIELD_DATA") or Path(__file__).parents[2] / "shared")
CHECK = SHARED / "judge" / "check_layout.py"
SITES = sorted((SHARED / "data" / "sites").glob("*.geojson"))
IN_FEET = {"kentucky-ft", "wisconsin-ft-nad27"}
NO_GROUND = {"minnesota-1m": "no free ground of 23 x 64 m within 10 deg with level ground for its inverter skid"}
"""Knolls and hollows that carry no array, and why; every other site carries some."""

pytestmark = [
    pytest.mark.field,
    pytest.mark.skipif(not (CHECK.is_file() and SITES), reason=f"no field data in {SHARED}"),
]
# each takes some 2 to 5 seconds: a few by default, all with -m slow
QUICK = {"iowa-farm-3m", "kentucky-ft", "minnesota-1m", "bc-nonsquare", "sanfrancisco-3857", "romania-cop30"}
PAIRS = [pytest.param(site, id=site.stem, marks=[] if site.stem in QUICK else [pytest.mark.slow]) for site in SITES]
OTHERS = ("iowa-farm-3m", "texas-coast-10m", "denmark-16m", "romania-5m", "pysheds-3as", "wisconsin-ft-nad27")
TOO_SMALL = {"iowa-farm-3m"}
"""9 ha are little for a power plant."""


def laid_out(site, out, **design):
    """Plan written to a file, as the command line makes it; the reason where there is no ground."""
    import pacifico

    read = pacifico.read_site(site)
    units = "ft" if site.stem in IN_FEET else None
    dem = pacifico.open_dem(read, SHARED / "data" / "dem" / f"{site.stem}.tif", units=units)
    plan = pacifico.generate_layout(read, dem, **design)
    plan.write(out)
    return plan


def checked(site, out):
    """What the independent check says."""
    units = ["--dem-units", "ft"] if site.stem in IN_FEET else []
    dem = SHARED / "data" / "dem" / f"{site.stem}.tif"
    run = subprocess.run(
        [sys.executable, CHECK, out, "--boundary", site, "--dem", dem, "--json", *units],
        capture_output=True, text=True, check=False, timeout=250,
    )  # fmt: skip
    assert run.returncode in (0, 1), run.stderr
    return json.loads(run.stdout)["fails"]


@pytest.mark.parametrize("site", PAIRS)
def test_solar_farms_pass_the_check(site, tmp_path):
    out = tmp_path / "layout.geojson"
    if site.stem in NO_GROUND:
        with pytest.raises(NoBuildableGroundError, match=NO_GROUND[site.stem]):
            laid_out(site, out, target_capacity_kw=3_000_000)
        assert not out.exists()
        return
    plan = laid_out(site, out, target_capacity_kw=3_000_000)
    assert checked(site, out) == []
    assert plan.shortfall


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["gas_bess", "wind_hybrid", "hybrid", "bess"])
@pytest.mark.parametrize("name", OTHERS)
def test_other_profiles_pass_the_check(name, profile, tmp_path):
    site, out = SHARED / "data" / "sites" / f"{name}.geojson", tmp_path / "layout.geojson"
    try:
        laid_out(site, out, profile=profile, target_capacity_kw=60_000)
    except NoBuildableGroundError:
        assert name in TOO_SMALL
        return
    assert checked(site, out) == []


@pytest.mark.slow
@pytest.mark.parametrize("target", [2000, 20_000])
@pytest.mark.parametrize("name", OTHERS)
def test_smaller_solar_targets_are_met_or_said(name, target, tmp_path):
    site, out = SHARED / "data" / "sites" / f"{name}.geojson", tmp_path / "layout.geojson"
    plan = laid_out(site, out, target_capacity_kw=target)
    assert checked(site, out) == []
    assert plan.metrics["total_capacity_kw"] <= target
    assert plan.shortfall or plan.metrics["total_capacity_kw"] > target - 105


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["density", "low_earthwork", "clustered"])
@pytest.mark.parametrize("target", [15_000, 3_000_000])
@pytest.mark.parametrize("name", ["romania-5m", "denmark-16m", "wisconsin-ft-nad27"])
def test_every_strategy_passes_the_check(name, target, strategy, tmp_path):
    site, out = SHARED / "data" / "sites" / f"{name}.geojson", tmp_path / "layout.geojson"
    laid_out(site, out, strategy=strategy, target_capacity_kw=target)
    assert checked(site, out) == []


GENTLE = (
    "iowa-farm-3m", "kentucky-ft", "bc-nonsquare", "sanfrancisco-3857", "romania-cop30", "texas-coast-10m",
    "assam-1as", "bc-interior-25m", "pysheds-3as", "romania-5m", "wisconsin-ft-nad27", "denmark-16m",
)  # fmt: skip
"""Ground that is no mountain side."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, id=n, marks=[] if n in QUICK else [pytest.mark.slow]) for n in GENTLE]
)
def test_roads_of_solar_farms_hold_their_radius_and_have_room_to_turn(name, tmp_path, road_faults):
    site = SHARED / "data" / "sites" / f"{name}.geojson"
    plan = laid_out(site, tmp_path / "layout.geojson", target_capacity_kw=3_000_000)
    faults = road_faults(json.loads((tmp_path / "layout.geojson").read_text()))
    assert len(faults.bends) == faults.dead_ends == 0
    assert not [w for w in plan.warnings if w.startswith(("road bend", "turns at", "dead ends"))]


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_what_is_left_without_room_is_told(name, tmp_path, road_faults):
    site = SHARED / "data" / "sites" / f"{name}.geojson"
    try:
        plan = laid_out(site, tmp_path / "layout.geojson", profile="gas_bess", target_capacity_kw=3_000_000)
    except NoBuildableGroundError:
        return
    faults = road_faults(json.loads((tmp_path / "layout.geojson").read_text()))
    said = {
        w.split(":")[0][:9]: int(w.rsplit(":", 1)[1]) for w in plan.warnings if w.startswith(("road bend", "dead ends"))
    }
    assert faults.dead_ends == said.get("dead ends", 0)
    # a bend to and fro within the radius may count as one or two
    assert len(faults.bends) <= said.get("road bend", 0) <= 2 * len(faults.bends)
