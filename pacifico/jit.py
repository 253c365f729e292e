"""njit for kernels, once the processor is chosen."""

from __future__ import annotations

from pacifico.processor import choose_processor

choose_processor()  # before numba is imported, which reads the choice

from numba import config, njit  # noqa: E402

config.reload_config()  # type: ignore[no-untyped-call]  # numba may have been imported before

__all__ = ["njit"]
