"""The gallery lists, filters, opens and compares layouts."""

from __future__ import annotations

import datetime as dt
import html
import re

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.explorer import Gallery


@pytest.fixture
def stocked(submit, run_job):
    """Jobs by profile: two completed, one failed, one queued."""
    ids = {profile: submit(generation_profile=profile) for profile in ("solar_farm", "bess", "gas_bess", "hybrid")}
    for profile in ("solar_farm", "bess", "gas_bess"):
        run_job(ids[profile])
    return ids


@pytest.fixture
def gallery(client, stocked):
    return Gallery(client)


def words(widget):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", widget.value))


def test_every_layout_has_a_card_with_its_figures(gallery, stocked, layouts):
    by_id = {card.layout_id: card for card in gallery.cards}
    assert set(by_id) == set(stocked.values())
    solar = by_id[stocked["solar_farm"]]
    assert (solar.title, solar.design) == ("Farm <1>", "Solar farm, balanced")
    for profile in ("solar_farm", "bess"):
        answers = layouts[profile]["pacifico"]["headline"]
        assert by_id[stocked[profile]].figures == tuple((a["label"], a["text"]) for a in answers)
    assert by_id[stocked["gas_bess"]].note == "no ground <here> can be built on"
    assert by_id[stocked["hybrid"]].note == "0 %, queued"
    assert "&lt;here&gt;" in by_id[stocked["gas_bess"]].html()
    assert "4 layouts of <b>ann &lt;ann@example.com&gt;</b>" in gallery.message.value


def test_filters_apply_to_the_listing(gallery, stocked):
    gallery.status.value = "failed"
    assert [card.layout_id for card in gallery.cards] == [stocked["gas_bess"]]
    gallery.status.value = "any"
    gallery.since.value = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)
    assert gallery.cards == []
    assert "no such layouts" in gallery.message.value
    gallery.since.value = None
    assert len(gallery.cards) == 4


def test_more_cards_are_shown_on_request(client, stocked):
    gallery = Gallery(client, limit=3)
    assert len(gallery.cards) == 3
    assert gallery.more.layout.display != "none"
    gallery.more.click()
    assert len(gallery.cards) == 4
    assert gallery.more.layout.display == "none"


def test_an_owner_without_layouts_gets_a_hint(client):
    gallery = Gallery(client)
    assert gallery.cards == []
    assert "submit_jobs.ipynb" in gallery.message.value


def test_a_report_opens_in_a_sandboxed_frame(gallery, stocked):
    gallery.open(stocked["solar_farm"])
    frame = gallery.detail.children[1].value
    assert re.match(r"<iframe sandbox='allow-scripts' [^>]*srcdoc=", frame)
    assert html.unescape(re.search(r'srcdoc="([^"]*)"', frame)[1]) == '<p id="said">"quoted" & whole</p>'
    gallery.detail.children[0].children[0].click()
    assert gallery.detail.children == ()


def test_two_selected_layouts_are_compared_and_a_third_replaces_the_first(gallery, stocked, submit, run_job):
    third = submit()
    run_job(third)
    gallery.reload()
    first, second = stocked["solar_farm"], stocked["bess"]
    gallery.toggles[first].value = True
    assert gallery.detail.children == ()
    gallery.toggles[second].value = True
    text = words(gallery.detail.children[1])
    assert "profile solar_farm bess" in text
    assert "total_capacity_kw" in text
    gallery.toggles[third].value = True
    assert gallery.selected == [second, third]
    assert gallery.toggles[first].value is False


def test_the_same_layout_twice_is_identical(gallery, client, stocked, submit, run_job):
    again = submit()
    run_job(again)
    assert gallery.compare(stocked["solar_farm"], again).identical
    assert "Identical" in gallery.detail.children[1].value


def test_a_report_that_can_not_be_opened_is_one_line(gallery, client, stocked, monkeypatch):
    def away(*_):
        raise OutsideServiceError("the store <s3> does not answer")

    monkeypatch.setattr(client, "status", away)
    box = next(box for box in gallery.grid.children if len(box.children) == 2)
    box.children[1].children[0].click()
    assert "&lt;s3&gt; does not answer" in gallery.detail.children[1].value
    gallery.reload()
    assert gallery.cards == []
    assert "does not answer" in gallery.message.value
