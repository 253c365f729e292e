"""Static checks of the Terraform files: format, validity, variables, policies, agreement with the code."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "infra" / "terraform"
TEXT = {path.name: path.read_text() for path in SOURCE.glob("*.tf")}

pytestmark = pytest.mark.terraform


def test_files_are_formatted(terraform):
    done = subprocess.run(
        [terraform, "fmt", "-check", "-recursive", "-diff", str(ROOT / "infra")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_configuration_is_valid(module):
    report = module.json("validate", "-json")
    assert report["valid"]
    assert not report["diagnostics"]


def test_delete_markers_go_and_clients_know_when_uploads_expire():
    from pacifico.jobs.settings import ENVIRONMENT

    assert re.search(r"expired_object_delete_marker\s*=\s*true", TEXT["storage.tf"])
    days = re.search(r'variable "upload_days" \{.*?default\s*=\s*(\d+)', TEXT["variables.tf"], re.DOTALL)[1]
    assert ENVIRONMENT["PACIFICO_UPLOAD_DAYS"][1] == days


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_terraform_tests_pass(module):
    output = module.run("test", "-no-color", timeout=840)
    counts = re.search(r"Success! (\d+) passed, 0 failed", output)
    assert counts, output[-2000:]
    assert int(counts[1]) >= 45


def _blocks(kind):
    pattern = rf'^{kind} "([^"]+)" \{{\n(.*?)^\}}'
    return {name: body for text in TEXT.values() for name, body in re.findall(pattern, text, re.MULTILINE | re.DOTALL)}


def test_every_variable_has_type_description_and_validation():
    """Booleans need no validation: their type is enough."""
    refusals = (SOURCE / "tests" / "refusals.tftest.hcl").read_text()
    variables = _blocks("variable")
    assert len(variables) > 30
    for name, body in variables.items():
        assert re.search(r"^  type\s+= ", body, re.MULTILINE), name
        assert re.search(r"^  description\s+= \"", body, re.MULTILINE), name
        if "= bool" not in body:
            assert "validation {" in body, f"{name} has no validation"
            assert f"[var.{name}]" in refusals, f"no test shows that {name} refuses a value"


def test_every_output_is_described():
    outputs = _blocks("output")
    assert {
        "sqs_layout_jobs_queue_url",
        "sqs_layout_jobs_dlq_url",
        "ecs_worker_task_role_arn",
        "ecs_worker_execution_role_arn",
        "worker_log_group_name",
    } <= set(outputs)
    assert all("description" in body for body in outputs.values())


def test_no_account_or_region_is_hard_coded():
    code = "\n".join(re.sub(r"#.*|description\s+= .*|error_message\s+= .*", "", text) for text in TEXT.values())
    assert not re.search(r"\b\d{12}\b", code)
    assert not re.search(r"\b(us|eu|ap|sa|ca|me|af)-(north|south|east|west|central)[a-z]*-\d\b", code)


def test_every_statement_has_a_reason():
    for name, text in TEXT.items():
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if re.match(r"\s*(statement \{|dynamic \"statement\" \{)", line):
                assert lines[number - 1].strip().startswith("#"), f"{name}:{number + 1} has no reason above it"
                assert any("sid " in later for later in lines[number : number + 6]), f"{name}:{number + 1} has no sid"


def test_worker_reads_the_settings_that_it_gets():
    from pacifico.jobs.settings import ENVIRONMENT

    given = set(re.findall(r"\bPACIFICO_[A-Z_]+\b", TEXT["ecs.tf"]))
    assert given <= set(ENVIRONMENT), given - set(ENVIRONMENT)
    assert {"PACIFICO_STORE", "PACIFICO_QUEUE_URL", "PACIFICO_DLQ_URL", "PACIFICO_VISIBILITY_S"} <= given


def test_worker_writes_the_metrics_of_alarms_and_dashboard():
    from worker.report import UNITS

    read = set(re.findall(r'namespace\s+= local\.metrics_name, metric = "(\w+)"', TEXT["alarms.tf"]))
    read |= set(re.findall(r'\[local\.metrics_name, "(\w+)"', TEXT["dashboard.tf"]))
    assert {"Failures", "JobSeconds", "QueueSeconds"} <= read <= set(UNITS)


def test_the_alarm_of_failed_jobs_leaves_out_the_faults_of_requests():
    alarm = re.search(r"job-failures = \{.*?\n    \}", TEXT["alarms.tf"], re.DOTALL)[0]
    assert 'metric = "ServiceFailures"' in alarm
    assert "dimensions = {}" in alarm


def test_lifecycle_uses_the_tags_of_the_store():
    from pacifico.jobs.store.permissions import TAGS

    tags = set(re.findall(r"for_each = \{ (uploads) = .*?, (terrain) = .*?, (exports) = ", TEXT["storage.tf"])[0])
    tags |= set(re.findall(r'value = "(\w+)"', TEXT["storage.tf"]))
    assert tags == set(TAGS.values()) - {"jobs"}, "only requests, statuses and hints never expire"


@pytest.mark.slow
def test_checkov_finds_no_unexplained_problem():
    checkov = shutil.which("checkov")
    if checkov is None:
        pytest.skip("checkov is not installed; install it in an environment of its own, because it pins many packages")
    settings = ROOT / "infra" / ".checkov.yaml"
    skips = re.findall(r"^((?:  #.*\n)+)?  - (CKV\w+)$", settings.read_text(), re.MULTILINE)
    assert skips
    assert all(reason for reason, _ in skips), "each skipped check needs a reason above it"
    done = subprocess.run(
        [checkov, "--config-file", str(settings), "-d", str(SOURCE), "--skip-download", "-o", "json"],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert '"passed": 0' not in done.stdout
