"""`pacifico variants --gcr` and `--dc-ac`."""

import argparse
import json

import pytest
import shapely

from pacifico.cli.sweep import steps
from pacifico.site.model import Site
from pacifico.site.written import site_geojson


@pytest.fixture
def boundary(tmp_path):
    from pacifico.crs import utm

    site = Site("field", utm(-93.0, 42.0), shapely.box(500_000, 4_600_000, 500_420, 4_600_420))
    path = tmp_path / "site.geojson"
    path.write_bytes(site_geojson(site))
    return path


def command(capsys, *words):
    from pacifico.cli.main import main

    status = main(["variants", *map(str, words)])
    text = capsys.readouterr()
    return status, text.out, text.err


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.3:0.5:0.05", (0.3, 0.35, 0.4, 0.45, 0.5)),
        ("0.3:0.44:0.05", (0.3, 0.35, 0.4)),
        ("1.2:1.2:0.1", (1.2,)),
    ],
)
def test_a_range_has_both_ends(text, values):
    assert steps(text) == values


@pytest.mark.parametrize(
    "text", ["0.3", "0.3:0.5", "a:b:c", "0.5:0.3:0.05", "0.3:0.5:0", "0.3:0.5:-1", "0.3:inf:1", "nan:1:1"]
)
def test_a_text_that_is_no_range_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"write it as 0\.3:0\.5:0\.05"):
        steps(text)


@pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear is deprecated:DeprecationWarning")
def test_a_sweep_writes_a_folder_and_a_table(boundary, tmp_path, capsys):
    pytest.importorskip("pvlib")
    status, out, _ = command(capsys, boundary, "--no-terrain", "--dc-ac", "1.2:1.4:0.1", "--out", tmp_path / "out")
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split()[:2] == ["DC/AC", "ratio"]
    assert [line.split()[0] for line in lines[1:4]] == ["1.200", "1.300", "1.400"]
    content = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert content["swept"] == "dc_ac"
    assert [p["value"] for p in content["points"]] == [1.2, 1.3, 1.4]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--gcr", "0.3:0.4:0.1", "--dc-ac", "1.2:1.3:0.1"], "one at a time"),
        (["--gcr", "0.3:0.4:0.1", "--reports"], "--reports is for strategies"),
        (["--weather", "x.epw"], "--weather belongs to a sweep"),
        (["--gcr", "0.3:0.9:0.3"], "tracker_gcr = 0.9"),
    ],
)
def test_options_that_do_not_go_together_are_refused(boundary, capsys, words, said):
    status, _, err = command(capsys, boundary, "--no-terrain", "--json", *words)
    assert status == 2
    assert said in err
    assert err.count("\n") == 1
