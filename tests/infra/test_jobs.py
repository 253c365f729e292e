"""Run a job on the applied configuration and check every AWS call against the policies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.terraform, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
SITE = ROOT / "pacifico" / "data" / "sample-site.kml"

#: Module on the path of both processes; it records every call of an AWS client.
RECORDER = """
import json, os
import botocore.client
_call = botocore.client.BaseClient._make_api_call
def _make_api_call(self, operation, parameters):
    plain = {k: v for k, v in parameters.items() if isinstance(v, (str, int))}
    line = json.dumps([os.environ["RECORD_AS"], self.meta.service_model.service_name, operation, plain]) + "\\n"
    with open(os.environ["RECORD_TO"], "a") as file:
        file.write(line)
    return _call(self, operation, parameters)
botocore.client.BaseClient._make_api_call = _make_api_call
"""

#: IAM actions of each call, from the Service Authorization Reference of AWS.
ACTIONS = {
    "GetObject": ("s3:GetObject",),
    "HeadObject": ("s3:GetObject",),
    "PutObject": ("s3:PutObject", "s3:PutObjectTagging"),
    "CreateMultipartUpload": ("s3:PutObject", "s3:PutObjectTagging"),
    "UploadPart": ("s3:PutObject",),
    "CompleteMultipartUpload": ("s3:PutObject",),
    "AbortMultipartUpload": ("s3:AbortMultipartUpload",),
    "DeleteObject": ("s3:DeleteObject",),
    "ListObjectsV2": ("s3:ListBucket",),
    "SendMessage": ("sqs:SendMessage",),
    "SendMessageBatch": ("sqs:SendMessage",),
    "ReceiveMessage": ("sqs:ReceiveMessage",),
    "DeleteMessage": ("sqs:DeleteMessage",),
    "ChangeMessageVisibility": ("sqs:ChangeMessageVisibility",),
    "ChangeMessageVisibilityBatch": ("sqs:ChangeMessageVisibility",),
    "GetQueueAttributes": ("sqs:GetQueueAttributes",),
}


@pytest.fixture(scope="module")
def job(applied, tmp_path_factory):
    """One finished job, with the recorded calls of client and worker."""
    folder = tmp_path_factory.mktemp("job")
    (folder / "sitecustomize.py").write_text(RECORDER)
    calls = folder / "calls.jsonl"
    task = applied.client("ecs").describe_task_definition(
        taskDefinition=applied.outputs["ecs_worker_task_definition_arn"]
    )["taskDefinition"]
    settings = {e["name"]: e["value"] for e in task["containerDefinitions"][0]["environment"]}
    env = {**applied.env, "RECORD_TO": str(calls), "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    user = {**env, "RECORD_AS": "submitter", "PACIFICO_OWNER": "Ann@example.com"}
    user |= {name: settings[name] for name in ("PACIFICO_STORE", "PACIFICO_QUEUE_URL")}

    def pacifico(*arguments, status=(0,)):
        done = subprocess.run(
            [sys.executable, "-c", "from pacifico.cli.main import main; raise SystemExit(main())", "jobs", *arguments],
            capture_output=True, text=True, env=user, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode in status, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    submitted = pacifico("submit", str(SITE), "--dem", "sample", "--capacity-kw", "5000", "--json")
    layout_id = json.loads(submitted)["layout_id"]
    worker = subprocess.run(
        [sys.executable, "-m", "worker", "--burst"],
        capture_output=True, text=True, timeout=600, check=False,
        env={**env, **settings, "RECORD_AS": "worker-task", "PACIFICO_WAIT_S": "1"},
    )  # fmt: skip
    assert worker.returncode == 0, worker.stderr[-4000:]
    seconds = time.monotonic() - applied.began
    status = json.loads(pacifico("status", layout_id, "--json"))
    listed = pacifico("list", "--json")
    pacifico("fetch", layout_id, "--out", str(folder / "report"))
    second = json.loads(pacifico("submit", str(SITE), "--dem", "sample", "--capacity-kw", "5000", "--json"))[
        "layout_id"
    ]
    pacifico("cancel", second)
    return {
        "layout_id": layout_id,
        "status": status,
        "listed": listed,
        "report": folder / "report",
        "log": worker.stdout,
        "seconds": seconds,
        "calls": [json.loads(line) for line in calls.read_text().splitlines()],
    }


def test_job_is_completed(job, applied, record_property):
    status = job["status"]
    status = status[0] if isinstance(status, list) else status
    assert status["status"] == "completed", status
    assert status["asset_count"] > 0
    assert job["layout_id"] in job["listed"]
    assert any(job["report"].rglob("report.html"))
    record_property("apply_seconds", round(applied.seconds, 1))
    record_property("apply_to_first_completed_job_seconds", round(job["seconds"], 1))
    print(f"apply {applied.seconds:.0f} s; from the start of apply to the first completed job {job['seconds']:.0f} s")


def test_policies_allow_every_call_of_each_role(job, iam, applied):
    policies = {role: applied.role(role) for role in ("submitter", "worker-task")}
    bucket_policy = applied.document("store")
    refused, seen = set(), set()
    for role, service, operation, parameters in job["calls"]:
        context = {"aws:securetransport": "true"}
        if role == "submitter":
            context["aws:principaltag/owner"] = "=41nn=40example=2ecom"
        for name, key in (("Prefix", "s3:prefix"), ("IfMatch", "s3:if-match"), ("IfNoneMatch", "s3:if-none-match")):
            if name in parameters:
                context[key] = parameters[name]
        if service == "s3":
            path = f"/{parameters['Key']}" if "Key" in parameters else ""
            resource, own = f"arn:aws:s3:::{parameters['Bucket']}{path}", bucket_policy
        else:
            name = parameters["QueueUrl"].rsplit("/", 1)[1]
            resource, own = f"arn:aws:sqs:us-west-2:123456789012:{name}", None
        for action in ACTIONS[operation]:
            seen.add((role, action))
            asked = iam.Request(action, resource, context=context)
            if iam.decide(asked, identity=policies[role], resource=own) != "allowed":
                refused.add((role, operation, resource, parameters.get("Prefix")))
    assert refused == set()
    assert {
        ("submitter", "sqs:SendMessage"),
        ("worker-task", "s3:PutObject"),
        ("worker-task", "sqs:DeleteMessage"),
    } <= seen


def test_stored_objects_have_the_tags_of_the_lifecycle(job, applied):
    s3 = applied.client("s3")
    kinds = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=applied.bucket):
        for entry in page["Contents"]:
            tags = s3.get_object_tagging(Bucket=applied.bucket, Key=entry["Key"])["TagSet"]
            part = entry["Key"].split("/")
            place = "attempts" if "attempts" in part else part[2] if part[0] == "owners" else part[0]
            kinds.setdefault(place, set()).add(next((t["Value"] for t in tags if t["Key"] == "class"), None))
    assert kinds["attempts"] == {"reports"}
    assert kinds["sites"] == {"uploads"}
    assert kinds["index"] == {"jobs"}


def test_log_holds_the_metrics_of_the_alarms(job):
    lines = [json.loads(line) for line in job["log"].splitlines() if line.startswith("{")]
    metrics = [line for line in lines if "_aws" in line]
    assert metrics
    embedded = metrics[-1]["_aws"]["CloudWatchMetrics"][0]
    assert embedded["Namespace"] == "Pacifico/dev"
    assert [] in embedded["Dimensions"], "the alarms need the metrics without dimensions"
    assert {"JobSeconds", "Failures", "QueueSeconds"} <= {metric["Name"] for metric in embedded["Metrics"]}
