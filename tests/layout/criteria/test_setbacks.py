"""Setbacks from single edges: exact areas, numbers of edges, refused entries."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pacifico.errors import InputError
from pacifico.layout.criteria.setbacks import (
    EdgeSetback,
    boundary_edges,
    edge_setbacks,
    edges_along,
    edges_of,
    set_back,
)
from pacifico.layout.criteria.spec import make_spec
from pacifico.site.model import NamedLine

SQUARE = shapely.box(0, 0, 1000, 1000)
L_SHAPE = shapely.Polygon([(0, 0), (1000, 0), (1000, 400), (400, 400), (400, 1000), (0, 1000)])


def chosen(*pairs):
    return edge_setbacks([{"edges": edges, "setback_m": metres} for edges, metres in pairs])


@pytest.mark.parametrize(
    ("entries", "area"),
    [
        ([("north", 30)], 1000 * 970),
        ([("north", 30), ("east", 50)], 950 * 970),
        ([(["north", "south"], 100)], 1000 * 800),
        ([(1, 30)], 1000 * 970),
        ([([1, 3], 30), (4, 10)], 990 * 940),
        ([(["north", "east", "south", "west"], 25)], 950 * 950),
        ([("north", 30), ("north", 5)], 1000 * 995),  # the last one holds
        ([("west", 0)], 1000 * 1000),
    ],
)
def test_a_square_loses_exact_strips(entries, area):
    assert_allclose(set_back(SQUARE, 0.0, chosen(*entries)).area, area, rtol=1e-12)


def test_other_edges_keep_the_general_setback():
    """North 0 m, as along a road; 10 m from the three others."""
    left = set_back(SQUARE, 10.0, chosen(("north", 0)))
    assert_allclose(left.area, 980 * 990, rtol=1e-12)
    assert left.bounds == (10, 10, 990, 1000)


def test_without_entries_all_edges_are_buffered():
    assert set_back(L_SHAPE, 10.0).equals(shapely.buffer(L_SHAPE, -10.0, join_style="mitre"))
    assert set_back(L_SHAPE, 0.0) is L_SHAPE


def test_around_an_inner_corner_the_distance_holds():
    """Two inner edges of an L, 100 m each: two strips that share a square, and a quarter disc round the corner."""
    left = set_back(L_SHAPE, 0.0, chosen(([2, 3], 100)))
    names = {k + 1: side for k, side in enumerate(edges_of(L_SHAPE).faces)}
    assert names == {1: "north", 2: "east", 3: "north", 4: "east", 5: "south", 6: "west"}
    # strips lie left of the upright inner edge and below the level one; the disc's quarter is drawn in 16 chords
    quarter = 0.5 * 100**2 * 16 * math.sin(math.pi / 32)
    assert_allclose(L_SHAPE.area - left.area, 2 * 600 * 100 + quarter, rtol=1e-9)
    assert_allclose(quarter, math.pi * 100**2 / 4, rtol=2e-3)


def test_edges_are_numbered_clockwise_from_the_northernmost_corner():
    for ring in (
        [(0, 0), (10, 0), (10, 10), (0, 10)],
        [(10, 10), (10, 0), (0, 0), (0, 10)],
        [(0, 10), (0, 0), (10, 0), (10, 10)],
    ):
        edges = edges_of(shapely.Polygon(ring))
        assert edges.faces == ("north", "east", "south", "west")
        assert edges.ends[0].tolist() == [[0, 10], [10, 10]]


def test_a_slanted_edge_faces_the_nearer_side():
    diamond = shapely.Polygon([(0, 10), (11, 0), (0, -10), (-11, 0)])
    assert edges_of(diamond).faces == ("north", "south", "south", "north")


def test_of_several_parts_the_largest_comes_first():
    both = shapely.MultiPolygon([shapely.box(2000, 0, 2100, 100), SQUARE])
    assert edges_of(both).ends[0].tolist() == [[0, 1000], [1000, 1000]]
    assert_allclose(set_back(both, 0.0, chosen(("north", 10))).area, 1000 * 990 + 100 * 90)
    assert_allclose(set_back(both, 0.0, chosen((5, 10))).area, 1000 * 1000 + 100 * 90)


def test_holes_keep_the_general_setback():
    holed = SQUARE.difference(shapely.box(400, 400, 600, 600))
    left = set_back(holed, 10.0, chosen((["north", "east", "south", "west"], 0)))
    rim = 4 * 200 * 10 + 4 * 0.5 * 10**2 * 16 * math.sin(math.pi / 32)
    assert_allclose(holed.area - left.area, rim, rtol=1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=4, max_size=9, unique=True),
    st.sampled_from(["north", "east", "south", "west"]),
    st.floats(0, 60),
    st.floats(0, 60),
)
def test_ground_keeps_its_distance_from_every_edge(points, side, general, special):
    hull = shapely.MultiPoint(points).convex_hull
    if hull.geom_type != "Polygon" or hull.area < 100:
        return
    edges = edges_of(hull)
    if side not in edges.faces:
        with pytest.raises(InputError, match=f"no edge of the boundary faces {side}"):
            set_back(hull, general, chosen((side, special)))
        return
    left = set_back(hull, general, chosen((side, special)))
    assert left.is_valid
    for ends, faces in zip(edges.ends, edges.faces, strict=True):
        # around the end of an edge the arc is drawn in chords of 1/16 of a quarter
        wanted = (special if faces == side else general) * math.cos(math.pi / 64)
        assert left.is_empty or shapely.distance(left, shapely.LineString(ends)) >= wanted - 1e-6
    least = set_back(hull, max(general, special))
    assert least.difference(left.buffer(1e-6)).area < 1e-6 * hull.area


@pytest.mark.parametrize(
    "value",
    [
        "north",
        {"edges": "north", "setback_m": 3},
        ["north"],
        [{"edges": "north"}],
        [{"edges": "north", "setback_m": 3, "more": 1}],
        [{"edges": "", "setback_m": 3}],
        [{"edges": " ", "setback_m": 3}],
        [{"edges": "x" * 201, "setback_m": 3}],
        [{"edges": 0, "setback_m": 3}],
        [{"edges": True, "setback_m": 3}],
        [{"edges": 1.5, "setback_m": 3}],
        [{"edges": [], "setback_m": 3}],
        [{"edges": "north", "setback_m": -1}],
        [{"edges": "north", "setback_m": 1001}],
        [{"edges": "north", "setback_m": float("nan")}],
        [{"edges": "north", "setback_m": "3"}],
        [{"edges": "north", "setback_m": 1}] * 201,
        7,
    ],
)
def test_invalid_entries_are_refused_in_one_line(value):
    with pytest.raises(InputError, match=r"site\.setbacks") as caught:
        make_spec({"site": {"setbacks": value}})
    assert "\n" not in str(caught.value)


def test_a_missing_edge_is_named():
    with pytest.raises(InputError, match="names edge 5; the boundary has 4 edges"):
        set_back(SQUARE, 0.0, (EdgeSetback((5,), 10.0),))


# --- edges along a named line


def road(name, *points):
    return NamedLine(shapely.LineString(points), name)


@pytest.mark.parametrize(
    ("points", "area"),
    [
        ([(0, 1000), (1000, 1000)], 1000 * 960),  # on the northern edge
        ([(1000, 1020), (0, 1020)], 1000 * 960),  # beside it, the other way
        ([(-500, 1020), (1500, 1010)], 1000 * 960),  # and farther
        ([(0, 1010), (510, 1010)], 1000 * 960),  # along half of it
        ([(0, 1010), (1010, 1010), (1010, 0)], 960 * 960),  # round a corner
    ],
)
def test_a_named_line_chooses_the_edges_along_it(points, area):
    left = set_back(
        SQUARE, 0.0, chosen(("County road", 40)), [road("County road", *points), road("rail", (0, 0), (0, 9))]
    )
    assert_allclose(left.area, area, rtol=1e-12)


def test_edges_at_the_ends_of_a_line_are_not_chosen():
    """20 m long edges at both ends lie near the line, but it doesn't follow them."""
    strip = shapely.box(0, 0, 1000, 20)
    edges = edges_of(strip)
    assert edges_along(edges, [shapely.LineString([(0, 30), (1000, 30)])]) == [0, 2]
    assert edges_along(edges, [shapely.LineString([(0, 51), (1000, 51)])]) == []


