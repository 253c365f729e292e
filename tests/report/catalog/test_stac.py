"""A STAC catalog of stored reports is valid, relative and the same each time."""

import json
import sys

import pytest

from pacifico.errors import InputError
from pacifico.report.catalog.stac import write_catalog


@pytest.fixture
def folder(write_report, collection, tmp_path):
    write_report(tmp_path / "north", collection)
    write_report(tmp_path / "south", None, outcome={"status": "failed", "error_message": "the DEM is void"})
    return tmp_path


def test_reports_with_a_layout_are_items(folder):
    pystac = pytest.importorskip("pystac")
    written = write_catalog(folder, title="Sites of 2026")
    assert [p.relative_to(folder).as_posix() for p in written] == ["north/stac-item.json", "index.html", "catalog.json"]
    catalog = pystac.Catalog.from_file(str(folder / "catalog.json"))
    assert catalog.title == "Sites of 2026"
    (item,) = catalog.get_items()
    assert item.id == "north"
    assert item.properties["title"] == "hillside: solar farm, balanced"
    assert item.properties["pacifico:total_capacity_kw"] == 500.0
    assert item.bbox[0] == pytest.approx(-93.0, abs=1e-4)
    assert item.assets["layout.geojson"].media_type == "application/geo+json"
    assert item.assets["report.html"].get_absolute_href() == str(folder / "north" / "report.html")


def test_catalog_and_items_keep_the_schemas_of_stac(folder):
    pystac = pytest.importorskip("pystac")
    write_catalog(folder)
    catalog = pystac.Catalog.from_file(str(folder / "catalog.json"))
    assert catalog.validate()
    assert all(item.validate() for item in catalog.get_items())


def test_every_link_is_relative(folder):
    pytest.importorskip("pystac")
    write_catalog(folder)
    for path in (folder / "catalog.json", folder / "north" / "stac-item.json"):
        content = json.loads(path.read_text())
        links = [*content["links"], *content.get("assets", {}).values()]
        assert all(link["href"].startswith(("./", "../")) for link in links)
        assert all((path.parent / link["href"]).is_file() for link in links)


def test_a_second_time_gives_the_same_bytes(folder):
    pytest.importorskip("pystac")
    first = [p.read_bytes() for p in write_catalog(folder)]
    assert [p.read_bytes() for p in write_catalog(folder)] == first


def test_hostile_names_are_text(write_report, collection, tmp_path):
    pytest.importorskip("pystac")
    next(f for f in collection["features"] if f["properties"]["kind"] == "boundary")["properties"]["name"] = (
        "<script>alert(1)</script>\n\x00\u202e"
    )
    write_report(tmp_path / "north", collection)
    write_catalog(tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert "<script" not in page
    assert "\n" not in json.loads((tmp_path / "north" / "stac-item.json").read_text())["properties"]["title"]


def test_without_pystac_the_error_names_the_extra(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pystac", None)
    with pytest.raises(InputError, match=r"pip install 'pacifico\[stac\]'"):
        write_catalog(folder)
    assert not (folder / "catalog.json").exists()
