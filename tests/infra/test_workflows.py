"""The workflows of continuous integration: pinned, with no more rights than they need, bound as the roles expect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def workflow(request):
    return yaml.safe_load(request.param.read_text())


def test_there_are_tests_image_and_plan():
    assert {path.stem for path in FILES} >= {"tests", "image", "plan"}


def test_every_action_is_pinned_to_a_commit(workflow):
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used), used


def test_rights_are_few(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert set(job.get("permissions", {})) <= {"contents", "id-token"}
        assert job["timeout-minutes"] <= 90


def test_nothing_that_a_stranger_writes_becomes_a_command(workflow):
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), "hand values over by env"


def test_no_key_is_stored(workflow):
    assert "secrets." not in yaml.safe_dump(workflow)


def test_images_are_pushed_from_main_alone():
    jobs = yaml.safe_load((ROOT / ".github/workflows/image.yml").read_text())["jobs"]
    for job in jobs.values():
        if "id-token" in job.get("permissions", {}):
            assert "github.ref == 'refs/heads/main'" in job["if"]
            assert "github.event_name == 'push'" in job["if"]
    assert any("id-token" in job.get("permissions", {}) for job in jobs.values())


def test_the_plan_changes_nothing():
    text = (ROOT / ".github/workflows/plan.yml").read_text()
    assert "terraform -chdir=infra/terraform plan" in text
    assert "-refresh=false" in text
    assert "apply" not in text
