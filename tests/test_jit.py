"""Kernels are compiled for the common type of processor, or the one that the environment names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pacifico import processor

ROOT = Path(__file__).resolve().parents[1]


def chosen(**given):
    """Name and features of the processor that kernels are compiled for, in a process with these settings."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_CPU")} | given
    code = (
        "from pacifico.terrain._kernels import surface; from numba.core.registry import cpu_target; "
        "print(*cpu_target.target_context.codegen().magic_tuple()[1:], sep='|')"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, env=env, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()


def test_kernels_are_compiled_for_the_common_processor():
    name = processor.common_processor()
    assert chosen().startswith(f"{name}|")
    assert not name or chosen() == f"{name}|"


def test_the_environment_prevails():
    assert chosen(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="") == "generic|"
