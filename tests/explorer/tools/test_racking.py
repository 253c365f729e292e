"""Rows and graded ground of the newest plan, designed aside and on request."""

from __future__ import annotations

from types import SimpleNamespace

import ipyleaflet as leaflet
import pytest

from pacifico.errors import InputError
from pacifico.explorer.engine.messages import DepthImage, RackingView
from pacifico.explorer.mapview import STALE
from pacifico.explorer.tools.racking import FAINT, RowsAndGrading, figures_of, summary

SOLAR = SimpleNamespace(item=SimpleNamespace(kind="solar_array"))
BATTERY = SimpleNamespace(item=SimpleNamespace(kind="battery"))
LINE = {"type": "LineString", "coordinates": [[-84.2, 36.6], [-84.2, 36.601]]}
ROW = {"type": "Feature", "geometry": LINE, "properties": {"style": {"color": "#ffffff", "weight": 1}}}
METRICS = {
    "row_count": 153,
    "pile_count": 1530,
    "array_cut_m3": 1511.3,
    "array_fill_m3": 2188.1,
    "graded_area_ha": 0.76,
}


def view_of(**changes):
    fields = {
        "rows": (ROW,),
        "outlines": (),
        "depth": DepthImage("data:image/png;base64,", ((36.6, -84.2), (36.61, -84.19))),
        "window_m": (1.2, 1.8),
        "metrics": METRICS,
        "left_out": 0,
        "left_out_kw": 0.0,
        "kept_beyond": 0,
    }
    return RackingView(**{**fields, **changes})


class Engine:
    """Keeps the tickets that it is given."""

    def __init__(self):
        self.tickets, self.open = [], False

    def busy(self, _):
        return self.open

    def cancel(self, _):
        self.open = False

    def submit(self, ticket, lane):
        assert (lane, ticket.name) == ("aside", "racking")
        self.tickets.append(ticket)
        self.open = True


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def view():
    return leaflet.Map(layers=())


@pytest.fixture
def racking(view, engine):
    return RowsAndGrading(view, engine, None)


def plan_of(*assets):
    return SimpleNamespace(asset_list=assets)


def finish(engine, result):
    engine.open = False
    engine.tickets[-1].on_result(result)


def names(view):
    return [layer.name for layer in view.layers]


def shown(widget):
    return widget.layout.display != "none"


def test_nothing_is_designed_until_the_switch_is_on(racking, engine):
    assert not shown(racking.widget)
    racking.show(plan_of(SOLAR, BATTERY))
    assert shown(racking.widget)
    assert engine.tickets == []
    racking.switch.value = True
    assert len(engine.tickets) == 1


def test_a_plant_without_arrays_has_no_switch(racking, engine):
    racking.switch.value = True
    racking.show(plan_of(BATTERY))
    assert not shown(racking.widget)
    racking.show(None)
    assert engine.tickets == []


def test_layers_and_numbers_come_and_go_with_the_switch(racking, engine, view):
    racking.show(plan_of(SOLAR))
    racking.switch.value = True
    assert shown(racking.stop_button)
    finish(engine, view_of())
    assert names(view) == ["Graded depth", "Rows"]
    assert not shown(racking.stop_button)
    for words in ("153", "1,530", "1,511 m³", "2,188 m³", "0.76 ha"):
        assert words in racking.figures.value
    racking.switch.value = False
    assert (names(view), racking.figures.value) == ([], "")
    racking.switch.value = True
    assert names(view) == ["Graded depth", "Rows"]
    assert len(engine.tickets) == 1  # the design was kept


def test_a_new_request_dims_the_rows_and_its_layout_replaces_them(racking, engine, view):
    first, last = plan_of(SOLAR), plan_of(SOLAR, SOLAR)
    racking.switch.value = True
    racking.show(first)
    finish(engine, view_of())
    before = dict(racking.layers)
    racking.show_stale(stale=True)
    assert before["Graded depth"].opacity == FAINT
    assert before["Rows"].data["features"][0]["properties"]["style"]["opacity"] == FAINT
    assert STALE in racking.figures._dom_classes
    racking.show(last)
    assert engine.tickets[-1].arguments == (last,)
    assert before["Graded depth"] in view.layers
    finish(engine, view_of(depth=None))
    assert names(view) == ["Rows"]
    assert before["Rows"] not in view.layers
    assert STALE not in racking.figures._dom_classes
    assert racking.layers["Rows"].data["features"][0]["properties"]["style"]["opacity"] == 1.0


def test_a_design_under_way_makes_way_for_a_new_request(racking, engine):
    racking.switch.value = True
    plan = plan_of(SOLAR)
    racking.show(plan)
    racking.show_stale(stale=True)
    assert not engine.open
    assert "once the layout is there" in racking.message.value
    racking.switch.value = False
    racking.switch.value = True
    assert len(engine.tickets) == 1  # the layout under way comes first
    racking.show_stale(stale=False)
    racking.show(plan)  # it was refused: the layout before is shown again
    assert len(engine.tickets) == 2


def test_the_layout_before_gets_its_rows_back(racking, engine, view):
    plan = plan_of(SOLAR)
    racking.switch.value = True
    racking.show(plan)
    finish(engine, view_of())
    racking.show_stale(stale=True)
    racking.show(plan)
    assert len(engine.tickets) == 1
    assert racking.layers["Graded depth"].opacity > FAINT
    assert names(view) == ["Graded depth", "Rows"]


def test_stop_stops_the_design(racking, engine, view):
    racking.show(plan_of(SOLAR))
    racking.switch.value = True
    racking.stop_button.click()
    assert not engine.open
    assert not shown(racking.stop_button)
    assert "stopped" in racking.message.value
    assert names(view) == []


def test_layers_of_others_stay(racking, engine, view):
    other = leaflet.GeoJSON(data={"type": "FeatureCollection", "features": []}, name="Drawn")
    view.add(other)
    racking.switch.value = True
    racking.show(plan_of(SOLAR))
    finish(engine, view_of())
    racking.show(None)
    assert view.layers == (other,)


def test_an_error_is_shown(racking, engine):
    racking.switch.value = True
    racking.show(plan_of(SOLAR))
    engine.open = False
    engine.tickets[-1].on_error(InputError("no <ground> under a row"))
    assert "no &lt;ground&gt; under a row" in racking.message.value
    assert not shown(racking.stop_button)


def test_arrays_that_cannot_be_graded_are_counted(racking, engine, view):
    assert ("Arrays over limits, left out", "3, 1.25 MW") in figures_of(view_of(left_out=3, left_out_kw=1250.0))
    assert ("Arrays over limits, kept", "2") in figures_of(view_of(kept_beyond=2))
    racking.switch.value = True
    racking.show(plan_of(SOLAR))
    finish(engine, view_of(outlines=(ROW,)))
    assert names(view)[-1] == "Arrays beyond racking"


def test_rows_too_many_to_draw_are_named():
    text = summary(view_of(rows=None))
    assert "153, too many to draw" in text
    assert "Reveal" not in text
    assert "up to [m], window 1.2 to 1.8 m" in summary(view_of())
