"""The plan after an edit: untouched works stay, warnings and shortfall are up to date."""

from dataclasses import replace

from pacifico.layout.editing.change import Change
from pacifico.layout.editing.remeasure import remeasured, shortfall_after
from pacifico.layout.model.edits import Edit


def test_an_edit_that_changes_nothing_keeps_every_work(gas, open_):
    change = Change(gas, open_(gas).context, Edit("remove_zone", "none"), gas.site)
    plan = remeasured(change, gas.asset_list, change.roads)
    assert plan.pad_list == gas.pad_list
    assert plan.road_volumes == gas.road_volumes
    assert plan.metrics == gas.metrics
    assert plan.edits[-1].roads_removed == plan.edits[-1].roads_added == ()


def test_stale_warnings_are_replaced(gas, open_):
    old = replace(
        gas, warnings=("kept", "old cable", "old shortfall"), cable_warnings=("old cable",), shortfall="old shortfall"
    )
    change = Change(old, open_(gas).context, Edit("remove_zone", "none", note="a note"), gas.site)
    plan = remeasured(change, gas.asset_list, change.roads)
    assert plan.warnings[:2] == ("kept", "a note")
    assert "old cable" not in plan.warnings
    assert "old shortfall" not in plan.warnings


def test_the_shortfall_counts_the_edits(gas):
    assert shortfall_after(gas, gas.asset_list, 1) == ""
    few = [a for a in gas.asset_list if a.item.kind == "substation"]
    assert shortfall_after(gas, few, 2).startswith("0 kW of the 20,000 kW asked for stand after 2 edits")
