"""Findings of a plan: methods that call a higher room, and what a notebook shows."""

import numpy as np
import pytest

from pacifico.layout.generate import generate_layout
from pacifico.layout.model.land_use import Reason
from pacifico.site.model import Zone


@pytest.fixture(scope="module")
def made(make):
    site = make.site(300, 300, exclusions=(Zone(make.at(200, 0, 300, 100), "<b>pond"),))
    dem = make.dem(make.ground(make.level, 300, 300))
    return generate_layout(site, dem, target_capacity_kw=50_000), dem


def test_land_and_cells_agree(made):
    plan, dem = made
    land, mask = plan.land_use(dem), plan.buildable_mask(dem)
    assert land.buildable_ha == pytest.approx(plan.metrics["buildable_area_ha"], abs=1e-3)
    assert np.array_equal(mask.values, plan.cell_reasons(dem).values > Reason.TOO_STEEP)


def test_levers_are_those_of_the_plan(made):
    assert {lever.key for lever in made[0].levers(made[1]).items} >= {"setback", "too_steep", "exclusion:<b>pond"}


def test_plans_sites_and_bills_show_themselves(made):
    plan = made[0]
    shown = plan._repr_html_()
    for answer in plan.headline:
        assert answer.label in shown
    assert "color:#b3201f" in shown
    assert "&lt;b&gt;pond" in plan.site._repr_html_()
    assert "Total with indirect cost" in plan.bill_of_quantities()._repr_html_()


def test_a_plan_draws_itself_with_and_without_its_ground(made):
    plan, dem = made
    for figure in (plan.plot(), plan.plot(dem)):
        assert figure.axes
