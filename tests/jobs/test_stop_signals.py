"""Signals to a running job."""

from __future__ import annotations

import pytest

from pacifico.jobs.stop_signals import StoppedError, StopSignals


@pytest.mark.parametrize("which", ["interrupt", "abandon"])
def test_either_signal_stops(which):
    signals = StopSignals()
    signals.check()
    getattr(signals, which).set()
    assert signals.stopped
    with pytest.raises(StoppedError):
        signals.check()
