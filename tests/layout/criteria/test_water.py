"""Criteria of channels, and sizes of culverts."""

import pytest

from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.criteria.water import PIPE_FLOW, PIPE_SIZES_M, Culvert, WaterCriteria, water_criteria


def test_the_catalog_holds_the_criteria():
    assert water_criteria(make_spec()) == WaterCriteria()
    assert water_criteria(make_spec({"water": {"channel_min_ha": 0.0}})).channel_min_ha == 0


def test_flow_follows_the_rational_method():
    assert WaterCriteria(runoff_coefficient=0.5, rain_mm_per_h=36.0).flow_m3_s(10.0) == pytest.approx(0.5)


@pytest.mark.parametrize("drained_ha", [0.0, 3.0, 8.0, 20.0, 60.0, 200.0, 5000.0])
def test_pipes_carry_the_flow_and_are_no_larger_than_needed(drained_ha):
    criteria = WaterCriteria()
    pipes, flow = criteria.culvert(drained_ha), criteria.flow_m3_s(drained_ha)
    assert pipes.barrels * PIPE_FLOW * pipes.diameter_m**2.5 >= flow - 1e-6
    smaller = [d for d in PIPE_SIZES_M if d < pipes.diameter_m]
    assert not smaller or pipes.barrels * PIPE_FLOW * smaller[-1] ** 2.5 < flow


def test_little_ground_takes_one_small_pipe():
    assert WaterCriteria().culvert(1.0) == Culvert(1, 0.6)
