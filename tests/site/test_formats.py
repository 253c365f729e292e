"""Choice of the reader, and archives of every format."""

import io
import subprocess
import sys
import zipfile

import pytest
import shapely
from numpy.testing import assert_allclose

from pacifico.errors import SiteError
from pacifico.site.boundary import read_site

BOX = [[10, 45], [10.02, 45], [10.02, 45.01], [10, 45.01], [10, 45]]
SQUARE = shapely.box(578_000, 4_983_000, 579_000, 4_984_000)
EAST = shapely.box(579_500, 4_983_000, 580_500, 4_984_000)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("hello", "in no format that pacifico reads"),
        ("[1, 2]", "not a GeoJSON object"),
        ('{"type": "Topology"}', "TopoJSON"),
        ('{"type": "FeatureCollection"}', "no list of features"),
        ('{"type": "FeatureCollection", "features": [1]}', "feature 1 is not an object"),
        ('{"type": "Polygon", "coordinates": [[[10, true], [1, 2], [3, 4]]]}', "vertex 1 holds a bool"),
        ('{"type": "Polygon", "coordinates": [[[10, 1e999], [1, 2], [3, 4]]]}', "too large to be a coordinate"),
        ('{"type": "Polygon", "coordinates": [[[10, ' + "9" * 5000 + "]]]}", "absurd length"),
        ('{"type": "Polygon", "coordinates": [[[10, ' + "9" * 400 + "]]]}", "too large to be a coordinate"),
        ('{"type": "Polygon", "coordinates": null}', "nested wrongly"),
        ('{"type": "Polygon", "coordinates": [[[10, NaN]]]}', "vertex 1 holds NaN"),
        ('{"type": "Polygon", "coordinates": []}', "no polygon found"),
        ('{"type": "Polygon", "coordinates": [[[1, 2]],]}', "not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("<gpx></gpx>", "starts with <gpx>"),
        ("<kml><Document></kml>", "not well-formed XML"),
        ('<!DOCTYPE kml [<!ENTITY a "b">]><kml/>', "DTD"),
        ('<!DOCTYPE kml SYSTEM "http://127.0.0.1:9/x.dtd"><kml/>', "DTD"),
        ("<kml>" + "<Folder>" * 1001, "1,000 levels"),
        ('<?xml version="1.0" encoding="shift_jis"?><kml/>', "encoding"),
        ('<?xml version="1.0" encoding="nonsense"?><kml/>', "not well-formed|encoding"),
        (b'<?xml version="1.0" encoding="UTF-8"?><kml>\xe9</kml>', "not UTF-8"),
        (b"PK\x03\x04broken", "damaged or cut off"),
        (b"SQLite format 3\x00" + bytes(500), "damaged or no GeoPackage"),
        (b"\x00\x00\x27\x0a" + bytes(20), "cut off"),
    ],
)
@pytest.mark.parametrize("filename", ["site.kml", "site.geojson", "site"])
def test_one_clear_line(read, content, message, filename):
    with pytest.raises(SiteError, match=message) as caught:
        read(content, filename)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(filename)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(SiteError, match="does not exist"):
        read_site(tmp_path / "none.kml")
    with pytest.raises(SiteError, match="is not a file"):
        read_site(tmp_path)
    with pytest.raises(SiteError, match=r"can't be opened|does not exist"):
        read_site("a\x00b.kml")


def test_content_wins_over_extension(read, geojson, whole):
    site = read(geojson(BOX), "site.kml")
    assert_allclose(site.area_ha, whole, rtol=1e-6)
    assert any("content is GeoJSON" in w for w in site.warnings)


