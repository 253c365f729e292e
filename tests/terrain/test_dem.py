from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import shapely
from affine import Affine
from numpy.testing import assert_allclose, assert_array_equal
from pyproj import CRS

from pacifico.crs import METRES_PER_FOOT, METRES_PER_US_SURVEY_FOOT, transformer
from pacifico.errors import DEMError, OutsideServiceError
from pacifico.grid import Grid
from pacifico.site.model import Site
from pacifico.terrain.dem import level_ground, open_dem
from pacifico.terrain.remote import SourceSettings
from pacifico.terrain.sources import sample_elevation, sample_site_path
from pacifico.terrain.surface import aspect, slope

CENTRE = (446_000.0, 4_650_000.0)
UTM15 = CRS.from_epsg(32615)


def hill(x, y):
    east, north = x - CENTRE[0], y - CENTRE[1]
    return 300 + 0.02 * east + 0.01 * north + 12 * np.exp(-(((east - 100) / 250) ** 2) - ((north + 50) / 300) ** 2)


def plane(x, y):
    return 300 + 0.03 * (x - CENTRE[0]) - 0.04 * (y - CENTRE[1])


def errors_on_ground(dem, surface=hill):
    grid = Grid.of(dem)
    return (dem.values - surface(*np.meshgrid(grid.x_centres(), grid.y_centres())))[np.isfinite(dem.values)]


def lonlat_transform(step, *, rows=1.0):
    lon, lat = transformer(UTM15, CRS.from_epsg(4326)).transform(*CENTRE)
    return (step, 0.0, lon - 110 * step, 0.0, -step * rows, lat + (110 if rows == 1 else 160) * step * rows)


def test_a_dem_in_the_working_crs_is_cut_along_its_own_cells(site, make_raster):
    path = make_raster(transform=(10.0, 0.0, CENTRE[0] - 1103, 0.0, -10.0, CENTRE[1] + 1097))
    dem = open_dem(site, path)
    grid = Grid.of(dem)
    assert (grid.dx, grid.dy) == (10.0, 10.0)
    assert (grid.x0 - CENTRE[0] + 1103) % 10 == 0
    assert_array_equal(errors_on_ground(dem), 0.0)
    west, _, _, north = grid.bounds
    assert west <= CENTRE[0] - 800 < west + 10
    assert north - 10 < CENTRE[1] + 800 <= north
    assert dem.attrs["units"] == "m"
    assert dem.attrs["source"] == "dem.tif"
    assert dem.attrs["resolution_m"] == dem.attrs["source_resolution_m"] == 10.0
    assert dem.attrs["nodata_share"] == 0.0
    assert dem.attrs["units_assumed"] == "metres: no unit declared"
    assert dem.attrs["surface_model"] is False
    assert dem.attrs["warnings"] == ()


def rotated(degrees):
    turn = (
        Affine.translation(*CENTRE) @ Affine.rotation(degrees) @ Affine.scale(8, -12) @ Affine.translation(-150, -110)
    )
    return tuple(turn)[:6]


