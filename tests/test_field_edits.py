"""Edits on real terrain, held against the independent check after each one.

The sites, the elevation models and the check are not part of the project: without them these tests are skipped.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import shapely

import pacifico
from pacifico.crs import geojson_geometries
from pacifico.errors import EditRefused
from pacifico.site.model import Zone

SHARED = Path(os.environ.get("PACIFICO_FIELD_DATA") or Path(__file__).parents[2] / "shared")
CHECK = SHARED / "judge" / "check_layout.py"

pytestmark = [
    pytest.mark.field,
    pytest.mark.skipif(not CHECK.is_file(), reason=f"no field data in {SHARED}"),
]
CASES = [
    pytest.param("romania-5m", "solar_farm", 8000, 6, id="romania-5m"),
    pytest.param("texas-coast-10m", "bess", 60_000, 15, id="texas-coast-10m", marks=pytest.mark.slow),
    pytest.param("pysheds-3as", "gas_bess", 60_000, 15, id="pysheds-3as", marks=pytest.mark.slow),
    pytest.param("denmark-16m", "wind_hybrid", 60_000, 15, id="denmark-16m", marks=pytest.mark.slow),
    pytest.param("romania-5m", "hybrid", 6000, 15, id="romania-5m-hybrid", marks=pytest.mark.slow),
]


def fails(plan, drawn, name, folder):
    """What the independent check says of a plan; zones drawn in edits are given to it as exclusions."""
    out, zones = plan.write(folder / "layout.geojson"), folder / "zones.geojson"
    shapes = geojson_geometries([z.geometry for z in drawn], plan.crs)
    features = [
        {"type": "Feature", "properties": {"buffer_m": z.buffer_m}, "geometry": g}
        for z, g in zip(drawn, shapes, strict=True)
    ]
    zones.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    data = SHARED / "data"
    run = subprocess.run(
        [sys.executable, CHECK, out, "--boundary", data / "sites" / f"{name}.geojson", "--dem", data / "dem" / f"{name}.tif",
         "--json", *(["--exclusions", zones] if drawn else [])],
        capture_output=True, text=True, check=False, timeout=250,
    )  # fmt: skip
    assert run.returncode in (0, 1), run.stderr
    # what was taken away by hand may leave less than the ground carries, what was added may pass the target
    by_hand = ("capacity_against_ground_kw", "capacity_over_target_share")
    return [f for f in json.loads(run.stdout)["fails"] if not f.startswith(by_hand)]


@pytest.mark.parametrize(("name", "profile", "target_kw", "wanted"), CASES)
def test_edited_layouts_pass_the_check(name, profile, target_kw, wanted, tmp_path):
    site = pacifico.read_site(SHARED / "data" / "sites" / f"{name}.geojson")
    dem = pacifico.open_dem(site, SHARED / "data" / "dem" / f"{name}.tif")
    editor = pacifico.edit(pacifico.generate_layout(site, dem, profile=profile, target_capacity_kw=target_kw), dem)
    west, south, east, north = site.boundary.bounds
    rng, done = random.Random(name + profile), 0
    for n in range(60 * wanted):
        asset = rng.choice(editor.plan.asset_list)
        x, y = asset.item.centre
        at = (rng.uniform(west, east), rng.uniform(south, north))
        zone = Zone(shapely.Point(at).buffer(rng.uniform(5, 60)), f"drawn {n}", "buffered", 5.0)
        act = rng.choice(
            [
                lambda a=asset, at=at: editor.move(a.asset_id, to=at),
                lambda a=asset, x=x, y=y: editor.move(a.asset_id, to=(x + rng.gauss(0, 12), y + rng.gauss(0, 12))),
                lambda a=asset: editor.rotate(a.asset_id, to_deg=rng.choice([0, 90, rng.uniform(0, 180)])),
                lambda a=asset: editor.remove(a.asset_id),
                lambda a=asset, at=at: editor.add(a.item.kind, at=at),
                lambda z=zone: editor.add_zone(z, assets="remove"),
            ]
        )
        try:
            act()
        except EditRefused:
            continue
        done += 1
        drawn = [z for z in editor.plan.site.exclusions if z.name.startswith("drawn")]
        assert fails(editor.plan, drawn, name, tmp_path) == [], editor.plan.edits[-1]
        if done == wanted:
            return
    pytest.fail(f"only {done} of {wanted} edits were possible")
