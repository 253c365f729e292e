"""Kernels: environment and end."""

from __future__ import annotations

import sys

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.run import kernel as kernels


@pytest.mark.parametrize(
    "name", ["AWS_PROFILE", "MY_SECRET", "GITHUB_TOKEN", "DB_PASSWORD", "API_KEY", "PACIFICO_STORE", "PYTHONSTARTUP"]
)
def test_what_looks_like_a_credential_is_left_out(name):
    assert kernels.scrubbed({name: "x", "PATH": "/bin", "URL": "https://a:b@h"}) == {"PATH": "/bin"}


def test_a_call_in_a_thread_of_its_own_returns_and_raises():
    assert kernels.in_thread(lambda: 3) == 3
    with pytest.raises(KeyError):
        kernels.in_thread({}.popitem)


def test_code_that_fails_ahead_is_an_outside_fault(tmp_path):
    kernel = kernels.start(tmp_path)
    try:
        with pytest.raises(OutsideServiceError, match="ZeroDivisionError"):
            kernels.warm(kernel, "1 / 0")
    finally:
        kernels.stop(kernel)
    assert kernels.processes(kernel).memory_bytes() == 0


def test_every_kernel_name_means_this_interpreter():
    for name in ("python3", "conda-other"):
        assert kernels.specs().get_kernel_spec(name).argv[0] == sys.executable
