"""Reason of every cell: each cell of the site has one, and it is the true one."""

from dataclasses import replace

import numpy as np
import pytest
from pyproj import CRS

from pacifico.analysis.cell_reasons import buildable_cells, cell_reasons_of, inside_setback, reasons_of, unit_sizes
from pacifico.errors import CRSMismatchError
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.land_use import Reason
from pacifico.layout.orientation.frame import TurnedFrame
from pacifico.site.model import Zone


def half_steep(x, y):
    return np.where(x > 300, 100.0, 100.0 + 0.4 * (300 - x))


@pytest.fixture(scope="module")
def made(make):
    site = make.site(exclusions=(Zone(make.at(500, 0, 600, 100), "pond"),))
    ground = make.ground(half_steep)
    ground.z[:12, 45:] = np.nan
    dem = make.dem(ground)
    return generate_layout(site, dem), dem


def at(raster, make, x, y):
    return Reason(int(raster.sel(x=make.west + x, y=make.south + y, method="nearest")))


def test_each_cell_has_its_reason(made, make):
    reasons = cell_reasons_of(*made)
    assert at(reasons, make, -50, 300) is Reason.OUTSIDE
    assert at(reasons, make, 4, 300) is Reason.SETBACK
    assert at(reasons, make, 100, 300) is Reason.TOO_STEEP
    assert at(reasons, make, 550, 50) is Reason.EXCLUSION
    assert at(reasons, make, 500, 585) is Reason.NO_ELEVATION
    middle = made[0].asset_list[0].footprint.centroid
    assert at(reasons, make, middle.x - make.west, middle.y - make.south) is Reason.USED
    assert reasons.attrs["flag_values"] == [int(r) for r in Reason]
    assert len(reasons.attrs["flag_meanings"].split()) == len(Reason)


def test_buildable_cells_are_those_with_a_later_reason(made):
    mask, reasons = buildable_cells(*made), cell_reasons_of(*made)
    assert np.array_equal(mask.values, reasons.values > Reason.TOO_STEEP)
    assert mask.dtype == bool


def test_what_is_left_of_a_met_target_is_not_needed(make):
    dem = make.dem(make.ground(make.level))
    found = reasons_of(generate_layout(make.site(), dem, target_capacity_kw=2000), dem)
    assert found.count(Reason.NOT_NEEDED) > found.count(Reason.USED) > 0
    assert found.count(Reason.NO_ROAD_WORTH_IT) == 0


def test_a_strip_too_narrow_for_a_unit_is_too_small(make):
    site = make.site(exclusions=(Zone(make.at(300, 0, 580, 600), "farm"),))
    dem = make.dem(make.ground(make.level))
    found = cell_reasons_of(generate_layout(site, dem), dem)
    assert at(found, make, 585, 300) is Reason.TOO_SMALL


def test_units_have_the_size_of_the_smallest_asset(made, make):
    assert all(w > 10 and h > 10 for w, h in unit_sizes(made[0]))
    dem = make.dem(make.ground(make.level))
    storage = generate_layout(make.site(), dem, profile="bess", target_capacity_kw=10_000)
    assert unit_sizes(storage) == ((32.0, 22.0), (22.0, 32.0))


def test_ground_inside_the_setback_keeps_its_distance(made):
    plan = made[0]
    assert inside_setback(plan).area == pytest.approx(580.0**2)


def test_a_dem_in_another_crs_is_refused(made):
    plan, dem = made
    other = dem.copy()
    other["spatial_ref"].attrs["crs_wkt"] = other["spatial_ref"].attrs["spatial_ref"] = CRS.from_epsg(32616).to_wkt()
    with pytest.raises(CRSMismatchError, match="give the DEM that the plan was made on"):
        cell_reasons_of(plan, other)


@pytest.mark.parametrize("degrees", [30.0, 90.0])
def test_room_for_a_unit_is_looked_for_along_the_rows(make, degrees):
    # 28 x 70 m hold rows of 64 m along the strip, and nothing across it
    frame = TurnedFrame(-degrees, (make.west + 300, make.south + 300))
    strip = frame.geometry(make.at(286, 265, 314, 335))
    keep_off = make.at(0, 0, 600, 600).difference(strip)
    site = make.site(exclusions=(Zone(keep_off, "wood"),))
    dem = make.dem(make.ground(make.level, dx=2.5))
    spec = {"solar": {"row_azimuth_deg": degrees}, "solar_array": {"slope_limit_deg": 10.0}}
    plan = generate_layout(make.site(), dem, target_capacity_kw=600, spec=spec)
    upright = replace(plan, site=site, asset_list=(), pad_list=(), road_list=(), target_capacity_kw=None)
    found = cell_reasons_of(upright, dem)
    assert at(found, make, 300, 300) is not Reason.TOO_SMALL
    across = replace(upright, spec=make_spec({"solar": {"row_azimuth_deg": degrees - 90.0}}))
    assert at(cell_reasons_of(across, dem), make, 300, 300) is Reason.TOO_SMALL
