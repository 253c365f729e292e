"""A place that breaks a limit is refused with value, limit and remedy."""

import numpy as np
import pytest

import pacifico
from pacifico.errors import EditRefused
from pacifico.layout.editing.place_checks import find_block
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.assets import move_item

WIDE, HIGH = 900.0, 700.0  # size of the site [m]


def test_overlap_clearance_and_road_are_refused(gas, open_, make, plan_tools):
    editor = open_(gas)
    one, two = plan_tools.first(gas, "battery"), plan_tools.first(gas, "substation")
    x, y = two.item.centre
    with pytest.raises(EditRefused, match=rf"would overlap {two.asset_id} by .* m²; choose free ground"):
        editor.move(one.asset_id, to=(x, y))
    far = editor.add("battery", at=(WIDE / 2 + make.west, make.south + 550))
    x, y = far.asset_list[-1].item.centre
    with pytest.raises(
        EditRefused, match=r"would stand 2.50 m from battery-.*, the clearance is 3.05 m; move it 0.55 m"
    ):
        editor.add("battery", at=(x - 32.5, y))
    spine = max(gas.road_list, key=lambda r: r.length_m).line
    with pytest.raises(EditRefused, match=r"would (stand on road R|overlap|stand .* m from)"):
        editor.move(one.asset_id, to=spine.interpolate(0.3, normalized=True).coords[0][:2])


def test_turbines_keep_their_spacing_and_setback(make, open_, plan_tools):
    from pacifico.errors import NoBuildableGroundError

    site, ground = make.site(1600, 1200), make.ground(make.level, 1600, 1200, dx=20.0)
    try:
        plan = generate_layout(
            site,
            make.dem(ground),
            profile="wind_hybrid",
            target_capacity_kw=12_000,
            spec={"wind_hybrid": {"wind_share": 1.0}},
        )
    except NoBuildableGroundError:
        pytest.fail("level ground carries turbines")
    editor = pacifico.edit(plan, make.dem(ground))
    one, two = (plan_tools.first(plan, "wind_turbine", k) for k in (0, 1))
    with pytest.raises(EditRefused, match=r"m from the boundary, its setback is 209 m \(1.1 x tip height\)"):
        editor.move(one.asset_id, to=(make.west + 100, make.south + 600))
    x, y = two.item.centre
    toward = np.sign(make.west + 800 - x) or 1.0
    with pytest.raises(EditRefused, match="inside its spacing of 1120 m along and 640 m across the wind"):
        editor.move(one.asset_id, to=(x + toward * 200, y))


def test_an_array_keeps_its_block_or_joins_the_nearest_skid_with_room(hybrid):
    array = next(a for a in hybrid.asset_list if a.item.kind == "solar_array")
    others = [a for a in hybrid.asset_list if a is not array]
    assert find_block(array.item, others) == array.item.block
    far = move_item(array.item, (array.item.centre[0] + 5000, array.item.centre[1]))
    assert find_block(far, others) is None
    assert find_block(far, others, reach_m=6000.0) == array.item.block
