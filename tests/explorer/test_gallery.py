"""The gallery shows what the store holds: filtered, opened, compared."""

from __future__ import annotations

import datetime as dt
import html
import re
import xml.etree.ElementTree as ET

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.explorer import Gallery
from pacifico.explorer import cards as cards_
from pacifico.explorer.thumbnail import thumbnail
from pacifico.legend import ASSETS


@pytest.fixture
def stocked(submit, run_job):
    """Two completed, one failed, one that waits; by profile."""
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
    placed = layouts["solar_farm"]["pacifico"]["metrics"]["total_capacity_kw"] / 1000
    assert dict(solar.figures)["Capacity, AC"] == f"{placed:,.1f} MW of 10.0 asked"
    assert next(iter(dict(by_id[stocked["bess"]].figures))) == "Storage"
    assert by_id[stocked["gas_bess"]].note == "no ground <here> can be built on"
    assert by_id[stocked["hybrid"]].note == "0 %, queued"
    assert "&lt;here&gt;" in by_id[stocked["gas_bess"]].html()
    assert "4 layouts of <b>ann &lt;ann@example.com&gt;</b>" in gallery.message.value


def test_filters_are_the_clients(gallery, stocked):
    gallery.status.value = "failed"
    assert [card.layout_id for card in gallery.cards] == [stocked["gas_bess"]]
    gallery.status.value = "any"
    gallery.since.value = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)
    assert gallery.cards == []
    assert "no such layouts" in gallery.message.value
    gallery.since.value = None
    assert len(gallery.cards) == 4


def test_more_are_shown_when_asked_for(client, stocked):
    gallery = Gallery(client, limit=3)
    assert len(gallery.cards) == 3
    assert gallery.more.layout.display != "none"
    gallery.more.click()
    assert len(gallery.cards) == 4
    assert gallery.more.layout.display == "none"


def test_an_owner_without_layouts_is_told_how_to_make_some(client):
    gallery = Gallery(client)
    assert gallery.cards == []
    assert "submit_jobs.ipynb" in gallery.message.value


def test_a_report_opens_in_a_frame_that_reaches_nothing(gallery, stocked):
    gallery.open(stocked["solar_farm"])
    frame = gallery.detail.children[1].value
    assert re.match(r"<iframe sandbox='allow-scripts' [^>]*srcdoc=", frame)
    assert html.unescape(re.search(r'srcdoc="([^"]*)"', frame)[1]) == '<p id="said">"quoted" & whole</p>'
    gallery.detail.children[0].children[0].click()
    assert gallery.detail.children == ()


def test_two_that_are_chosen_are_compared_and_a_third_takes_the_firsts_place(gallery, stocked, submit, run_job):
    third = submit()
    run_job(third)
    gallery.reload()
    first, second = stocked["solar_farm"], stocked["bess"]
    gallery.toggles[first].value = True
    assert gallery.detail.children == ()
    gallery.toggles[second].value = True
    said = words(gallery.detail.children[1])
    assert "profile solar_farm bess" in said
    assert "total_capacity_kw" in said
    gallery.toggles[third].value = True
    assert gallery.selected == [second, third]
    assert gallery.toggles[first].value is False


def test_the_same_layout_twice_is_identical(gallery, client, stocked, submit, run_job):
    again = submit()
    run_job(again)
    assert gallery.compare(stocked["solar_farm"], again).identical
    assert "Identical" in gallery.detail.children[1].value


def test_what_cant_be_opened_is_told_in_a_line(gallery, client, stocked, monkeypatch):
    def away(*_):
        raise OutsideServiceError("the store <s3> does not answer")

    monkeypatch.setattr(client, "status", away)
    box = next(box for box in gallery.grid.children if len(box.children) == 2)
    box.children[1].children[0].click()
    assert "&lt;s3&gt; does not answer" in gallery.detail.children[1].value
    gallery.reload()
    assert gallery.cards == []
    assert "does not answer" in gallery.message.value


def test_a_file_that_is_not_what_the_job_made_is_refused(client, stocked, tmp_path):
    (path,) = (tmp_path / "store").rglob(f"*{stocked['bess']}*/attempts/1/layout.geojson")
    path.write_text("{}")
    with pytest.raises(OutsideServiceError, match="is not the file that the job made"):
        cards_.artifact(client, client.status(stocked["bess"]), "layout.geojson")


def test_of_a_very_large_layout_no_picture_is_drawn(client, stocked, monkeypatch):
    monkeypatch.setattr(cards_, "LARGEST_DRAWN", 10)
    card = next(c for c in Gallery(client).cards if c.layout_id == stocked["solar_farm"])
    assert (card.picture, card.note) == ("", "too large for a picture")
    assert dict(card.figures)["Capacity, AC"].endswith(" MW")


class TestThumbnail:
    def test_it_is_svg_with_every_kind_in_its_colour(self, layouts):
        svg = ET.fromstring(thumbnail(layouts["solar_farm"]))
        assert svg.find("{*}title").text == "Farm <1>"
        fills = {path.get("fill") for path in svg.iter("{http://www.w3.org/2000/svg}path")}
        assert {ASSETS["solar_array"][1], ASSETS["substation"][1]} <= fills
        assert len(list(svg.iter("{http://www.w3.org/2000/svg}circle"))) == 1

    def test_all_of_it_is_inside_and_north_is_up(self, layouts):
        svg = ET.fromstring(thumbnail(layouts["solar_farm"], width_px=200, height_px=100))
        numbers = [float(n) for p in svg.iter("{http://www.w3.org/2000/svg}path") for n in re.findall(r"-?[\d.]+", p.get("d"))]  # fmt: skip
        assert min(numbers) >= 4.0 - 0.1
        assert max(numbers[1::2]) <= 96.1
        boundary = next(f for f in layouts["solar_farm"]["features"] if f["properties"]["kind"] == "boundary")
        ring = boundary["geometry"]["coordinates"][0]
        path = list(svg.iter("{http://www.w3.org/2000/svg}path"))[-1]
        drawn = [tuple(map(float, pair.split())) for pair in path.get("d").strip("MZ").split("L")]
        north = max(range(len(ring)), key=lambda k: ring[k][1])
        assert drawn[north][1] == min(y for _, y in drawn)

    def test_a_square_on_the_ground_is_square(self):
        side = 1000 / 111_320
        lat = 60.0
        east = side / 0.5
        ring = [[10.0, lat], [10.0 + east, lat], [10.0 + east, lat + side], [10.0, lat + side], [10.0, lat]]
        feature = {"properties": {"kind": "boundary"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        path = ET.fromstring(thumbnail({"features": [feature]})).find("{*}path").get("d")
        points = [tuple(map(float, pair.split())) for pair in path.strip("MZ").split("L")]
        assert abs(points[1][0] - points[0][0]) == pytest.approx(abs(points[2][1] - points[1][1]), abs=0.3)
