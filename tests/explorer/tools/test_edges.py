"""Setbacks of edges: the menu, and what the user chooses."""

from __future__ import annotations

import ipyleaflet as leaflet
import pytest
from shapely import LineString, box

from pacifico.crs import utm
from pacifico.explorer.state.overrides import Overrides
from pacifico.explorer.tools.edges import EdgeSetbacks, edge_choices
from pacifico.site.model import NamedLine, Site

CRS = utm(-84.2, 36.6)
FIELD = box(750_000, 4_054_000, 750_500, 4_054_300)
ROAD = NamedLine(LineString([(749_980, 4_054_310), (750_520, 4_054_310)]), "County road")


@pytest.fixture
def site():
    return Site("Farm", CRS, FIELD, lines=(ROAD,))


@pytest.fixture
def asked():
    return []


@pytest.fixture
def edges(site, asked):
    return EdgeSetbacks(leaflet.Map(), site, {}, lambda edge, setback_m: asked.append((edge, setback_m)))


def test_sides_lines_and_edges_can_be_chosen(site):
    choices = edge_choices(site)
    assert list(choices) == ["north", "east", "south", "west", "County road", 1, 2, 3, 4]
    assert choices[1][0] == "edge 1: north, 500 m"
    assert choices["County road"][1].equals(choices["north"][1])


def test_a_boundary_of_many_edges_is_chosen_by_side():
    round_field = Site("Round", CRS, FIELD.centroid.buffer(200, quad_segs=16))
    assert list(edge_choices(round_field)) == ["north", "east", "south", "west"]


def test_a_chosen_edge_gets_the_setback_and_loses_it_again(edges, asked):
    edges.show(Overrides(), 10.0)
    assert edges.setback_m.value == 10.0
    assert edges.usual.disabled
    edges.edge.value = "south"
    edges.setback_m.value = 45.0
    assert asked == [("south", 45.0)]
    edges.show(Overrides(edge_setbacks=(("south", 45.0),)), 10.0)
    assert asked == [("south", 45.0)]  # no change of the user's
    assert edges.edge.value == "south"
    assert ("south side – 45 m", "south") in edges.edge.options
    edges.edge.value = "north"
    assert edges.setback_m.value == 10.0
    edges.edge.value = "south"
    assert edges.setback_m.value == 45.0
    edges.usual.click()
    assert asked[-1] == ("south", None)


def test_the_chosen_edge_is_lit_while_the_section_is_open():
    view = leaflet.Map()
    edges = EdgeSetbacks(view, Site("Farm", CRS, FIELD), {}, lambda *_: None)
    before = len(view.layers)
    edges.widget.selected_index = 0
    assert len(view.layers) == before + 1
    edges.edge.value = "west"
    assert len(view.layers) == before + 1
    edges.widget.selected_index = None
    assert len(view.layers) == before
