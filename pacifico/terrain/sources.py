"""Names of elevation sources, and the sample terrain that ships with matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import DEMError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SAMPLE = "sample"


@dataclass(frozen=True)
class ErrorModel:
    """Relative error of an elevation source."""

    rmse_m: float
    correlation_m: float
    basis: str
    """Source of the numbers."""


@dataclass(frozen=True)
class NamedSource:
    """Elevation source on a public server."""

    coverage: str
    url: str
    """Address of the raster, or of the folder of its tiles."""
    url_variable: str
    """Environment variable that replaces the address."""
    error: ErrorModel
    aliases: tuple[str, ...] = ()
    """Other names that people give it."""


NAMED: Mapping[str, NamedSource] = {
    "3dep": NamedSource(
        "the United States",
        "https://prd-tnm.s3.amazonaws.com/StagedProducts/Elevation/13/TIFF/USGS_Seamless_DEM_13.vrt",
        "PACIFICO_3DEP_URL",
        ErrorModel(0.8, 100.0, "USGS 3DEP accuracy, 0.8 m; correlation over 100 m assumed"),
        ("ned", "usgs", "usgs3dep"),
    ),
    "3dep-30": NamedSource(
        "the United States",
        "https://prd-tnm.s3.amazonaws.com/StagedProducts/Elevation/1/TIFF/USGS_Seamless_DEM_1.vrt",
        "PACIFICO_3DEP30_URL",
        ErrorModel(0.8, 150.0, "USGS 3DEP accuracy, 0.8 m; correlation over 150 m assumed"),
    ),
    "glo30": NamedSource(
        "the world's land",
        "https://copernicus-dem-30m.s3.amazonaws.com",
        "PACIFICO_GLO30_URL",
        ErrorModel(2.0, 200.0, "Copernicus GLO-30, 2 m relative; correlation over 200 m assumed"),
        ("glo", "glo90", "copernicus", "copernicus30", "copdem", "srtm"),
    ),
}
"""Sources on public servers.

To add one, name it in `pacifico.vocabulary` and describe it here. A raster at one address needs no more; tiles need a
reader in `pacifico.terrain.named`.
"""
SAMPLE_TRANSFORM = (1 / 1200, 0.0, -84.41375, 0.0, -1 / 1200, 36.73291666666667)
"""Affine coefficients of the sample: cells of 3 arc-seconds from the north-west corner.

The file's own ymin and ymax are swapped.
"""


def suggestion(source: str) -> str | None:
    """Named source that a misspelt name is close to, or None."""
    known = {name.replace("-", ""): name for name in (*NAMED, SAMPLE)}
    plain = "".join(letter for letter in source.lower() if letter.isalnum())
    other = {alias: name for name, described in NAMED.items() for alias in described.aliases}
    if any(character in source for character in "./\\:"):
        return None
    close = get_close_matches(plain, known, n=1, cutoff=0.7)
    return known[close[0]] if close else other.get(plain)


def sample_elevation() -> NDArray[np.int16]:
    """Elevation around the Jacksboro fault, Tennessee [m].

    344 x 403 cells of 3 arc-seconds in WGS 84, read from matplotlib's sample data without importing matplotlib.

    Raises
    ------
    DEMError
        matplotlib is absent, or was packed without its sample data.
    """
    spec = find_spec("matplotlib")
    home = Path(spec.origin).parent if spec is not None and spec.origin is not None else None
    path = home / "mpl-data" / "sample_data" / "jacksboro_fault_dem.npz" if home is not None else None
    if path is None or not path.is_file():
        raise DEMError(
            "the sample terrain is part of matplotlib's sample data, which is missing here; reinstall matplotlib"
        )
    with np.load(path) as stored:
        return np.ascontiguousarray(stored["elevation"], dtype=np.int16)


def sample_site_path() -> Path:
    """Path of the KML of the demo site on the sample terrain."""
    with as_file(files("pacifico.data") / "sample-site.kml") as path:
        return Path(path)
