"""GeoPackage and shapefile: written by GDAL, then damaged."""

import sqlite3
import struct

import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose

from pacifico.errors import CRSMismatchError, SiteError
from pacifico.site.boundary import read_site, read_site_bytes
from pacifico.site.vector import read_geopackage, shapefile_index

SQUARE = shapely.box(578_000, 4_983_000, 579_000, 4_984_000)
EAST = shapely.box(579_500, 4_983_000, 580_500, 4_984_000)


def wkb_of(path, table="site"):
    """The one geometry of a GeoPackage, header first."""
    with sqlite3.connect(path) as database:
        (blob,) = database.execute(f"SELECT geom FROM {table}").fetchone()  # noqa: S608 (our own table)
    database.close()
    return blob


def put(path, blob, table="site"):
    with sqlite3.connect(path) as database:
        # GDAL's triggers call functions that plain SQLite lacks.
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute(f"UPDATE {table} SET geom = ?", (blob,))  # noqa: S608 (our own table)
    database.close()
    return path


@pytest.mark.parametrize("filename", ["site.gpkg", "site.shp"])
@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:4326", "EPSG:3035", "EPSG:4258", "EPSG:2056"])
def test_any_crs(write, filename, crs, frame):
    path = write(filename, site=frame(SQUARE).to_crs(crs))
    site = read_site(path)
    assert site.crs.to_epsg() == 32632
    assert_allclose(site.boundary.area, SQUARE.area, rtol=2e-5)
    assert site.name == "P0"


def test_feet(write, frame):
    feet = shapely.box(980_000, 190_000, 983_000, 192_000)  # 3000 x 2000 US survey feet in New York
    site = read_site(write("site.gpkg", site=frame(feet, crs="EPSG:2263")))
    assert_allclose(site.area_ha, 3000 * 2000 * (1200 / 3937) ** 2 / 1e4, rtol=2e-4)


def test_heights_are_dropped(write, frame):
    site = read_site(write("site.gpkg", site=frame(shapely.force_3d(SQUARE, 7.0))))
    assert not site.boundary.has_z


def test_several_layers_ask_with_areas(write, frame):
    path = write("two.gpkg", a=frame(SQUARE), b=frame(EAST, EAST), empty=frame())
    with pytest.raises(
        SiteError, match=r"polygons in 2 layers; .*layer=.*'a' 100\.06 ha, 'b' \(2 parcels\) 200\.13 ha"
    ):
        read_site(path)
    assert_allclose(
        shapely.get_coordinates(read_site(path, layer="a").boundary).mean(),
        shapely.get_coordinates(SQUARE).mean(),
        rtol=1e-6,
    )
    with pytest.raises(SiteError, match="no layer, folder or parcel is named 'c'; its layers: 'a'"):
        read_site(path, layer="c")


def test_exclusion_layer_needs_no_choice(write, frame):
    inside = shapely.box(578_200, 4_983_200, 578_300, 4_983_300)
    points = frame(shapely.Point(578_100, 4_983_100)).assign(name="site entrance")
    path = write("two.gpkg", boundary=frame(SQUARE), exclusions=frame(inside, buffer_m=[25.0]), points=points)
    site = read_site(path)
    assert [(z.name, z.zone_type, z.buffer_m) for z in site.exclusions] == [("P0", "buffered", 25.0)]
    assert [a.name for a in site.entries] == ["site entrance"]


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_geopackage_without_crs(write, frame):
    with pytest.raises(CRSMismatchError, match="has no CRS or an unreadable one"):
        read_site(write("site.gpkg", site=frame(SQUARE, crs=None)))


def test_undefined_crs_is_not_guessed(write, frame):
    path = write("site.gpkg", site=frame(SQUARE))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE gpkg_geometry_columns SET srs_id = -1")
        database.execute("UPDATE gpkg_contents SET srs_id = -1")
    database.close()
    with pytest.raises(CRSMismatchError, match="none is guessed"):
        read_site(path)


def test_view_is_refused(write, frame):
    path = write("site.gpkg", site=frame(SQUARE))
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE site RENAME TO other")
        database.execute("CREATE VIEW site AS SELECT * FROM other")
        database.execute("UPDATE gpkg_geometry_columns SET table_name = 'site'")
    database.close()
    with pytest.raises(SiteError, match="is a view or missing"):
        read_site(path)