@pytest.mark.parametrize(
    ("label", "transform", "shape", "crs"),
    [
        ("same CRS, other grid", (9.0, 0.0, CENTRE[0] - 1100, 0.0, -9.0, CENTRE[1] + 1100), (240, 240), 32615),
        ("south-up", (10.0, 0.0, CENTRE[0] - 1100, 0.0, 10.0, CENTRE[1] - 1100), (220, 220), 32615),
        ("non-square", (14.0, 0.0, CENTRE[0] - 1100, 0.0, -6.0, CENTRE[1] + 1100), (370, 160), 32615),
        ("rotated", rotated(25), (220, 300), 32615),
        ("other zone", None, (240, 240), 32614),
        ("NAD83 Albers", None, (240, 240), 5070),
        ("Web Mercator", None, (330, 330), 3857),
        ("state plane in feet", None, (800, 800), 3418),
        ("geographic", lonlat_transform(1 / 10800), (220, 220), 4326),
        ("geographic, non-square", lonlat_transform(1 / 10800, rows=0.7), (320, 220), 4326),
    ],
)
def test_any_grid_gives_the_same_ground(site, make_raster, label, transform, shape, crs):
    """A surface written in every kind of grid comes back at the same places, slopes and aspects in true ground metres."""
    crs = CRS.from_epsg(crs)
    if transform is None:
        x, y = transformer(UTM15, crs).transform(*CENTRE)
        step = 10.0 / crs.axis_info[0].unit_conversion_factor
        if crs.axis_info[0].unit_conversion_factor != 1:
            step = 10.0
        transform = (step, 0.0, x - step * shape[1] / 2, 0.0, -step, y + step * shape[0] / 2)
    dem = open_dem(site, make_raster(transform=transform, shape=shape, crs=crs), resolution_m=10)
    assert np.isfinite(dem.values).all(), label
    # Bilinear interpolation of a 12 m hill with 10 m cells is good to centimetres; half a cell of shift is decimetres.
    assert_allclose(errors_on_ground(dem), 0.0, atol=0.03)
    assert dem.attrs["nodata_share"] == 0.0
    flat = open_dem(site, make_raster(plane, transform=transform, shape=shape, crs=crs), resolution_m=10)
    averaged = (
        flat.attrs["source_resolution_m"] < 10 / 1.5
    )  # whole source cells weighted by the warper: a little uneven
    assert_allclose(slope(flat, units="percent").values[5:-5, 5:-5], 5.0, rtol=1e-2 if averaged else 2e-3)
    assert_allclose(
        aspect(flat).values[5:-5, 5:-5], math.degrees(math.atan2(-0.03, 0.04)) % 360, atol=0.5 if averaged else 0.15
    )


def test_krovak_with_its_axes_to_the_south_and_west(tmp_path, make_raster):
    place = CRS.from_epsg(32633)
    x, y = transformer(CRS.from_epsg(4326), place).transform(15.5, 49.8)
    site = Site("cz", place, shapely.box(x - 300, y - 300, x + 300, y + 300))
    krovak = CRS.from_epsg(5514)
    kx, ky = transformer(place, krovak).transform(x, y)
    transform = (20.0, 0.0, kx - 2000, 0.0, -20.0, ky + 2000)
    column, row = np.meshgrid(np.arange(200) + 0.5, np.arange(200) + 0.5)
    east, north = transformer(krovak, place).transform(transform[2] + 20 * column, transform[5] - 20 * row)
    import rasterio

    path = tmp_path / "krovak.tif"
    with rasterio.open(path, "w", driver="GTiff", height=200, width=200, count=1, dtype="float64", crs="EPSG:5514",
                       transform=Affine(*transform)) as out:  # fmt: skip
        out.write(300 + 0.03 * (east - x) - 0.04 * (north - y), 1)
    dem = open_dem(site, path)
    grid = Grid.of(dem)
    xs, ys = np.meshgrid(grid.x_centres(), grid.y_centres())
    assert_allclose(dem.values, 300 + 0.03 * (xs - x) - 0.04 * (ys - y), atol=0.01)
    assert 19.9 < dem.attrs["resolution_m"] < 20.1


def test_ground_cells_of_web_mercator_and_degrees(site, make_raster):
    mercator = CRS.from_epsg(3857)
    x, y = transformer(UTM15, mercator).transform(*CENTRE)
    path = make_raster(transform=(10.0, 0.0, x - 1500, 0.0, -10.0, y + 1500), shape=(300, 300), crs=mercator)
    latitude = transformer(UTM15, CRS.from_epsg(4326)).transform(*CENTRE)[1]
    assert open_dem(site, path).attrs["source_resolution_m"] == pytest.approx(
        10 * math.cos(math.radians(latitude)), rel=0.01
    )
    degrees = make_raster(transform=lonlat_transform(1 / 10800), shape=(220, 220), crs=CRS.from_epsg(4326))
    want = math.sqrt(30.87 * 30.92 * math.cos(math.radians(latitude))) / 3
    assert open_dem(site, degrees).attrs["source_resolution_m"] == pytest.approx(want, rel=0.01)


