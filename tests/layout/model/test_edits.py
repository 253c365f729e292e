"""Records of edits: entries of the file."""

import pytest
from pyproj import CRS

from pacifico.layout.model.assets import Item
from pacifico.layout.model.edits import Edit, pose

UTM = CRS.from_epsg(32615)


def test_pose_is_the_centre_and_rotation():
    item = Item("battery", (0.0, 0.0, 30.0, 20.0), 4.0, rotation_deg=30.0)
    assert pose(item) == (15.0, 10.0, 30.0)


def test_a_move_has_both_poses_in_degrees():
    edit = Edit("move", "battery-0001", "battery", before=(500_000.0, 0.0, 0.0), after=(500_000.0, 0.0, 90.0))
    entry = edit.properties(UTM)
    assert entry["asset_id"] == "battery-0001"
    assert entry["zone"] is None
    assert entry["from"]["lonlat"] == pytest.approx([-93.0, 0.0])
    assert (entry["from"]["rotation_deg"], entry["to"]["rotation_deg"]) == (0.0, 90.0)


def test_an_edit_of_a_zone_names_the_zone():
    entry = Edit("add_zone", "pond", also=("battery-0001",)).properties(UTM)
    assert (entry["asset_id"], entry["zone"], entry["from"], entry["to"]) == (None, "pond", None, None)
    assert entry["also_removed"] == ["battery-0001"]
