"""Hold layout.geojson to recorded hashes: a refactoring must not change a byte of any layout.

One hash is of the whole file, another of its features alone: a change of metrics or of the file's version shows in the
first and must not show in the second. The hashes hold for one platform and one set of package versions, both named in the record. On another platform the
test compares capacity, asset count, road length and earthwork within a tolerance instead.

Record anew after an intended change: `python tests/layout/test_golden_bytes.py`.
"""

import hashlib
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from pyproj import CRS
from shapely import box

import pacifico
from pacifico.grid import Grid
from pacifico.layout.files import geojson
from pacifico.site.model import Site, Zone

RECORD = Path(__file__).parent / "golden" / "layouts.json"
PACKAGES = ("numba", "numpy", "pyproj", "scipy", "shapely")
UTM = CRS.from_epsg(32615)
WEST, SOUTH = 500_000.0, 4_600_000.0
PROFILES = {"solar_farm": 5_000, "bess": 40_000, "gas_bess": 60_000, "wind_hybrid": 30_000, "hybrid": 20_000}
STRATEGIES = ("balanced", "density", "low_earthwork", "clustered")
SUMMARY = ("total_capacity_kw", "asset_count", "road_length_m", "cut_volume_m3", "fill_volume_m3")


def at(x0, y0, x1, y1):
    """Box with coordinates from the south-west corner of the synthetic site."""
    return box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1)


def dem_of(height, width, depth, cell=10.0, halo=100.0):
    """DEM with z = height(x, y), coordinates from the site's south-west corner [m]."""
    nx, ny = round((width + 2 * halo) / cell), round((depth + 2 * halo) / cell)
    grid = Grid(UTM, WEST - halo, SOUTH - halo + ny * cell, cell, cell, ny, nx)
    x, y = np.meshgrid(grid.x_centres() - WEST, grid.y_centres() - SOUTH)
    z = np.asarray(height(x, y), dtype=np.float64)
    return grid.data_array(
        z,
        name="elevation",
        units="m",
        source="memory",
        sha256="",
        source_resolution_m=cell,
        units_assumed="metres",
        nodata_share=float(np.isnan(z).mean()),
        warnings=(),
    )


def rolling(x, y):
    """Gentle ground with patches over 10 degrees."""
    return 100.0 + 0.015 * x + 9.0 * np.sin(x / 55.0) * np.cos(y / 75.0)


def gentle(x, y):
    """Ground under 4 degrees with a hole in the DEM in the north-west."""
    z = 100.0 + 0.01 * x + 3.0 * np.sin(x / 90.0) * np.cos(y / 110.0)
    return np.where((x < 60) & (y > 620), np.nan, z)


def sample_requests():
    """Requests on the sample site: every profile and strategy, and three large targets."""
    site = pacifico.read_site(Path(pacifico.__file__).parent / "data" / "sample-site.kml")
    dem = pacifico.open_dem(site, "sample")
    for profile, kw in PROFILES.items():
        for strategy in STRATEGIES:
            yield f"sample {profile} {strategy}", site, dem, {
                "profile": profile, "strategy": strategy, "target_capacity_kw": kw,
            }  # fmt: skip
    yield "sample solar_farm all", site, dem, {}
    yield "sample solar_farm density large", site, dem, {"strategy": "density", "target_capacity_kw": 60_000}
    yield "sample hybrid large", site, dem, {"profile": "hybrid", "target_capacity_kw": 80_000}


