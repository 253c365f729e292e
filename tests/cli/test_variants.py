"""`pacifico variants`: layouts, comparison and exit status."""

import json

import pytest
import shapely

from pacifico.site.model import Site
from pacifico.terrain.dem import level_ground


@pytest.fixture(scope="module")
def field():
    from pacifico.crs import utm

    site = Site("square <b>field</b>", utm(-93.0, 42.0), shapely.box(500_000, 4_600_000, 500_420, 4_600_420))
    return site, level_ground(site, resolution_m=10.0)


@pytest.fixture
def boundary(field, tmp_path):
    from pacifico.site.written import site_geojson

    path = tmp_path / "site.geojson"
    path.write_bytes(site_geojson(field[0]))
    return path


def command(capsys, *words):
    from pacifico.cli.main import main

    try:
        status = main(["variants", *map(str, words)])
    except SystemExit as error:
        status = error.code
    text = capsys.readouterr()
    return status, text.out, text.err


def test_the_command_writes_a_folder_and_a_table(boundary, tmp_path, capsys):
    out = tmp_path / "out"
    status, text, err = command(
        capsys, boundary, "--no-terrain", "--strategies", "density,clustered", "--capacity-kw", 1500, "--out", out
    )
    assert status == 0, err
    assert text.splitlines()[0].split()[:2] == ["placed", "[MW]"]
    assert f"written: {out / 'index.html'}" in text
    status, text, err = command(
        capsys, boundary, "--no-terrain", "--strategies", "density", "--capacity-kw", 90_000, "--out", out, "--json"
    )
    assert status == 1
    assert list(json.loads(text)["variants"]) == ["density"]
    assert not (out / "clustered").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--strategy", "density"], "leave 'density' out for all of them"),
        (["--strategies", "density,quick"], "'quick' is unknown"),
        (["--processes", "0"], "give 1 to 64"),
        (["--setback-m", "900"], "no buildable ground"),
    ],
)
def test_wrong_use_is_one_line_and_writes_no_file(boundary, tmp_path, capsys, words, text):
    status, out, err = command(
        capsys, boundary, "--no-terrain", *(["--strategies", "density"] if "--setback-m" in words else []), *words,
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert status == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert text in err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_can_not_be_written_is_refused_first(boundary, capsys):
    status, _, err = command(capsys, boundary, "--no-terrain", "--out", "/proc/variants")
    assert status == 2
    assert "nothing can be written in /proc" in err


@pytest.mark.slow
def test_the_folder_holds_a_report_of_each_strategy(boundary, tmp_path, capsys):
    out = tmp_path / "out"
    words = [boundary, "--no-terrain", "--strategies", "density,clustered", "--capacity-kw", 1500, "--out", out]
    assert command(capsys, *words)[0] == 0
    plain = {s: (out / s / "layout.geojson").read_bytes() for s in ("density", "clustered")}
    assert command(capsys, *words, "--reports")[0] == 0
    for strategy, layout in plain.items():
        assert (out / strategy / "layout.geojson").read_bytes() == layout
        assert (out / strategy / "manifest.json").is_file()
    assert 'href="density/report.html"' in (out / "index.html").read_text(encoding="utf-8")
