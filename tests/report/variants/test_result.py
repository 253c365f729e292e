"""The result of a comparison: costs of its layouts."""

import pytest

from pacifico.report.variants import generate_variants, measure


def winners(rows):
    return {b.measure: b.strategy for b in measure.best_of(rows)}


def test_the_cost_is_the_total_of_the_bill(variants):
    from pacifico.analysis.costs import bill

    for name, plan in variants.plans.items():
        assert variants.rows[name]["cost_usd"] == round(bill(plan).total)
        assert (
            variants.rows[name]["cost_low_usd"] < variants.rows[name]["cost_usd"] < variants.rows[name]["cost_high_usd"]
        )
    assert "cost_usd" in winners(variants.rows)


@pytest.fixture(scope="module")
def variants(field):
    return generate_variants(*field, strategies=("density", "clustered"), target_capacity_kw=1500)
