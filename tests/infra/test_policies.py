"""Evaluate the rendered policies: rights of each role, and agreement with the calls of the code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.terraform, pytest.mark.slow, pytest.mark.timeout(900)]

REPORT = "layouts/00000000-0000-0000-0000-000000000001/attempts/1/report.html"
REQUEST = "layouts/00000000-0000-0000-0000-000000000001/request.json"
STATUS = "layouts/00000000-0000-0000-0000-000000000001/status.json"
HINT = "index/9999999999999-00000000-0000-0000-0000-000000000001/00000001-queued"
TLS = {"aws:securetransport": "true"}
CREATE, SWAP = {"s3:if-none-match": "*"}, {"s3:if-match": "etag"}


@pytest.fixture(scope="module")
def may(iam, applied):
    """Decision for a role of the applied configuration, resource policies included."""
    sqs, bucket_policy = applied.client("sqs"), applied.document("store")
    queue_policies = {}
    for name in ("jobs", "dlq"):
        address, arn = (applied.outputs[f"sqs_layout_{n}"] for n in _queue(name))
        attributes = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=["Policy"])
        queue_policies[arn] = json.loads(attributes["Attributes"]["Policy"])
    policies = {role: applied.role(role) for role in ("worker-task", "worker-execution", "submitter", "reviewer")}

    def decide(role, action, resource, *, owner=None, **context):
        keys = {**TLS, **({"aws:principaltag/owner": owner} if owner else {}), **context.get("context", {})}
        own = bucket_policy if resource.startswith("arn:aws:s3:::") else queue_policies.get(resource)
        return iam.decide(iam.Request(action, resource, context=keys), identity=policies[role], resource=own)

    return decide


def _queue(name):
    return ("jobs_queue_url", "jobs_queue_arn") if name == "jobs" else ("jobs_dlq_url", "jobs_dlq_arn")


@pytest.fixture(scope="module")
def key(applied):
    return lambda path: f"arn:aws:s3:::{applied.bucket}/{path}"


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:DeleteObject", "s3:PutObjectTagging", "s3:DeleteObjectVersion"])
def test_reviewer_writes_nothing(may, key, action):
    for path in (REPORT, REQUEST, STATUS, HINT, "sites/a/boundary.kml", "exports/a.zip"):
        for context in ({}, CREATE, SWAP):
            assert may("reviewer", action, key(f"owners/ann/{path}"), owner="ann", context=context) != "allowed"


def test_reviewer_reads_reports_of_one_owner(may, key, applied):
    assert may("reviewer", "s3:GetObject", key(f"owners/ann/{REPORT}"), owner="ann") == "allowed"
    assert may("reviewer", "s3:GetObject", key(f"owners/bob/{REPORT}"), owner="ann") == "not allowed"
    assert may("reviewer", "s3:GetObject", key("owners/ann/sites/a/boundary.kml"), owner="ann") == "not allowed"
    assert (
        may("reviewer", "sqs:SendMessage", applied.outputs["sqs_layout_jobs_queue_arn"], owner="ann") == "not allowed"
    )


@pytest.mark.parametrize("role", ["submitter", "reviewer"])
def test_owner_has_no_access_to_another_owner(may, key, applied, role):
    bucket = key("").rstrip("/")
    for other in ("bob", "ann=2fx", "anna", "an", "*", ""):
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:PutObjectTagging"):
            for path in (REPORT, REQUEST, STATUS, HINT, "sites/a/boundary.kml", "exports/a.zip"):
                for context in ({}, CREATE, SWAP):
                    assert may(role, action, key(f"owners/{other}/{path}"), owner="ann", context=context) != "allowed"
        listing = {"s3:prefix": f"owners/{other}/index/"}
        assert may(role, "s3:ListBucket", bucket, owner="ann", context=listing) == "not allowed"
    for prefix in ("", "owners/", "owners/ann", "terrain/"):
        assert may(role, "s3:ListBucket", bucket, owner="ann", context={"s3:prefix": prefix}) == "not allowed"
    assert may(role, "s3:ListBucket", bucket, owner="ann") == "not allowed", "without a prefix"
    assert may(role, "s3:ListBucket", bucket, owner="ann", context={"s3:prefix": "owners/ann/index/"}) == "allowed"


@pytest.mark.parametrize("role", ["submitter", "reviewer"])
def test_role_without_owner_has_no_access(may, key, role):
    for owner in ("ann", "${aws:PrincipalTag/owner}", ""):
        assert may(role, "s3:GetObject", key(f"owners/{owner}/{REPORT}")) == "not allowed"


def test_wildcards_in_an_owner_are_text(may, key):
    assert may("submitter", "s3:GetObject", key(f"owners/ann/{REPORT}"), owner="*") == "not allowed"
    assert may("submitter", "s3:GetObject", key(f"owners/ann/{REPORT}"), owner="an?") == "not allowed"


def test_submitter_writes_requests_but_no_reports(may, key):
    def decide(action, path, **context):
        return may("submitter", action, key(f"owners/ann/{path}"), owner="ann", context=context)

    assert decide("s3:PutObject", "sites/a/boundary.kml") == "allowed"
    assert decide("s3:PutObject", REQUEST, **CREATE) == "allowed"
    assert decide("s3:PutObject", STATUS, **SWAP) == "allowed"
    assert decide("s3:PutObject", REPORT) == "not allowed"
    assert decide("s3:DeleteObject", REPORT) == "not allowed"
    assert decide("s3:DeleteObject", "sites/a/boundary.kml") == "not allowed"
    assert decide("s3:DeleteObject", HINT) == "allowed"


@pytest.mark.parametrize("role", ["worker-task", "submitter"])
def test_requests_and_statuses_are_not_overwritten(may, key, role):
    assert may(role, "s3:PutObject", key(f"owners/ann/{REQUEST}"), owner="ann") == "denied"
    assert may(role, "s3:PutObject", key(f"owners/ann/{REQUEST}"), owner="ann", context=SWAP) == "denied"
    assert may(role, "s3:PutObject", key(f"owners/ann/{STATUS}"), owner="ann") == "denied"
    assert may(role, "s3:PutObject", key(f"owners/ann/{STATUS}"), owner="ann", context=SWAP) == "allowed"


def test_worker_deletes_no_reports(may, key, applied):
    for action in ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:DeleteBucket", "s3:PutLifecycleConfiguration"):
        for path in (REPORT, REQUEST, STATUS, "sites/a/boundary.kml", "exports/a.zip"):
            assert may("worker-task", action, key(f"owners/ann/{path}")) == "not allowed"
        assert may("worker-task", action, f"arn:aws:s3:::{applied.bucket}") == "not allowed"
    assert may("worker-task", "s3:DeleteObject", key(f"owners/ann/{HINT}")) == "allowed"


def test_worker_deletes_no_dead_letters(may, applied):
    dead = applied.outputs["sqs_layout_jobs_dlq_arn"]
    assert may("worker-task", "sqs:ReceiveMessage", dead) == "allowed"
    for action in ("sqs:DeleteMessage", "sqs:SendMessage", "sqs:PurgeQueue", "sqs:SetQueueAttributes"):
        assert may("worker-task", action, dead) == "not allowed"


def test_worker_protects_only_tasks_of_its_cluster(may):
    def decide(cluster):
        arn = "arn:aws:ecs:us-west-2:123456789012"
        context = {"ecs:cluster": f"{arn}:cluster/{cluster}"}
        return may("worker-task", "ecs:UpdateTaskProtection", f"{arn}:task/{cluster}/0123", context=context)

    assert decide("pacifico-layouts-dev-cluster") == "allowed"
    assert decide("another-cluster") == "not allowed"


def test_access_without_tls_is_denied(may, key, applied):
    clear = {"aws:securetransport": "false"}
    assert may("worker-task", "s3:GetObject", key(f"owners/ann/{REPORT}"), context=clear) == "denied"
    assert (
        may("worker-task", "sqs:ReceiveMessage", applied.outputs["sqs_layout_jobs_queue_arn"], context=clear)
        == "denied"
    )


def test_principals_take_roles_only_with_their_own_tag(iam, applied):
    def take(role, mine, asked):
        context = {"aws:principaltag/owner": mine, "aws:requesttag/owner": asked, "aws:tagkeys": ["owner"]}
        context = {k: v for k, v in context.items() if v is not None}
        request = iam.Request("sts:AssumeRole", "", context=context)
        return iam.decide(request, resource=applied.trust(role))

    for role in ("submitter", "reviewer"):
        assert take(role, "ann", "ann") == "allowed"
        assert take(role, "ann", "bob") == "not allowed"
        assert take(role, None, "bob") == "not allowed"
        assert take(role, "ann", None) == "not allowed"


def test_workflows_take_roles_only_on_branch_and_pull_requests(iam, applied):
    def take(role, subject, audience="sts.amazonaws.com"):
        host = "token.actions.githubusercontent.com"
        context = {f"{host}:sub": subject, f"{host}:aud": audience}
        provider = f"arn:aws:iam::123456789012:oidc-provider/{host}"
        request = iam.Request("sts:AssumeRoleWithWebIdentity", "", principal=provider, context=context)
        return iam.decide(request, resource=applied.trust(role)) == "allowed"

    branch, pull = "repo:example/pacifico:ref:refs/heads/main", "repo:example/pacifico:pull_request"
    assert take("github-image", branch)
    assert take("github-plan", pull)
    assert not take("github-image", pull)
    assert not take("github-plan", branch)
    assert not take("github-image", "repo:example/pacifico:ref:refs/heads/other")
    assert not take("github-image", "repo:example/pacifico-fork:ref:refs/heads/main")
    assert not take("github-image", branch, audience="another")


def _all_policies(applied):
    iam = applied.client("iam")
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        assert not iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"], f"{name} has a managed policy"
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            yield name, iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]


#: Actions for which AWS has no narrower resource.
WILDCARD_ACTIONS = {
    "ecr:GetAuthorizationToken",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeManagedPrefixLists",
    "ec2:DescribePrefixLists",
}


def test_wildcards_only_where_aws_requires_them(applied):
    found = list(_all_policies(applied))
    assert len(found) >= 7
    for name, document in found:
        for statement in document["Statement"]:
            actions, resources = _list(statement["Action"]), _list(statement["Resource"])
            assert statement["Effect"] == "Allow"
            assert not any("*" in action for action in actions), name
            assert "*" not in resources or set(actions) <= WILDCARD_ACTIONS, (name, actions)
            assert statement["Sid"]


def test_granted_actions_equal_those_of_the_code(applied):
    """No action is missing and none is left over."""
    from pacifico.jobs.store import permissions

    def granted(role, *services):
        actions = {a for document in applied.role(role) for s in document["Statement"] for a in _list(s["Action"])}
        return {action for action in actions if action.split(":")[0] in services}

    def called(table):
        return {action for actions in table.values() for action in actions}

    assert granted("worker-task", "s3", "sqs") == called(permissions.WORKER)
    assert granted("submitter", "s3", "sqs") == called(permissions.CLIENT)
    assert granted("worker-task", "ecs") == {"ecs:UpdateTaskProtection"}, (
        "worker/protection.py sets the protection and never reads it"
    )


def test_independent_evaluator_agrees(iam, applied, tmp_path):
    """Compare with @cloud-copilot/iam-simulate (npm), found through PACIFICO_IAM_SIMULATE."""
    home = os.environ.get("PACIFICO_IAM_SIMULATE", "")
    node = shutil.which("node")
    if node is None or not (Path(home) / "node_modules/@cloud-copilot/iam-simulate").is_dir():
        pytest.skip(
            "no second evaluator: npm install @cloud-copilot/iam-simulate, and set PACIFICO_IAM_SIMULATE to its folder"
        )
    bucket_policy = applied.document("store")
    cases = []
    for role in ("worker-task", "submitter", "reviewer"):
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:PutObjectTagging"):
            for path in (REPORT, REQUEST, STATUS, HINT, "sites/a/boundary.kml", "exports/a.zip"):
                for owner in ("ann", "bob"):
                    for extra in ({}, CREATE, SWAP) if action == "s3:PutObject" else ({},):
                        tag = {} if role == "worker-task" else {"aws:PrincipalTag/owner": "ann"}
                        context = {"aws:SecureTransport": "true", **tag, **extra}
                        cases.append((role, action, f"arn:aws:s3:::{applied.bucket}/owners/{owner}/{path}", context))
        for prefix in ("", "owners/", "owners/ann/index/", "owners/bob/index/", "owners/ann/layouts/x/"):
            tag = {} if role == "worker-task" else {"aws:PrincipalTag/owner": "ann"}
            context = {"aws:SecureTransport": "true", "s3:prefix": prefix, **tag}
            cases.append((role, "s3:ListBucket", f"arn:aws:s3:::{applied.bucket}", context))
    policies = {role: applied.role(role) for role in ("worker-task", "submitter", "reviewer")}
    simulations = [
        {
            "request": {
                "principal": f"arn:aws:iam::123456789012:role/pacifico-layouts-dev-{role}",
                "action": action,
                "resource": {"resource": resource, "accountId": "123456789012"},
                "contextVariables": context,
            },
            "identityPolicies": [{"name": f"p{n}", "policy": p} for n, p in enumerate(policies[role])],
            "serviceControlPolicies": [],
            "resourceControlPolicies": [],
            "resourcePolicy": bucket_policy,
        }
        for role, action, resource, context in cases
    ]
    (tmp_path / "cases.json").write_text(json.dumps(simulations))
    script = """
      import { createRequire } from 'node:module'; import fs from 'node:fs';
      const { runSimulation } = createRequire(process.argv[1] + '/')('@cloud-copilot/iam-simulate');
      const results = [];
      for (const one of JSON.parse(fs.readFileSync(process.argv[2]))) {
        const r = await runSimulation(one, {});
        results.push(r.resultType === 'error' ? 'error: ' + JSON.stringify(r.errors) : (r.overallResult ?? r.analysis?.result));
      }
      console.log(JSON.stringify(results));
    """
    done = subprocess.run(
        [node, "--input-type=module", "-e", script, home, str(tmp_path / "cases.json")],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    words = {"Allowed": "allowed", "ImplicitlyDenied": "not allowed", "ExplicitlyDenied": "denied"}
    theirs = [words.get(word, word) for word in json.loads(done.stdout)]
    ours = [
        iam.decide(
            iam.Request(action, resource, context={k.lower(): v for k, v in context.items()}),
            identity=policies[role], resource=bucket_policy,
        )
        for role, action, resource, context in cases
    ]  # fmt: skip
    assert len(cases) > 150
    assert {case[:3]: (o, t) for case, o, t in zip(cases, ours, theirs, strict=True) if o != t} == {}
    assert set(ours) == {"allowed", "denied", "not allowed"}


def _list(value):
    return value if isinstance(value, list) else [value]


def test_evaluator_handles_wildcards_variables_and_missing_keys(iam):
    """Check the evaluator on cases from the documentation of AWS."""

    def decide(statement, resource="arn:aws:s3:::b/home/ann/x", action="s3:GetObject", **context):
        document = {"Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*", **statement}]}
        return iam.decide(iam.Request(action, resource, context=context), identity=[document])

    assert decide({}) == "allowed"
    assert decide({}, action="s3:PutObject") == "not allowed"
    assert decide({"Resource": "arn:aws:s3:::b/home/${aws:username}/*"}, **{"aws:username": "ann"}) == "allowed"
    assert decide({"Resource": "arn:aws:s3:::b/home/${aws:username}/*"}) == "not allowed"
    assert decide({"Condition": {"StringEquals": {"a": ["1", "2"]}}}, a="2") == "allowed"
    assert decide({"Condition": {"StringEquals": {"a": "1"}}}) == "not allowed"
    assert decide({"Condition": {"ForAllValues:StringEquals": {"a": "1"}}}) == "allowed"
    assert decide({"Condition": {"Null": {"a": "true"}}}) == "allowed"
    assert decide({"Condition": {"Null": {"a": "true"}}}, a="1") == "not allowed"
    assert decide({"Effect": "Deny"}) == "denied"
    with pytest.raises(KeyError, match="NumericLessThan"):
        decide({"Condition": {"NumericLessThan": {"a": "1"}}}, a="0")
    with pytest.raises(AssertionError, match="NotAction"):
        decide({"NotAction": "s3:x"})
