"""A clip opens to the very same elevation as its source, whatever the source is like."""

import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import CRS

from pacifico.crs import LONLAT, reproject, transformer, utm
from pacifico.errors import DEMError
from pacifico.site.boundary import read_site
from pacifico.site.model import Site
from pacifico.terrain.clip import clip_source, is_clip, open_clip
from pacifico.terrain.dem import open_dem
from pacifico.terrain.sources import sample_site_path

FIELD = Path(os.environ.get("PACIFICO_FIELD_DATA", Path(__file__).parents[3] / "shared" / "data"))


def same(a, b):
    np.testing.assert_array_equal(a.values, b.values)
    np.testing.assert_array_equal(a.x, b.x)
    np.testing.assert_array_equal(a.y, b.y)
    for name in sorted(set(a.attrs) | set(b.attrs)):
        if name != "between_cells":
            assert a.attrs[name] == b.attrs[name], name
    assert a.spatial_ref.attrs["crs_wkt"] == b.spatial_ref.attrs["crs_wkt"]


@pytest.fixture
def site():
    crs = utm(-93.7, 41.9)
    centre = reproject(shapely.Point(-93.7, 41.9), LONLAT, crs)
    return Site("box", crs, shapely.box(centre.x - 400, centre.y - 300, centre.x + 400, centre.y + 300))


CASES = {
    "utm": ("EPSG:32615", 10.0, -10.0, "float32", {}, {}),
    "degrees": ("EPSG:4326", 1 / 7200, -1 / 10800, "float64", {}, {}),
    "south-up": ("EPSG:32615", 10.0, 10.0, "float32", {}, {}),
    "feet": ("EPSG:32615", 10.0, -10.0, "int16", {"nodata": -9999}, {"unit": "US survey foot"}),
    "scaled": ("EPSG:32615", 7.0, -11.0, "int32", {"nodata": -9999}, {"scale": 0.1, "offset": 50.0}),
    "compound": ("EPSG:26915+6360", 10.0, -10.0, "float32", {"nodata": -3.4e38}, {}),
    "state plane": ("EPSG:3417", 30.0, -30.0, "float32", {}, {}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("resolution", [None, 8.0])
def test_the_clip_opens_like_its_source(case, resolution, site, tmp_path):
    name, a, e, kind, profile, band = CASES[case]
    crs = CRS.from_user_input(name)
    flat = crs.sub_crs_list[0] if crs.is_compound else crs
    x, y = reproject(site.boundary.centroid, site.crs, flat).coords[0]
    ny = nx = 400
    transform = Affine(a, 0, x - nx / 2 * a + a / 3, 0, e, y - ny / 2 * e)
    z = (200 + 40 * np.sin(np.arange(nx) / 17)[None, :] + np.arange(ny)[:, None] / 9).astype(kind)
    if "nodata" in profile:
        z[195:205, 195:199] = profile["nodata"]
    source = tmp_path / "my ground.tif"
    with rasterio.open(
        source, "w", driver="GTiff", height=ny, width=nx, count=1, dtype=kind, crs=crs.to_wkt(), transform=transform, **profile
    ) as out:  # fmt: skip
        out.write(z, 1)
        if "unit" in band:
            out.set_band_unit(1, band["unit"])
        if "scale" in band:
            out.scales, out.offsets = (band["scale"],), (band["offset"],)

    clip = clip_source(site, source, tmp_path / "dem.tif", resolution_m=resolution)
    straight = open_dem(site, source, resolution_m=resolution)
    same(open_clip(site, clip, resolution_m=resolution), straight)
    assert straight.attrs["source"] == "my ground.tif"
    assert is_clip(clip)
    assert not is_clip(source)
    with rasterio.open(clip) as raster, rasterio.open(source) as whole:
        assert raster.width * raster.height < 0.7 * whole.width * whole.height
        assert raster.transform.a == pytest.approx(whole.transform.a, rel=1e-12)
        assert CRS.from_wkt(raster.crs.to_wkt()).equals(CRS.from_wkt(whole.crs.to_wkt()), ignore_axis_order=True)


def test_the_sample_is_clipped_like_any_other(tmp_path):
    site = read_site(sample_site_path())
    clip = clip_source(site, "sample", tmp_path / "dem.tif")
    same(open_clip(site, clip), open_dem(site, "sample"))


def test_a_file_that_is_no_clip_is_refused(site, tmp_path):
    path = tmp_path / "x.tif"
    path.write_bytes(b"not a raster")
    assert not is_clip(path)
    with pytest.raises(DEMError, match="not a clip"):
        open_clip(site, path)


def test_a_clip_that_was_cropped_filled_or_moved_is_refused(tmp_path):
    site = read_site(sample_site_path())
    whole = clip_source(site, "sample", tmp_path / "dem.tif")
    with rasterio.open(whole) as raster:
        profile, values, tags = raster.profile, raster.read(1), raster.tags()
    cut = {**profile, "width": profile["width"] - 3}
    at = profile["transform"]
    moved = {**profile, "transform": Affine(at.a, at.b, at.c + at.a, at.d, at.e, at.f)}
    cases = {"cropped": (cut, values[:, 3:]), "filled": (profile, values + 1), "moved": (moved, values)}
    for case, (about, cells) in cases.items():
        path = tmp_path / f"{case}.tif"
        with rasterio.open(path, "w", **about) as out:
            out.write(cells, 1)
            out.update_tags(**tags)
        assert is_clip(path)
        with pytest.raises(DEMError, match=f"{case}.tif was changed after pacifico wrote it"):
            open_clip(site, path)


def test_a_clip_with_other_bands_is_refused(tmp_path):
    site = read_site(sample_site_path())
    whole = clip_source(site, "sample", tmp_path / "dem.tif")
    with rasterio.open(whole) as raster:
        profile, values, tags = raster.profile, raster.read(1), raster.tags()
    for about in ({"count": 2}, {"dtype": "int16", "predictor": 2, "nodata": None}):
        path = tmp_path / "other.tif"
        with rasterio.open(path, "w", **{**profile, **about}) as out:
            out.write(values.astype(out.dtypes[0]), 1)
            out.update_tags(**tags)
        with pytest.raises(DEMError, match="a clip has one of float32 or float64"):
            open_clip(site, path)


@pytest.mark.field
@pytest.mark.skipif(not FIELD.is_dir(), reason="no field data")
@pytest.mark.parametrize("path", sorted((FIELD / "dem").glob("*.tif")), ids=lambda p: p.stem)
def test_real_terrain(path, tmp_path):
    site = read_site(FIELD / "sites" / f"{path.stem}.geojson")
    same(open_clip(site, clip_source(site, path, tmp_path / "dem.tif")), open_dem(site, path))


def site_at(lon, lat, half=700):
    crs = utm(lon, lat)
    x, y = transformer(LONLAT, crs).transform(lon, lat)
    return Site("site", crs, shapely.box(x - half, y - half, x + half, y + half))


def test_a_clip_of_a_named_source_opens_to_the_same(server, settings, tmp_path):
    server.put_glo30(tmp_path, -96, 44)
    site = site_at(-95.5, 44.5)
    first = open_dem(site, "glo30", settings=settings)
    kept = open_clip(site, clip_source(site, "glo30", tmp_path / "clip.tif", settings=settings))
    assert first.identical(kept)
