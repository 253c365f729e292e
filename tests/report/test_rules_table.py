"""Findings of a rule pack as a table, or one line without a pack."""

import numpy as np
import pytest
import shapely
from pyproj import CRS

from pacifico.errors import InputError
from pacifico.grid import Grid
from pacifico.layout.generate import generate_layout
from pacifico.report.rules_table import checked_pack, rules_table
from pacifico.site.model import Site

UTM = CRS.from_epsg(32615)
PACK = """
[pack]
title = "Far county"
jurisdiction = "Far county"
verified = false
source = { title = "Code", url = "https://example.org", date = "2026" }

[[rule]]
id = "far"
topic = "boundary setback"
check = "distance_to_boundary"
assets = ["battery"]
limit = 900
unit = "ft"
section = "1"
says = "900 ft away"
"""


@pytest.fixture(scope="module")
def plan():
    grid = Grid(UTM, 499_900, 4_600_500, 10.0, 10.0, 60, 60)
    dem = grid.data_array(np.full(grid.shape, 100.0), name="elevation", source_resolution_m=10.0, warnings=())
    site = Site("Level", UTM, shapely.box(500_000, 4_600_000, 500_400, 4_600_400))
    return generate_layout(site, dem, profile="bess", target_capacity_kw=20_000)


def test_without_a_pack_nothing_is_covered(plan):
    table = rules_table(plan, None)
    assert table.rows == ()
    assert str(table) == "no jurisdiction pack was asked for: not covered"


def test_findings_are_rows(plan):
    rows = {r[0]: r for r in rules_table(plan, "ifc-appendix-d").rows}
    assert rows["road grade D103.2"][2] == "pass"
    assert rows["road grade D103.2"][4] == "at most 10 %"
    assert "D103.2" in rows["road grade D103.2"][5]
    assert rows["road width D103.1"][2:4] == ("not evaluable", "a layout has no hydrants")
    assert rows["noise"][2:4] == ("not covered", "the pack has no rule for battery, substation")


def test_a_pack_file_is_passed_by_content(plan, tmp_path):
    path = tmp_path / "far.toml"
    path.write_text(PACK)
    (row, *_) = rules_table(plan, checked_pack(path)).rows
    assert row[1] == "900 ft away (value not verified)"
    assert row[2].startswith("fail: battery-000")
    assert checked_pack("nfpa-855") == "nfpa-855"
    with pytest.raises(InputError, match="is unknown; give one of"):
        rules_table(plan, str(path))
    with pytest.raises(InputError, match="is unknown; give one of"):
        checked_pack("utopia")
