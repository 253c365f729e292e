"""Entry point of the command line: usage, exit statuses, diagnostics."""

import os
import subprocess
import sys

import pytest

from pacifico.cli import main


def command(*arguments, **more):
    script = "import sys; from pacifico.cli.main import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", script, *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **more},
    )  # fmt: skip


def test_a_service_that_fails_is_status_3(run, monkeypatch):
    from pacifico.errors import OutsideServiceError
    from pacifico.terrain import dem

    def fails(*_, **__):
        raise OutsideServiceError("elevation server: no answer\nwithin 30 s")

    monkeypatch.setattr(dem, "open_dem", fails)
    status, out, err, path = run()
    assert (status, out) == (3, "")
    assert err == "pacifico: elevation server: no answer within 30 s\n"
    assert not path.exists()


def test_as_a_process_status_and_streams_are_the_same(folder, tmp_path):
    out = tmp_path / "layout.geojson"
    done = command("layout", folder / "site.geojson", "--dem", folder / "dem.tif", "--capacity-kw", 4000, "--out", out)
    assert done.returncode == 0, done.stderr
    assert out.is_file()
    bad = command("layout", folder / "site.geojson", "--dem", folder / "steep.tif", "--out", tmp_path / "b.geojson")
    assert bad.returncode == 2
    assert bad.stdout == ""
    assert len(bad.stderr.splitlines()) == 1
    assert bad.stderr.startswith("pacifico: ")


@pytest.mark.parametrize(
    ("arguments", "status"), [([], 2), (["--help"], 0), (["--version"], 0), (["layout"], 2), (["lay"], 2)]
)
def test_usage(arguments, status, capsys):
    with pytest.raises(SystemExit) as caught:
        main.main(arguments)
    assert caught.value.code == status
    said = capsys.readouterr()
    assert bool(said.err) == bool(status)
    assert len(said.err.splitlines()) == (1 if status else 0)


def test_help_imports_nothing_heavy():
    script = "import sys\nfrom pacifico.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    script += "print(sorted({'geopandas','xarray','rasterio','matplotlib','numba','scipy'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_fault_of_ours_is_status_70_in_one_line(run, monkeypatch):
    from pacifico.layout import generate

    def fails(*_, **__):
        raise KeyError("spans")

    monkeypatch.setattr(generate, "generate_layout", fails)
    status, out, err, path = run()
    assert status == 70
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith(
        "pacifico: internal error, KeyError: 'spans'; this is a fault of pacifico: run it again with --debug"
    )
    assert not path.exists()
    status, _, err, _ = run("--debug")
    assert status == 70
    assert "Traceback" in err


def test_an_internal_error_is_status_70_not_bad_input(run, monkeypatch):
    from pacifico.errors import InternalError
    from pacifico.layout import generate

    def fails(*_, **__):
        raise InternalError("the road network did not settle in 9 rounds; please report this site")

    monkeypatch.setattr(generate, "generate_layout", fails)
    status, _, err, path = run()
    assert status == 70
    assert len(err.splitlines()) == 1
    assert "did not settle in 9 rounds" in err
    assert not path.exists()


def test_memory_that_runs_out_is_one_line_with_the_remedy(run, monkeypatch):
    from pacifico.layout import generate

    def fails(*_, **__):
        raise MemoryError("unable to allocate 3 TiB")

    monkeypatch.setattr(generate, "generate_layout", fails)
    status, _, err, _ = run()
    assert status == 70
    assert "out of memory: unable to allocate 3 TiB; choose a coarser --resolution-m" in err
    assert len(err.splitlines()) == 1


def test_the_traceback_of_a_fault_goes_to_the_log_file(run, monkeypatch, tmp_path):
    from pacifico.layout import generate

    def fails(*_, **__):
        raise KeyError("spans")

    monkeypatch.setattr(generate, "generate_layout", fails)
    status, _, err, _ = run("--log-file", str(tmp_path / "log.txt"))
    assert status == 70
    assert "Traceback" not in err
    assert "KeyError: 'spans'" in (tmp_path / "log.txt").read_text()


def test_coordinates_west_of_greenwich_are_values(run):
    status, _, err, _ = run("--entry", "-92.994,41.5425", "--capacity-kw", "1000")
    assert (status, "expected one argument" in err) == (0, False)


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        (["--entry", "-84.2,36.6"], ["--entry=-84.2,36.6"]),
        (["--setback-m", "-5"], ["--setback-m=-5"]),
        (["--json", "--entry", "1,2"], ["--json", "--entry", "1,2"]),
        (["a.kml", "-5"], ["a.kml", "-5"]),
        (["--entry=-84,36", "-5"], ["--entry=-84,36", "-5"]),
    ],
)
def test_values_that_begin_with_a_minus_are_joined_to_their_option(words, joined):
    assert main.join_negative_values(words) == joined


def test_abbreviated_options_are_refused(run):
    status, out, err, _ = run("--cap", "1000")
    assert (status, out) == (2, "")
    assert "unrecognized arguments: --cap" in err


def test_an_ascii_terminal_gets_every_message(folder, tmp_path):
    done = command(
        "layout", str(folder / "site.geojson"), "--dem", str(folder / "dem.tif"), "--out", str(tmp_path / "a.geojson"),
        LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_python_runs_the_package_as_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "pacifico", "--show-versions"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[0].startswith("pacifico ")
    assert "numpy" in done.stdout
