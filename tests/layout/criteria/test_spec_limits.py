"""Rules at the ends of their ranges give a plan or a reason, alone and together."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacifico.errors import PacificoError
from pacifico.layout.criteria.spec import catalog
from pacifico.vocabulary import PROFILES

ABOUT = {
    "wind_turbine": "wind_hybrid", "wind_road": "wind_hybrid", "wind_hybrid": "wind_hybrid", "battery": "bess",
    "generator": "gas_bess", "gas_turbine": "gas_bess", "cooling_system": "gas_bess", "control_center": "gas_bess",
    "gas_bess": "gas_bess", "hybrid": "hybrid",
}  # fmt: skip
"""Profile that the rules of a section act on; all others act on a solar farm."""


def ends():
    """Both ends of every numeric rule, and every choice, as (section, rule, value)."""
    for section, rules in catalog().items():
        for rule, known in rules.items():
            for value in known.get("choices") or (known["min"], known["max"]):
                yield section, rule, value


def outcome(make, overrides, profile):
    """Plan, or the error that says why there is none."""
    from pacifico.layout.generate import generate_layout

    width = 2400.0 if profile == "wind_hybrid" else 500.0
    site = make.site(width, width)
    dem = make.dem(make.ground(make.rolling, width, width, dx=width / 50))
    target = 20_000 if profile in {"gas_bess", "wind_hybrid"} else 4000
    try:
        plan = generate_layout(site, dem, profile=profile, target_capacity_kw=target, spec=overrides)
    except PacificoError as error:
        assert "\n" not in str(error)  # noqa: PT017 (either outcome is right, and each is checked)
        return error
    numbers = [v for v in plan.metrics.values() if isinstance(v, int | float)]
    assert all(math.isfinite(v) for v in numbers)
    assert plan.to_geojson()["features"]
    return plan


def with_mounting(section, rule, value):
    mounting = {"mounting": "fixed"} if rule.startswith("fixed_") else {}
    return {section: {rule: value, **mounting}}


@given(st.lists(st.sampled_from(sorted(ends(), key=str)), min_size=1, max_size=6), st.sampled_from(PROFILES))
@settings(max_examples=10, deadline=None, derandomize=True)
def test_rules_at_their_ends_together_give_a_plan_or_a_reason(make, overridden, profile):
    overrides = {}
    for section, rule, value in overridden:
        overrides.setdefault(section, {})[rule] = value
    outcome(make, overrides, profile)


@pytest.mark.slow
@pytest.mark.parametrize(("section", "rule", "value"), list(ends()), ids=str)
def test_every_rule_at_each_end_gives_a_plan_or_a_reason(make, section, rule, value):
    outcome(make, with_mounting(section, rule, value), ABOUT.get(section, "solar_farm"))
