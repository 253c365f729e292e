"""Outputs of every command: devices and links are written through, folders of others are left alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pacifico.cli.main import main


@pytest.fixture(scope="module")
def stored(folder):
    out = folder / "stored.geojson"
    assert main(["layout", str(folder / "site.geojson"), "--dem", str(folder / "dem.tif"), "--capacity-kw", "500", "--out", str(out)]) == 0  # fmt: skip
    return out


@pytest.fixture
def commands(folder, stored):
    """Arguments of each command that takes --out, without it, and whether it writes a folder."""
    ground = [str(folder / "site.geojson"), "--dem", str(folder / "dem.tif")]
    design = [*ground, "--capacity-kw", "500"]
    return {
        "layout": (["layout", *design], False),
        "kmz": (["export", str(stored), "--format", "kmz"], False),
        "dxf": (["export", str(stored), "--format", "dxf"], False),
        "gpkg": (["export", str(stored), "--format", "gpkg"], False),
        "pdf": (["export", str(stored), "--format", "pdf"], False),
        "terrain": (["terrain", *ground], True),
        "variants": (["variants", *design], True),
        "report": (["report", *design], True),
        "demo": (["demo"], True),
        "fetch": (["jobs", "fetch", "0" * 8], True),
    }


FILES = ["layout", "kmz", "dxf", "gpkg", "pdf"]
FOLDERS = ["terrain", "variants", "report", "demo", "fetch"]


@pytest.mark.parametrize("name", FILES)
def test_a_device_stays_a_device(name, commands):
    before = Path(os.devnull).stat().st_rdev
    assert main([*commands[name][0], "--out", os.devnull]) == 0
    assert Path(os.devnull).is_char_device()
    assert Path(os.devnull).stat().st_rdev == before


@pytest.mark.parametrize("name", FILES)
def test_a_link_stays_a_link(name, commands, tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"old")
    link.symlink_to(real)
    assert main([*commands[name][0], "--out", str(link)]) == 0
    assert link.is_symlink()
    assert real.stat().st_size > 500


@pytest.mark.parametrize("name", FILES)
def test_a_minus_is_standard_output(name, commands, tmp_path, capfdbinary, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*commands[name][0], "--out", "-"]) == 0
    assert len(capfdbinary.readouterr().out) > 500
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("out", ["-", os.devnull])
def test_a_folder_is_neither_a_stream_nor_a_device(name, out, commands, capsys):
    assert main([*commands[name][0], "--out", out]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "folder" in said
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize("name", [n for n in FOLDERS if n != "fetch"])
def test_a_folder_of_others_is_left_alone(name, commands, tmp_path, capsys):
    (tmp_path / "letter.txt").write_text("dear")
    assert main([*commands[name][0], "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("name", ["layout", "terrain"])
def test_figures_alone_need_no_output(name, commands, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*commands[name][0], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["out"] is None
    assert list(tmp_path.iterdir()) == []
    assert main(commands[name][0]) == 2
    assert "--out" in capsys.readouterr().err


def test_tables_are_several_files(stored, capsys):
    for out in ("-", os.devnull):
        assert main(["export", str(stored), "--format", "csv", "--out", out]) == 2
        assert "several tables" in capsys.readouterr().err


def test_the_cut_and_fill_raster_goes_through_a_device_too(commands, tmp_path):
    link, real = tmp_path / "link.tif", tmp_path / "real.tif"
    link.symlink_to(real)
    for out in (os.devnull, str(link)):
        assert main([*commands["layout"][0], "--json", "--cut-fill", out]) == 0
    assert Path(os.devnull).is_char_device()
    assert link.is_symlink()
    assert real.stat().st_size > 500


LIMITED = """
import resource, sys
from pacifico.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
raise SystemExit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FILES, "terrain", "variants"])
def test_a_full_disk_is_one_line(name, commands, tmp_path):
    words = [*commands[name][0], "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *words], capture_output=True, text=True, check=False, timeout=250
    )
    assert done.returncode == 2, done.stderr
    # libtiff prints a line of its own for each write that fails
    lines = [line for line in done.stderr.splitlines() if not line.startswith("_tiff")]
    assert len(lines) == 1
    assert "File too large" in lines[0]
    left = [p.name for p in tmp_path.rglob("*") if p.is_file()]
    assert [n for n in left if n.endswith((".part", "-journal"))] == []
