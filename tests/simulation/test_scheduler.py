"""Simulated processes: their order, their clocks and their deaths."""

from __future__ import annotations

from collections import deque

from simulation.scheduler import Killed, Process, Scheduler


def run(scheduler, until=1e6):
    scheduler.run(until, lambda: False)
    scheduler.close()


def test_tasks_run_in_the_order_of_their_times():
    scheduler, said = Scheduler(), []

    def say(name, pause):
        for _ in range(2):
            scheduler.sleep(pause)
            said.append((name, scheduler.now))

    scheduler.spawn(Process("a"), lambda: say("a", 2.0))
    scheduler.spawn(Process("b"), lambda: say("b", 3.0))
    run(scheduler)
    assert said == [("a", 2.0), ("b", 3.0), ("a", 4.0), ("b", 6.0)]


def test_a_wait_ends_by_a_wake_or_by_its_time():
    scheduler, waiters, said = Scheduler(), deque(), []

    def wait(seconds):
        scheduler.wait(waiters, seconds)
        said.append(scheduler.now)

    scheduler.spawn(Process("short"), lambda: wait(1.0))
    scheduler.spawn(Process("woken"), lambda: wait(None))
    scheduler.at(5.0, lambda: scheduler.wake_all(waiters))
    run(scheduler)
    assert said == [1.0, 5.0]


def test_a_killed_process_runs_nothing_more():
    scheduler, said = Scheduler(), []
    process = Process("victim")

    def work():
        try:
            scheduler.sleep(10.0)
            said.append("worked")
        except Exception:  # noqa: BLE001 (what a kill must pass)
            said.append("caught")
        finally:
            try:
                scheduler.sleep(1.0)
            except Killed:
                said.append("dead")
            raise Killed

    ended = []
    scheduler.spawn(process, work, on_end=ended.append)
    scheduler.at(5.0, lambda: scheduler.kill(process))
    run(scheduler)
    assert (said, ended) == (["dead"], [None])


def test_a_pause_stops_a_process_and_a_suspension_its_clock_too():
    scheduler, clocks = Scheduler(), []
    for stops in (False, True):
        process = Process(str(stops))

        def work():
            scheduler.sleep(10.0)
            clocks.append((scheduler.now, scheduler.monotonic()))

        scheduler.spawn(process, work)
        scheduler.at(5.0, lambda p=process, s=stops: scheduler.pause(p, 100.0, clock_stops=s))
    run(scheduler)
    assert clocks == [(105.0, 105.0), (105.0, 5.0)]
