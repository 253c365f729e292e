"""A document is a value: equal ones have equal layouts."""

from __future__ import annotations

import pytest
from shapely import box

from pacifico.crs import LONLAT, reproject, utm
from pacifico.explorer.state.document import Document, DrawnZone, EditStep
from pacifico.explorer.state.overrides import Overrides
from pacifico.layout.criteria.design import Design

CRS = utm(-84.2, 36.6)
AREA = reproject(box(750_000, 4_054_000, 750_100, 4_054_100), CRS, LONLAT)


def test_equal_documents_have_the_same_hash():
    one, other = (Document(Design(entry=(1.0, 2.0)), (DrawnZone("pond", AREA),)) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one.with_edit(EditStep("add", "battery", (0.0, 0.0))) != one


def test_a_zone_is_where_it_was_drawn():
    zone = DrawnZone("pond", AREA, 5.0).zone(CRS)
    assert zone.geometry.bounds == pytest.approx((750_000, 4_054_000, 750_100, 4_054_100), abs=1e-3)
    assert (zone.name, zone.zone_type, zone.buffer_m) == ("pond", "buffered", 5.0)
    assert DrawnZone("pond", AREA).zone(CRS).zone_type == "hard"


def test_parts_change_one_at_a_time():
    step = EditStep("move", "battery", (0.0, 0.0), "battery-0001", to=(1.0, 1.0))
    document = Document(Design()).with_edit(step).with_zones((DrawnZone("pond", AREA),))
    assert document.with_design(Design(profile="bess")).edits == (step,)
    assert document.without_edits(frozenset({0})).edits == ()
    assert document.without_edits(frozenset({1})) == document


def test_a_second_edit_follows_the_first():
    first = EditStep("move", "battery", (0.0, 0.0), "battery-0001", to=(1.0, 1.0))
    moved = Document(Design()).with_edit(first)
    before_the_move_was_shown = EditStep("rotate", "battery", (0.0, 0.0), "battery-0001", to_deg=5.0)
    assert moved.with_edit(before_the_move_was_shown).edits[-1].at == (1.0, 1.0)
    after_it_was_shown = EditStep("move", "battery", (1.0, 1.0), "battery-0001", to=(0.0, 0.0))
    back = moved.with_edit(after_it_was_shown)
    assert back.edits[-1] == after_it_was_shown
    assert back.with_edit(first).edits[-1] == first
    other = EditStep("rotate", "battery", (0.0, 0.0), "battery-0002", to_deg=5.0)
    assert moved.with_edit(other).edits[-1] == other


def test_an_edit_says_what_it_is():
    assert EditStep("move", "battery", (0.0, 0.0), "battery-0001", to=(1.0, 1.0)).words == "move battery-0001"
    assert EditStep("add", "solar_array", (0.0, 0.0)).words == "add solar array"


def test_the_design_to_lay_out_has_the_spec_of_the_start_and_the_overrides():
    document = Document(Design()).with_overrides(Overrides().with_rule("solar", "tracker_gcr", 0.4))
    assert document.request_design({"road": {"width_m": 7.0}}).spec == {
        "road": {"width_m": 7.0},
        "solar": {"tracker_gcr": 0.4},
    }
    assert document.design.spec is None
    assert Document(Design()).request_design(None) == Design()


def test_an_offer_is_one_change_of_edits_and_limit():
    steps = (EditStep("add", "inverter_skid", (1.0, 2.0)), EditStep("add", "solar_array", (1.0, 2.1)))
    made = Document(Design()).with_edits(steps, ("solar_array", "slope_limit_deg", 12.0))
    assert made.edits == steps
    assert made.overrides.rule("solar_array", "slope_limit_deg") == 12.0
    assert Document(Design()).with_edge_setback("north", 5.0).overrides.edge("north") == 5.0