def test_null_geometry_is_skipped(write, frame):
    site = read_site(write("site.gpkg", site=frame(SQUARE, None)))
    assert any("1 feature without geometry skipped" in w for w in site.warnings)


@pytest.mark.parametrize("cut", [100, 5_000, 50_000])
def test_geopackage_cut_off(write, cut, frame):
    path = write("site.gpkg", site=frame(SQUARE))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(SiteError, match=r"damaged|can't be read"):
        read_site(path)


def test_missing_sidecars(write, frame, zipped):
    path = write("site.shp", x=frame(SQUARE))
    assert any("index was rebuilt" in w for w in read_site(zipped(path, leave_out={".shx"})).warnings)
    assert any("no .dbf" in w for w in read_site(zipped(path, leave_out={".dbf"})).warnings)
    with pytest.raises(CRSMismatchError, match=r"has no \.prj.*none is guessed"):
        read_site(zipped(path, leave_out={".prj"}))
    with pytest.raises(CRSMismatchError, match="unreadable"):
        read_site(zipped(path, change=lambda m, d: b"garbage" if m.suffix == ".prj" else d))
    with pytest.raises(SiteError, match="cut off"):
        read_site(zipped(path, change=lambda m, d: d[:150] if m.suffix == ".shp" else d))
    with pytest.raises(SiteError, match="record 1 reaches past the end"):
        read_site(
            zipped(path, change=lambda m, d: d[:104] + struct.pack(">i", 10**6) + d[108:] if m.suffix == ".shp" else d)
        )


def test_rebuilt_index_is_gdals_own(write, frame):
    path = write("site.shp", x=frame(SQUARE, EAST, SQUARE.buffer(10)))
    assert shapefile_index(path.read_bytes(), "x") == path.with_suffix(".shx").read_bytes()


def test_ten_character_columns(write, frame, zipped):
    inside = shapely.box(578_200, 4_983_200, 578_300, 4_983_300)
    table = frame(SQUARE, inside, zone_type=[None, "cost"], cost_multi=[np.nan, 4.0])
    (zone,) = read_site(zipped(write("site.shp", x=table))).exclusions
    assert (zone.zone_type, zone.cost_multiplier, zone.buffer_m) == ("cost", 4.0, 0.0)


def test_points_only(write, frame):
    with pytest.raises(SiteError, match=r"no polygon found \(it holds 1 point\)"):
        read_site(write("site.gpkg", site=frame(shapely.Point(578_000, 4_983_000))))


def test_geometry_that_is_not_finite(write, frame):
    path = write("site.gpkg", site=frame(SQUARE))
    blob = wkb_of(path)
    with pytest.raises(SiteError, match="not finite"):
        read_site(put(path, blob[:-32] + struct.pack("<dd", np.nan, np.inf) + blob[-16:]))


def test_unclosed_ring_in_a_geopackage(write, frame):
    path = write("site.gpkg", site=frame(SQUARE))
    blob = wkb_of(path)
    site = read_site(put(path, blob[:-16] + struct.pack("<dd", 578_500.0, 4_982_000.0)))
    assert any("closed" in w.lower() for w in site.warnings)
    assert site.boundary.is_valid


def test_more_than_200_layers(write, frame):
    path = write("site.gpkg", site=frame(SQUARE))
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        rows = [(f"t{i}", f"t{i}") for i in range(201)]
        database.executemany(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, 'features', ?)", rows
        )
        database.executemany(
            "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'POLYGON', 4326, 0, 0)", [r[:1] for r in rows]
        )
    database.close()
    with pytest.raises(SiteError, match="more than 200 layers"):
        read_site(path)


def test_curves_are_straightened(write, frame):
    path = write("site.gpkg", site=frame(SQUARE))
    header = wkb_of(path)[: 8 + 32]
    x, y, r = 578_500.0, 4_983_500.0, 500.0
    circle = [(x - r, y), (x + r, y), (x - r, y)]
    curve = struct.pack("<BII", 1, 8, len(circle)) + b"".join(struct.pack("<dd", *p) for p in circle)
    site = read_site(put(path, header + struct.pack("<BII", 1, 10, 1) + curve))
    assert_allclose(site.boundary.area, np.pi * r**2, rtol=1e-3)


