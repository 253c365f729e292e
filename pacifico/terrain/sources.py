"""Names of elevation sources, and the sample terrain that ships with matplotlib."""

from __future__ import annotations

from difflib import get_close_matches
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
"""Sources on public servers."""
SAMPLE_TRANSFORM = (1 / 1200, 0.0, -84.41375, 0.0, -1 / 1200, 36.73291666666667)
"""Affine coefficients of the sample: cells of 3 arc-seconds from the north-west corner.

The file's own ymin and ymax are swapped.
"""


def suggestion(source: str) -> str | None:
    """Named source that a misspelt name is close to, or None."""
    known = {name.replace("-", ""): name for name in (*NAMED, SAMPLE)}
    plain = "".join(letter for letter in source.lower() if letter.isalnum())
    other = {"glo": "glo30", "glo90": "glo30", "copernicus": "glo30", "copernicus30": "glo30", "copdem": "glo30"}
    other |= {"ned": "3dep", "usgs": "3dep", "usgs3dep": "3dep", "srtm": "glo30"}
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
