"""The worker's stop."""

from __future__ import annotations

from pacifico.jobs.stop_signals import StopSignals
from worker.stop import Stop


def test_a_running_job_is_interrupted_after_its_grace():
    stop, signals = Stop(0.3), StopSignals()
    with stop.watch(signals):
        assert not stop.requested
        stop.request()
        stop.request()
        assert stop.requested
        assert not signals.interrupt.is_set()
        assert signals.interrupt.wait(60)
    assert stop.wait(0)


def test_a_job_that_has_ended_is_not_interrupted():
    stop, signals = Stop(0.0), StopSignals()
    with stop.watch(signals):
        pass
    stop.request()
    assert not signals.interrupt.wait(0.5)
