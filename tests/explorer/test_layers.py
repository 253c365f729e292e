"""Features are in the layer of their kind, with style and details."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pacifico.explorer import layers
from pacifico.explorer.layers import SLOPE_CLASSES_DEG, slope_classes
from pacifico.legend import ASSETS

SQUARE = {"type": "Polygon", "coordinates": (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)),)}
LINE = {"type": "LineString", "coordinates": [[0.0, 0.0, 12.5], [1.0, 1.0, 13.5]]}
POINT = {"type": "Point", "coordinates": [0.5, 0.5]}


def feature(kind, geometry=SQUARE, **properties):
    return {"type": "Feature", "geometry": geometry, "properties": {"kind": kind, **properties}}


@pytest.fixture
def layout():
    return {
        "type": "FeatureCollection",
        "features": [
            feature("entry", POINT, name="gate"),
            feature("road", LINE, road_id="R1", road_class="spine", length_m=1410.0),
            feature("road", LINE, road_id="R2", road_class="spur"),
            feature("asset", asset_id="solar_array-0001", asset_type="solar_array", capacity_kw=250.0),
            feature("asset", asset_id="substation-0001", asset_type="substation"),
            feature("boundary", name="Farm"),
            feature("buildable"),
            feature("pad", pad_id="P1", asset_ids=["substation-0001"]),
        ],
    }


def test_layers_are_ordered_from_ground_to_entry(layout):
    assert list(layers.split(layout)) == [
        "Buildable area", "Boundary", "Pads", "Roads", "Solar array", "Substation", "Entry",
    ]  # fmt: skip


def test_every_feature_has_a_layer_and_the_layout_is_not_changed(layout):
    before = json.dumps(layout)
    parts = layers.split(layout)
    assert sum(len(part["features"]) for part in parts.values()) == len(layout["features"])
    assert json.dumps(layout) == before
    for part in parts.values():
        for drawn in part["features"]:
            assert drawn["properties"]["style"]["color"].startswith("#")


def test_heights_are_not_sent_to_the_map(layout):
    roads = layers.split(layout)["Roads"]["features"]
    assert roads[0]["geometry"]["coordinates"] == [[0.0, 0.0], [1.0, 1.0]]


def test_roads_are_as_wide_as_their_class(layout):
    spine, spur = (f["properties"]["style"]["weight"] for f in layers.split(layout)["Roads"]["features"])
    assert spine > spur


def test_an_unknown_asset_type_has_a_layer():
    parts = layers.split({"features": [feature("asset", asset_type="fusion_plant")]})
    assert list(parts) == ["Fusion plant"]


def test_names_are_shown_in_words():
    assert [layers.display_name(name) for name in ("solar_array", "gas_bess", "bess")] == [
        "Solar array",
        "Gas BESS",
        "BESS",
    ]


def test_legend_has_a_swatch_for_each_layer(layout):
    names = list(layers.split(layout))
    html = layers.legend(names)
    for name in names:
        assert f"</span>{name}</div>" in html
    assert html.count("<div") == len(names)
    assert ASSETS["solar_array"][1] in html


def test_slope_legend_names_every_limit():
    html = layers.slope_legend(SLOPE_CLASSES_DEG)
    for text in ["slope 3–5°", "slope 5–10°", "slope 10–15°", "slope over 15°"]:
        assert text in html


def test_details_show_values_with_units():
    record = layers.details(
        {
            "kind": "asset",
            "asset_id": "battery-0001",
            "asset_type": "battery",
            "capacity_kw": 5000,
            "storage_kwh": 0.0,
            "slope_deg": 2.345,
            "style": {},
        }
    )
    assert "asset · battery-0001" in record
    assert ">capacity</td><td>5,000 kW<" in record
    assert "storage" not in record
    assert ">slope</td><td>2.35°<" in record
    assert "style" not in record.replace("style=", "")


def test_names_from_files_are_escaped_in_details():
    record = layers.details({"kind": "exclusion", "name": "<script>alert(1)</script>", "note": "<b>x</b>"})
    assert "<script" not in record
    assert "<b>x" not in record


def test_slope_classes_meet_at_their_limits():
    limits = [low for low, _, _ in SLOPE_CLASSES_DEG]
    colours = slope_classes(np.array([[0.0, 2.999, *limits, 89.0]]))[0]
    assert colours[0, 3] == colours[1, 3] == 0
    for colour, (_, _, expected) in zip(colours[2:-1], SLOPE_CLASSES_DEG, strict=True):
        assert bytes(colour) == bytes.fromhex(expected[1:] + "ff")
    assert all(high == low for (_, high, _), low in zip(SLOPE_CLASSES_DEG, limits[1:], strict=False))
