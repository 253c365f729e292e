"""A small site with a DEM, and `pacifico layout` run in this process."""

import json

import numpy as np
import pytest

from pacifico.cli import main

RING = [[-93.000, 41.540], [-92.994, 41.540], [-92.994, 41.545], [-93.000, 41.545], [-93.000, 41.540]]


def feature(ring, **properties):
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def square(lon, lat, size):
    return [[lon, lat], [lon + size, lat], [lon + size, lat + size], [lon, lat + size], [lon, lat]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A site of some 28 ha and a gently rolling DEM under it."""
    import rasterio
    from rasterio import Affine

    where = tmp_path_factory.mktemp("cli")
    (where / "site.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature(RING)]}))
    x, y = np.meshgrid(np.arange(130) * 10.0, np.arange(130) * 10.0)
    for name, z in (("dem", 100 + 0.01 * x + 2 * np.sin(y / 150)), ("steep", 0.6 * x), ("void", np.nan * x)):
        with rasterio.open(
            where / f"{name}.tif", "w", driver="GTiff", height=130, width=130, count=1, dtype="float32",
            crs="EPSG:32615", transform=Affine(10, 0, 499_600, 0, -10, 4_600_100), nodata=np.nan,
        ) as out:  # fmt: skip
            out.write(z.astype("float32"), 1)
    return where


@pytest.fixture
def run(folder, tmp_path, capsys):
    """Run `pacifico layout` in this process: status, stdout, stderr, output path."""

    def call(*options, dem="dem.tif", out=None, boundary="site.geojson"):
        out = out or tmp_path / "layout.geojson"
        ground = ["--dem", str(folder / dem)] if dem else []
        try:
            status = main.main(["layout", str(folder / boundary), *ground, *options, "--out", str(out)])
        except SystemExit as error:
            status = error.code
        said = capsys.readouterr()
        return status, said.out, said.err, out

    return call
