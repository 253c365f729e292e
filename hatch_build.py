"""Add compiled kernels to a wheel, where PACIFICO_SHIP_KERNELS is set; such a wheel fits one platform and Python.

The environment of the build compiles them, so it must hold pacifico's dependencies: `python -m hatchling build -t wheel`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShipKernels(BuildHookInterface[Any]):
    """Compiles the kernels of a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the kernels and name the platform, before the wheel is written."""
        if version == "editable" or not os.environ.get("PACIFICO_SHIP_KERNELS"):
            return
        self._scratch = tempfile.TemporaryDirectory()
        folder = Path(self._scratch.name, "compiled")
        subprocess.run([sys.executable, "-m", "pacifico.compiling", "--ship", folder], cwd=self.root, check=True)
        build_data["force_include"][str(folder)] = "pacifico/compiled"
        build_data["pure_python"] = False
        build_data["tag"] = _tag()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove the compiled kernels."""
        if hasattr(self, "_scratch"):
            self._scratch.cleanup()


def _tag() -> str:
    """Tag of this Python and platform. Kernels call no library but libm, so Linux needs no newer glibc than numba does."""
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_").replace("linux_", "manylinux2014_")
    return f"{python}-{python}-{platform}"
