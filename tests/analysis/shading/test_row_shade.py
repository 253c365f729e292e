"""Shade of rows on rows: closed form, ray casting, and what must follow."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.shade import array, field, pair, shaded_by_rays
from numpy.testing import assert_allclose

from pacifico.analysis.shading.blocks import LINEAR
from pacifico.analysis.shading.row_shade import (
    RowRules,
    SunHours,
    incidences,
    level_backtracking,
    row_light,
    row_rules,
    shaded_share,
    sun_in_rows,
    terrain_backtracking,
)
from pacifico.layout.criteria.spec import make_spec

shading = pytest.importorskip("pvlib.shading")


def cos_sin(degrees):
    angle = np.radians(np.atleast_2d(degrees))
    return np.cos(angle), np.sin(angle)


def sun(zenith, azimuth, rows=0.0):
    return sun_in_rows(rows, np.atleast_1d(np.asarray(zenith, float)), np.atleast_1d(np.asarray(azimuth, float)))


def hills(x, y):
    return 3.0 * np.sin(x / 35.0) * np.cos(y / 50.0) + 0.03 * x - 0.02 * y


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        # published cases of Anderson and Jensen's equation, as pvlib documents them; axis azimuths turned to rows
        ({"zenith": 80, "azimuth": 135 - 90, "pitch": 3, "width": 2, "offset": 0.05, "turns": (30, 30)}, 0.47755694708090535),
        ({"zenith": 80, "azimuth": 75.5 - 270, "pitch": 4, "width": 2.5, "offset": 0.05, "turns": (50, 30), "tilt": 10}, 0.793244836197256),
        ({"zenith": 80, "azimuth": 90 - 180, "pitch": 3, "width": 1.4, "offset": 0.1, "turns": (-30, -30), "cross": 7}, 0.8242176864434579),
        ({"zenith": 80, "azimuth": 270 - 180, "pitch": 3, "width": 1.4, "offset": 0.1, "turns": (30, 30), "cross": 7}, 0.018002567182254348),
    ],
)  # fmt: skip
def test_published_cases(case, expected):
    rows = pair(case["pitch"], case["width"], case.get("tilt", 0.0), case.get("cross", 0.0), case["offset"])
    toward = sun(case["zenith"], case["azimuth"])
    shaded = 0 if toward[0, 0] > 0 else 1
    turns = [0.0, 0.0]
    turns[shaded], turns[1 - shaded] = case["turns"]
    assert shaded_share(rows, toward, cos_sin(turns))[0, shaded] == pytest.approx(expected, abs=1e-6)


def test_shade_is_that_of_the_closed_form():
    random, compared = np.random.default_rng(5), 0
    while compared < 400:
        width, tilt, cross, offset = random.uniform([1, -8, -12, 0], [3, 8, 12, 0.2])
        pitch, zenith, azimuth = width * random.uniform(1.2, 5), random.uniform(5, 88), random.uniform(0, 360)
        theirs = random.uniform(-60, 60)
        own = theirs + random.uniform(-10, 10)
        toward = sun(zenith, azimuth)
        at = shading.projected_solar_zenith_angle(zenith, azimuth, tilt, 0)
        # the closed form is for the sun before the row
        if np.cos(np.radians(own - at)) <= 0.05 or abs(toward[0, 0]) < 1e-3:
            continue
        shaded = 0 if at > 0 else 1
        turns = (own, theirs) if shaded == 0 else (theirs, own)
        found = shaded_share(pair(pitch, width, tilt, cross, offset), toward, cos_sin(turns))[0, shaded]
        expected = shading.shaded_fraction1d(
            zenith, azimuth, 0, own, collector_width=width, pitch=pitch, axis_tilt=tilt, surface_to_axis_offset=offset,
            cross_axis_slope=cross, shading_row_rotation=theirs,
        )  # fmt: skip
        assert found == pytest.approx(expected, abs=1e-6)
        compared += 1


def test_standard_backtracking_is_pvlibs_and_leaves_no_shade_on_level_ground():
    from pvlib.tracking import singleaxis

    zenith, azimuth = np.linspace(1, 89, 60), np.linspace(40, 320, 60)
    toward = sun(zenith, azimuth)
    turns = level_backtracking(toward, 0.4, 60.0)
    expected = singleaxis(zenith, azimuth, axis_azimuth=0, max_angle=60, backtrack=True, gcr=0.4)["tracker_theta"]
    assert_allclose(turns, expected, atol=1e-9)
    rows = field(lambda x, y: 0 * x, array(rows=6))
    assert shaded_share(rows, toward, cos_sin(turns[:, None])).max() < 1e-9


@pytest.mark.parametrize("cross", [-0.12, 0.12])
def test_terrain_backtracking_on_a_plane_is_pvlibs_slope_aware_one(cross):
    from pvlib.tracking import singleaxis

    zenith, azimuth = np.linspace(1, 84, 50), np.linspace(60, 300, 50)
    rows = field(lambda x, y: cross * x, array(rows=4))
    cosine, sine = terrain_backtracking(rows, sun(zenith, azimuth), 60.0)
    expected = singleaxis(
        zenith, azimuth, axis_azimuth=0, max_angle=60, backtrack=True, gcr=0.4, cross_axis_tilt=-np.degrees(np.arctan(cross))
    )["tracker_theta"]  # fmt: skip
    found = np.degrees(np.arctan2(sine, cosine))
    assert_allclose(found[:, 1:3], np.column_stack([expected, expected]), atol=1e-7)
    assert shaded_share(rows, sun(zenith, azimuth), (cosine, sine)).max() < 1e-9


def test_a_higher_neighbour_shades_more_and_a_lower_one_less():
    toward, turns = sun(75.0, 90.0), cos_sin(60.0)
    level, up, down = (
        shaded_share(field(lambda x, y, s=s: s * x, array(rows=2)), toward, turns)[0] for s in (0.0, 0.05, -0.05)
    )
    assert down[0] < level[0] < up[0]
    assert_allclose([level[1], up[1], down[1]], 0.0)


def check_against_rays(rows, suns, limit):
    """Year's beam lost to shade within a share of that by rays, for each way to turn."""
    random = np.random.default_rng(2)
    zenith = np.degrees(np.arccos(random.uniform(0.02, 0.9, suns)))
    toward = sun(zenith, random.uniform(60, 300, suns), rows.azimuth_deg)
    level = cos_sin(level_backtracking(toward, rows.gcr, 60.0)[:, None])
    fixed = cos_sin(np.full((suns, 1), 25.0))
    for turned in (level, fixed, terrain_backtracking(rows, toward, 60.0)):
        weight = incidences(rows, toward, turned) * np.minimum(1.0, 0.2 + toward[:, 2:])
        mine = shaded_share(rows, toward, turned)
        rays = shaded_by_rays(rows, toward, np.arctan2(turned[1], turned[0])).T
        assert (weight * mine).sum() / weight.sum() == pytest.approx((weight * rays).sum() / weight.sum(), abs=limit)