@pytest.mark.parametrize(("cell", "resolution"), [(0.5, 1.0), (10.0, 10.0), (60.0, 30.0)])
def test_default_resolution_is_held_between_1_and_30_m(make_raster, cell, resolution):
    x, y = CENTRE
    small = Site("small", UTM15, shapely.box(x - 60, y - 60, x + 60, y + 60))
    n = int(900 / cell)
    path = make_raster(transform=(cell, 0.0, x - 450, 0.0, -cell, y + 450), shape=(n, n), dtype="float32")
    dem = open_dem(small, path)
    assert dem.attrs["resolution_m"] == resolution
    assert any("too coarse" in w for w in dem.attrs["warnings"]) == (cell > 30)


def test_averaged_when_much_coarser(site, make_raster, tmp_path):
    noise = np.random.default_rng(0)
    path = make_raster(
        lambda x, y: 100 + noise.normal(size=x.shape), transform=(10.0, 0, CENTRE[0] - 1100, 0, -10.0, CENTRE[1] + 1100)
    )
    fine = open_dem(site, path).values
    coarse = open_dem(site, path, resolution_m=100).values
    assert fine.std() == pytest.approx(1.0, abs=0.05)
    assert coarse[4:-4, 4:-4].std() == pytest.approx(0.1, abs=0.03)


def test_halo_can_be_asked_for(site, make_raster):
    west, south, east, north = Grid.of(open_dem(site, make_raster(), halo_m=50)).bounds
    assert (west, east) == (CENTRE[0] - 550, CENTRE[0] + 550)
    assert (south, north) == (CENTRE[1] - 550, CENTRE[1] + 550)


def test_hash_is_of_the_ground_read_and_not_of_the_file(site, make_raster):
    whole = open_dem(site, make_raster(name="a.tif"))
    again = open_dem(site, make_raster(name="b.tif", compress="deflate", tiled=True, blockxsize=64, blockysize=64))
    wider = (10.0, 0.0, CENTRE[0] - 1300, 0.0, -10.0, CENTRE[1] + 1300)
    inside = open_dem(site, make_raster(name="c.tif", transform=wider, shape=(260, 260)))
    other = open_dem(site, make_raster(lambda x, y: hill(x, y) + 0.01, name="d.tif"))
    assert whole.attrs["sha256"] == again.attrs["sha256"] == inside.attrs["sha256"] != other.attrs["sha256"]
    assert len(whole.attrs["sha256"]) == 64
    assert_array_equal(whole.values, inside.values)


@pytest.mark.parametrize(
    ("tag", "units", "factor", "told"),
    [
        (None, None, 1.0, "metres: no unit declared"),
        ("metre", None, 1.0, "metres: band unit tag"),
        ("ft", None, METRES_PER_FOOT, "feet: band unit tag"),
        ("US survey foot", None, METRES_PER_US_SURVEY_FOOT, "US survey feet: band unit tag"),
        (None, "ft", METRES_PER_FOOT, "feet: as asked"),
        ("metre", "ft", METRES_PER_FOOT, "feet: as asked"),
        ("ft", "m", 1.0, "metres: as asked"),
    ],
)
def test_heights_by_option_then_tag(site, make_raster, tag, units, factor, told):
    dem = open_dem(site, make_raster(units=tag), units=units)
    assert_allclose(errors_on_ground(dem, lambda x, y: hill(x, y) * factor), 0.0, atol=1e-9)
    assert dem.attrs["units_assumed"] == told
    assert bool(dem.attrs["warnings"]) == (tag is not None and units is not None)


@pytest.mark.parametrize(
    ("vertical", "factor", "told"),
    [
        ("EPSG:5703", 1.0, "metres: vertical CRS"),
        ("EPSG:8228", METRES_PER_FOOT, "feet: vertical CRS"),
        ("EPSG:6360", METRES_PER_US_SURVEY_FOOT, "US survey feet: vertical CRS"),
    ],
)
def test_heights_by_compound_crs(site, make_raster, vertical, factor, told):
    crs = CRS.from_user_input("EPSG:32615+" + vertical.removeprefix("EPSG:"))
    dem = open_dem(site, make_raster(crs=UTM15, name="c.tif"))
    import rasterio

    path = make_raster(name="compound.tif")
    with rasterio.open(path, "r+") as raster:
        raster.crs = rasterio.crs.CRS.from_wkt(crs.to_wkt())
    dem = open_dem(site, path)
    assert_allclose(errors_on_ground(dem, lambda x, y: hill(x, y) * factor), 0.0, atol=1e-9)
    assert dem.attrs["units_assumed"] == told


