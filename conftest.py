"""Settings of all tests: repeatable property tests, and notebooks that submit jobs to a store of their own."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

pytest_plugins = [
    "fixtures.aws",
    "fixtures.economics",
    "fixtures.farm_layouts",
    "fixtures.ground",
    "fixtures.layouts",
    "fixtures.reports",
    "fixtures.weather",
]

if TYPE_CHECKING:
    from collections.abc import Iterator

# One commit gives one result. `make random` tries other examples; what it finds becomes an @example.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("random", derandomize=False, print_blob=True)
settings.load_profile("repeatable")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Name that store in the environment that the notebook's kernel inherits."""
    if not getattr(item, "nbmake", False):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="pacifico-store-") as store, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PACIFICO_STORE", store)
        patch.delenv("PACIFICO_QUEUE_URL", raising=False)
        yield
