"""Shared options: --out is tried before the work; exclusions and edges as they are given."""

import argparse
import os
import pathlib
import tempfile
from argparse import ArgumentTypeError, Namespace

import pytest

from pacifico.cli import options
from pacifico.errors import InputError
from pacifico.layout.criteria.spec import make_spec
from pacifico.output_files import writable_file, writable_folder


@pytest.fixture
def shut(tmp_path, monkeypatch):
    """A folder that nothing can be written in, for root too."""
    folder = tmp_path / "shut"
    folder.mkdir()
    real = tempfile.TemporaryFile

    def refusing(*args, dir, **more):  # noqa: A002 (tempfile's own name)
        if pathlib.Path(dir) == folder:
            raise PermissionError(13, "Permission denied")
        return real(*args, dir=dir, **more)

    monkeypatch.setattr(tempfile, "TemporaryFile", refusing)
    return folder


def test_a_file_is_refused_where_its_folder_is_shut_missing_or_itself_a_folder(shut, tmp_path):
    writable_file(tmp_path / "layout.geojson")
    with pytest.raises(
        InputError, match=r"nothing can be written in .*shut \(Permission denied\); check its permissions"
    ):
        writable_file(shut / "layout.geojson")
    with pytest.raises(InputError, match="does not exist; create it first"):
        writable_file(tmp_path / "gone" / "layout.geojson")
    with pytest.raises(InputError, match="is a folder; give a file name"):
        writable_file(shut)
    assert list(tmp_path.iterdir()) == [shut]


def test_a_folder_is_refused_where_it_can_not_be_made(shut, tmp_path):
    writable_folder(tmp_path / "new" / "deep")
    (tmp_path / "file").write_text("x")
    for target in (shut, shut / "new", shut / "new" / "deep"):
        with pytest.raises(InputError, match=r"nothing can be written in .*shut"):
            writable_folder(target)
    with pytest.raises(InputError, match="is a file; give a folder"):
        writable_folder(tmp_path / "file")
    with pytest.raises(InputError, match="is a file; give a folder"):
        writable_folder(tmp_path / "file" / "new")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "shut"]


def test_a_folder_that_is_replaced_needs_its_parent_too(shut):
    inner = shut / "report"
    inner.mkdir()
    writable_folder(inner)
    with pytest.raises(InputError, match=r"nothing can be written in .*shut "):
        writable_folder(inner, replaced=True)


@pytest.mark.skipif(os.name != "posix", reason="there is no /proc")
@pytest.mark.parametrize(
    "words",
    [
        ["layout", "no.kml", "--dem", "no.tif", "--out", "/proc/layout.geojson"],
        ["report", "no.kml", "--dem", "no.tif", "--out", "/proc/report"],
        ["demo", "--out", "/proc/report"],
        ["terrain", "no.kml", "--dem", "no.tif", "--out", "/proc/terrain"],
        ["variants", "no.kml", "--dem", "no.tif", "--out", "/proc/variants"],
        ["export", "no.geojson", "--format", "kmz", "--out", "/proc/layout.kmz"],
    ],
    ids=lambda words: words[0],
)
def test_every_command_that_writes_tries_first(words, capsys):
    """The inputs do not exist either: what can't be written is told before they are looked for."""
    from pacifico.cli.main import main

    assert main(words) == 2
    assert "nothing can be written in /proc" in capsys.readouterr().err


def test_edge_setbacks_of_options_come_after_those_of_the_file(tmp_path):
    spec = tmp_path / "rules.toml"
    spec.write_text('[site]\nsetback_m = 4\nsetbacks = [{edges = "north", setback_m = 9}]\n')
    given = Namespace(
        profile="solar_farm", capacity_kw=None, setback_m=None, max_road_grade_pct=None, entry=None, spec=spec,
        edge_setback=[options.edge_setback("east,3=7")],
    )  # fmt: skip
    assert options.design_of(given)["spec"] == {
        "site": {
            "setback_m": 4,
            "setbacks": [{"edges": "north", "setback_m": 9}, {"edges": ["east", 3], "setback_m": 7.0}],
        }
    }
    spec.write_text("site = 3\n")
    with pytest.raises(InputError, match="site = 3 is not a section"):
        options.design_of(given)
    with pytest.raises(ArgumentTypeError, match="write it as north=30"):
        options.edge_setback("north:30")


def test_a_point_of_interconnection_is_a_place_or_a_file(tmp_path):
    assert options.poi_of(None) is None
    assert options.poi_of("-93.5,41.25") == (-93.5, 41.25)
    file = tmp_path / "grid.geojson"
    file.write_text(
        '{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [-93.5, 41.25]}}'
    )
    assert options.poi_of(str(file)) == (-93.5, 41.25)
    with pytest.raises(InputError, match="is neither LON,LAT nor a file"):
        options.poi_of("north")


def test_a_quoted_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert str(options.path("~/site.kml")) == "/home/ada/site.kml"
    assert options.source("~/dem.tif") == "/home/ada/dem.tif"
    assert str(options.path("~no-such-user/site.kml")) == "~no-such-user/site.kml"
    for text in ("3dep", "https://host/~ada/dem.tif", "NETCDF:dem.nc:elevation"):
        assert options.source(text) == text


def test_a_racking_of_the_command_line_replaces_that_of_the_file(tmp_path):
    from pacifico.cli.main import make_parser

    spec = tmp_path / "rules.toml"
    spec.write_text('[racking]\nname = "straight_tracker"\n[fixed_tilt]\nmax_reveal_m = 2.0\n')
    words = ["layout", "site.kml", "--no-terrain", "--json", "--spec", str(spec), "--racking", "fixed_tilt"]
    assert options.design_of(make_parser().parse_args(words))["spec"] == {
        "racking": {"name": "fixed_tilt"}, "fixed_tilt": {"max_reveal_m": 2.0}, "solar": {"mounting": "fixed"},
    }  # fmt: skip


def test_limits_on_marginal_cost_and_of_the_grid_are_rules_of_the_spec(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text("[economics]\nmax_marginal_usd_per_kw = 900.0\n[road]\nwidth_m = 7.0\n")
    parser = argparse.ArgumentParser()
    options.add_design(parser)
    given = ["site.kml", "--spec", str(own), "--max-marginal-usd-per-kw", "400", "--grid-limit-kw", "30000"]
    given += ["--max-grading-usd-per-kw", "25"]
    spec = make_spec(options.design_of(parser.parse_args(given))["spec"])
    assert spec.number("grid", "limit_kw") == 30_000.0
    assert spec.number("economics", "max_marginal_usd_per_kw") == 400.0
    assert spec.number("economics", "max_grading_usd_per_kw") == 25.0
    assert spec.number("road", "width_m") == 7.0
    assert make_spec().number("economics", "max_marginal_usd_per_kw") == 0.0
    assert make_spec().number("economics", "max_grading_usd_per_kw") == 0.0


def test_the_row_azimuth_is_a_rule_of_the_spec():
    parser = argparse.ArgumentParser()
    options.add_design(parser)
    assert options.design_of(parser.parse_args(["site.kml", "--row-azimuth", "-35"]))["spec"] == {
        "solar": {"row_azimuth_deg": -35.0}
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("120", "outside -90 to 90; give -60 for the same rows"),
        ("-91", "give 89 for"),
        ("nan", "give 0"),
        ("east", "not a number of degrees"),
    ],
)
def test_a_row_azimuth_out_of_range_is_refused_with_one_for_the_same_rows(text, words):
    with pytest.raises(argparse.ArgumentTypeError, match=words):
        options.row_azimuth(text)
