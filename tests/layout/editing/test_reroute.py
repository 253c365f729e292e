"""Roads that can't be led around a zone are refused or made again."""

import pytest
import shapely

from pacifico.errors import EditRefused
from pacifico.site.model import Zone


def test_a_wall_across_the_site_is_refused_or_all_roads_are_made_again(hybrid, open_, dem, plan_tools):
    west, south, east, north = hybrid.site.boundary.bounds
    spine = max(hybrid.road_list, key=lambda r: r.length_m).line
    y = spine.interpolate(0.5, normalized=True).y
    x = spine.interpolate(0.5, normalized=True).x
    upright = abs(spine.coords[-1][1] - spine.coords[0][1]) > abs(spine.coords[-1][0] - spine.coords[0][0])
    wall = Zone(shapely.box(west, y - 2, east, y + 2) if upright else shapely.box(x - 2, south, x + 2, north), "wall")
    editor = open_(hybrid)
    with pytest.raises(
        EditRefused, match=r"no road (leads round|reaches)|would leave no plant|cover the site entry"
    ) as caught:
        editor.add_zone(wall, assets="remove")
    assert "\n" not in str(caught.value)
    try:
        plan = editor.add_zone(wall, assets="remove", roads="recompute")
    except EditRefused as refusal:
        assert "\n" not in str(refusal)  # noqa: PT017 (either outcome is right, and each is looked at)
    else:
        assert "all roads were laid anew" in plan.edits[-1].note
        assert plan.edits[-1].note in plan.warnings
        plan_tools.check_invariants(plan, editor.context, dem)
