"""Tables of a comparison: values, winners and missing layouts."""

from __future__ import annotations

import pytest

from pacifico.report.variants import Variants, tables
from pacifico.report.variants.process import Failure


@pytest.fixture
def variants():
    """Variants with rows made by hand; the tables need no plans."""
    made = Variants({}, (Failure("clustered", "NoBuildableGroundError", "no ground <b>", 2),), 5000.0)
    base = {"placed_kw": 5000.0, "asset_count": 12, "road_length_m": 2500.0, "earthwork_m3": 800.0, "kw_per_ha": 400.0}
    made.__dict__["rows"] = {
        "balanced": base,
        "low_earthwork": {**base, "earthwork_m3": 600.0, "road_length_m": 2600.0},
    }
    return made


def test_every_strategy_is_a_column_without_empty_rows(variants):
    table = tables.figures(variants)
    assert table.columns == ("", "balanced", "low earthwork")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["Placed of what the target counts [MW]"] == ("5.00", "5.00")
    assert rows["Road [km]"] == ("2.50", "2.60")
    assert rows["Assets"] == ("12", "12")
    assert rows["On the Pareto front"] == ("yes", "yes")
    assert not [name for name in rows if name.startswith("Cable")]


def test_winners_are_named_with_their_lead(variants):
    rows = {row[0].partition(":")[0]: row[1:] for row in tables.winners(variants).rows}
    assert rows["Earthwork"] == ("low earthwork", "25.0 % ahead of the next", "600")
    assert rows["Road [km]"] == ("balanced", "3.9 % ahead of the next", "2.50")
    assert rows["Density"][0] == "none"
    assert "a tie" in rows["Density"][1]


def test_a_strategy_without_a_layout_is_listed(variants):
    assert tables.missing(variants).rows == (("clustered", "no ground <b>"),)
    assert "&lt;b&gt;" in tables.missing(variants)._repr_html_()
    assert str(tables.missing(Variants({}, (), None))) == "Every strategy has a layout."
