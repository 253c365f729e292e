"""The tag of a clip is read strictly, and only beside its own cells."""

import json

import numpy as np
import pytest
from pyproj import CRS

from pacifico.errors import DEMError
from pacifico.terrain.raster.clip_tag import MOST_BYTES, ClipTag
from pacifico.terrain.raster.window import RasterWindow

PLACE = (10.0, 0.0, 500_000.0, 0.0, -10.0, 4_650_000.0)
VALUES = np.array([[1.5, np.nan, 3.0], [4.0, 5.0, 6.0]], dtype="float32")


@pytest.fixture
def window():
    return RasterWindow(
        VALUES, PLACE, CRS.from_epsg(32615), "ft", True, (40, 50), PLACE, ("a warning",), surface_model=True
    )


def test_a_tag_gives_its_window_back(window):
    tag = ClipTag.parse(ClipTag.of(window, "3dep").to_json(), "dem.tif")
    again = tag.window(VALUES.copy(), PLACE, "dem.tif")
    assert tag.source == "3dep"
    assert tag.sha256 == window.sha256 == again.sha256
    np.testing.assert_array_equal(again.values, VALUES)
    for name in (
        "transform",
        "band_unit",
        "declared_nodata",
        "raster_shape",
        "raster_transform",
        "warnings",
        "surface_model",
    ):
        assert getattr(again, name) == getattr(window, name), name


def test_a_tag_without_surface_model_is_of_ground(window):
    content = json.loads(ClipTag.of(window, "3dep").to_json())
    del content["surface_model"]
    assert not ClipTag.parse(json.dumps(content), "dem.tif").surface_model


@pytest.mark.parametrize(
    ("values", "place"),
    [
        (np.where(np.isnan(VALUES), VALUES, VALUES + 1), PLACE),
        (VALUES[:, :2], PLACE),
        (VALUES.astype("float64"), PLACE),
        (VALUES, (*PLACE[:2], PLACE[2] + 1.0, *PLACE[3:])),
        (VALUES, (20.0, *PLACE[1:])),
    ],
)
def test_a_tag_beside_other_cells_is_refused(window, values, place):
    tag = ClipTag.of(window, "3dep")
    with pytest.raises(DEMError, match=r"dem.tif was changed after pacifico wrote it.*gdal_edit.py -unsetmd"):
        tag.window(np.ascontiguousarray(values), place, "dem.tif")


@pytest.mark.parametrize("text", ["", "x", "[]", "null", "[" * 100_000, "1" * 5000, "{}x"])
def test_a_tag_that_is_no_json_object_is_refused(text):
    with pytest.raises(DEMError, match="not JSON that pacifico wrote"):
        ClipTag.parse(text, "dem.tif")


def test_a_long_tag_is_refused():
    with pytest.raises(DEMError, match="more than 500,000 characters"):
        ClipTag.parse(" " * (MOST_BYTES + 1), "dem.tif")


@pytest.mark.parametrize("version", [2, True, None, "1" * 1000])
def test_another_version_is_refused(window, version):
    content = json.loads(ClipTag.of(window, "3dep").to_json()) | {"version": version}
    with pytest.raises(DEMError, match=r"is a clip of version .{0,20}; this pacifico reads 1"):
        ClipTag.parse(json.dumps(content), "dem.tif")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("source", ""),
        ("source", "x" * 5000),
        ("source", None),
        ("crs_wkt", ""),
        ("crs_wkt", 5),
        ("band_unit", 5),
        ("declared_nodata", 1),
        ("surface_model", "yes"),
        ("sha256", "0" * 63),
        ("sha256", "0" * 63 + "G"),
        ("warnings", "text"),
        ("warnings", [5]),
        ("warnings", ["x"] * 101),
        ("raster_shape", [1]),
        ("raster_shape", [1, 2.0]),
        ("raster_shape", [0, 5]),
        ("raster_shape", [True, 5]),
        ("transform", [1.0] * 5),
        ("transform", [1.0, 0, 0, 0, 1.0, float("nan")]),
        ("transform", [1.0, 0, 0, 0, 1.0, 10**400]),
        ("raster_transform", [1.0, 0, 0, 0, 1.0, "0"]),
        ("other", 1),
    ],
)
def test_an_invalid_member_is_named(window, key, value):
    content = json.loads(ClipTag.of(window, "3dep").to_json()) | {key: value}
    with pytest.raises(DEMError, match=f"'{key}' of its tag"):
        ClipTag.parse(json.dumps(content), "dem.tif")


def test_a_missing_member_is_named(window):
    content = json.loads(ClipTag.of(window, "3dep").to_json())
    del content["sha256"]
    with pytest.raises(DEMError, match="'sha256' of its tag"):
        ClipTag.parse(json.dumps(content), "dem.tif")


def test_a_tag_with_an_unknown_crs_is_refused(window):
    from dataclasses import replace

    from pacifico.terrain.raster.window import window_digest

    digest = window_digest(VALUES, "ft", PLACE, "nonsense")
    tag = replace(ClipTag.of(window, "3dep"), crs_wkt="nonsense", sha256=digest)
    with pytest.raises(DEMError, match="the CRS of its tag"):
        tag.window(VALUES, PLACE, "dem.tif")
