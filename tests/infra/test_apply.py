"""Resources that the configuration creates on an emulator."""

from __future__ import annotations

import json

import pytest

from pacifico.jobs.stop_signals import AFTER_GRACE_S

pytestmark = [pytest.mark.terraform, pytest.mark.slow, pytest.mark.timeout(900)]


def test_second_plan_finds_no_change(applied):
    """Attributes that the emulator loses are listed in tests/infra/loopback_override.tf."""
    applied.module.run("plan", "-input=false", "-detailed-exitcode")


def test_queue_moves_messages_after_three_receives(applied):
    sqs = applied.client("sqs")
    url, dead = applied.outputs["sqs_layout_jobs_queue_url"], applied.outputs["sqs_layout_jobs_dlq_url"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert url.endswith("/pacifico-layouts-dev-layout-jobs")
    assert json.loads(attributes["RedrivePolicy"]) == {
        "deadLetterTargetArn": applied.outputs["sqs_layout_jobs_dlq_arn"],
        "maxReceiveCount": 3,
    }
    assert (attributes["VisibilityTimeout"], attributes["MessageRetentionPeriod"]) == ("120", "345600")
    kept = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["MessageRetentionPeriod"])
    assert kept["Attributes"]["MessageRetentionPeriod"] == "1209600"


def test_bucket_is_versioned_encrypted_private_and_has_a_lifecycle(applied):
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


def test_every_alarm_exists_and_notifies_the_topic(applied):
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


def test_dashboard_shows_queue_and_workers(applied):
    body = applied.client("cloudwatch").get_dashboard(DashboardName=applied.outputs["dashboard_name"])["DashboardBody"]
    shown = json.dumps(json.loads(body))
    for name in ("pacifico-layouts-dev-layout-jobs-dlq", "RunningTaskCount", "JobSeconds", "Failures"):
        assert name in shown


def test_task_definition_limits_the_container(applied):
    ecs = applied.client("ecs")
    arn = applied.outputs["ecs_worker_task_definition_arn"]
    container = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["containerDefinitions"][0]
    assert container["readonlyRootFilesystem"] is True
    assert container["user"] == "10001:10001"
    assert container["stopTimeout"] == 120
    assert container["image"].endswith("/pacifico-layouts-dev-worker:0123abc")


def test_package_reads_the_settings_of_the_task_definition(applied):
    """The package accepts the environment of the task definition."""
    from pacifico.jobs.settings import from_environment

    ecs = applied.client("ecs")
    arn = applied.outputs["ecs_worker_task_definition_arn"]
    container = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["containerDefinitions"][0]
    settings = from_environment({"PACIFICO_OWNER": "x", **{e["name"]: e["value"] for e in container["environment"]}})
    assert settings.store == applied.outputs["store"]
    assert settings.queue_url == applied.outputs["sqs_layout_jobs_queue_url"]
    assert settings.dlq_url == applied.outputs["sqs_layout_jobs_dlq_url"]
    assert settings.visibility_s == 120
    assert settings.stop_grace_s + AFTER_GRACE_S <= container["stopTimeout"]
