"""Spurs are built to assets without a road."""


def test_a_dead_spur_is_removed_and_its_number_not_reused(gas, open_, make, dem, plan_tools):
    editor = open_(gas)
    far = editor.add("battery", at=(make.west + 820, make.south + 60))
    added = far.edits[-1].roads_added
    assert added
    assert far.asset_list[-1].service_road_id in added
    plan_tools.check_invariants(far, editor.context, dem)
    gone = editor.remove(far.asset_list[-1].asset_id)
    assert {r.road_id for r in gone.edits[-1].roads_removed} == set(added)
    assert plan_tools.geometry(gone) == plan_tools.geometry(gas)
    again = editor.add("battery", at=(make.west + 820, make.south + 60))
    assert again.asset_list[-1].asset_id not in {a.asset_id for a in far.asset_list}
    assert not set(again.edits[-1].roads_added) & set(added)