def test_plain_files_need_no_heavy_imports(tmp_path, kml):
    path = tmp_path / "site.kml"
    path.write_text(kml.document(kml.placemark(kml.polygon())), encoding="utf-8")
    script = (
        "import sys; from pacifico import read_site; read_site(sys.argv[1]); "
        "sys.exit(str({'geopandas', 'pandas', 'pyogrio', 'rasterio', 'xarray'} & set(sys.modules) or ''))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, path], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""


@pytest.mark.parametrize("folder", ["", "export/deep/"])
def test_zipped_shapefile(write, folder, frame, zipped):
    site = read_site(zipped(write("West field.shp", x=frame(SQUARE)), folder=folder))
    assert_allclose(site.boundary.area, SQUARE.area, rtol=1e-9)
    assert site.warnings == ()


def test_upper_case_and_shadow_files(write, frame):
    path = write("site.shp", x=frame(SQUARE))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member in path.parent.glob("site.*"):
            archive.writestr("__MACOSX/._" + member.name, b"shadow")
            archive.writestr(member.name.upper(), member.read_bytes())
    path.with_suffix(".zip").write_bytes(out.getvalue())
    assert_allclose(read_site(path.with_suffix(".zip")).boundary.area, SQUARE.area, rtol=1e-9)


def test_two_shapefiles_in_a_zip_are_layers(write, tmp_path, frame):
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


@pytest.mark.parametrize("name", ["doc.kml", "DOC.KML", "site.kml", "a/b/site.Kml"])
@pytest.mark.parametrize("filename", ["site.kmz", "site.zip", "site"])
def test_kml_in_an_archive(read, plan, name, filename, packed):
    assert read(packed({name: plan()}), filename).name == "A"


@pytest.mark.parametrize(
    ("inner", "content"), [("a.geojson", '{"type":"Polygon","coordinates":[[[10,45],[10.1,45],[10.1,45.1],[10,45]]]}')]
)
def test_other_formats_in_an_archive(read, inner, content, packed):
    assert read(packed({inner: content}), "site.zip").area_ha > 1000


def members_of(path):
    return {p.name: p.read_bytes() for p in path.parent.glob(f"{path.stem}.*")}


@pytest.mark.parametrize("other", ["site.kml", "site.geojson", "site.json", "sub/site.kmz"])
def test_an_archive_of_two_formats_is_asked_about(read, plan, packed, write, frame, geojson, other):
    content = plan() if other.endswith(("kml", "kmz")) else geojson([[10, 45], [10.1, 45], [10.1, 45.1], [10, 45]])
    archive = packed({**members_of(write("old_option.shp", x=frame(SQUARE))), other: content})
    with pytest.raises(SiteError, match=r"files of 2 formats: .*; pack the site's alone") as caught:
        read(archive, "site.zip")
    assert other in str(caught.value)
    assert "old_option.shp" in str(caught.value)


def test_metadata_and_pictures_beside_a_shapefile_are_no_second_format(read, packed, write, frame):
    members = members_of(write("site.shp", x=frame(SQUARE)))
    site = read(
        packed({**members, "metadata.json": '{"title": "x"}', "map.png": b"x", "site.shp.xml": "<x/>"}), "s.zip"
    )
    assert_allclose(site.boundary.area, SQUARE.area, rtol=1e-9)


def test_a_kmz_is_its_kml_and_says_what_else_it_holds(read, plan, packed):
    site = read(packed({"doc.kml": plan("A"), "data/a.gpkg": b"x"}), "site.kmz")
    assert site.name == "A"
    assert "'data/a.gpkg' in the archive not read: a KMZ is its KML" in site.warnings


@pytest.mark.parametrize("extension", ["kml", "geojson"])
def test_several_files_of_one_format_are_layers(read, kml, plan, packed, geojson, extension):
    far = "20,45 20.02,45 20.02,45.01 20,45.01 20,45"
    texts = {
        "kml": (plan("A"), kml.document(kml.placemark(kml.polygon(far), "B"))),
        "geojson": tuple(geojson([[x, 45], [x + 0.02, 45], [x + 0.02, 45.01], [x, 45.01], [x, 45]]) for x in (10, 20)),
    }[extension]
    archive = packed({f"west.{extension}": texts[0], f"sub/east.{extension}": texts[1]})
    with pytest.raises(SiteError, match=r"polygons in 2 layers; .*'west' 175\.23 ha, 'east' 175\.23 ha"):
        read(archive, "both.zip")
    assert read(archive, "both.zip", layer="east").crs.to_epsg() == 32634


def test_content_that_a_name_denies_is_read_as_what_it_is(read, kml):
    site = read(kml.document(kml.placemark(kml.polygon())), "site.geojson")
    assert "the name ends in .geojson, but the content is KML; read as KML" in site.warnings
