"""The thumbnail shows all of a layout, to scale and north up."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from pacifico.legend import ASSETS
from pacifico.report.thumbnail import thumbnail


class TestThumbnail:
    def test_every_kind_has_its_colour(self, layouts):
        svg = ET.fromstring(thumbnail(layouts["solar_farm"]))
        assert svg.find("{*}title").text == "Farm <1>"
        fills = {path.get("fill") for path in svg.iter("{http://www.w3.org/2000/svg}path")}
        assert {ASSETS["solar_array"][1], ASSETS["substation"][1]} <= fills
        assert len(list(svg.iter("{http://www.w3.org/2000/svg}circle"))) == 1

    def test_the_site_is_inside_with_north_up(self, layouts):
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
