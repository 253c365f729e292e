"""GeoPackage and shapefile: written by GDAL, then damaged."""

import io
import sqlite3
import struct
import zipfile

import geopandas
import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose

from pacifico.errors import CRSMismatchError, SiteError
from pacifico.site.boundary import read_site, read_site_bytes
from pacifico.site.vector import _shapefile_index

SQUARE = shapely.box(578_000, 4_983_000, 579_000, 4_984_000)
EAST = shapely.box(579_500, 4_983_000, 580_500, 4_984_000)


@pytest.fixture
def write(tmp_path):
    """Write layers {name: GeoDataFrame} to one file of a driver."""

    def writing(filename, **layers):
        path = tmp_path / filename
        for name, frame in layers.items():
            frame.to_file(path, layer=name, driver="GPKG" if filename.endswith("gpkg") else "ESRI Shapefile")
        return path

    return writing


def frame(*geometries, crs="EPSG:32632", **columns):
    return geopandas.GeoDataFrame(
        {"name": [f"P{i}" for i in range(len(geometries))], **columns}, geometry=list(geometries), crs=crs
    )


def zipped(path, *, leave_out=(), folder="", change=None):
    """The shapefile's members in a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in sorted(path.parent.glob(f"{path.stem}.*")):
            if member.suffix in leave_out:
                continue
            data = member.read_bytes()
            archive.writestr(folder + member.name, change(member, data) if change else data)
    target = path.with_suffix(".zip")
    target.write_bytes(out.getvalue())
    return target


@pytest.mark.parametrize("filename", ["site.gpkg", "site.shp"])
@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:4326", "EPSG:3035", "EPSG:4258", "EPSG:2056"])
def test_any_crs(write, filename, crs):
    path = write(filename, site=frame(SQUARE).to_crs(crs))
    site = read_site(path)
    assert site.crs.to_epsg() == 32632
    assert_allclose(site.boundary.area, SQUARE.area, rtol=2e-5)
    assert site.name == "P0"


def test_feet(write):
    feet = shapely.box(980_000, 190_000, 983_000, 192_000)  # 3000 x 2000 US survey feet in New York
    site = read_site(write("site.gpkg", site=frame(feet, crs="EPSG:2263")))
    assert_allclose(site.area_ha, 3000 * 2000 * (1200 / 3937) ** 2 / 1e4, rtol=2e-4)


def test_heights_are_dropped(write):
    site = read_site(write("site.gpkg", site=frame(shapely.force_3d(SQUARE, 7.0))))
    assert not site.boundary.has_z


def test_several_layers_ask_with_areas(write):
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


def test_exclusion_layer_needs_no_choice(write):
    inside = shapely.box(578_200, 4_983_200, 578_300, 4_983_300)
    points = frame(shapely.Point(578_100, 4_983_100)).assign(name="site entrance")
    path = write("two.gpkg", boundary=frame(SQUARE), exclusions=frame(inside, buffer_m=[25.0]), points=points)
    site = read_site(path)
    assert [(z.name, z.zone_type, z.buffer_m) for z in site.exclusions] == [("P0", "buffered", 25.0)]
    assert [a.name for a in site.entries] == ["site entrance"]


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_geopackage_without_crs(write):
    with pytest.raises(CRSMismatchError, match="has no CRS or an unreadable one"):
        read_site(write("site.gpkg", site=frame(SQUARE, crs=None)))


def test_undefined_crs_is_not_guessed(write):
    path = write("site.gpkg", site=frame(SQUARE))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE gpkg_geometry_columns SET srs_id = -1")
        database.execute("UPDATE gpkg_contents SET srs_id = -1")
    database.close()
    with pytest.raises(CRSMismatchError, match="none is guessed"):
        read_site(path)


def test_view_is_refused(write):
    path = write("site.gpkg", site=frame(SQUARE))
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE site RENAME TO other")
        database.execute("CREATE VIEW site AS SELECT * FROM other")
        database.execute("UPDATE gpkg_geometry_columns SET table_name = 'site'")
    database.close()
    with pytest.raises(SiteError, match="is a view or missing"):
        read_site(path)


def test_null_geometry_is_passed_over(write):
    site = read_site(write("site.gpkg", site=frame(SQUARE, None)))
    assert any("1 feature without geometry passed over" in w for w in site.warnings)


@pytest.mark.parametrize("cut", [100, 5_000, 50_000])
def test_geopackage_cut_off(write, cut):
    path = write("site.gpkg", site=frame(SQUARE))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(SiteError, match=r"damaged|can't be read"):
        read_site(path)


@pytest.mark.parametrize("folder", ["", "export/deep/"])
def test_zipped_shapefile(write, folder):
    site = read_site(zipped(write("West field.shp", x=frame(SQUARE)), folder=folder))
    assert_allclose(site.boundary.area, SQUARE.area, rtol=1e-9)
    assert site.warnings == ()


def test_upper_case_and_shadow_files(write):
    path = write("site.shp", x=frame(SQUARE))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member in path.parent.glob("site.*"):
            archive.writestr("__MACOSX/._" + member.name, b"shadow")
            archive.writestr(member.name.upper(), member.read_bytes())
    path.with_suffix(".zip").write_bytes(out.getvalue())
    assert_allclose(read_site(path.with_suffix(".zip")).boundary.area, SQUARE.area, rtol=1e-9)


def test_missing_sidecars(write):
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


def test_rebuilt_index_is_gdals_own(write):
    path = write("site.shp", x=frame(SQUARE, EAST, SQUARE.buffer(10)))
    assert _shapefile_index(path.read_bytes(), "x") == path.with_suffix(".shx").read_bytes()


def test_two_shapefiles_in_a_zip_are_layers(write, tmp_path):
    first, second = write("a.shp", x=frame(SQUARE)), write("b.shp", x=frame(EAST))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member in [*first.parent.glob("a.*"), *second.parent.glob("b.*")]:
            archive.writestr(member.name, member.read_bytes())
    both = tmp_path / "both.zip"
    both.write_bytes(out.getvalue())
    with pytest.raises(SiteError, match="polygons in 2 layers"):
        read_site(both)
    assert read_site(both, layer="b").boundary.bounds[0] == pytest.approx(579_500, abs=1e-3)


def test_ten_character_columns(write):
    inside = shapely.box(578_200, 4_983_200, 578_300, 4_983_300)
    table = frame(SQUARE, inside, zone_type=[None, "cost"], cost_multi=[np.nan, 4.0])
    (zone,) = read_site(zipped(write("site.shp", x=table))).exclusions
    assert (zone.zone_type, zone.cost_multiplier, zone.buffer_m) == ("cost", 4.0, 0.0)


def test_points_only(write):
    with pytest.raises(SiteError, match=r"no polygon found \(it holds 1 point\)"):
        read_site(write("site.gpkg", site=frame(shapely.Point(578_000, 4_983_000))))


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


def test_geometry_that_is_not_finite(write):
    path = write("site.gpkg", site=frame(SQUARE))
    blob = wkb_of(path)
    with pytest.raises(SiteError, match="not finite"):
        read_site(put(path, blob[:-32] + struct.pack("<dd", np.nan, np.inf) + blob[-16:]))


def test_unclosed_ring_in_a_geopackage(write):
    path = write("site.gpkg", site=frame(SQUARE))
    blob = wkb_of(path)
    site = read_site(put(path, blob[:-16] + struct.pack("<dd", 578_500.0, 4_982_000.0)))
    assert any("closed" in w.lower() for w in site.warnings)
    assert site.boundary.is_valid


def test_more_than_200_layers(write):
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


def test_curves_are_straightened(write):
    path = write("site.gpkg", site=frame(SQUARE))
    header = wkb_of(path)[: 8 + 32]
    x, y, r = 578_500.0, 4_983_500.0, 500.0
    circle = [(x - r, y), (x + r, y), (x - r, y)]
    curve = struct.pack("<BII", 1, 8, len(circle)) + b"".join(struct.pack("<dd", *p) for p in circle)
    site = read_site(put(path, header + struct.pack("<BII", 1, 10, 1) + curve))
    assert_allclose(site.boundary.area, np.pi * r**2, rtol=1e-3)


def test_bare_shapefile_needs_its_neighbours(write):
    from_bytes = write("site.shp", x=frame(SQUARE)).read_bytes()
    with pytest.raises(CRSMismatchError, match=r"has no \.prj"):
        read_site_bytes(from_bytes, "site.shp")


def test_crs_name_that_is_not_utf8(write):
    path = write("site.shp", x=frame(SQUARE))
    odd = zipped(path, change=lambda m, d: d.replace(b"UTM", b"\xffTM") if m.suffix == ".prj" else d)
    with pytest.raises(CRSMismatchError, match="unreadable"):
        read_site(odd)