def test_the_year_is_that_of_ray_casting():
    arrays = [array((k * 34.0, j * 63.0), rows=4, name=f"a{k}{j}") for k in range(2) for j in range(2)]
    check_against_rays(field(hills, *arrays), 16, 0.004)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("azimuth", [0.0, 90.0])
def test_the_year_of_500_rows_is_that_of_ray_casting_within_a_thousandth(azimuth):
    places = [(k * 68.0, j * 63.0) for k in range(10) for j in range(5)]
    arrays = [
        array(p if azimuth == 0 else (p[1], -p[0]), rows=10, azimuth=azimuth, name=f"a{k}")
        for k, p in enumerate(places)
    ]
    rows = field(hills, *arrays)
    assert len(rows.start) == 500
    check_against_rays(rows, 40, 0.001)


def hours(count=200, seed=3):
    random = np.random.default_rng(seed)
    zenith = np.degrees(np.arccos(random.uniform(0.02, 0.9, count)))
    azimuth = random.uniform(60, 300, count)
    toward = sun(zenith, azimuth)
    turns = np.radians(level_backtracking(toward, 0.4, 60.0))
    incidence = np.cos(turns) * toward[:, 2] + np.sin(turns) * toward[:, 0]
    return SunHours(zenith, azimuth, incidence, 0.5 * (1 + np.cos(turns)), 800.0 * incidence, 100.0 * np.cos(turns))


RULES = RowRules("tracker", "standard", 60.0, 25.0, LINEAR, 42.0)


def test_level_rows_yield_what_level_rows_yield():
    light = row_light([field(lambda x, y: 0 * x, array(rows=4))], {"solar_array-0001": 100.0}, hours(), RULES)
    assert_allclose(light.beam, 1.0, atol=1e-9)
    assert_allclose(light.sky, 1.0, atol=1e-12)
    assert_allclose([light.shade_loss[0], light.relative_yield[0]], [0.0, 1.0], atol=1e-9)


def test_arrays_are_weighted_by_their_rating():
    flat, hill = array(rows=4, name="flat"), array((500.0, 0.0), rows=4, name="hill")
    rows = field(lambda x, y: 0.08 * np.maximum(x - 250.0, 0.0), flat, hill)
    light = row_light([rows], {"flat": 300.0, "hill": 100.0}, hours(), RULES)
    assert light.array_id == ("flat", "hill")
    assert light.shade_loss[0] < 1e-9 < light.shade_loss[1]
    only = row_light([rows], {"flat": 0.0, "hill": 100.0}, hours(), RULES)
    assert_allclose(1 - light.beam, 0.25 * (1 - only.beam), atol=1e-12)


def test_terrain_backtracking_takes_shade_away():
    rows = field(hills, *(array((k * 36.0, 0.0), rows=6, name=f"a{k}") for k in range(4)))
    rating = {f"a{k}": 100.0 for k in range(4)}
    blocks = row_rules(make_spec(), 42.0)
    standard, terrain = (
        row_light([rows], rating, hours(), replace(blocks, backtracking=b)) for b in ("standard", "terrain")
    )
    assert terrain.shade_loss.mean() < 0.3 * standard.shade_loss.mean()
    assert terrain.relative_yield.mean() > standard.relative_yield.mean()


def test_fixed_rows_face_the_equator():
    rows = field(lambda x, y: 0 * x, array(rows=1, azimuth=90.0))
    north, south = (
        row_light(
            [rows], {"solar_array-0001": 1.0}, replace(hours(), incidence=np.ones(200), beam_kw=np.ones(200)),
            replace(RULES, mounting="fixed", lat=lat),
        ).beam.sum() for lat in (42.0, -42.0)
    )  # fmt: skip
    assert north > south
