"""Public names, import speed, and the contents of wheel and sdist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest
import yaml

import pacifico

ROOT = Path(__file__).parents[1]
REPOSITORY = "https://github.com/pacifico-layouts/pacifico"
HEAVY = ["geopandas", "ipyleaflet", "matplotlib", "numba", "numpy", "pandas", "papermill", "rasterio", "rioxarray", "scipy", "shapely", "skimage", "xarray"]  # fmt: skip


def loaded_by(code: str) -> list[str]:
    """Heavy packages that the code loads in a fresh interpreter."""
    ask = f"{code}\nimport json, sys\nprint(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import pacifico") == []


def test_help_loads_nothing_heavy():
    run = "import contextlib\nfrom pacifico.cli.main import main\nwith contextlib.suppress(SystemExit):\n    main(['--help'])"
    assert loaded_by(run) == []


def test_every_public_name_exists():
    for name in pacifico.__all__:
        assert getattr(pacifico, name) is not None
    assert set(pacifico.__all__) <= set(dir(pacifico))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = pacifico.nonsense


def test_versions_agree():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert pacifico.__version__ == declared == version("pacifico")


def test_the_command_is_installed():
    (script,) = entry_points(group="console_scripts", name="pacifico")
    assert callable(script.load())


def built(target: str, folder: Path) -> Path:
    """Path of a `wheel` or `sdist` built from this tree."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (path,) = folder.iterdir()
    return path


def files_below(*folders: str) -> set[str]:
    """Paths of the source files in folders; files that git ignores, such as outputs of notebooks, are left out."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
        return {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}
    left = {"__pycache__", ".terraform", ".ipynb_checkpoints", ".pytest_cache"}
    found = [p.relative_to(ROOT) for folder in folders for p in (ROOT / folder).rglob("*") if p.is_file()]
    return {p.as_posix() for p in found if not left & set(p.parts)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> dict[str, str]:
    """Files of the wheel by name; METADATA has its text."""
    with zipfile.ZipFile(built("wheel", tmp_path_factory.mktemp("wheel"))) as archive:
        names = dict.fromkeys(archive.namelist(), "")
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        return names | {"METADATA": archive.read(metadata).decode()}


def test_wheel_holds_the_package_and_its_notebooks(wheel):
    expected = files_below("pacifico") | {f"pacifico/notebooks/{p.name}" for p in (ROOT / "notebooks").glob("*.ipynb")}
    assert "pacifico/py.typed" in expected
    assert any(name.endswith(".ipynb") for name in expected)
    assert not expected - set(wheel)


def test_wheel_installs_one_top_level_package(wheel):
    tops = {name.split("/")[0] for name in wheel if name != "METADATA" and not re.search(r"\.(dist-info|data)/", name)}
    assert tops == {"pacifico"}


def test_wheel_turns_on_the_server_extension(wheel):
    (found,) = [name for name in wheel if ".data/" in name]
    assert found.endswith(".data/data/etc/jupyter/jupyter_server_config.d/pacifico.json")


def test_wheel_carries_the_licence_texts(wheel):
    assert [name for name in wheel if name.endswith("licenses/LICENSE")]
    assert [name for name in wheel if name.endswith("licenses/pacifico/run/static/leaflet-LICENSE.txt")]


def test_wheel_names_the_project_pages(wheel):
    pages = re.findall(r"^Project-URL: (\w+), (\S+)$", wheel["METADATA"], re.MULTILINE)
    assert {label for label, _ in pages} == {"Source", "Documentation", "Issues", "Changelog"}
    assert all(url.startswith(REPOSITORY) for _, url in pages)


def test_sdist_holds_what_its_tests_need(tmp_path):
    with tarfile.open(built("sdist", tmp_path)) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    expected = files_below("pacifico", "worker", "notebooks", "tests", "docs", "infra", ".ci", ".github")
    expected |= {
        "pyproject.toml", "environment.yml", "constraints.txt", "conftest.py", "hatch_build.py", "Makefile", ".pre-commit-config.yaml",
        "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md", "CITATION.cff", "LICENSE",
    }  # fmt: skip
    ignored = {name for name in expected if name.endswith((".tfstate", ".tfplan", ".terraform.lock.hcl"))}
    assert not expected - ignored - inside
    assert not [name for name in inside if name.endswith((".whl", ".pyc"))]


def test_worker_is_started_from_the_repository():
    run = [sys.executable, "-m", "worker", "--help"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert "--concurrency" in done.stdout


def test_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == pacifico.__version__
    assert citation["repository-code"] == REPOSITORY
    assert {"cff-version", "message", "title", "authors", "license"} <= set(citation)


@pytest.mark.parametrize(
    "template", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*_*.yml")), ids=lambda p: p.stem
)
def test_issue_forms_ask_for_versions(template):
    form = yaml.safe_load(template.read_text())
    assert {"name", "description", "body"} <= set(form)
    assert len({field["id"] for field in form["body"]}) == len(form["body"])
    assert "pacifico --show-versions" in template.read_text()
