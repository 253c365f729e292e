"""Run every command of the runbook, in order, against a local stack; one real worker replaces ECS."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
TEXT = (ROOT / "infra" / "RUNBOOK.md").read_text()

pytestmark = pytest.mark.terraform


def blocks(kind):
    """Section title and text of each code block, in order."""
    found, title = [], ""
    for match in re.finditer(r"^## ([^\n]+)$|^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        if match[1]:
            title = match[1]
        elif match[2] == kind:
            found.append((title, match[3]))
    return found


def test_only_docker_commands_are_not_run():
    kinds = set(re.findall(r"^```(\w+)$", TEXT, re.MULTILINE))
    assert kinds == {"bash", "sh"}
    lines = "".join(body for _, body in blocks("sh")).splitlines()
    assert lines
    assert all("docker" in line or line.startswith("REPOSITORY=") for line in lines)


def test_every_task_has_a_section():
    titles = {title for title, _ in blocks("bash")}
    assert titles == {
        "Deploy from nothing",
        "Enable async",
        "Scale",
        "Read logs",
        "Redrive",
        "Stuck job",
        "Poison message",
        "Rotate",
        "Restore a deleted report",
        "Cost per 1,000 jobs",
        "Load test",
        "Chaos drill",
        "Take it all away",
    }


class Shell:
    """Shell that keeps its variables from block to block."""

    def __init__(self, folder, env):
        self.folder, self.env = folder, env
        self.state = folder.parent / "state.json"

    def run(self, body):
        dump = f"'{sys.executable}' -c 'import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], \"w\"))'"
        script = f"set -euo pipefail\nset -a\n{body}\n{dump} '{self.state}'\n"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.env,
            capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{body}\n--- output\n{done.stdout[-3000:]}\n{done.stderr[-5000:]}"
        self.env = json.loads(self.state.read_text())
        return done.stdout


@pytest.fixture
def shell(terraform, plugins, moto_url, tmp_path):
    """Shell in a checkout that is set up for the local stack."""
    for program in ("aws", "jq", "git"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    folder = tmp_path / "checkout"
    (folder / "infra" / "terraform").mkdir(parents=True)
    for source in (ROOT / "infra" / "terraform").glob("*.tf"):
        shutil.copy(source, folder / "infra" / "terraform")
    emulator = "use_path_style = true\nskip_credentials_validation = true\nskip_requesting_account_id = true\n"
    override = (HERE / "loopback_override.tf").read_text()
    backend = f'backend "s3" {{\n{emulator}skip_metadata_api_check = true\nskip_s3_checksum = true\n}}'
    assert 'backend "local" {}' in override
    (folder / "infra/terraform/loopback_override.tf").write_text(override.replace('backend "local" {}', backend))
    (folder / "pacifico").symlink_to(ROOT / "pacifico")
    # Version 1 of the command ignores AWS_ENDPOINT_URL for SQS, so a wrapper passes the address.
    shim = tmp_path / "bin" / "aws"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shutil.which("aws")} --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n')
    shim.chmod(0o755)
    barred = ("AWS_", "TF_", "PACIFICO_")
    proxies = {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"}
    env = {k: v for k, v in os.environ.items() if not k.startswith(barred) and k not in proxies}
    env |= {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_PAGER": "",
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_ARGS_init": f"-plugin-dir={plugins}",
        "GIT_DIR": str(ROOT / ".git"),
        "PATH": os.pathsep.join([str(shim.parent), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "ENVIRONMENT": "runbook",
        "N": "3",
    }
    return Shell(folder, env)


def _start_worker(env, log, **changed):
    """Worker process with the task definition's settings, but shorter waits."""
    import boto3

    names = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-west-2"}
    ecs = boto3.client("ecs", endpoint_url=env["AWS_ENDPOINT_URL"], **names)
    family = f"{env['NAME']}-worker"
    task = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]["containerDefinitions"][0]
    settings = {entry["name"]: entry["value"] for entry in task["environment"]}
    quick = {"PACIFICO_WAIT_S": "1", "PACIFICO_SWEEP_S": "3600", **changed}
    return subprocess.Popen(
        [sys.executable, "-m", "worker"], env={**env, **settings, **quick}, stdout=log, stderr=log, cwd=ROOT
    )


