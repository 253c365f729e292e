"""Energy in a report: on request, equal to the command, months that add up."""

import csv
import json

import pytest

from pacifico.errors import InputError
from pacifico.report.energy_table import NO_ARRAYS, NOT_ASKED, energy_table, solar_year, write_energy

pytest.importorskip("pvlib")
# pvlib 0.16 still asks pandas for what pandas 3 has renamed
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def ground():
    from pacifico.site.boundary import read_site
    from pacifico.terrain.dem import open_dem
    from pacifico.terrain.sources import sample_site_path

    site = read_site(sample_site_path())
    return site, open_dem(site, "sample")


@pytest.fixture(scope="module")
def plan(ground):
    from pacifico.layout.generate import generate_layout

    return generate_layout(*ground, profile="hybrid", target_capacity_kw=12_000)


@pytest.fixture(scope="module")
def year(plan, ground):
    return solar_year(plan, ground[1], energy=True)


def test_energy_is_computed_only_on_request(plan, ground):
    assert solar_year(plan, ground[1]) is None
    table = energy_table(None, plan)
    assert NOT_ASKED in table._repr_html_()
    assert write_energy(None, "nowhere/energy.csv") is None


def test_the_year_equals_that_of_the_stored_layout(plan, ground, year, tmp_path):
    """`pacifico energy` reads rounded coordinates and ratings from layout.geojson; compare without the horizon."""
    from pacifico.cli.main import main

    out = plan.write(tmp_path / "layout.geojson")
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", lambda *words, **_: lines.append(words[0]))
        assert main(["energy", str(out), "--dem", "sample", "--json"]) == 0
    text = json.loads(lines[0])
    assert year.dc_kw == pytest.approx(text["dc_kw"], rel=1e-6)
    flat = year.annual_mwh / (1 - year.horizon_loss_share)
    assert flat == pytest.approx(text["annual_mwh"] / (1 - text["horizon_loss_share"]), rel=2e-3)
    assert year.horizon_loss_share <= text["horizon_loss_share"] + 1e-9  # the plan sees less ground, so fewer hills


def test_the_table_lists_months_and_limits(plan, year):
    text = str(energy_table(year, plan))
    assert "Energy of a year (upper bound: clear sky)" in text
    assert all(month in text for month in ("Jan", "Jun", "Dec"))
    assert "energy of others is left out: battery" in text
    assert "a sky without clouds is assumed" in text


def test_months_in_the_file_add_up_to_the_year(year, tmp_path):
    path = write_energy(year, tmp_path / "energy.csv")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [r["month"] for r in rows][-2:] == ["Dec", "year"]
    total = sum(float(r["energy_mwh"]) for r in rows[:-1])
    assert total == pytest.approx(float(rows[-1]["energy_mwh"]), abs=0.01)
    assert write_energy(year, tmp_path / "again.csv").read_bytes() == path.read_bytes()


def test_without_arrays_there_is_no_year(ground):
    from pacifico.layout.generate import generate_layout

    bess = generate_layout(*ground, profile="bess", target_capacity_kw=10_000)
    assert solar_year(bess, ground[1], energy=True) is None
    assert NO_ARRAYS in energy_table(None, bess)._repr_html_()


def test_a_report_has_an_energy_section_and_file(tmp_path):
    from pacifico.report.make import make_report
    from pacifico.run.reproduce import reproduce

    folder = tmp_path / "report"
    outcome = make_report("sample", "sample", folder, target_capacity_kw=5000, energy=True)
    assert outcome.completed, outcome.error_message
    assert "Energy of a year (upper bound: clear sky)" in (folder / "report.html").read_text()
    assert (folder / "energy.csv").is_file()
    assert dict(reproduce(folder).files)["energy.csv"] == "identical"


@pytest.mark.parametrize("content", [None, "no weather at all"])
def test_a_bad_weather_file_is_refused_before_the_run(tmp_path, content):
    from pacifico.report.make import make_report

    path = tmp_path / "year.epw"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=r"year\.epw"):
        make_report("sample", "sample", tmp_path / "report", target_capacity_kw=5000, weather=path)
    assert not (tmp_path / "report").exists()


def test_a_missing_pvlib_is_refused_before_the_run(tmp_path, monkeypatch):
    import importlib.util

    from pacifico.report.make import make_report

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install 'pacifico\[energy\]'"):
        make_report("sample", "sample", tmp_path / "report", target_capacity_kw=5000, energy=True)
