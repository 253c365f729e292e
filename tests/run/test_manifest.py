"""manifest.json."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pacifico.errors import InputError
from pacifico.run import manifest


def test_a_manifest_is_read_as_written_without_secrets(tmp_path):
    manifest.write(tmp_path, {"notes": {"dem": "https://h/x?sig=abc"}, "worker": "ü"})
    found = manifest.read(tmp_path)
    assert (found["notes"]["dem"], found["worker"]) == ("https://h/x?sig=REDACTED", "ü")


def test_outputs_are_all_files_but_inputs_and_manifest(tmp_path):
    (tmp_path / "inputs").mkdir()
    for name in ("inputs/a", "b", "manifest.json"):
        (tmp_path / name).write_bytes(b"x")
    assert manifest.outputs(tmp_path) == {"b": {"sha256": hashlib.sha256(b"x").hexdigest(), "bytes": 1}}


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 3_000_000])
def test_a_hash_is_of_the_whole_file(tmp_path, size):
    path = tmp_path / "a"
    content = bytes(k % 251 for k in range(size))
    path.write_bytes(content)
    assert manifest.sha256_of(path) == hashlib.sha256(content).hexdigest()
    assert manifest.describe(path) == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": size}
    path.write_bytes(content[:-1] + b"\xff")
    assert manifest.sha256_of(path) != hashlib.sha256(content).hexdigest()


def test_a_folder_without_manifest_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no manifest\.json"):
        manifest.read(tmp_path)


@pytest.mark.parametrize(
    "name", [".DS_Store", "._report.html", ".nfs00000000000a1b2c00000001", "Thumbs.db", "desktop.ini"]
)
def test_what_desktops_and_network_disks_leave_is_no_output(tmp_path, name):
    (tmp_path / "a.csv").write_text("a")
    (tmp_path / "sub").mkdir()
    for folder in (tmp_path, tmp_path / "sub"):
        (folder / name).write_text("")
    assert list(manifest.outputs(tmp_path)) == ["a.csv"]


def test_the_environment_names_code_and_packages(monkeypatch):
    monkeypatch.setenv("PACIFICO_GIT_COMMIT", "abc")
    found = manifest.environment()
    assert (found["git_commit"], found["git_changed"]) == ("abc", None)
    assert found["python"] == platform.python_version()
    assert found["packages"]["numpy"] == np.__version__
    assert "pytest" not in found["packages"]


def test_the_commit_is_that_of_the_repository(monkeypatch):
    monkeypatch.delenv("PACIFICO_GIT_COMMIT", raising=False)
    root = Path(manifest.__file__).resolve().parents[2]
    if not (root / ".git").exists():
        pytest.skip("no repository")
    head = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    found = manifest.environment()
    assert found["git_commit"] == head.stdout.strip()
    assert isinstance(found["git_changed"], bool)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "can't be read as JSON"),
        ("[]", "is not the manifest"),
        ('{"schema": "other"}', "is not the manifest"),
        ('{"schema": "pacifico-report", "schema_version": 2}', "has schema version 2; this pacifico reads 1"),
    ],
)
def test_another_file_is_no_manifest(tmp_path, text, problem):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=problem):
        manifest.read(tmp_path)


def test_without_git_the_commit_is_not_known(monkeypatch):
    monkeypatch.delenv("PACIFICO_GIT_COMMIT", raising=False)
    monkeypatch.setattr("shutil.which", lambda name: None)
    found = manifest.environment()
    assert (found["git_commit"], found["git_changed"]) == (None, None)


WHOLE = {
    "schema": manifest.SCHEMA,
    "schema_version": manifest.SCHEMA_VERSION,
    "request": {"notebook": "layout_report", "parameters": {}, "timeout_s": 60},
    "inputs": {"dem": {"sha256": "a", "path": "inputs/dem.tif"}},
    "notebook": {"name": "layout_report", "sha256": "b"},
    "environment": {"packages": {"numpy": "2"}},
    "outcome": {"status": "completed"},
    "outputs": {"metrics.json": {"sha256": "c"}},
}


def test_a_whole_manifest_is_read_as_it_is(tmp_path):
    (tmp_path / manifest.NAME).write_text(json.dumps(WHOLE))
    assert manifest.read_whole(tmp_path) == WHOLE
    without = {**WHOLE, "request": {**WHOLE["request"], "timeout_s": None}, "environment": {}}
    (tmp_path / manifest.NAME).write_text(json.dumps(without))
    assert manifest.read_whole(tmp_path) == without


@pytest.mark.parametrize(
    ("member", "value", "fault"),
    [
        ("environment", {"packages": ["numpy"]}, "environment.packages is no object"),
        ("environment", None, "environment is missing, not an object"),
        ("outcome", [], "outcome is a list, not an object"),
        ("request", {"notebook": 3, "parameters": {}}, "request.notebook is a int"),
        ("request", {"notebook": "a", "parameters": []}, "request.parameters is a list"),
        ("request", {"notebook": "a", "parameters": {}, "timeout_s": True}, "request.timeout_s is a bool"),
        ("request", {"notebook": "a", "parameters": {}, "timeout_s": "60"}, "request.timeout_s is a str"),
        ("inputs", {"dem": {"sha256": "a"}}, "inputs.dem lacks sha256 or path"),
        ("outputs", {"a.csv": {"sha256": 3}}, "outputs.a.csv lacks sha256"),
        ("outputs", {"a.csv": "hash"}, "outputs.a.csv lacks sha256"),
        ("notebook", {"name": "a"}, "notebook.sha256 is missing"),
    ],
)
def test_a_member_of_another_kind_is_told(tmp_path, member, value, fault):
    (tmp_path / manifest.NAME).write_text(json.dumps({**WHOLE, member: value}))
    with pytest.raises(InputError, match=re.escape(f"is no whole manifest: {fault}; make the report again")):
        manifest.read_whole(tmp_path)


def test_a_manifest_of_the_largest_size_is_read_and_a_larger_one_is_refused(tmp_path, monkeypatch):
    manifest.write(tmp_path, {"worker": "w"})
    size = (tmp_path / "manifest.json").stat().st_size
    monkeypatch.setattr(manifest, "MAX_BYTES", size)
    assert manifest.read(tmp_path)["worker"] == "w"
    monkeypatch.setattr(manifest, "MAX_BYTES", size - 1)
    with pytest.raises(InputError, match="no manifest of pacifico"):
        manifest.read(tmp_path)


def test_a_manifest_is_indented_text_that_ends_its_last_line(tmp_path):
    manifest.write(tmp_path, {"worker": "ü"})
    text = (tmp_path / manifest.NAME).read_text(encoding="utf-8")
    assert text == '{\n  "schema": "pacifico-report",\n  "schema_version": 1,\n  "worker": "ü"\n}\n'


def test_a_manifest_has_16_mib_at_most(tmp_path):
    assert manifest.MAX_BYTES == 16 * 1024**2
    manifest.write(tmp_path, {"worker": "w"})
    path = tmp_path / manifest.NAME
    with path.open("ab") as file:
        file.write(b" " * (16 * 1024**2 - path.stat().st_size))
    assert manifest.read(tmp_path)["worker"] == "w"
    with path.open("ab") as file:
        file.write(b" ")
    with pytest.raises(InputError, match="over 17 MB"):
        manifest.read(tmp_path)


def test_the_time_is_utc_to_the_millisecond():
    found = manifest.moment()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", found)
    assert abs(datetime.fromisoformat(found) - datetime.now(UTC)) < timedelta(minutes=1)


def test_versions_are_those_of_the_required_packages_without_extras():
    packages = manifest.environment()["packages"]
    assert list(packages) == sorted(packages)
    required = {r for r in importlib.metadata.requires("pacifico") if "extra ==" not in r}
    assert len(packages) == len(required)
    assert all(importlib.metadata.version(name) == version for name, version in packages.items())


def repository(folder):
    """Repository with a package, of one commit; returns the commit."""
    (folder / "pacifico" / "run").mkdir(parents=True)
    (folder / "notebooks").mkdir()
    for name in ("pyproject.toml", "pacifico/run/manifest.py", "notebooks/a.ipynb", "readme"):
        (folder / name).write_text("a")
    as_somebody = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "-A"], [*as_somebody, "commit", "-q", "-m", "a"]):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)
    head = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return head.stdout.strip()


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.delenv("PACIFICO_GIT_COMMIT", raising=False)
    commit = repository(tmp_path)
    monkeypatch.setattr(manifest, "__file__", str(tmp_path / "pacifico" / "run" / "manifest.py"))
    return tmp_path, commit


@pytest.mark.parametrize(
    ("name", "changed"),
    [(None, False), ("readme", False), ("pacifico/run/manifest.py", True), ("notebooks/a.ipynb", True)],
)
def test_changes_are_those_of_the_package_and_the_notebooks(checkout, name, changed):
    folder, commit = checkout
    if name:
        (folder / name).write_text("b")
    found = manifest.environment()
    assert (found["git_commit"], found["git_changed"]) == (commit, changed)


def test_kept_code_is_that_of_its_moment(checkout, monkeypatch):
    folder, commit = checkout
    monkeypatch.setattr(manifest, "_kept_code", [])
    manifest.keep_code()
    (folder / "pacifico" / "run" / "manifest.py").write_text("b")
    found = manifest.environment()
    assert (found["git_commit"], found["git_changed"]) == (commit, False)


@pytest.mark.parametrize("lost", [".git", "pyproject.toml"])
def test_an_installed_package_has_no_commit(checkout, lost):
    folder, _ = checkout
    (folder / lost).rename(folder / "lost")
    found = manifest.environment()
    assert (found["git_commit"], found["git_changed"]) == (None, None)


def test_a_broken_repository_has_no_commit(checkout):
    folder, _ = checkout
    (folder / ".git" / "HEAD").write_text("nonsense")
    found = manifest.environment()
    assert (found["git_commit"], found["git_changed"]) == (None, None)


def test_a_manifest_from_before_outputs_were_listed_is_read_without_any(tmp_path):
    without = {k: v for k, v in WHOLE.items() if k != "outputs"}
    (tmp_path / manifest.NAME).write_text(json.dumps(without))
    assert manifest.read_whole(tmp_path) == {**without, "outputs": {}}


def test_an_output_named_as_the_manifest_in_a_folder_is_an_output(tmp_path):
    (tmp_path / "inputs_of_mine").mkdir()
    for name in ("inputs_of_mine/a", "manifest.json"):
        (tmp_path / name).write_text("a")
    assert list(manifest.outputs(tmp_path)) == ["inputs_of_mine/a"]
