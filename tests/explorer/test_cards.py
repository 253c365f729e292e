"""Cards are read from the store and checked against their hashes."""

from __future__ import annotations

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.explorer import Gallery
from pacifico.explorer import cards as cards_


@pytest.fixture
def stocked(submit, run_job):
    """Jobs by profile: two completed, one failed, one queued."""
    ids = {profile: submit(generation_profile=profile) for profile in ("solar_farm", "bess", "gas_bess", "hybrid")}
    for profile in ("solar_farm", "bess", "gas_bess"):
        run_job(ids[profile])
    return ids


def test_a_changed_file_is_refused(client, stocked, tmp_path):
    (path,) = (tmp_path / "store").rglob(f"*{stocked['bess']}*/attempts/1/layout.geojson")
    path.write_text("{}")
    with pytest.raises(OutsideServiceError, match="is not the file that the job made"):
        cards_.artifact(client, client.status(stocked["bess"]), "layout.geojson")


def test_a_very_large_layout_has_no_picture(client, stocked, monkeypatch):
    monkeypatch.setattr(cards_, "LARGEST_DRAWN", 10)
    card = next(c for c in Gallery(client).cards if c.layout_id == stocked["solar_farm"])
    assert (card.picture, card.note) == ("", "too large for a picture")
    assert dict(card.figures)["Capacity, AC"].endswith(" MW")
