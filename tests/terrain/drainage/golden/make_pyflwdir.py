"""Write `pyflwdir-0.5.12.npz`: depressions filled, and flow directions, by pyflwdir.

Install pyflwdir 0.5.12 (MIT licence), then run `python tests/terrain/drainage/golden/make_pyflwdir.py`.
"""

from importlib import import_module
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    y, x = np.mgrid[0:30, 0:24]
    z = 50 + 5 * np.sin(x / 7.3) + 4 * np.cos(y / 6.1) + 0.31 * x + 0.17 * y
    z += np.random.default_rng(1).normal(0, 0.5, x.shape)
    filled, d8 = import_module("pyflwdir.dem").fill_depressions(z, nodata=-9999.0)
    np.savez_compressed(Path(__file__).parent / "pyflwdir-0.5.12.npz", z=z, filled=filled, d8=d8)
