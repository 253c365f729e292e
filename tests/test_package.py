"""What an installed pacifico promises before any geometry: names, speed of import, a complete wheel."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import pacifico

ROOT = Path(__file__).parents[1]
HEAVY = ["geopandas", "ipyleaflet", "matplotlib", "numba", "numpy", "pandas", "papermill", "rasterio", "rioxarray", "scipy", "shapely", "skimage", "xarray"]  # fmt: skip


def loaded_by(code: str) -> list[str]:
    """Heavy packages that a fresh interpreter has loaded after the code."""
    ask = f"{code}\nimport json, sys\nprint(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import pacifico") == []


def test_help_loads_nothing_heavy():
    run = "import contextlib\nfrom pacifico.cli.main import main\nwith contextlib.suppress(SystemExit):\n    main(['--help'])"
    assert loaded_by(run) == []


def test_every_public_name_is_there():
    for name in pacifico.__all__:
        assert getattr(pacifico, name) is not None
    assert set(pacifico.__all__) <= set(dir(pacifico))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = pacifico.nonsense


def test_version_is_said_once():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert pacifico.__version__ == declared == version("pacifico")


def test_the_command_is_installed():
    (script,) = entry_points(group="console_scripts", name="pacifico")
    assert callable(script.load())


@pytest.mark.slow
def test_the_wheel_holds_all_that_a_run_needs(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())

    package = [p for p in (ROOT / "pacifico").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    expected = {str(p.relative_to(ROOT)) for p in package}
    expected |= {f"pacifico/notebooks/{p.name}" for p in (ROOT / "notebooks").glob("*.ipynb")}
    assert "pacifico/py.typed" in expected
    assert any(name.endswith(".ipynb") for name in expected)
    assert not expected - inside
    assert not [
        name for name in inside if name.split("/")[0] not in {"pacifico", "worker"} and ".dist-info/" not in name
    ]
    assert [name for name in inside if name.endswith("licenses/LICENSE")]
