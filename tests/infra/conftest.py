"""Terraform with its AWS provider, and moto's server on loopback; tests skip where one is missing."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOURCE = ROOT / "infra" / "terraform"

DUMMY = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-west-2",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
INPUTS = {
    "region": "us-west-2",
    "image_tag": "0123abc",
    "enable_sns_alarms": True,
    "alerts_email": "ops@example.com",
    "github_repository": "example/pacifico",
    "state_bucket": "example-state",
}


@pytest.fixture(scope="session")
def iam():
    """Policy evaluator of iam.py."""
    spec = importlib.util.spec_from_file_location("pacifico_tests_iam", HERE / "iam.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def terraform():
    path = shutil.which("terraform")
    if path is None:
        pytest.skip("terraform is not installed")
    return path


@pytest.fixture(scope="session")
def plugins():
    """Folder of a provider mirror: PACIFICO_TF_PLUGIN_DIR, else a usual place."""
    named = [os.environ.get("PACIFICO_TF_PLUGIN_DIR", ""), *_mirrors(os.environ.get("TF_CLI_CONFIG_FILE", ""))]
    home = Path.home()
    usual = [home / ".terraform.d/plugins", home / ".local/share/terraform/plugins"]
    shared = [folder for top in ("/opt", "/usr/share", "/usr/local/share") for folder in Path(top).glob("*")]
    for folder in [*(Path(name) for name in named if name), *usual, *shared]:
        if any(folder.glob("*/hashicorp/aws/5.*")):
            return folder
    pytest.skip("no AWS provider for Terraform: set PACIFICO_TF_PLUGIN_DIR to the folder of a mirror that holds it")


def _mirrors(settings):
    if not settings or not Path(settings).is_file():
        return []
    return re.findall(r'path\s*=\s*"([^"]+)"', Path(settings).read_text())


@dataclass
class Module:
    """Copy of the Terraform files, with the command that works on it."""

    command: str
    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments, timeout=600, status=(0,)):
        done = subprocess.run(
            [self.command, f"-chdir={self.folder}", *arguments],
            capture_output=True, text=True, timeout=timeout, env=self.env, check=False,
        )  # fmt: skip
        assert done.returncode in status, (
            f"terraform {' '.join(arguments)}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        )
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.run(*arguments))


def clean_environment():
    """Environment of this process without accounts, proxies and settings of Terraform."""
    barred = ("AWS_", "TF_", "PACIFICO_")
    proxies = {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"}
    env = {k: v for k, v in os.environ.items() if not k.startswith(barred) and k not in proxies}
    return env | DUMMY | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}


@pytest.fixture(scope="session")
def module(terraform, plugins, tmp_path_factory):
    """Initialized copy without a backend, to validate and to test."""
    folder = tmp_path_factory.mktemp("validate") / "terraform"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    copy = Module(terraform, folder, clean_environment())
    copy.run("init", "-backend=false", "-input=false", f"-plugin-dir={plugins}")
    return copy


@pytest.fixture(scope="session")
def moto_url():
    """Address of moto's server, which runs in its own process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment(),
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert process.poll() is None, "moto's server ended"
            assert time.monotonic() < deadline, "moto's server did not start"
            time.sleep(0.05)  # wait until it listens
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()


@dataclass
class Applied:
    """Result of `terraform apply` on the emulator."""

    module: Module
    env: dict[str, str]
    outputs: dict[str, object]
    began: float
    seconds: float

    def client(self, service):
        import boto3

        names = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-west-2"}
        return boto3.client(service, endpoint_url=self.env["AWS_ENDPOINT_URL"], **names)

    def role(self, name):
        """Policies of a role, as stored in IAM."""
        iam, role = self.client("iam"), f"pacifico-layouts-dev-{name}"
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        return [iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"] for policy in names]

    def trust(self, name):
        return self.client("iam").get_role(RoleName=f"pacifico-layouts-dev-{name}")["Role"]["AssumeRolePolicyDocument"]

    def document(self, name):
        """Policy document, as rendered by Terraform."""
        for resource in self.module.json("show", "-json")["values"]["root_module"]["resources"]:
            if resource["address"] == f"data.aws_iam_policy_document.{name}":
                return json.loads(resource["values"]["json"])
        raise LookupError(name)

    @property
    def bucket(self):
        return self.outputs["store_bucket"]


@pytest.fixture(scope="session")
def applied(terraform, plugins, moto_url, tmp_path_factory):
    """Configuration applied to moto's server, once for all tests."""
    folder = tmp_path_factory.mktemp("apply")
    for source in [*SOURCE.glob("*.tf"), HERE / "loopback_override.tf"]:
        shutil.copy(source, folder)
    (folder / "terraform.tfvars.json").write_text(json.dumps(INPUTS))
    env = clean_environment() | {"AWS_ENDPOINT_URL": moto_url}
    copy = Module(terraform, folder, env)
    copy.run("init", "-input=false", f"-plugin-dir={plugins}")
    began = time.monotonic()
    copy.run("apply", "-auto-approve", "-input=false")
    seconds = time.monotonic() - began
    outputs = {name: output["value"] for name, output in copy.json("output", "-json").items()}
    return Applied(copy, env, outputs, began, seconds)
