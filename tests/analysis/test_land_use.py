"""Land waterfall: its parts sum to the site, agree with the metrics, and don't overlap."""

import itertools
import json
import math

import pytest
import shapely

from pacifico.analysis.land_use import MOST_NAMES, land_use_of
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.land_use import DIGITS, Reason
from pacifico.site.model import Zone


@pytest.fixture(scope="module")
def zones(make):
    return (
        Zone(make.at(400, 0, 500, 100), "pond", "buffered", 10.0),
        Zone(make.at(450, 50, 550, 150), "wood"),
        Zone(make.at(0, 0, 600, 300), "meadow", "cost", cost_multiplier=2.0),
        Zone(make.at(0, 500, 40, 600)),
    )


@pytest.fixture(scope="module")
def made(make, zones):
    dem = make.dem(make.ground(make.rolling))
    return generate_layout(make.site(exclusions=zones), dem, target_capacity_kw=50_000), dem


@pytest.fixture(scope="module")
def land(made):
    return land_use_of(*made)


def test_parts_sum_to_the_site(land, made):
    assert math.fsum(p.hectares for p in land.parts) == pytest.approx(made[0].site.area_ha, abs=10**-DIGITS)
    assert round(math.fsum(p.hectares for p in land.parts), DIGITS) == land.site_ha


def test_buildable_ground_is_that_of_the_metrics(land, made):
    assert land.buildable_ha == pytest.approx(made[0].metrics["buildable_area_ha"], abs=1e-3)


def test_exclusions_are_named_once_and_cost_zones_are_not(land):
    found = {p.label: p for p in land.parts if p.reason is Reason.EXCLUSION}
    assert list(found) == ["pond", "wood", "Exclusion (hard)"]
    assert found["wood"].key == "exclusion:wood"
    # its corner is the pond's already
    assert found["wood"].geometry.area < 100 * 100


def test_parts_do_not_overlap(land):
    for a, b in itertools.combinations(land.parts, 2):
        cells = a.reason >= Reason.NO_ELEVATION and b.reason >= Reason.NO_ELEVATION
        if cells:
            assert a.geometry.intersection(b.geometry).area < 1.0


def test_the_table_falls_from_the_site_to_what_is_used(land):
    frame = land.to_frame()
    assert list(frame.columns) == ["label", "hectares", "share", "left_ha"]
    assert frame.index[0] == "site"
    assert frame.index[-1] == "used"
    assert frame["left_ha"].is_monotonic_decreasing
    assert frame["left_ha"].iloc[-1] == pytest.approx(land.used_ha, abs=1e-3)
    assert frame["share"].iloc[1:].sum() == pytest.approx(1.0)


def test_geojson_holds_every_part_in_degrees(land, tmp_path):
    stored = json.loads(land.write(tmp_path / "land-use.geojson").read_text())
    assert [f["properties"]["key"] for f in stored["features"]] == [p.key for p in land.parts]
    assert sum(f["properties"]["area_ha"] for f in stored["features"]) == pytest.approx(land.site_ha)
    west, south, east, north = shapely.union_all(
        [shapely.geometry.shape(f["geometry"]) for f in stored["features"]]
    ).bounds
    assert -94 < west < east < -92
    assert 41 < south < north < 42
    assert land.write(tmp_path / "again.geojson").read_bytes() == (tmp_path / "land-use.geojson").read_bytes()


def test_a_site_without_any_loss_is_all_used_or_left(make):
    dem = make.dem(make.ground(make.level))
    found = land_use_of(generate_layout(make.site(), dem, setback_m=0.0), dem)
    assert all(p.reason > Reason.TOO_STEEP for p in found.parts)
    assert round(math.fsum(p.hectares for p in found.parts), DIGITS) == found.site_ha


def test_many_exclusions_share_a_name(make):
    zones = tuple(Zone(make.at(20 + 30 * n, 20, 30 + 30 * n, 30), f"zone {n}") for n in range(MOST_NAMES + 3))
    dem = make.dem(make.ground(make.level))
    found = land_use_of(generate_layout(make.site(exclusions=zones), dem, target_capacity_kw=2000), dem)
    labels = [p.label for p in found.parts if p.reason is Reason.EXCLUSION]
    assert len(labels) == MOST_NAMES + 1
    assert labels[-1] == "3 smaller exclusions"


def test_it_shows_itself_and_escapes_names(make):
    dem = make.dem(make.ground(make.level))
    site = make.site(exclusions=(Zone(make.at(400, 0, 500, 100), "<script>"),))
    found = land_use_of(generate_layout(site, dem, target_capacity_kw=2000), dem)
    assert "&lt;script&gt;" in found._repr_html_()
    assert "ha used" in repr(found)
