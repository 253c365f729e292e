"""The common type of processor is one that this machine is of."""

from __future__ import annotations

import pytest

from pacifico import processor


@pytest.mark.parametrize(
    ("machine", "missing", "name"),
    [("x86_64", None, "x86-64-v3"), ("AMD64", None, "x86-64-v3"), ("x86_64", "avx2", ""), ("arm64", None, "generic"), ("riscv64", None, "")],
)  # fmt: skip
def test_the_common_processor_has_only_what_this_machine_has(monkeypatch, machine, missing, name):
    features = dict.fromkeys((*processor._V3, "avx512f"), True)
    if missing:
        features[missing] = False
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_features", lambda: features)
    monkeypatch.setattr(processor.platform, "machine", lambda: machine)
    assert processor.common_processor() == name
