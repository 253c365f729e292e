"""Ten thousand schedules of crashes, outages, lost replies and clock steps: no job lost, doubled, mislabelled or stuck."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from simulation.faults import QUEUE_FAULTS, REQUEST_FAULTS, RUN_FAULTS, calm_plan
from simulation.schedules import run_schedule

ROOT = Path(__file__).parents[2]
PART = 250


@pytest.mark.usefixtures("product")
@pytest.mark.parametrize("first", range(0, 10_000, PART))
def test_no_job_is_lost_doubled_mislabelled_or_stuck(first):
    broken = {
        seed: result.violations for seed in range(first, first + PART) if (result := run_schedule(seed)).violations
    }
    assert broken == {}, f"replay with: python -m tests.simulation --seed {next(iter(broken))}"


@pytest.mark.usefixtures("product")
@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(11_424, id="a redrive whose client was killed takes effect after another client's submit"),
        pytest.param(21_607, id="a takeover is written after the clock was set back and the lease read again"),
        pytest.param(40_592, id="a takeover is tried again after the clock was set back"),
        pytest.param(48_986, id="a lease is renewed after the clock was set forward"),
        pytest.param(55_785, id="a late renewal is read back: its lease runs since it was done"),
        pytest.param(37_202, id="a late claim is done while its worker is suspended"),
        pytest.param(81_228, id="a sweeping worker is suspended while a job of its letters is redriven"),
    ],
)
def test_rare_schedules_hold(seed):
    assert run_schedule(seed).violations == []


@pytest.mark.usefixtures("product")
def test_schedules_see_every_fault_and_every_ending():
    faults, endings = Counter(), Counter()
    for seed in range(200):
        result = run_schedule(seed, trace=True)
        faults.update(fault for *_, fault in result.trace if fault)
        endings.update(result.endings)
    assert set(faults) == set(REQUEST_FAULTS)
    assert {"completed", "failed", "cancelled"} <= set(endings)
    assert len(QUEUE_FAULTS) == 4
    assert len(RUN_FAULTS) == 7


_DIGEST = """
import hashlib
from tests.simulation.schedules import prepare_sites, run_schedule
from tests.simulation.seams import simulated
with simulated():
    prepare_sites()
    print(hashlib.sha256(repr([run_schedule(seed, trace=True).trace for seed in range(5)]).encode()).hexdigest())
"""


@pytest.mark.usefixtures("product")
def test_a_seed_is_the_same_schedule_in_every_process():
    here = hashlib.sha256(repr([run_schedule(seed, trace=True).trace for seed in range(5)]).encode()).hexdigest()
    there = subprocess.run(
        [sys.executable, "-c", _DIGEST],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == here


@pytest.mark.usefixtures("product")
@pytest.mark.parametrize("process", ["worker 0.1", "client"])
def test_every_fault_at_every_request_of_a_job(process):
    """Each request by its name and how often it came before, so none is missed, whatever the timing."""
    plan = calm_plan(workers=1, jobs=1)
    trace = run_schedule(3, trace=True, plan=plan).trace
    seen, steps = Counter(), []
    for _, who, _, name, _ in trace:
        if who.startswith(process):
            steps.append((who, name, seen[name]))
            seen[name] += 1
    assert len(steps) >= (20 if process.startswith("worker") else 5)
    for step in steps:
        for fault in REQUEST_FAULTS:
            result = run_schedule(3, trace=True, plan=calm_plan(workers=1, jobs=1), aim=(*step, fault))
            assert [line for line in result.trace if line[4] == fault], f"{step} did not come"
            assert result.violations == [], f"{fault} at {step}"