def test_scale_and_offset_tags(site, make_raster):
    stored = make_raster(lambda x, y: np.round((hill(x, y) - 1000) / 0.01), dtype="int32", scale=0.01, offset=1000.0)
    assert_allclose(errors_on_ground(open_dem(site, stored)), 0.0, atol=0.0051)


def test_feet_are_suspected_where_the_crs_is_in_feet(site, make_raster):
    crs = CRS.from_epsg(3418)
    x, y = transformer(UTM15, crs).transform(*CENTRE)
    path = make_raster(crs=crs, transform=(30.0, 0.0, x - 4500, 0.0, -30.0, y + 4500), shape=(300, 300))
    dem = open_dem(site, path)
    assert "DEM units option" in dem.attrs["warnings"][0]
    assert dem.attrs["source_resolution_m"] == pytest.approx(30 * METRES_PER_US_SURVEY_FOOT, rel=1e-3)
    assert open_dem(site, path, units="ft").attrs["warnings"] == ()


def holed(x, y):
    inside = (abs(x - CENTRE[0]) < 250) & (abs(y - CENTRE[1]) < 100)
    return np.where(inside, -9999.0, hill(x, y))


@pytest.mark.parametrize(("nodata", "said"), [(-9999.0, False), (None, True)])
def test_nodata_is_kept_and_told(site, make_raster, nodata, said):
    dem = open_dem(site, make_raster(holed, nodata=nodata))
    assert dem.attrs["nodata_share"] == pytest.approx(0.1, abs=1e-3)
    assert any("10.0% of the site has no elevation" in w for w in dem.attrs["warnings"])
    assert any("impossible heights" in w for w in dem.attrs["warnings"]) == said
    assert_array_equal(errors_on_ground(dem), 0.0)


def test_interpolation_carries_no_height_into_a_hole(site, make_raster):
    shifted = (9.0, 0.0, CENTRE[0] - 1103, 0.0, -9.0, CENTRE[1] + 1101)
    dem = open_dem(site, make_raster(holed, nodata=-9999.0, transform=shifted, shape=(245, 245)), resolution_m=9)
    grid = Grid.of(dem)
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    deep = (abs(x - CENTRE[0]) < 250 - 4.51) & (abs(y - CENTRE[1]) < 100 - 4.51)  # half a source cell
    assert np.isnan(dem.values[deep]).all()


@pytest.mark.parametrize("value", [-9999.0, -32767.0, -3.4028234663852886e38, 65535.0])
def test_a_collar_of_an_undeclared_nodata_value(site, make_raster, value):
    def framed(x, y):
        return np.where(x < CENTRE[0] - 300, value, hill(x, y))

    dem = open_dem(site, make_raster(framed, dtype="float32"))
    assert dem.attrs["nodata_share"] == pytest.approx(0.2, abs=0.01)
    assert "taken as undeclared nodata" in dem.attrs["warnings"][0]


@pytest.mark.parametrize("value", [-999.0, -99.0, 8888.0])
@pytest.mark.parametrize("nodata", [None, -9999.0])
def test_a_collar_of_a_height_that_is_far_from_all_others(site, make_raster, value, nodata):
    """Heights that exist on earth, and yet not 200 m below or above everything around them, to the last digit alike."""

    def framed(x, y):
        return np.where(x < CENTRE[0] - 300, value, hill(x, y))

    dem = open_dem(site, make_raster(framed, dtype="float32", nodata=nodata))
    assert dem.attrs["nodata_share"] == pytest.approx(0.2, abs=0.01)
    assert f"a patch of exactly {value:g} m at its edge" in dem.attrs["warnings"][0]


