"""Simulated time for the tests of this folder."""

from __future__ import annotations

import pytest

from simulation.schedules import prepare_sites
from simulation.seams import simulated


@pytest.fixture
def product():
    """The product in simulated time."""
    with simulated():
        prepare_sites()
        yield
