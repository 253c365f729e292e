"""Order of removal: exact cases, and theorems on plants drawn at random."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacifico.layout.economics.civil_costs import CivilPart, CivilWorks
from pacifico.layout.economics.leave_out import removals_over
from pacifico.layout.economics.removal_order import Removal, removal_order
from pacifico.layout.economics.units import PlantUnit


def works(kw, parts):
    units = tuple(PlantUnit(f"B{k:03d}", (k,), float(v)) for k, v in enumerate(kw, 1))
    return CivilWorks(units, tuple(CivilPart(bits, float(usd)) for bits, usd in parts.items()), {})


def test_the_dearest_branch_goes_first():
    # units 1 and 2 share a road of 600; unit 0 has its own of 100; all share 1,000
    plant = works([10, 10, 10], {0b001: 100, 0b010: 50, 0b100: 20, 0b110: 600, 0b111: 1000})
    (first,) = removal_order(plant)
    assert (first.units, first.usd, first.usd_per_kw) == ((1, 2), 670.0, 33.5)
    assert Removal.of_rest(plant, [first]).usd == 1100.0


def test_shared_works_go_with_the_last_that_needs_them():
    plant = works([10, 10, 10], {0b001: 900, 0b010: 500, 0b100: 20, 0b110: 100})
    order = list(removal_order(plant))
    assert [r.units for r in order] == [(0,), (1,)]
    assert [r.usd for r in order] == [900.0, 500.0]
    assert Removal.of_rest(plant, order) == Removal((2,), 10.0, 120.0)


PLANTS = st.integers(2, 7).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(1, 100), min_size=n, max_size=n),
        st.dictionaries(st.integers(1, 2**n - 1), st.integers(0, 10_000), min_size=1, max_size=12),
    )
)


@given(PLANTS)
def test_removals_and_the_rest_are_the_whole_plant(drawn):
    plant = works(*drawn)
    order = list(removal_order(plant))
    rest = Removal.of_rest(plant, order)
    assert sorted([*rest.units, *(u for r in order for u in r.units)]) == list(range(len(plant.units)))
    assert len(rest.units) == 1
    assert sum(r.usd for r in order) + rest.usd == pytest.approx(plant.usd)
    assert sum(r.kw for r in order) + rest.kw == pytest.approx(sum(u.kw for u in plant.units))


@given(PLANTS, st.floats(0.0, 1000.0), st.floats(0.0, 1000.0))
def test_a_higher_limit_leaves_out_no_more(drawn, a, b):
    plant = works(*drawn)
    low, high = removals_over(plant, min(a, b)), removals_over(plant, max(a, b))
    assert high == low[: len(high)]


@given(PLANTS)
def test_each_removal_costs_what_no_other_unit_needs(drawn):
    plant = works(*drawn)
    gone = 0
    for removal in removal_order(plant):
        before = gone
        gone |= sum(1 << u for u in removal.units)
        lost = sum(p.usd for p in plant.parts if p.needs & ~gone == 0 and p.needs & ~before)
        assert removal.usd == pytest.approx(lost)
