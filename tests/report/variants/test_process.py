"""Each strategy runs in a process of its own."""

import signal
import subprocess
import sys

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.report.variants import generate_variants, process


def test_a_process_that_dies_leaves_the_others_intact(field, monkeypatch):
    start = process.start

    def one_dies(folder, strategy):
        if strategy != "density":
            return start(folder, strategy)
        with (folder / "density.err").open("wb") as err:
            code = "import sys, os; print('out of memory, say', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)"
            return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=err)

    monkeypatch.setattr(process, "start", one_dies)
    found = generate_variants(*field, strategies=("density", "balanced"), target_capacity_kw=1500, processes=1)
    assert list(found.plans) == ["balanced"]
    (lost,) = found.failures
    assert lost.lost
    assert "signal 9: out of memory, say" in lost.message
    assert found.short
    with pytest.raises(OutsideServiceError, match="no variant was made: density: its process ended with signal 9"):
        generate_variants(*field, strategies=("density",))


def test_an_interrupt_leaves_no_process(field, monkeypatch):
    started = []
    start = process.start

    def watched(folder, strategy):
        started.append(start(folder, strategy))
        return started[-1]

    monkeypatch.setattr(process, "start", watched)

    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(process.time, "sleep", stop)
    with pytest.raises(KeyboardInterrupt):
        generate_variants(*field, strategies=("density", "balanced"), processes=2)
    assert [p.returncode for p in started] == [-signal.SIGKILL] * 2
