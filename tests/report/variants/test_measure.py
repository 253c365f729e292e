"""Measures of variants: values, winners and the Pareto front."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacifico.report.variants import measure


def row(placed=1000.0, road=500.0, earth=100.0, density=300.0):
    return {"placed_kw": placed, "road_length_m": road, "earthwork_m3": earth, "kw_per_ha": density}


def winners(rows):
    return {b.measure: b.strategy for b in measure.best_of(rows)}


def test_values_of_a_layout_made_by_hand(layout):
    """Two assets 300 m apart: their surroundings are two rectangles with rounded corners."""
    found = measure.row_of(layout)
    corners = 3.14159265 * 25**2
    array, substation = 80 * 60 + 2 * 25 * (80 + 60) + corners, 36 * 36 + 4 * 25 * 36 + corners
    assert found["surroundings_ha"] == pytest.approx((array + substation) / 1e4, rel=2e-3)  # arcs of 8 segments
    assert found["kw_per_ha"] == pytest.approx(500 / found["surroundings_ha"], rel=1e-3)
    assert (found["placed_kw"], found["earthwork_m3"], found["unplaced_count"]) == (500.0, 223.0, 1)
    assert (found["earthwork_p10_m3"], found["earthwork_p90_m3"]) == (200.0, 260.0)


def test_the_best_value_wins_with_its_lead():
    rows = {"balanced": row(), "clustered": row(road=400.0), "density": row(density=330.0, earth=120.0)}
    found = {b.measure: b for b in measure.best_of(rows)}
    assert found["road_length_m"].strategy == "clustered"
    assert found["road_length_m"].margin_pct == 20.0
    assert found["kw_per_ha"].strategy == "density"
    assert found["kw_per_ha"].value == 330.0
    assert found["earthwork_m3"].strategy is None  # balanced and clustered: a tie is no win
    assert found["earthwork_m3"].note == "a tie of balanced and clustered"


def test_a_variant_that_places_less_is_not_compared():
    """1 % less is equal, more is not: a layout with little on it wins nothing."""
    rows = {
        "balanced": row(),
        "low_earthwork": row(placed=980.0, earth=1.0, road=1.0),
        "density": row(placed=990.0, road=450.0),
    }
    assert winners(rows)["road_length_m"] == "density"
    assert winners(rows)["earthwork_m3"] is None
    alone = {"balanced": row(), "density": row(placed=900.0, road=1.0)}
    assert winners(alone) == dict.fromkeys(("kw_per_ha", "road_length_m", "earthwork_m3"))
    assert "no other variant places within 1% of balanced" in measure.best_of(alone)[0].note


def test_cost_and_cable_are_compared_if_known():
    rows = {"balanced": row() | {"cable_length_m": 900.0}, "density": row() | {"cable_length_m": 800.0}}
    assert winners(rows)["cable_length_m"] == "density"
    assert "cost_usd" not in winners(rows)


def test_a_dominated_variant_is_no_better_in_any_measure():
    rows = {
        "a": row(),
        "b": row(road=400.0),
        "c": row(density=310.0, road=600.0),
        "d": row(placed=500.0, road=1.0, earth=1.0),
    }
    assert measure.dominated_by(rows) == {"a": ("b",), "b": (), "c": (), "d": ()}
    assert measure.dominated_by({"a": row(), "b": row()}) == {"a": (), "b": ()}


@given(st.lists(st.tuples(*[st.integers(1, 6)] * 4), min_size=1, max_size=6))
def test_the_front_is_never_empty(figures):
    rows = {str(k): row(990.0 + p, r, e, d) for k, (p, r, e, d) in enumerate(figures)}
    by = measure.dominated_by(rows)
    assert any(not others for others in by.values())
    for name, others in by.items():
        assert name not in others
        for other in others:
            assert rows[other]["road_length_m"] <= rows[name]["road_length_m"]
            assert rows[other]["earthwork_m3"] <= rows[name]["earthwork_m3"]
            assert rows[other]["kw_per_ha"] >= rows[name]["kw_per_ha"]