def synthetic_requests():
    """Requests on synthetic ground: exclusions, entries, limits, setbacks and fine cells."""
    pond = Zone(at(380, 300, 430, 350), "pond", "buffered", 5.0)
    strip = Zone(at(0, 420, 500, 440), "wetland", "hard", 0.0)
    rough = Site("rolling", UTM, at(0, 0, 600, 600))
    plain = Site("gentle", UTM, at(0, 0, 900, 700), exclusions=(pond,))
    cut = Site("cut", UTM, at(0, 0, 900, 700), exclusions=(pond, strip))
    rough_dem, plain_dem = dem_of(rolling, 600, 600), dem_of(gentle, 900, 700)
    for strategy in STRATEGIES:
        yield f"rolling solar_farm {strategy}", rough, rough_dem, {"strategy": strategy, "target_capacity_kw": 3_000}
        for profile, kw in PROFILES.items():
            if profile == "wind_hybrid" and strategy != "balanced":
                continue  # the sample has these: they take long
            yield f"gentle {profile} {strategy}", plain, plain_dem, {
                "profile": profile, "strategy": strategy, "target_capacity_kw": kw / 2,
            }  # fmt: skip
    yield "rolling all", rough, rough_dem, {}
    yield "gentle too much", plain, plain_dem, {"target_capacity_kw": 500_000}
    yield "cut hybrid", cut, plain_dem, {"profile": "hybrid", "target_capacity_kw": 9_000}
    yield "cut gas_bess clustered", cut, plain_dem, {
        "profile": "gas_bess", "strategy": "clustered", "target_capacity_kw": 20_000,
    }  # fmt: skip
    yield "cut bess all", cut, plain_dem, {"profile": "bess"}
    yield "gentle fixed tilt", plain, plain_dem, {
        "target_capacity_kw": 6_000, "setback_m": 25.0, "max_road_grade_pct": 6.0,
        "spec": {"solar": {"tracker_gcr": 0.4}, "road": {"min_radius_m": 15.0}},
    }  # fmt: skip
    yield "rolling 2 m cells", Site("fine", UTM, at(0, 0, 300, 300)), dem_of(rolling, 300, 300, cell=2.0), {
        "target_capacity_kw": 1_500,
    }  # fmt: skip


def edited_plans():
    """Plans after a sequence of edits."""
    site = Site("edited", UTM, at(0, 0, 900, 700))
    dem = dem_of(gentle, 900, 700)
    for profile, kw in (("hybrid", 9_000), ("gas_bess", 20_000)):
        plan = pacifico.generate_layout(site, dem, profile=profile, target_capacity_kw=kw)
        editor = pacifico.edit(plan, dem)
        solar = [a.asset_id for a in plan.asset_list if a.item.kind in ("solar_array", "generator", "gas_turbine")]
        editor.remove(solar[-1])
        editor.add_zone(Zone(at(860, 20, 890, 50), "pond", "hard", 0.0))
        editor.move_zone("pond", by=(-5.0, 5.0))
        yield f"edited {profile}", editor.plan
        editor.remove_zone("pond")
        editor.undo()
        yield f"edited {profile} undone", editor.plan


def sample_plans():
    """Plans of the sample site, with their names."""
    for name, site, dem, options in sample_requests():
        yield name, pacifico.generate_layout(site, dem, **options)


def synthetic_plans():
    """Plans on synthetic ground, with their names."""
    for name, site, dem, options in synthetic_requests():
        yield name, pacifico.generate_layout(site, dem, **options)


def entry_of(plan, folder):
    """What the record holds of a plan: the hash of its file and a summary."""
    path = plan.write(folder / "layout.geojson")
    features = geojson.text({"features": plan.to_geojson()["features"]})
    return {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "features_sha256": hashlib.sha256(features.encode()).hexdigest(),
        **{key: plan.metrics[key] for key in SUMMARY},
    }


def here():
    """Platform and package versions that the bytes depend on."""
    features = getattr(np._core._multiarray_umath, "__cpu_features__", {})
    return {
        "machine": platform.machine(),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "cpu": " ".join(sorted(name for name, on in features.items() if on)),
        "packages": {name: version(name) for name in PACKAGES},
    }


GROUPS = {"sample": sample_plans, "synthetic": synthetic_plans, "edited": edited_plans}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("group", [pytest.param("sample", marks=pytest.mark.slow), "synthetic", "edited"])
def test_layouts_keep_their_bytes(group, tmp_path):
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    same_platform = record["platform"] == here()
    layouts = record["layouts"][group]
    seen = {}
    for name, plan in GROUPS[group]():
        seen[name] = entry_of(plan, tmp_path)
        expected = layouts[name]
        if same_platform:
            assert seen[name]["features_sha256"] == expected["features_sha256"], name
            assert seen[name] == expected, name
        else:
            for key in SUMMARY:
                assert seen[name][key] == pytest.approx(expected[key], rel=0.02, abs=50), (name, key)
    assert seen.keys() == layouts.keys()


def main():
    """Write the record."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        layouts = {
            group: {name: entry_of(plan, Path(folder)) for name, plan in made()} for group, made in GROUPS.items()
        }
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps({"platform": here(), "layouts": layouts}, indent=1) + "\n", encoding="utf-8")
    print(f"{sum(map(len, layouts.values()))} layouts recorded")


if __name__ == "__main__":
    main()
