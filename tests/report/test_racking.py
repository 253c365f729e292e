"""Figures and table of racking show what the design holds."""

import numpy as np
import pytest
import shapely
from matplotlib.text import Text

from pacifico.layout.add_racking import add_racking
from pacifico.layout.generate import generate_layout
from pacifico.report import racking
from pacifico.report.energy_table import energy_table, solar_year


@pytest.fixture(scope="module")
def dem(make):
    return make.dem(make.ground(lambda x, y: 100 + 0.02 * x + 1.6 * np.sin(x / 31.0) * np.cos(y / 17.0)))


@pytest.fixture(scope="module")
def bare(make, dem):
    return generate_layout(make.site(), dem, target_capacity_kw=2000)


@pytest.fixture(scope="module")
def plan(bare, dem):
    return add_racking(bare, dem)


def words(figure):
    return " ".join(t.get_text() for ax in figure.axes for t in ax.findobj(Text))


def test_the_table_holds_the_metrics(plan):
    said = {row[0]: row[1] for row in racking.racking_table(plan).rows}
    assert said["Piles"] == f"{plan.metrics['pile_count']:,}"
    assert said["Cut under arrays"] == f"{plan.metrics['array_cut_m3']:,.0f}"
    assert said["Reveal window"] == "1.2 to 1.8"


def test_the_map_of_grading_shows_every_cell_with_its_depth(plan, dem):
    figure = racking.grading_figure(plan, dem)
    text = words(figure)
    assert f"Cut: {plan.metrics['array_cut_m3']:,.0f} m³" in text
    cells = max((c for c in figure.axes[0].collections), key=lambda c: len(c.get_paths()))
    assert len(cells.get_paths()) == len(plan.racking.volumes_m3)
    assert np.sort(np.asarray(cells.get_array())) == pytest.approx(np.sort(plan.racking.graded[0].correction_m))
    corner, area = cells.get_paths()[0].vertices[:4], plan.racking.graded[0].cell_m ** 2
    assert shapely.Polygon(corner).area == pytest.approx(area)


def test_the_map_shows_every_pile_and_names_arrays(plan, dem):
    figure = racking.piles_figure(plan, dem)
    text = words(figure)
    assert "numbers: solar array" in text
    named = next(p.get_gid() for p in figure.axes[0].patches if p.get_gid()).split()
    assert named == [str(int(a.asset_id[-4:])) for a in plan.asset_list if a.item.kind == "solar_array"]
    dots = max((c for ax in figure.axes for c in ax.collections), key=lambda c: len(c.get_offsets()))
    assert len(dots.get_offsets()) == plan.metrics["pile_count"]


def test_the_worst_row_is_the_one_with_most_grading(plan):
    design = plan.racking
    moved = np.bincount(design.piles.row, weights=np.abs(design.piles.graded_m - design.piles.ground_m))
    worst = int(moved.argmax())
    text = words(racking.rows_figure(plan))
    assert f"{design.rows.array_id[worst].replace('_', ' ')}, row {design.rows.number[worst]} " in text
    assert "Pile lengths" in text


def test_without_rows_there_is_no_figure(bare, dem, tmp_path):
    assert racking.piles_figure(bare, dem) is None
    assert racking.grading_figure(bare, dem) is None
    assert racking.rows_figure(bare) is None
    assert racking.write_piles(bare, tmp_path / "piles.csv") is None
    assert racking.racking_table(bare).rows == ()
    assert list(tmp_path.iterdir()) == []


# pvlib 0.16 still asks pandas for what pandas 3 has renamed
@pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear is deprecated:DeprecationWarning")
def test_the_map_names_the_array_that_loses_most(plan, dem):
    pytest.importorskip("pvlib")
    year = solar_year(plan, dem, energy=True)
    figure = racking.row_shade_figure(plan, year, dem)
    text = words(figure)
    worst = max(year.arrays, key=lambda a: a.row_shade_loss_share)
    assert f"{worst.array_id.replace('_', ' ')}, {100 * worst.row_shade_loss_share:.1f} %" in text
    assert "year's loss of an array [%]" in text
    said = {row[0]: row[1] for row in energy_table(year, plan).rows}
    assert said["Lost to shade of rows on rows"] == f"{100 * year.row_shade_loss_share:.2f}"
    assert said["Backtracking"].startswith("standard")


def test_without_a_year_there_is_no_map(plan, dem):
    assert racking.row_shade_figure(plan, None, dem) is None
