"""Data that ships with the package: the sample site."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SAMPLE", "sample_site_path"]

SAMPLE = "sample"
"""Name of the sample site and of the sample terrain."""


def sample_site_path() -> Path:
    """Boundary file of the sample site."""
    with as_file(files("pacifico.data") / "sample-site.kml") as path:
        return path