def test_a_lake_at_the_edge_and_a_pit_inland_stay_ground(site, make_raster):
    def lake(x, y):
        return np.maximum(hill(x, y), 295.0)

    def pit(x, y):
        return np.where(np.hypot(x - CENTRE[0], y - CENTRE[1]) < 150, 20.0, hill(x, y))

    for surface in (lake, pit):
        dem = open_dem(site, make_raster(surface))
        assert dem.attrs["nodata_share"] == 0.0
        assert dem.attrs["warnings"] == ()


def test_sea_or_collar_of_zeros(site, make_raster):
    def coast(x, y):
        return np.where(x < CENTRE[0] - 300, 0.0, hill(x, y))

    dem = open_dem(site, make_raster(coast))
    assert dem.attrs["nodata_share"] == pytest.approx(0.2, abs=0.01)
    assert "exactly 0 m" in dem.attrs["warnings"][0]
    declared = open_dem(site, make_raster(coast, nodata=-9999.0))
    assert declared.attrs["nodata_share"] == 0.0
    assert "kept as ground" in declared.attrs["warnings"][0]


def test_zeros_inland_and_level_ground_at_zero_stay_ground(site, make_raster):
    def pond(x, y):
        return np.where(np.hypot(x - CENTRE[0], y - CENTRE[1]) < 150, 0.0, hill(x, y))

    assert open_dem(site, make_raster(pond)).attrs["nodata_share"] == 0.0
    assert open_dem(site, make_raster(lambda x, y: 0 * x)).attrs["nodata_share"] == 0.0


def test_partial_cover_is_told(site, make_raster):
    dem = open_dem(site, make_raster(transform=(10.0, 0.0, CENTRE[0] - 100, 0.0, -10.0, CENTRE[1] + 1100)))
    assert dem.attrs["nodata_share"] == pytest.approx(0.4, abs=0.001)
    assert "covers only 60.0% of the site" in dem.attrs["warnings"][0]