def test_lines_of_one_name_choose_together_in_any_case():
    halves = [road("River", (0, 1000), (300, 1000)), road("river", (300, 1000), (600, 1000))]
    assert_allclose(set_back(SQUARE, 0.0, chosen((" RIVER ", 40)), halves).area, 1000 * 960, rtol=1e-12)


def test_a_drawn_line_chooses_every_edge_of_a_bent_side():
    x = np.linspace(0, 1000, 21)
    bent = shapely.Polygon([(0, 0), *zip(x, 500 + 40 * np.sin(x / 150), strict=True), (1000, 0)])
    sketch = road("bank", *zip(x[::4], 510 + 40 * np.sin(x[::4] / 150), strict=True))
    along = edges_along(edges_of(bent), [sketch.line])
    assert len(along) == 20
    assert {edges_of(bent).faces[k] for k in along} == {"north"}
    left = set_back(bent, 0.0, chosen(("bank", 30)), [sketch])
    assert shapely.distance(left, shapely.LineString(list(zip(x, 500 + 40 * np.sin(x / 150), strict=True)))) > 29.9
    assert left.bounds[1] == 0


@pytest.mark.parametrize(
    ("name", "lines", "said"),
    [
        ("up", [], r"names 'up', which is no side .* it has no named lines"),
        ("up", [road("River", (0, 0), (9, 9))], r"its named lines are 'River'"),
        ("River", [road("River", (0, 1100), (1000, 1100))], r"no edge of the boundary lies within 30 m of it"),
        ("River", [road("River", (500, -900), (500, 1900))], r"no edge of the boundary lies within 30 m of it"),
    ],
)
def test_a_name_that_chooses_no_edge_is_refused_in_one_line(name, lines, said):
    with pytest.raises(InputError, match=said) as caught:
        set_back(SQUARE, 0.0, chosen((name, 40)), lines)
    assert "\n" not in str(caught.value)