def _stop_worker(worker):
    worker.terminate()
    worker.wait(timeout=150)
    return worker


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_every_command_runs(shell, tmp_path):
    output, worker = {}, None
    with (tmp_path / "worker.log").open("w") as log:
        try:
            for title, body in blocks("bash"):
                if worker is None and "PACIFICO_DLQ_URL" in shell.env:
                    worker = _start_worker(shell.env, log)
                if "pacifico jobs redrive" in body:
                    assert _stop_worker(worker).returncode == 0
                    _fail_a_job(shell, log)
                    worker = _start_worker(shell.env, log)
                output[title] = output.get(title, "") + shell.run(body)
        finally:
            if worker is not None:
                _stop_worker(worker)
    assert "pacifico-layouts-runbook-layout-jobs" in output["Deploy from nothing"]
    assert '"status": "completed"' in output["Enable async"]
    assert "assumed-role/pacifico-layouts-runbook-submitter/ann" in output["Enable async"]
    assert "queued" in output["Redrive"]
    assert "cancelled" in output["Stuck job"]
    assert "no message of ours" in output["Poison message"]
    assert re.search(r"together +[\d.]+", output["Cost per 1,000 jobs"])
    assert "3 jobs in" in output["Load test"]
    assert '"status": "completed"' in output["Chaos drill"]
    assert "Destroy complete" in output["Take it all away"]
    assert worker.returncode == 0, (tmp_path / "worker.log").read_text()[-3000:]
    _check_that_nothing_is_left(shell.env)


def _fail_a_job(shell, log):
    """Run a job that fails by an outside fault: the host of its DEM has no address."""
    hosts = {"PACIFICO_DEM_HOSTS": "dem.invalid"}
    worker = _start_worker(shell.env, log, PACIFICO_RETRY_S="1", PACIFICO_SWEEP_S="1", **hosts)
    try:
        shell.run("""
          BAD="$(PACIFICO_DEM_HOSTS=dem.invalid pacifico jobs submit pacifico/data/sample-site.kml \
            --dem https://dem.invalid/dem.tif --capacity-kw 1000 --json | jq -r .layout_id)"
          pacifico jobs wait "$BAD" --timeout 120 && exit 1
          [ "$(pacifico jobs status "$BAD" --json | jq -r .error_kind)" = service ]
        """)
    finally:
        assert _stop_worker(worker).returncode == 0


def _check_that_nothing_is_left(env):
    import boto3

    names = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-west-2"}

    def client(service):
        return boto3.client(service, endpoint_url=env["AWS_ENDPOINT_URL"], **names)

    mine = env["NAME"]
    assert not [q for q in client("sqs").list_queues().get("QueueUrls", []) if mine in q]
    buckets = [b["Name"] for b in client("s3").list_buckets()["Buckets"] if mine in b["Name"]]
    assert buckets == [env["STATE_BUCKET"]]
    assert not [r for r in client("iam").list_roles()["Roles"] if mine in r["RoleName"]]
    assert not [a for a in client("cloudwatch").describe_alarms()["MetricAlarms"] if mine in a["AlarmName"]]
    assert not [g for g in client("logs").describe_log_groups()["logGroups"] if mine in g["logGroupName"]]
    assert not [r for r in client("ecr").describe_repositories()["repositories"] if mine in r["repositoryName"]]
    clusters = client("ecs").describe_clusters(clusters=[f"{mine}-cluster"])["clusters"]
    assert not [c for c in clusters if c["status"] == "ACTIVE"], "the emulator lists a deleted cluster as INACTIVE"
    tagged = [{"Name": "tag:Environment", "Values": ["runbook"]}]
    assert not client("ec2").describe_vpcs(Filters=tagged)["Vpcs"]
    # The emulator ignores the filter by tag here.
    gates = client("ec2").describe_nat_gateways(Filter=[{"Name": "state", "Values": ["available"]}])["NatGateways"]
    assert not [g for g in gates if {"Key": "Environment", "Value": "runbook"} in g["Tags"]]