def test_bare_shapefile_needs_its_neighbours(write, frame):
    from_bytes = write("site.shp", x=frame(SQUARE)).read_bytes()
    with pytest.raises(CRSMismatchError, match=r"has no \.prj"):
        read_site_bytes(from_bytes, "site.shp")


def test_crs_name_that_is_not_utf8(write, frame, zipped):
    path = write("site.shp", x=frame(SQUARE))
    odd = zipped(path, change=lambda m, d: d.replace(b"UTM", b"\xffTM") if m.suffix == ".prj" else d)
    with pytest.raises(CRSMismatchError, match="unreadable"):
        read_site(odd)


@pytest.fixture
def open_geopackage(write, frame):
    """GeoPackage of one parcel that another program has open, with a second parcel in its log."""
    path = write("site.gpkg", site=frame(SQUARE))
    writer = sqlite3.connect(path)
    for (trigger,) in writer.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        writer.execute(f'DROP TRIGGER "{trigger}"')
    writer.commit()
    writer.execute("PRAGMA journal_mode = WAL")
    (blob,) = writer.execute("SELECT geom FROM site").fetchone()
    header = blob[:8]
    east = header + struct.pack("<dddd", *[EAST.bounds[k] for k in (0, 2, 1, 3)]) + shapely.to_wkb(EAST, byte_order=1)
    writer.execute("INSERT INTO site (geom, name) VALUES (?, 'P1')", (east,))
    writer.commit()
    yield path
    writer.close()


def test_changes_in_a_write_ahead_log_are_read(open_geopackage):
    site = read_site(open_geopackage)
    assert_allclose(site.boundary.area, 2 * SQUARE.area, rtol=1e-6)
    assert any("read with the changes in its -wal file" in w for w in site.warnings)


def test_reading_leaves_the_open_geopackage_as_it_is(open_geopackage):
    before = {p.name: p.read_bytes() for p in open_geopackage.parent.iterdir()}
    read_site(open_geopackage)
    assert {p.name: p.read_bytes() for p in open_geopackage.parent.iterdir()} == before


def test_a_log_in_an_archive_is_read(read, packed, open_geopackage):
    names = ("site.gpkg", "site.gpkg-wal")
    site = read(packed({n: open_geopackage.with_name(n).read_bytes() for n in names}), "site.zip")
    assert_allclose(site.boundary.area, 2 * SQUARE.area, rtol=1e-6)


def test_bytes_in_write_ahead_mode_may_lack_a_log_and_warn(open_geopackage, write, frame):
    site = read_site_bytes(open_geopackage.read_bytes(), "site.gpkg")
    assert any("changes in a -wal file beside it are not in this file" in w for w in site.warnings)
    assert read_site_bytes(write("plain.gpkg", site=frame(SQUARE)).read_bytes(), "plain.gpkg").warnings == ()


def test_a_rollback_journal_undoes_what_was_not_finished(write, frame):
    path = write("site.gpkg", site=frame(SQUARE, EAST))
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA cache_size = 1")
    writer.execute("BEGIN EXCLUSIVE")
    for (trigger,) in writer.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        writer.execute(f'DROP TRIGGER "{trigger}"')
    writer.execute("DELETE FROM site WHERE name = 'P1'")
    writer.execute("CREATE TABLE filler (x BLOB)")
    writer.execute("INSERT INTO filler VALUES (zeroblob(200000))")
    copies = {n: path.with_name(n).read_bytes() for n in ("site.gpkg", "site.gpkg-journal")}
    writer.execute("ROLLBACK")
    writer.close()
    for name, data in copies.items():
        path.with_name(name).write_bytes(data)
    assert_allclose(read_site(path).boundary.area, 2 * SQUARE.area, rtol=1e-6)


def test_a_damaged_log_is_no_crash(open_geopackage):
    wal = open_geopackage.with_name("site.gpkg-wal")
    data = wal.read_bytes()
    reading = read_geopackage(open_geopackage.read_bytes(), logs={"-wal": data[:40] + b"x" * 500})
    assert sum(len(layer.features) for layer in reading.layers) == 1


def test_a_prj_that_only_proj_reads_is_read(write, frame, zipped, plant_grid):
    path = write("site.shp", x=frame(shapely.box(0, 0, 1000, 1000)))
    site = read_site(zipped(path, change=lambda m, d: plant_grid.encode() if m.suffix == ".prj" else d))
    assert_allclose(site.boundary.bounds, SQUARE.bounds, atol=1e-3)
