"""Each guard of the product removed once: the checker must notice."""

from __future__ import annotations

import pytest

from simulation.guards import GUARDS, removed, schedules_until_caught
from simulation.seams import simulated


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("guard", GUARDS, ids=[guard.name for guard in GUARDS])
def test_a_removed_guard_is_caught(guard):
    caught = schedules_until_caught(guard, most=40_000)
    assert caught is not None, f"without '{guard.name}' no schedule failed"
    schedules, violation = caught
    print(f"{guard.name}: caught after {schedules} schedules: {violation}")


@pytest.mark.parametrize("guard", GUARDS, ids=[guard.name for guard in GUARDS])
def test_the_code_still_has_each_guard(guard):
    with removed(guard), simulated():
        pass
