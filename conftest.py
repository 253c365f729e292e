"""A notebook under test submits its jobs to a store of its own, never to the user's."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

pytest_plugins = ["fixtures.aws", "fixtures.farm_layouts", "fixtures.ground", "fixtures.layouts", "fixtures.weather"]

if TYPE_CHECKING:
    from collections.abc import Iterator


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
