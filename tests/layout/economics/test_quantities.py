"""Quantities that bill and marginal costs share."""

from dataclasses import replace

import numpy as np
from shapely import LineString

from pacifico.layout.economics.quantities import MAX_SQUARES, array_earth, haul_squares, trunk_lengths, upgraded_m
from pacifico.layout.model.crossings import Crossing


def test_places_share_squares_of_two_hundred_metres():
    found = haul_squares(np.array([[10.0, 10.0], [190.0, 150.0], [210.0, 10.0]]))
    assert found.side_m == 200.0
    assert found.square_of.tolist() == [0, 0, 1]
    assert found.centres.tolist() == [[100.0, 100.0], [300.0, 100.0]]


def test_large_sites_have_larger_squares():
    x, y = np.meshgrid(np.arange(30) * 200.0, np.arange(30) * 200.0)
    places = np.column_stack([x.ravel(), y.ravel()])
    assert haul_squares(places).side_m == 400.0
    assert len(haul_squares(places).centres) <= MAX_SQUARES


def test_arrays_without_graded_ground_have_no_earth(dumbbell):
    assert len(array_earth(dumbbell.plan)) == 0


def test_trunk_cables_run_along_both_axes(dumbbell):
    skids = {a.block_id: a.item.centre for a in dumbbell.plan.asset_list if a.item.kind == "inverter_skid"}
    for array, metres in trunk_lengths(dumbbell.plan):
        (x, y), (sx, sy) = array.item.centre, skids[array.block_id]
        cables = -(-array.item.capacity_dc_kw // 250.0)
        assert np.isclose(metres, cables * (abs(x - sx) + abs(y - sy)))


def test_lengths_on_existing_roads_are_summed_by_road(dumbbell):
    line = LineString([(0, 0), (100, 0)])
    on = Crossing("X001", "upgrade", "R001", "track", "road", line, existing=True)
    over = Crossing("X002", "upgrade", "R002", "County road", "road", line)
    plan = replace(dumbbell.plan, crossing_list=(on, over, replace(on, crossing_id="X003")))
    assert upgraded_m(plan) == {"R001": 200.0}
