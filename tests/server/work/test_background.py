"""Background jobs: a few at a time, known while they wait, gone when they end."""
# ruff: noqa: ASYNC110 (what is waited for happens in other processes)

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from pacifico.errors import OutsideServiceError
from pacifico.server.work.background import BackgroundJobs


def process(code):
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)


def test_each_job_runs_once_and_waits_for_its_turn():
    started = []

    def start(owner, layout_id):
        started.append(layout_id)
        return process("input()")

    async def main():
        with ThreadPoolExecutor(2) as threads:
            running = []
            jobs = BackgroundJobs(1, threads, lambda o, i: running.append(start(o, i)) or running[-1])
            for layout_id in ("a", "b", "a", "c"):
                jobs.add("ann", layout_id)
            while not running:
                await asyncio.sleep(0.01)  # the process is another's
            assert started == ["a"]
            assert jobs.knows("ann", "b")
            jobs.forget("ann", "b")
            for number in range(2):
                while len(running) <= number:
                    await asyncio.sleep(0.01)
                running[number].communicate(b"\n")
            while jobs.knows("ann", "c"):
                await asyncio.sleep(0.01)
            assert not jobs.knows("ann", "a")

    asyncio.run(main())
    assert started == ["a", "c"]


def test_a_job_that_can_not_start_is_dropped():
    def start(owner, layout_id):
        raise OutsideServiceError("no room")

    async def main():
        with ThreadPoolExecutor(1) as threads:
            jobs = BackgroundJobs(1, threads, start)
            jobs.add("ann", "a")
            while jobs.knows("ann", "a"):
                await asyncio.sleep(0.01)

    asyncio.run(main())


def test_a_closing_server_leaves_running_jobs_alone():
    running = []

    async def main():
        with ThreadPoolExecutor(1) as threads:
            jobs = BackgroundJobs(1, threads, lambda o, i: running.append(process("input()")) or running[-1])
            jobs.add("ann", "a")
            while not running:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            jobs.close()

    asyncio.run(main())
    (one,) = running
    one.returncode = None
    assert one.poll() is None
    one.communicate(b"\n")
