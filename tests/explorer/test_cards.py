"""Cards are read from the store and checked against their hashes."""

from __future__ import annotations

import pytest

from pacifico.explorer import Gallery
from pacifico.explorer import cards as cards_


@pytest.fixture
def stocked(submit, run_job):
    """Jobs by profile: two completed, one failed, one queued."""
    ids = {profile: submit(generation_profile=profile) for profile in ("solar_farm", "bess", "gas_bess", "hybrid")}
    for profile in ("solar_farm", "bess", "gas_bess"):
        run_job(ids[profile])
    return ids


def test_a_card_shows_the_headline_of_its_layout(client, stocked, layouts):
    card = next(c for c in Gallery(client).cards if c.layout_id == stocked["bess"])
    assert [text for _, text in card.figures] == [a["text"] for a in layouts["bess"]["pacifico"]["headline"]]


def test_a_very_large_layout_has_no_picture(client, stocked, monkeypatch):
    monkeypatch.setattr(cards_, "LARGEST_DRAWN", 10)
    card = next(c for c in Gallery(client).cards if c.layout_id == stocked["solar_farm"])
    assert (card.picture, card.note) == ("", "too large for a picture")
    assert dict(card.figures)["Capacity"].endswith(" MW")