def refused(site, path, match, error=DEMError):
    with pytest.raises(error, match=match) as caught:
        open_dem(site, path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_overlap_names_both_extents(site, make_raster):
    far = make_raster(transform=(10.0, 0.0, CENTRE[0] + 90_000, 0.0, -10.0, CENTRE[1] + 1100))
    message = refused(site, far, "does not cover the site")
    assert message.count("lon") >= 2
    assert "lat 41.99" in message
    beside = make_raster(transform=(10.0, 0.0, CENTRE[0] + 600, 0.0, -10.0, CENTRE[1] + 1100), name="beside.tif")
    refused(site, beside, "beside.tif does not cover the site")


def test_what_is_no_dem_is_refused(site, make_raster, tmp_path):
    text = tmp_path / "text.tif"
    text.write_text("hello")
    refused(site, text, "not a raster that GDAL reads")
    refused(site, tmp_path / "absent.tif", "no such file")
    refused(
        site,
        make_raster(shape=(1, 1), transform=(3000.0, 0, CENTRE[0] - 1500, 0, -3000.0, CENTRE[1] + 1500)),
        "1 x 1 cells",
    )
    refused(site, make_raster(dtype="complex64"), "complex")
    refused(site, _without_crs(make_raster), "has no CRS")
    refused(site, make_raster(lambda x, y: 0 * x - 9999, nodata=-9999.0), "every one of its")
    refused(
        site,
        make_raster(lambda x, y: np.where(np.hypot(x - CENTRE[0], y - CENTRE[1]) < 760, np.nan, 5.0)),
        "under the site",
    )
    refused(site, make_raster(units="fathom"), "fathom")
    whole = make_raster(name="whole.tif")
    cut = tmp_path / "cut.tif"
    cut.write_bytes(whole.read_bytes()[:200_000])
    refused(site, cut, "cut short or damaged")
    with pytest.raises(DEMError, match=r"0\.1 to 1000 m"):
        open_dem(site, whole, resolution_m=0.01)


def _without_crs(make_raster):
    import rasterio

    path = make_raster(name="bare.tif")
    with rasterio.open(path) as raster:
        z, transform = raster.read(), raster.transform
    with rasterio.open(path, "w", driver="GTiff", height=z.shape[1], width=z.shape[2], count=1, dtype=z.dtype,
                       transform=transform) as out:  # fmt: skip
        out.write(z)
    return path


def test_a_picture_is_refused_and_a_second_band_is_told(site, tmp_path):
    import rasterio

    transform = Affine(10.0, 0.0, CENTRE[0] - 1100, 0.0, -10.0, CENTRE[1] + 1100)
    for name, bands, options in (("rgb.tif", 3, {"photometric": "RGB"}), ("two.tif", 2, {})):
        with rasterio.open(tmp_path / name, "w", driver="GTiff", height=220, width=220, count=bands, dtype="uint8",
                           crs="EPSG:32615", transform=transform, **options) as out:  # fmt: skip
            out.write(np.full((bands, 220, 220), 9, dtype="uint8"))
    refused(site, tmp_path / "rgb.tif", "picture")
    assert "first is taken" in open_dem(site, tmp_path / "two.tif").attrs["warnings"][0]


def test_a_huge_raster_costs_its_window(site, tmp_path):
    import rasterio

    path = tmp_path / "huge.tif"
    transform = Affine(10.0, 0.0, CENTRE[0] - 1_000_000, 0.0, -10.0, CENTRE[1] + 1_000_000)
    with rasterio.open(path, "w", driver="GTiff", height=200_000, width=200_000, count=1, dtype="float32", crs="EPSG:32615",
                       transform=transform, sparse_ok=True, tiled=True, blockxsize=4096, blockysize=4096) as out:  # fmt: skip
        out.write(np.full((1, 200, 200), 7, dtype="float32"), window=((99_900, 100_100), (99_900, 100_100)))
    dem = open_dem(site, path)
    assert dem.size < 40_000
    assert float(np.nanmax(dem)) == 7


def test_a_dead_server_is_the_services_fault(site):
    hasty = SourceSettings(timeout_s=2, retries=1, backoff_s=0.01, cache=None)
    with pytest.raises(OutsideServiceError, match=r"dem\.tif at 127\.0\.0\.1: no answer after 2 tries") as caught:
        open_dem(site, "http://127.0.0.1:9/secret/dem.tif?token=abc", settings=hasty)
    assert "secret" not in str(caught.value)
    assert "abc" not in str(caught.value)


def test_level_ground_says_so(site):
    dem = level_ground(site, resolution_m=20, elevation_m=12)
    assert (dem == 12).all()
    assert Grid.of(dem).dx == 20
    assert "level ground" in dem.attrs["source"]
    assert dem.attrs["warnings"]


def test_the_sample_and_its_site():
    from pacifico.site.boundary import read_site

    site = read_site(sample_site_path())
    assert 250 < site.area_ha < 350
    assert [zone.name for zone in site.exclusions] == ["Exclusion: creek buffer"]
    assert [anchor.name for anchor in site.entries] == ["Site entry"]
    assert site.boundary.contains(site.entries[0].point)
    dem = open_dem(site, "sample", resolution_m=10)
    assert dem.attrs["source"] == "sample"
    assert 320 < float(dem.min()) < float(dem.max()) < 480
    elevation = sample_elevation()
    assert elevation.shape == (344, 403)
    assert (elevation.min(), elevation.max()) == (236, 1076)
    again = open_dem(site, "sample", resolution_m=10)
    assert dem.identical(again)


def test_the_sample_lies_where_its_mountains_are():
    """The file's latitudes are swapped: read wrongly, the valley floor would lie elsewhere."""
    from pacifico.terrain.sources import SAMPLE_TRANSFORM

    assert SAMPLE_TRANSFORM[5] - 344 / 1200 == pytest.approx(36.44625, abs=1e-6)
    assert SAMPLE_TRANSFORM[2] + 403 / 1200 == pytest.approx(-84.07791667, abs=1e-6)


def test_opening_the_sample_imports_no_plotting():
    code = (
        "import sys; from pacifico.site.boundary import read_site; from pacifico.terrain import dem, sources;"
        "dem.open_dem(read_site(sources.sample_site_path()), 'sample', resolution_m=30);"
        "sys.exit(any(m in sys.modules for m in ('matplotlib', 'rioxarray', 'geopandas', 'dask')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
