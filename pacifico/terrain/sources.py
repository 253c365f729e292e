"""Where elevation comes from: named sources, and the sample that ships with matplotlib."""

from __future__ import annotations

from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import DEMError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE = "sample"
NAMED = ("3dep", "3dep-30", "glo30")
"""Read from public servers."""
SAMPLE_TRANSFORM = (1 / 1200, 0.0, -84.41375, 0.0, -1 / 1200, 36.73291666666667)
"""Affine coefficients of the sample: 3 arc-seconds, north-west corner; the file's ymin and ymax are swapped."""


def sample_elevation() -> NDArray[np.int16]:
    """Elevation around the Jacksboro fault, Tennessee: 344 x 403 cells of 3 arc-seconds [m], WGS 84.

    Read from matplotlib's sample data without importing matplotlib.

    Raises
    ------
    DEMError
        Where matplotlib is absent or was packed without its sample data.
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
    """Path of the demo site's KML, which lies on the sample terrain."""
    with as_file(files("pacifico.data") / "sample-site.kml") as path:
        return Path(path)
