"""Progress is shown while jobs run, and buttons cancel them."""

from __future__ import annotations

import threading

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.explorer import JobProgress
from pacifico.explorer import progress as module


@pytest.fixture
def follow(client):
    opened = []

    def start(jobs, **more):
        opened.append(JobProgress(client, jobs, poll_s=0.02, **more))
        return opened[-1]

    yield start
    for widget in opened:
        widget.close()


def test_jobs_are_followed_until_they_end(submit, run_job, follow, layouts):
    done, bad = submit(), submit(generation_profile="gas_bess")
    progress = follow({done: "Farm <1>: solar", bad: "Farm: gas"})
    assert "queued" in progress.lines.value
    assert [label for label, _ in progress.job_menu.options] == ["Farm <1>: solar", "Farm: gas"]
    run_job(done)
    run_job(bad)
    outcome = str(progress.wait(timeout_s=20))
    assert progress.bar.value == 100
    assert progress.bar.bar_style == "warning"
    assert "2 of 2 ended" in progress.message.value
    assert progress.controls.layout.display == "none"
    assert "Farm &lt;1&gt;" in progress.lines.value
    assert "no ground &lt;here&gt; can be built on" in progress.lines.value
    first, second = outcome.splitlines()[1:]
    assert "completed" in first
    assert all(answer["text"] in first for answer in layouts["solar_farm"]["pacifico"]["headline"])
    assert "failed" in second
    assert "no ground <here> can be built on" in second
    assert second.rstrip().endswith("–")


def test_the_buttons_cancel_one_and_then_the_rest(submit, follow, client):
    ids = [submit() for _ in range(3)]
    progress = follow(ids)
    assert progress.job_menu.value == ids[0]
    progress.job_menu.value = ids[1]
    progress.cancel_one.click()
    assert client.status(ids[1])["status"] == "cancelled"
    assert client.status(ids[0])["status"] == "queued"
    progress.cancel_all.click()
    progress.wait(timeout_s=20)
    assert {body["status"] for body in progress.statuses.values()} == {"cancelled"}


def test_a_time_limit_raises(submit, follow):
    progress = follow([submit()])
    with pytest.raises(TimeoutError, match="1 of 1 jobs had not ended"):
        progress.wait(timeout_s=0.05)


def test_a_store_error_is_shown_and_retried(submit, run_job, follow, client, monkeypatch):
    layout_id = submit()
    away, record = threading.Event(), threading.Event()
    away.set()
    ask = client.status

    def status(layout_id):
        if away.is_set():
            raise OutsideServiceError("the store <s3> does not answer")
        return ask(layout_id)

    monkeypatch.setattr(client, "status", status)
    progress = follow([layout_id])
    progress.error.observe(lambda _: record.set(), names="value")
    if not progress.error.value:
        assert record.wait(20)
    assert "&lt;s3&gt; does not answer" in progress.error.value
    run_job(layout_id)
    away.clear()
    progress.wait(timeout_s=20)
    assert progress.error.value == ""


def test_only_the_first_of_many_jobs_are_shown(submit, follow, monkeypatch):
    monkeypatch.setattr(module, "MOST_LINES", 2)
    progress = follow([submit() for _ in range(5)])
    assert "and 3 more" in progress.lines.value


def test_no_jobs_are_no_error(follow):
    progress = follow({})
    assert str(progress.wait(timeout_s=20)) == "No jobs."
    assert "no jobs" in progress.message.value


def test_it_shows_itself(follow, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    progress = follow({})
    progress._ipython_display_()
    assert shown == [progress.widget]
