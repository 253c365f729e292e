"""GitHub workflows: pinned actions, few rights, and the branches that the AWS roles expect."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def workflow(request):
    return yaml.safe_load(request.param.read_text())


def test_workflows_exist():
    assert {path.stem for path in FILES} == {"ci", "image", "nightly", "plan", "release"}


def test_every_action_is_pinned_to_a_commit(workflow):
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used), used


def test_rights_are_limited(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert set(job.get("permissions", {})) <= {"contents", "id-token"}
        assert job["timeout-minutes"] <= 90


def test_commands_contain_no_expressions(workflow):
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), (
                "pass values through env: an expression in a command can inject code"
            )


def test_no_secret_is_used(workflow):
    assert "secrets." not in yaml.safe_dump(workflow)


def test_images_are_pushed_from_main_only():
    jobs = yaml.safe_load((ROOT / ".github/workflows/image.yml").read_text())["jobs"]
    for job in jobs.values():
        if "id-token" in job.get("permissions", {}):
            assert "github.ref == 'refs/heads/main'" in job["if"]
            assert "github.event_name == 'push'" in job["if"]
    assert any("id-token" in job.get("permissions", {}) for job in jobs.values())


def test_plan_changes_nothing():
    text = (ROOT / ".github/workflows/plan.yml").read_text()
    assert "terraform -chdir=infra/terraform plan" in text
    assert "-refresh=false" in text
    assert "apply" not in text


def _load(name):
    text = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text()
    # YAML reads the key `on` as true.
    return {"on" if key is True else key: value for key, value in yaml.safe_load(text).items()}


def test_ci_covers_every_supported_python():
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    supported = [c.rsplit(" ", 1)[1] for c in classifiers if re.search(r"Python :: 3\.\d+$", c)]
    assert _load("ci")["jobs"]["check"]["strategy"]["matrix"]["python"] == supported


def test_release_publishes_what_it_built_from_a_tag():
    release = _load("release")
    assert release["on"] == {"push": {"tags": ["v*"]}}
    build, publish = release["jobs"]["build"], release["jobs"]["publish"]
    assert "permissions" not in build
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["needs"] == ["build", "kernels"]
    assert publish["environment"] == "release"
    download, upload = publish["steps"]
    assert download["uses"].startswith("actions/download-artifact@")
    assert upload["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert "with" not in upload, "trusted publishing needs no password"


def test_release_refuses_a_tag_that_is_not_the_version():
    commands = "\n".join(step.get("run", "") for step in _load("release")["jobs"]["build"]["steps"])
    assert '[ "v$version" = "$GITHUB_REF_NAME" ]' in commands
    assert "CHANGELOG.md" in commands
