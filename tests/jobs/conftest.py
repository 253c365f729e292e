"""A moto server over real HTTP on loopback, and what tests ask of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid

import pytest

DUMMY = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@pytest.fixture(scope="session")
def moto_url():
    """A server of its own process: its clock is nobody's here."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert process.poll() is None, "moto's server ended"
            assert time.monotonic() < deadline, "moto's server did not start"
            time.sleep(0.05)  # nothing to await before it listens
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()


@pytest.fixture
def aws(moto_url, monkeypatch):
    """Environment of a client of that server."""
    for name, value in DUMMY.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    return moto_url


@pytest.fixture
def bucket(aws):
    import boto3

    name = f"jobs-{uuid.uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def queues(aws):
    """Addresses of a job queue and of its dead-letter queue: 3 receives, then there."""
    import json

    import boto3

    sqs = boto3.client("sqs")
    name = f"jobs-{uuid.uuid4().hex[:12]}"
    dead = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    live = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy})["QueueUrl"]
    return live, dead


@pytest.fixture(params=["local", "s3"])
def store(request, tmp_path):
    """Both forms of the store, each empty."""
    if request.param == "local":
        from pacifico.jobs.store_local import LocalStore

        return LocalStore(tmp_path / "store")
    from pacifico.jobs.store_s3 import S3Store

    return S3Store(f"s3://{request.getfixturevalue('bucket')}/some/prefix")


@pytest.fixture
def local_store(tmp_path):
    from pacifico.jobs.store_local import LocalStore

    return LocalStore(tmp_path / "store")
