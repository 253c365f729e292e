"""GeoParquet holds every feature of a layout in one table."""

import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pacifico.errors import InputError
from pacifico.export.parquet import write_parquet
from pacifico.layout.files.stored import StoredLayout, columns


@pytest.fixture
def table(layout, tmp_path):
    pytest.importorskip("pyarrow")
    return gpd.read_parquet(write_parquet(layout, tmp_path / "a.parquet"))


def test_every_feature_is_a_row_in_the_working_crs(table, layout):
    parts = StoredLayout.of(layout)
    assert table.crs.to_epsg() == 32615
    assert len(table) == len(parts.features)
    for kind, rows in table.groupby("kind"):
        for feature, (_, row) in zip(parts.of_kind(kind), rows.iterrows(), strict=True):
            assert row.geometry.equals_exact(feature.geometry, 1e-9)
            for name, value in feature.properties.items():
                if isinstance(value, float | int):
                    assert row[name] == value
                elif value is None:
                    assert pd.isna(row[name])


def test_roads_keep_their_heights(table, layout):
    (first, *_) = StoredLayout.of(layout).of_kind("road")
    written = table[table["kind"] == "road"].geometry.iloc[0]
    np.testing.assert_array_equal(*(shapely.get_coordinates(g, include_z=True) for g in (written, first.geometry)))


def test_columns_are_the_properties_of_all_kinds(table):
    assert list(table.columns[:3]) == ["kind", "name", "zone_type"]
    assert set(columns("asset")) | set(columns("road")) < set(table.columns)
    assert table["gates"].dtype.kind in "if"


def test_any_name_is_a_cell(hostile, tmp_path):
    pytest.importorskip("pyarrow")
    table = gpd.read_parquet(write_parquet(hostile, tmp_path / "a.parquet"))
    names = table["name"].dropna()
    assert all("\n" not in name and "\x00" not in name for name in names)


def test_without_pyarrow_the_error_names_the_extra(layout, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r"pip install 'pacifico\[parquet\]'"):
        write_parquet(layout, tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []
