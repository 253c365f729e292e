"""An edited asset is served by an old road, a restored one or a new spur."""

from pacifico.errors import EditRefused

WIDE, HIGH = 900.0, 700.0  # size of the site [m]


def test_a_spur_from_the_entry_is_removed_with_its_asset(hybrid, open_, make, dem, plan_tools):
    """Roads that share the entry hold it together: one that serves nothing any more is not kept for it."""
    editor = open_(hybrid)
    station = plan_tools.first(hybrid, "substation")
    spur = None
    for u, v in ((0.125, 0.0625), (0.06, 0.2), (0.1, 0.1), (0.05, 0.05), (0.2, 0.05)):
        try:
            plan = editor.move(station.asset_id, to=(make.west + u * WIDE, make.south + v * HIGH))
        except EditRefused:
            continue
        spur = plan.edits[-1].roads_added
        back = editor.move(station.asset_id, to=station.item.centre)
        assert {r.road_id for r in back.road_list} == {r.road_id for r in hybrid.road_list}
    assert spur is not None
