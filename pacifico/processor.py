"""The processor type that kernels are compiled for.

By default numba compiles for the very processor that it runs on, and finds a compiled kernel only where type and features are equal.
For a common type, kernels compiled ahead are found on every machine, and every machine computes with the same instructions.
"""

from __future__ import annotations

import os
import platform

_V3 = ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
"""Features of x86-64-v3 by LLVM's names, beyond those that numba needs anyway (System V ABI, x86-64 psABI 1.0, table 3.1)."""


def choose_processor() -> None:
    """Have numba compile for the common processor.

    It holds for this process and its children. `NUMBA_CPU_NAME` or `NUMBA_CPU_FEATURES` in the environment prevails. Call it before numba is imported.
    """
    if "NUMBA_CPU_NAME" not in os.environ and "NUMBA_CPU_FEATURES" not in os.environ and (name := common_processor()):
        os.environ["NUMBA_CPU_NAME"] = name
        os.environ["NUMBA_CPU_FEATURES"] = ""  # those of the type alone, not what this machine has beyond


def common_processor() -> str:
    """Return LLVM's name of the common processor.

    It is empty where this machine lacks one of its features.

    Examples
    --------
    >>> common_processor() in ("x86-64-v3", "generic", "")
    True
    """
    machine = platform.machine().lower()
    if machine in ("x86_64", "amd64"):
        from llvmlite.binding import get_host_cpu_features  # noqa: PLC0415 (only what computes needs LLVM)

        features = get_host_cpu_features()
        return "x86-64-v3" if all(features.get(name) for name in _V3) else ""
    return "generic" if machine in ("aarch64", "arm64") else ""
