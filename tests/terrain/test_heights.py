"""Units of height."""

from __future__ import annotations

from xml.sax.saxutils import escape

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pyproj import CRS

from pacifico.crs import METRES_PER_FOOT, METRES_PER_US_SURVEY_FOOT, transformer
from pacifico.errors import DEMError
from pacifico.grid import Grid, warnings_of
from pacifico.terrain.dem import open_dem

CENTRE = (446_000.0, 4_650_000.0)


UTM15 = CRS.from_epsg(32615)


def hill(x, y):
    east, north = x - CENTRE[0], y - CENTRE[1]
    return 300 + 0.02 * east + 0.01 * north + 12 * np.exp(-(((east - 100) / 250) ** 2) - ((north + 50) / 300) ** 2)


def errors_on_ground(dem, surface=hill):
    grid = Grid.of(dem)
    return (dem.values - surface(*np.meshgrid(grid.x_centres(), grid.y_centres())))[np.isfinite(dem.values)]


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
    assert bool(warnings_of(dem)) == (tag is not None and units is not None)


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
    assert "DEM units option" in warnings_of(dem)[0]
    assert dem.attrs["source_resolution_m"] == pytest.approx(30 * METRES_PER_US_SURVEY_FOOT, rel=1e-3)
    assert warnings_of(open_dem(site, path, units="ft")) == ()


@pytest.mark.parametrize(
    ("tag", "factor"),
    [
        ("US survey foot", METRES_PER_US_SURVEY_FOOT),
        ("us_survey_feet", METRES_PER_US_SURVEY_FOOT),
        ("U.S. Survey Foot", METRES_PER_US_SURVEY_FOOT),
        ("Foot_US", METRES_PER_US_SURVEY_FOOT),
        ("ftUS", METRES_PER_US_SURVEY_FOOT),
        ("foot (US survey)", METRES_PER_US_SURVEY_FOOT),
        ("0.30480061", METRES_PER_US_SURVEY_FOOT),
        ("0.3048", METRES_PER_FOOT),
        ("FEET", METRES_PER_FOOT),
        ("International Foot", METRES_PER_FOOT),
        ("Meter", 1.0),
        ("cm", 0.01),
        ("Millimeters", 0.001),
    ],
)
def test_spellings_of_units(site, make_raster, tag, factor):
    dem = open_dem(site, make_raster(lambda x, y: hill(x, y) / factor, units=tag))
    assert_allclose(errors_on_ground(dem), 0.0, atol=1e-6)
    assert dem.attrs["units_assumed"].endswith("band unit tag")


@pytest.mark.parametrize("tag", ["m NAVD88", "fathom", "furlongs?"])
def test_an_odd_tag_is_refused_unless_the_user_says_the_unit(site, make_raster, tag):
    path = make_raster(units=tag)
    with pytest.raises(DEMError, match="--dem-units m or ft"):
        open_dem(site, path)
    assert_allclose(errors_on_ground(open_dem(site, path, units="m")), 0.0, atol=1e-9)


def vertical_crs(unit, axis="UP"):
    return CRS.from_wkt(
        f'COMPOUNDCRS["x",{UTM15.to_wkt()},VERTCRS["v",VDATUM["v"],CS[vertical,1],AXIS["h",{axis}],{unit}]]'
    )


def with_crs(path, crs):
    """VRT over a raster: GeoTIFF stores no vertical axes that point down."""
    import rasterio

    with rasterio.open(path) as raster:
        a, b, c, d, e, f = raster.transform[:6]
        rows, columns = raster.shape
    vrt = path.with_suffix(".vrt")
    vrt.write_text(
        f'<VRTDataset rasterXSize="{columns}" rasterYSize="{rows}"><SRS>{escape(crs.to_wkt())}</SRS>'
        f"<GeoTransform>{c}, {a}, {b}, {f}, {d}, {e}</GeoTransform>"
        f'<VRTRasterBand dataType="Float64" band="1"><SimpleSource><SourceFilename relativeToVRT="1">{path.name}</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    return vrt


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        ('LENGTHUNIT["foot",0.3048]', "feet"),
        ('LENGTHUNIT["US survey foot",0.30480061]', "US survey feet"),
        ('LENGTHUNIT["US survey foot",0.304800609601]', "US survey feet"),
        ('LENGTHUNIT["foot",0.305]', "feet"),
    ],
)
def test_rounded_feet_of_a_vertical_crs(site, make_raster, unit, told):
    path = with_crs(make_raster(lambda x, y: hill(x, y) / 0.3048), vertical_crs(unit))
    dem = open_dem(site, path)
    assert_allclose(errors_on_ground(dem), 0.0, atol=0.001)
    assert dem.attrs["units_assumed"] == f"{told}: vertical CRS"


def test_an_odd_vertical_unit_is_refused_unless_the_user_says_the_unit(site, make_raster):
    path = with_crs(make_raster(), vertical_crs('LENGTHUNIT["fathom",1.8288]'))
    with pytest.raises(DEMError, match="fathom"):
        open_dem(site, path)
    assert_allclose(errors_on_ground(open_dem(site, path, units="m")), 0.0, atol=1e-9)


@pytest.mark.parametrize("units", [None, "m"])
def test_depths_become_heights(site, make_raster, units):
    path = with_crs(make_raster(lambda x, y: -hill(x, y)), vertical_crs('LENGTHUNIT["metre",1]', "DOWN"))
    dem = open_dem(site, path, units=units)
    assert_allclose(errors_on_ground(dem), 0.0, atol=1e-9)
    assert any("points down" in w for w in warnings_of(dem))


def test_positive_depths_are_refused(site, make_raster):
    path = with_crs(make_raster(), vertical_crs('LENGTHUNIT["metre",1]', "DOWN"))
    with pytest.raises(DEMError, match="points down"):
        open_dem(site, path)


@pytest.mark.parametrize(("factor", "word"), [(100, "centimetres"), (1000, "millimetres"), (256, "scale")])
def test_heights_in_a_smaller_unit_are_named(site, make_raster, factor, word):
    with pytest.raises(DEMError, match="impossible above 9000 m") as caught:
        open_dem(site, make_raster(lambda x, y: np.round(hill(x, y) * factor), dtype="int32"))
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_terrain_that_rises_above_the_limit_is_in_a_smaller_unit(site, make_raster):
    """From 82 to 104 m in centimetres: half of it is possible in metres."""
    with pytest.raises(DEMError, match="in centimetres"):
        open_dem(site, make_raster(lambda x, y: np.round((hill(x, y) - 212) * 100), dtype="int32"))


def test_the_highest_land_is_no_mistake(site, make_raster):
    dem = open_dem(site, make_raster(lambda x, y: hill(x, y) * 2 + 8200))
    assert float(dem.max()) > 8800
    assert dem.attrs["nodata_share"] == 0.0
