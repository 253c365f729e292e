"""Options of a submission agree with what a request takes."""

from __future__ import annotations

import argparse
from typing import get_args

import pytest

from pacifico.cli import job_options
from pacifico.cli.job_options import check_design, rows_of
from pacifico.errors import InputError
from pacifico.jobs import request
from pacifico.vocabulary import RACKINGS


def test_choices_are_those_of_a_request():
    assert get_args(request.Profile) == job_options.PROFILES
    assert get_args(request.Strategy) == job_options.STRATEGIES
    assert job_options.NAMED_DEMS == request.NAMED_DEMS


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("north=30", {"edges": ["north"], "setback_m": 30.0}),
        ("2, County road=50.5", {"edges": [2, "County road"], "setback_m": 50.5}),
    ],
)
def test_a_setback_of_edges(text, entry):
    assert job_options.edge_setback(text) == entry


def given(**options):
    return {
        "profile": "solar_farm", "strategy": "balanced", "capacity_kw": None, "setback_m": None, "max_road_grade_pct": None,
        "spec": None, "edge_setback": None, "dem_units": None, "exclusion_buffer_m": None, **options,
    }  # fmt: skip


def test_a_design_that_can_be_passes():
    check_design(given(capacity_kw=5000.0, setback_m=20.0, max_road_grade_pct=8.0, dem_units="ft"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"setback_m": -5.0}, "setback_m"),
        ({"setback_m": float("nan")}, "setback_m"),
        ({"max_road_grade_pct": 900.0}, "max_grade_pct"),
        ({"capacity_kw": 1.0}, "out of range"),
        ({"profile": "casino"}, "casino"),
        ({"strategy": "fast"}, "fast"),
        ({"dem_units": "yards"}, "give m or ft"),
        ({"exclusion_buffer_m": -1.0}, "0 m or more"),
        ({"edge_setback": [{"edges": ["north"], "setback_m": -1.0}]}, "setback"),
        ({"racking": "roof"}, "racking 'roof' is unknown"),
        ({"backtracking": "back"}, "backtracking 'back' is unknown"),
        ({"row_azimuth": 120.0}, "row_azimuth_deg = 120.0; it must lie between -90.0 and 90.0"),
    ],
)
def test_a_design_that_can_not_be_is_refused_before_anything_is_sent(options, words):
    with pytest.raises(InputError, match=words) as refused:
        check_design(given(**options))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("racking", RACKINGS)
def test_a_racking_is_a_rule_of_the_spec(racking):
    check_design(given(racking=racking))


def test_a_rule_that_is_none_is_refused(tmp_path):
    spec = tmp_path / "spec.toml"
    spec.write_text("[solar]\nnonsense = 3\n")
    with pytest.raises(InputError, match="nonsense"):
        check_design(given(spec=spec))


def options_of_a_design():
    parser = argparse.ArgumentParser()
    job_options.add_design(parser)
    return {action.option_strings[0]: action.dest for action in parser._actions if action.dest != "help"}


def test_columns_of_a_table_are_the_names_of_the_options(tmp_path):
    """With hyphens as the command line has them, with its dashes too, or with underscores."""
    numbers = {"capacity_kw", "resolution_m", "setback_m", "exclusion_buffer_m", "max_road_grade_pct", "row_azimuth"}
    for option, name in options_of_a_design().items():
        value = "7" if name in numbers else "north=7" if name == "edge_setback" else "true"
        for column in (option, option.removeprefix("--"), name):
            (tmp_path / "sites.csv").write_text(f"boundary,{column}\na.kml,{value}\n")
            [row] = rows_of(argparse.Namespace(source=tmp_path / "sites.csv", **{name: None}))
            assert row["boundary"] == tmp_path / "a.kml"
            assert row[name], column


def test_a_column_that_is_no_option_is_refused(tmp_path):
    (tmp_path / "sites.csv").write_text("boundary,colour\na.kml,red\n")
    with pytest.raises(InputError, match="columns colour are unknown; there are: boundary, dem, capacity_kw"):
        rows_of(argparse.Namespace(source=tmp_path / "sites.csv"))


def test_a_folder_of_boundaries_leaves_out_what_desktops_put_there(tmp_path):
    for name in ("a.kml", "._a.kml", ".DS_Store", "b.GeoJSON", "notes.txt"):
        (tmp_path / name).write_text("")
    rows = rows_of(argparse.Namespace(source=tmp_path))
    assert [row["boundary"].name for row in rows] == ["a.kml", "b.GeoJSON"]