def test_a_plan_is_set_back_from_a_line_of_its_boundary_file(make, tmp_path):
    """From the file to the assets, through the command line's own parser."""
    import json

    from pacifico.cli.options import edge_setback
    from pacifico.layout.generate import generate_layout
    from pacifico.site.boundary import read_site
    from pacifico.site.written import site_geojson

    given = make.site(lines=(road("Road = B 12", (make.west, make.south + 600), (make.west + 600, make.south + 605)),))
    path = tmp_path / "site.geojson"
    path.write_bytes(site_geojson(given))
    assert json.loads(path.read_text())["features"][-1]["properties"] == {"kind": "line", "name": "Road = B 12"}
    site = read_site(path)
    assert boundary_edges(site)["along"].tolist().count("Road = B 12") == 1
    entry = edge_setback("Road = B 12=150")
    plan = generate_layout(site, make.dem(make.ground(make.level)), spec={"site": {"setbacks": [entry]}})
    north = max(a.footprint.bounds[3] for a in plan.asset_list)
    assert make.south + 400 < north <= make.south + 450.01


def test_a_plan_keeps_the_setbacks_of_its_edges(make):
    """600 m square, 150 m from the south and 0 m from the north."""
    from pacifico.layout.generate import generate_layout

    site, dem = make.site(), make.dem(make.ground(make.level))
    spec = {
        "site": {"setback_m": 5.0, "setbacks": [{"edges": "south", "setback_m": 150}, {"edges": 1, "setback_m": 0}]}
    }
    plan = generate_layout(site, dem, spec=spec)
    feet = np.array([a.footprint.bounds for a in plan.asset_list])
    assert feet[:, 1].min() >= make.south + 150
    assert feet[:, 0].min() >= make.west + 5
    field = make.site().boundary.area - 600 * 150 - 2 * 5 * 450
    assert_allclose(plan.buildable.area, field, rtol=1e-9)
    table = boundary_edges(site)
    assert table["faces"].tolist() == ["north", "east", "south", "west"]
    assert table["length_m"].tolist() == [600.0] * 4


@pytest.mark.parametrize(
    ("text", "entry"),
    [("north=30", {"edges": ["north"], "setback_m": 30.0}), ("2, 3=50", {"edges": [2, 3], "setback_m": 50.0})],
)
def test_the_command_line_reads_setbacks(text, entry):
    from pacifico.cli.options import edge_setback

    assert edge_setback(text) == entry


@pytest.mark.parametrize("text", ["north", "=3", "north=", "north=x", "north=-3", ",=4"])
def test_the_command_line_refuses_other_text(text):
    from argparse import ArgumentTypeError

    from pacifico.cli.options import edge_setback

    with pytest.raises(ArgumentTypeError):
        edge_setback(text)
