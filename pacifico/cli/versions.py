"""`pacifico --show-versions`: what a bug report needs."""

from __future__ import annotations

import argparse
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from pacifico._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES = (
    "numpy", "numba", "scipy", "shapely", "pyproj", "rasterio", "rioxarray", "xarray", "geopandas", "pandas", "pyogrio",
    "scikit-image", "matplotlib", "papermill", "nbclient", "nbconvert", "jupyterlab", "ipyleaflet", "boto3", "pvlib",
    "ezdxf", "pydantic",
)  # fmt: skip


def versions() -> list[tuple[str, str]]:
    """Names and versions of pacifico, Python, the platform and the packages that matter."""
    found = [("pacifico", __version__), ("python", sys.version.split()[0]), ("platform", platform.platform())]
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            found.append((name, "not installed"))
    return found


class ShowVersions(argparse.Action):
    """Option that prints all versions and exits."""

    def __init__(self, option_strings: Sequence[str], dest: str, **more: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **more)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print and exit."""
        rows = versions()
        width = max(len(name) for name, _ in rows)
        print("\n".join(f"{name:{width}s}  {text}" for name, text in rows))
        parser.exit(0)
