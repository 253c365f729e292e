"""One edit under way: its constraints and its road numbers."""

from dataclasses import replace

from pacifico.layout.editing.change import Change
from pacifico.layout.ground.channels import CHANNEL_NAME
from pacifico.layout.model.edits import Edit
from pacifico.site.model import Zone


def test_constraints_hold_pads_footprints_and_cost_zones(gas, open_, make):
    zone = Zone(make.at(0, 0, 50, 50), "clay", "cost", cost_multiplier=2.0)
    site = replace(gas.site, exclusions=(*gas.site.exclusions, zone))
    constraints = Change(gas, open_(gas).context, Edit("add_zone", "clay"), site).constraints(gas.asset_list[:2])
    assert [z.name for z in constraints.cost_zones] == ["clay", CHANNEL_NAME]
    assert len(constraints.obstacles) == 2
    assert all(o.covers(a.footprint) for o, a in zip(constraints.obstacles, gas.asset_list, strict=False))


def test_road_numbers_of_earlier_edits_are_not_used_again(gas, open_):
    edit = Edit("move", "battery-0001", roads_added=("R900",))
    change = Change(replace(gas, edits=(edit,)), open_(gas).context, edit, gas.site)
    assert change.next_road_number(change.roads) == 901
