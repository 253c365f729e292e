import re
from typing import get_args

from pacifico import legend
from pacifico.layout.model.roads import RoadClass
from pacifico.vocabulary import AssetKind

COLOUR = re.compile(r"#[0-9a-f]{6}")


def test_every_asset_type_has_its_own_label_and_colour():
    assert set(legend.ASSETS) == set(get_args(AssetKind))
    assert len({label for label, _ in legend.ASSETS.values()}) == len(legend.ASSETS)
    assert len({colour for _, colour in legend.ASSETS.values()}) == len(legend.ASSETS)
    assert all(COLOUR.fullmatch(colour) for _, colour in legend.ASSETS.values())


def test_wider_lines_for_higher_road_classes():
    assert set(legend.ROADS) == set(get_args(RoadClass))
    assert legend.ROADS["spine"][1] > legend.ROADS["secondary"][1] > legend.ROADS["spur"][1]
