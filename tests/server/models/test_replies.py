"""Bodies of responses."""

from __future__ import annotations

from pacifico.jobs import status as states
from pacifico.server.models.replies import Accepted, LayoutStatus


def test_a_status_has_the_fields_of_jobs_and_three_more():
    first = states.queued(layout_id="0" * 36, owner="ann", site_id="s", request_sha256="0" * 64, now=0.0)
    body = {**first.to_json(), "stalled": False, "target_capacity_kw": None, "shortfall": ""}
    assert LayoutStatus.model_validate(body).stalled is False


def test_the_answer_in_the_background_is_that_of_the_contract():
    assert set(Accepted.model_fields) == {"layout_id", "status", "message"}
