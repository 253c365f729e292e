"""A moto server over real HTTP on loopback, and what tests ask of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

DUMMY = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


#: Servers that speak S3 and SQS on loopback, each somebody else's understanding of AWS: command and environment.
#: ministack wants another botocore than ours: it is a tool of its own (`uv tool install ministack`), and skipped without.
SERVERS = {
    "moto": ([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "{port}"], {}),
    "ministack": (["ministack"], {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": "{port}", "LOG_LEVEL": "ERROR"}),
}


@contextlib.contextmanager
def serve(name):
    """Run a server in a process of its own: its clock and memory are nobody's here."""
    command, env = SERVERS[name]
    places = os.pathsep.join([os.environ.get("PATH", ""), str(Path.home() / ".local" / "bin")])  # where tools are put
    program = shutil.which(command[0], path=places)
    if program is None:
        pytest.skip(f"{name} is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [program, *(word.format(port=port) for word in command[1:])],
        env={**os.environ, **{key: value.format(port=port) for key, value in env.items()}},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert process.poll() is None, f"{name}'s server ended"
            assert time.monotonic() < deadline, f"{name}'s server did not start"
            time.sleep(0.05)  # nothing to await before it listens
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def server():
    """Give a server's address by its name; it is started when first asked for."""
    with contextlib.ExitStack() as running:
        found = {}

        def address(name):
            if name not in found:
                found[name] = running.enter_context(serve(name))
            return found[name]

        yield address


def use(url, monkeypatch):
    """Have every client of this process speak to that server."""
    for name, value in DUMMY.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    return url


def new_bucket():
    import boto3

    name = f"jobs-{uuid.uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def aws(server, monkeypatch):
    """Environment of a client of moto's server, or of the one that PACIFICO_TEST_AWS names."""
    return use(server(os.environ.get("PACIFICO_TEST_AWS") or "moto"), monkeypatch)


@pytest.fixture
def bucket(aws):
    return new_bucket()


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


@pytest.fixture(params=["local", *SERVERS])
def store(request, tmp_path, monkeypatch):
    """Both forms of the store, each empty; S3 as every server understands it."""
    if request.param == "local":
        from pacifico.jobs.store.local import LocalStore

        return LocalStore(tmp_path / "store")
    from pacifico.jobs.store.s3 import S3Store

    use(request.getfixturevalue("server")(request.param), monkeypatch)
    return S3Store(f"s3://{new_bucket()}/some/prefix")


@pytest.fixture
def local_store(tmp_path):
    from pacifico.jobs.store.local import LocalStore

    return LocalStore(tmp_path / "store")
