"""Table, figure and folder of a sweep."""

import csv
import json
from types import SimpleNamespace

import pytest
from matplotlib.text import Text

from pacifico.errors import InputError
from pacifico.layout.generate import generate_layout
from pacifico.report.variants.sweep import Sweep, SweepPoint
from pacifico.report.variants.sweep_output import cells, page, summary, sweep_figure, write_sweep


@pytest.fixture(scope="module")
def sweep(make):
    dem = make.dem(make.ground(lambda x, y: 100 + 0 * x))
    plan = generate_layout(make.site(), dem, target_capacity_kw=1000)
    values = ((0.3, 10.0, 1.0), (0.4, 18.0, 2.0), (0.5, 20.0, 3.0))
    points = tuple(SweepPoint(v, 1e5, 1.3e5, 1e4 * e, 0.01, 100.0, 300.0, 1e8 * c) for v, e, c in values)
    return Sweep("gcr", points, {f"{p.value:g}": plan for p in points}, "clear sky", clear_sky=True)


def test_the_table_marks_the_knee(sweep):
    head, *rows = cells(sweep)
    assert head[0] == "ground coverage (GCR)"
    assert [row[-1] for row in rows] == ["", "knee", ""]
    assert rows[1][:4] == ["0.400", "100.00", "130.00", "180.00"]


def test_the_figure_shows_every_value_and_the_knee(sweep):
    figure = sweep_figure(sweep)
    said = " ".join(t.get_text() for ax in figure.axes for t in ax.findobj(Text))
    assert "energy [GWh/a]" in said
    assert "USD per MWh/a" in said
    energy = figure.axes[0]
    assert energy.lines[0].get_ydata().tolist() == [100.0, 180.0, 200.0]
    assert energy.get_ylim()[1] > 200.0
    assert [0.4, 0.4] in [list(line.get_xdata()) for line in energy.lines]


def test_the_folder_holds_layouts_table_json_and_page(sweep, tmp_path):
    out = tmp_path / "sweep"
    shown = write_sweep(sweep, out)
    content = json.loads((out / "comparison.json").read_text())
    assert sorted(p.name for p in out.iterdir()) == sorted(content["files"])
    assert content == json.loads(json.dumps(summary(sweep)))
    assert content["knee"] == 0.4
    with (out / "comparison.csv").open(newline="") as file:
        assert [row["value"] for row in csv.DictReader(file)] == ["0.3", "0.4", "0.5"]
    assert shown.read_text() == page(sweep)
    assert "http" not in shown.read_text().replace("http-equiv", "")
    write_sweep(sweep, out)  # replaces its own


def test_another_folder_is_not_replaced(sweep, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds no comparison"):
        write_sweep(sweep, tmp_path)


def test_without_a_knee_the_page_says_so(sweep):
    two = Sweep("gcr", sweep.points[:2], dict(list(sweep.plans.items())[:2]), "somewhere.epw", clear_sky=False)
    assert "There is no knee" in page(two)
    assert "Weather: somewhere.epw." in page(two)
    assert SimpleNamespace(knee=two.knee).knee is None
