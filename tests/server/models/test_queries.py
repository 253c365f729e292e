"""Arguments in addresses."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pacifico.server.models.queries import LayoutsQuery, NoQuery, TerrainQuery


def test_text_becomes_values():
    found = LayoutsQuery.model_validate({"limit": "10", "since": "2026-01-01T00:00:00Z", "status": "failed"})
    assert (found.limit, found.since.year, found.status) == (10, 2026, "failed")


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (NoQuery, {"x": "1"}),
        (LayoutsQuery, {"since": "2026-01-01T00:00:00"}),
        (LayoutsQuery, {"limit": "101"}),
        (TerrainQuery, {"setback_m": "inf"}),
    ],
)
def test_what_is_refused(model, given):
    with pytest.raises(ValidationError):
        model.model_validate(given)
