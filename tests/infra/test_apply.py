"""The configuration applied to an emulator: what stands there, who may do what, jobs run through it, nothing is left."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.terraform, pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_second_plan_finds_nothing_to_do(applied):
    """Beside what tests/infra/loopback_override.tf names as the emulator's own doing."""
    applied.module.run("plan", "-input=false", "-detailed-exitcode")


def test_the_queue_gives_up_after_three_receives(applied):
    sqs = applied.client("sqs")
    url, dead = applied.outputs["sqs_layout_jobs_queue_url"], applied.outputs["sqs_layout_jobs_dlq_url"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert url.endswith("/pacifico-layouts-dev-layout-jobs")
    assert json.loads(told["RedrivePolicy"]) == {
        "deadLetterTargetArn": applied.outputs["sqs_layout_jobs_dlq_arn"],
        "maxReceiveCount": 3,
    }
    assert (told["VisibilityTimeout"], told["MessageRetentionPeriod"]) == ("120", "345600")
    kept = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["MessageRetentionPeriod"])
    assert kept["Attributes"]["MessageRetentionPeriod"] == "1209600"


def test_the_bucket_is_versioned_encrypted_closed_and_tidied(applied):
    s3, name = applied.client("s3"), {"Bucket": applied.bucket}
    assert s3.get_bucket_versioning(**name)["Status"] == "Enabled"
    rule = s3.get_bucket_encryption(**name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert all(s3.get_public_access_block(**name)["PublicAccessBlockConfiguration"].values())
    rules = {r["ID"]: r for r in s3.get_bucket_lifecycle_configuration(**name)["Rules"]}
    expiry = {i: r["Expiration"]["Days"] for i, r in rules.items() if "Days" in r.get("Expiration", {})}
    assert expiry == {"uploads-expire": 90, "terrain-expire": 30, "exports-expire": 30}
    assert rules["reports-keep"]["Transitions"] == [{"Days": 90, "StorageClass": "STANDARD_IA"}]
    assert rules["noncurrent-expire"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    assert rules["incomplete-uploads-abort"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7


def test_every_alarm_is_there_and_tells_the_topic(applied):
    found = applied.client("cloudwatch").describe_alarms()["MetricAlarms"]
    alarms = {a["AlarmName"].removeprefix("pacifico-layouts-dev-"): a for a in found}
    watching = {"queue-depth", "oldest-message", "dlq-any", "dlq-many", "no-worker", "job-failures", "job-p95"}
    assert set(alarms) == watching | {"wake", "sleep"}
    assert all(alarms[name]["AlarmActions"] == [applied.outputs["alarms_topic_arn"]] for name in watching)
    assert (alarms["queue-depth"]["Threshold"], alarms["dlq-any"]["Threshold"], alarms["dlq-many"]["Threshold"]) == (
        10,
        0,
        5,
    )
    assert alarms["job-p95"]["ExtendedStatistic"] == "p95"


def test_the_dashboard_shows_the_queue_and_the_workers(applied):
    body = applied.client("cloudwatch").get_dashboard(DashboardName=applied.outputs["dashboard_name"])["DashboardBody"]
    shown = json.dumps(json.loads(body))
    for name in ("pacifico-layouts-dev-layout-jobs-dlq", "RunningTaskCount", "JobSeconds", "Failures"):
        assert name in shown


def test_the_task_definition_keeps_the_container_small(applied):
    ecs = applied.client("ecs")
    arn = applied.outputs["ecs_worker_task_definition_arn"]
    container = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["containerDefinitions"][0]
    assert container["readonlyRootFilesystem"] is True
    assert container["user"] == "10001:10001"
    assert container["stopTimeout"] == 120
    assert container["image"].endswith("/pacifico-layouts-dev-worker:0123abc")


def test_the_worker_starts_from_the_task_definition(applied):
    """Its settings are read by the package as they stand there."""
    from pacifico.jobs.settings import from_environment

    ecs = applied.client("ecs")
    arn = applied.outputs["ecs_worker_task_definition_arn"]
    container = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["containerDefinitions"][0]
    settings = from_environment({"PACIFICO_OWNER": "x", **{e["name"]: e["value"] for e in container["environment"]}})
    assert settings.store == applied.outputs["store"]
    assert settings.queue_url == applied.outputs["sqs_layout_jobs_queue_url"]
    assert settings.dlq_url == applied.outputs["sqs_layout_jobs_dlq_url"]
    assert settings.visibility_s == 120
    assert settings.stop_grace_s < container["stopTimeout"]
