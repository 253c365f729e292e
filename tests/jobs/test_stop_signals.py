"""Signals to a running job."""

from __future__ import annotations

import pytest

from pacifico.jobs.settings import from_environment
from pacifico.jobs.stop_signals import AFTER_GRACE_S, StoppedError, StopSignals


@pytest.mark.parametrize("which", ["interrupt", "abandon"])
def test_either_signal_stops(which):
    signals = StopSignals()
    signals.check()
    getattr(signals, which).set()
    assert signals.stopped
    with pytest.raises(StoppedError):
        signals.check()


def test_grace_report_upload_and_hand_back_fit_before_the_kill():
    """ECS kills 120 s after SIGTERM at most."""
    assert from_environment({"PACIFICO_STORE": "s", "PACIFICO_OWNER": "o"}).stop_grace_s + AFTER_GRACE_S <= 120
