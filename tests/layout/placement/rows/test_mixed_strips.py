"""Strips of full, half and third rows between the same aisles."""

from itertools import product

import numpy as np
import pytest
import shapely

from pacifico.layout.criteria.asset_types import solar_units
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.ground.rects import NO_RECTS, touching
from pacifico.layout.placement.context import PlacementContext
from pacifico.layout.placement.rows._row_kernels import stack_rows
from pacifico.layout.placement.solar_arrays import solar_grounds

SPEC = make_spec()
FULL, HALF, THIRD = solar_units(SPEC)


def context_of(make, boundary):
    field = make.field(make.site(boundary=boundary), make.ground(make.level, 1200, 1200, dx=5.0), setback_m=0.0)
    return PlacementContext(field, SPEC)


def mixed_and_plain(context, scheme):
    return (solar_grounds(context, s)[0] for s in (f"mixed_{scheme}", scheme))


def diamond(make):
    return shapely.Polygon([(make.west + x, make.south + y) for x, y in ((0, 500), (500, 0), (1000, 500), (500, 1000))])


@pytest.mark.parametrize("scheme", ["quads", "spines"])
def test_short_rows_follow_a_diagonal_edge(make, scheme):
    mixed, plain = mixed_and_plain(context_of(make, diamond(make)), scheme)
    slots = mixed.slots(NO_RECTS)
    assert mixed.kw(slots) > plain.kw(plain.slots(NO_RECTS)) + 10 * FULL.ac_kw
    heights = slots.rects[:, 3] - slots.rects[:, 1]
    assert {round(h) for h in heights} == {64, 32, 21}


@pytest.mark.parametrize("scheme", ["quads", "spines"])
def test_arrays_keep_to_the_ground_and_apart(make, scheme):
    context = context_of(make, diamond(make))
    mixed, _ = mixed_and_plain(context, scheme)
    slots = mixed.slots(NO_RECTS)
    assert context.field.sieve(10.0).passes(slots.rects).all()
    gap = SPEC.number("solar", "pair_gap_m") - 0.01
    grown = slots.rects + np.array([-gap, -gap, gap, gap]) / 2
    for k, rect in enumerate(grown):
        assert not touching(np.delete(grown, k, axis=0), rect[None]).any()


def test_arrays_have_whole_rows_and_their_capacity(make):
    mixed, _ = mixed_and_plain(context_of(make, diamond(make)), "quads")
    slots = mixed.slots(NO_RECTS)
    for rect, units, kw in zip(slots.rects, slots.units, mixed.slot_kw(slots), strict=True):
        unit = mixed.unit_of(rect)
        assert rect[2] - rect[0] == pytest.approx(units * unit.pitch_x_m - unit.gap_x_m)
        assert kw == pytest.approx(units * unit.ac_kw)
        assert unit.least_units <= units <= unit.most_units


def test_a_rectangle_for_full_rows_has_only_these(make):
    """4 strips of 64 m with gaps of 3 m, and 6 m to spare."""
    mixed, plain = mixed_and_plain(context_of(make, make.at(0, 0, 320, 4 * 64 + 3 * 3 + 6)), "quads")
    slots = mixed.slots(NO_RECTS)
    assert slots.rects[:, 3] - slots.rects[:, 1] == pytest.approx(64)
    assert len(np.unique(slots.rects[:, 1])) == 4
    assert mixed.kw(slots) >= plain.kw(plain.slots(NO_RECTS))


def test_blocked_ground_stays_free(make):
    mixed, _ = mixed_and_plain(context_of(make, diamond(make)), "quads")
    blocked = np.array([[make.west + 400, make.south + 400, make.west + 500, make.south + 450]])
    assert not touching(mixed.slots(blocked).rects, blocked).any()


def best_by_hand(values, steps):
    """Largest worth of any stack, by trying all."""
    kinds, n = values.shape
    best = 0.0
    for choice in product(range(-1, kinds), repeat=n):
        at, total, fits = 0, 0.0, True
        for j, k in enumerate(choice):
            if k < 0:
                continue
            fits &= j >= at and values[k, j] > 0
            at, total = j + steps[k], total + values[k, j]
        best = max(best, total) if fits else best
    return best


@pytest.mark.parametrize("seed", range(5))
def test_stacks_are_worth_the_most(seed):
    rng = np.random.default_rng(seed)
    values, steps = rng.integers(0, 9, (2, 6)).astype(float), np.array([3, 2])
    at, kind = stack_rows(values, steps)
    assert values[kind, at].sum() == best_by_hand(values, steps)
    assert (np.diff(at) >= steps[kind[:-1]]).all()
