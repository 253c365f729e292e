"""Processes: results, errors, limits, and an end with their request."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from pacifico.errors import EditRefused, InputError, InternalError, OutsideServiceError
from pacifico.server.work.pool import Pool, TimeLimitError

CHILD = """
import json, os, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    task, given = asked["task"], asked["arguments"]
    if task == "sleep":
        print(json.dumps({"stage": ["sleeping", str(os.getpid())]}), flush=True)
        time.sleep(60)
    elif task == "die":
        os._exit(1)
    elif task == "garbage":
        print("garbage", flush=True)
    elif task == "environment":
        print(json.dumps({"result": sorted(os.environ)}), flush=True)
    elif task == "error":
        print(json.dumps({"error": [given["kind"], "x"]}), flush=True)
    else:
        print(json.dumps({"result": [os.getpid(), given]}), flush=True)
"""
COMMAND = (sys.executable, "-c", CHILD)


def run(main, *, timeout_s=20.0, count=1):
    async def whole():
        pool = Pool(count, timeout_s=timeout_s, command=COMMAND)
        try:
            return await main(pool)
        finally:
            await pool.stop()

    return asyncio.run(whole())


def gone(pid):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)  # the end of another's child is no event here
    return False


def test_one_process_serves_many_tasks():
    async def main(pool):
        return [await pool.run("ann", "echo", {"n": n}) for n in range(3)]

    found = run(main)
    assert [given for _, given in found] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert len({pid for pid, _ in found}) == 1


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("input", InputError),
        ("edit_refused", EditRefused),
        ("outside", OutsideServiceError),
        ("internal", InternalError),
    ],
)
def test_errors_come_back_as_they_were(kind, error):
    async def main(pool):
        await pool.run("ann", "error", {"kind": kind})

    with pytest.raises(error):
        run(main)


@pytest.mark.parametrize("task", ["die", "garbage"])
def test_a_process_that_ends_or_babbles_is_replaced(task):
    async def main(pool):
        with pytest.raises(OutsideServiceError):
            await pool.run("ann", task, {})
        return await pool.run("ann", "echo", {})

    assert run(main)[1] == {}


def test_a_cancelled_call_ends_its_process():
    async def main(pool):
        begun = asyncio.Event()
        pids = []

        def on_stage(stage, message):
            pids.append(int(message))
            begun.set()

        task = asyncio.create_task(pool.run("ann", "sleep", {}, on_stage=on_stage))
        await asyncio.wait_for(begun.wait(), 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return pids[0], await pool.run("ann", "echo", {})

    pid, (other, _) = run(main)
    assert gone(pid)
    assert pid != other


def test_a_task_that_takes_too_long_ends():
    async def main(pool):
        with pytest.raises(TimeLimitError, match="respond-async"):
            await pool.run("ann", "sleep", {})

    run(main, timeout_s=0.5)


def test_a_process_sees_no_credentials(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("JPY_API_TOKEN", "x")
    monkeypatch.setenv("PACIFICO_STORE", "x")

    async def main(pool):
        return await pool.run("ann", "environment", {})

    assert not {"AWS_SECRET_ACCESS_KEY", "JPY_API_TOKEN", "PACIFICO_STORE"} & set(run(main))


def test_a_closed_pool_starts_nothing():
    async def main(pool):
        pool.close()
        with pytest.raises(OutsideServiceError, match="stopping"):
            await pool.run("ann", "echo", {})

    run(main)
