"""IAM actions by role."""

from __future__ import annotations

from pacifico.jobs.store.permissions import CLIENT, WORKER


def test_a_client_takes_no_messages_and_nobody_deletes_a_bucket():
    assert not any("Receive" in action for action in (*CLIENT["queue"], *CLIENT["dead_letters"]))
    actions = [action for role in (CLIENT, WORKER) for granted in role.values() for action in granted]
    assert all("*" not in action and "DeleteBucket" not in action for action in actions)
