"""Bodies of requests."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pacifico.server.models.bodies import AssetPatch, GenerateBody, VariantsBody


def test_a_site_is_enough():
    body = GenerateBody(site_id="s")
    assert (body.generation_profile, body.strategy, body.use_terrain, body.dem) == (
        "solar_farm",
        "balanced",
        True,
        None,
    )
    assert len(VariantsBody(site_id="s").strategies) == 4


@pytest.mark.parametrize("given", [{}, {"to": (181.0, 0.0)}, {"rotation_deg": float("nan")}, {"to": ("1", "2")}])
def test_an_edit_says_where_to(given):
    with pytest.raises(ValidationError):
        AssetPatch(**given)
