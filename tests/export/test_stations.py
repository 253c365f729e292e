"""Stations of the roads as CSV."""

import csv

import numpy as np
import pytest

from pacifico.errors import InputError
from pacifico.export.stations import COLUMNS, write_stations
from pacifico.grid import Ground
from pacifico.layout.files.stored import StoredLayout


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_road_has_its_start_its_end_and_stations_between(layout, tmp_path):
    rows = rows_of(write_stations(layout, tmp_path / "stations.csv", every_m=20.0))
    assert tuple(rows[0]) == COLUMNS
    for road in StoredLayout.of(layout).of_kind("road"):
        at = [float(r["station_m"]) for r in rows if r["road_id"] == road["road_id"]]
        assert at[0] == 0.0
        assert at[-1] == pytest.approx(road.geometry.length, abs=1e-3)
        assert max(np.diff(at)) <= 20.0 + 1e-6
    assert {r["ground_m"] for r in rows} == {""}


def test_columns_hold_what_their_header_says(layout, tmp_path):
    stored = StoredLayout.of(layout)
    rows = rows_of(write_stations(layout, tmp_path / "stations.csv"))
    header = (tmp_path / "stations.csv").read_text().partition("\n")[0]
    assert header == "road_id,station,station_m,x,y,lon,lat,ground_m,design_m,fill_m,grade_pct"
    for road in stored.of_kind("road"):
        first = next(r for r in rows if r["road_id"] == road["road_id"])
        lon, lat, height = road.lonlat.coords[0]
        x, y = road.geometry.coords[0][:2]
        assert [float(first[c]) for c in ("lon", "lat")] == pytest.approx([lon, lat], abs=2e-8)
        assert [float(first[c]) for c in ("x", "y")] == pytest.approx([x, y], abs=1e-3)
        assert float(first["design_m"]) == pytest.approx(height, abs=1e-3)
        assert float(first["station_m"]) == 0.0


def test_fill_is_design_minus_ground(layout, dem, tmp_path):
    rows = rows_of(write_stations(layout, tmp_path / "stations.csv", ground=Ground.of(dem)))
    for row in rows:
        assert float(row["fill_m"]) == pytest.approx(float(row["design_m"]) - float(row["ground_m"]), abs=2e-3)


def test_a_distance_under_1_m_is_refused(layout, tmp_path):
    with pytest.raises(InputError):
        write_stations(layout, tmp_path / "stations.csv", every_m=0.5)
    assert list(tmp_path.iterdir()) == []


def test_stations_are_25_m_apart_by_default_to_the_millimetre(layout, dem, tmp_path):
    rows = rows_of(write_stations(layout, tmp_path / "stations.csv", ground=Ground.of(dem)))
    for road in StoredLayout.of(layout).of_kind("road"):
        own = [r for r in rows if r["road_id"] == road["road_id"]]
        assert [r["station_m"] for r in own[:-1]] == [f"{25 * k:.3f}" for k in range(len(own) - 1)]
        assert own[-1]["station_m"] == f"{road.geometry.length:.3f}"
        middle = road.geometry.interpolate(25.0)
        if len(own) == 2:
            continue
        assert (own[1]["x"], own[1]["y"], own[1]["design_m"]) == tuple(
            f"{v:.3f}" for v in (middle.x, middle.y, middle.z)
        )
        ground = 100 + 0.02 * (middle.x - 500_000.0) + 0.01 * (middle.y - 4_600_000.0)
        assert float(own[1]["ground_m"]) == pytest.approx(ground, abs=1e-3)
