"""Energy of the newest plan, computed one at a time."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import pytest

from pacifico.explorer.tools.energy import NEEDS, EnergyNote, words_of

SOLAR = SimpleNamespace(item=SimpleNamespace(kind="solar_array"))
BATTERY = SimpleNamespace(item=SimpleNamespace(kind="battery"))
YEAR = SimpleNamespace(annual_mwh=55_426.0, specific_yield_kwh_per_kwdc=2131.0, clear_sky=True, weather="clear sky")


class Engine:
    """Keeps the tickets that it is given."""

    def __init__(self):
        self.tickets, self.open = [], False

    def busy(self, _):
        return self.open

    def submit(self, ticket, lane):
        assert lane == "aside"
        self.tickets.append(ticket)
        self.open = True


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def note(engine):
    return EnergyNote(engine, None)


def plan_of(*assets):
    return SimpleNamespace(asset_list=assets)


def finish(engine, year):
    engine.open = False
    engine.tickets[-1].on_result(year)


def test_energy_is_named_with_its_bound(note, engine):
    note.show(plan_of(SOLAR, BATTERY))
    finish(engine, YEAR)
    assert "55,426 MWh a year at most, under a clear sky; 2,131 kWh/kWdc" in note.widget.value


def test_a_plant_without_arrays_has_no_line(note, engine):
    note.show(plan_of(BATTERY))
    assert (note.widget.value, engine.tickets) == ("", [])
    note.show(None)
    assert note.widget.value == ""


def test_the_newest_plan_follows_the_one_under_way(note, engine):
    first, last = plan_of(SOLAR), plan_of(SOLAR, SOLAR)
    note.show(first)
    note.show(plan_of(SOLAR))
    note.show(last)
    assert [t.arguments for t in engine.tickets] == [(first,)]
    finish(engine, YEAR)
    assert [t.arguments for t in engine.tickets] == [(first,), (last,)]
    assert "MWh" not in note.widget.value
    finish(engine, YEAR)
    assert "55,426 MWh" in note.widget.value


def test_an_error_is_shown(note, engine):
    note.show(plan_of(SOLAR))
    engine.open = False
    engine.tickets[-1].on_error(ValueError("no <sun>"))
    assert "no &lt;sun&gt;" in note.widget.value


def test_without_pvlib_the_line_says_what_is_needed(note, engine, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    note.show(plan_of(SOLAR))
    assert engine.tickets == []
    assert NEEDS.replace("'", "&#x27;") in note.widget.value or NEEDS in note.widget.value


def test_a_year_of_weather_names_it():
    weather = SimpleNamespace(**{**vars(YEAR), "clear_sky": False, "weather": "TMY3 of Ames"})
    assert "a year TMY3 of Ames" in words_of(weather)
    assert words_of(None) == "no solar array"
