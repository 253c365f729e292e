"""KMZ: its root and the files it links to."""

import pytest
from numpy.testing import assert_allclose

from pacifico.errors import SiteError
from pacifico.site import features


def test_the_root_is_doc_kml_else_the_first(read, plan, packed):
    site = read(packed({"other.kml": plan("B"), "doc.kml": plan("A")}), "site.kmz")
    assert site.name == "A"
    assert any("holds 2 KML files" in w and "'doc.kml' was read" in w for w in site.warnings)
    assert read(packed({"b.kml": plan("B"), "a.kml": plan("A")}), "site.kmz").name == "B"
    assert read(packed({"b.kml": plan("B"), "sub/doc.kml": plan("A")}), "site.kmz").name == "B"


def linking(kml, *hrefs):
    links = "".join(f"<NetworkLink><name>part</name><Link><href>{h}</href></Link></NetworkLink>" for h in hrefs)
    return kml.document(links, name="root")


@pytest.mark.parametrize("href", ["files/a%20b.kml", "./files/a b.kml", "files\\a b.kml", "x/../files/a b.kml#part"])
def test_links_to_files_of_the_archive_are_followed(read, kml, plan, packed, whole, href):
    site = read(packed({"doc.kml": linking(kml, href), "files/a b.kml": plan("A")}), "site.kmz")
    assert_allclose(site.area_ha, whole, rtol=1e-6)
    assert site.warnings == ("1 linked KML file of the archive read with doc.kml",)


def test_links_are_followed_from_the_folder_of_their_file_and_once(read, kml, packed, plan, whole):
    east = " ".join(f"{float(xy.split(',')[0]) + 0.02},{xy.split(',')[1]}" for xy in kml.box.split())
    members = {
        "doc.kml": linking(kml, "deep/index.kml", "deep/index.kml"),
        "deep/index.kml": linking(kml, "a.kml", "b.kml", "../doc.kml"),
        "deep/a.kml": plan("A"),
        "deep/b.kml": kml.document(kml.placemark(kml.polygon(east), "B")),
    }
    site = read(packed(members), "site.kmz")
    assert_allclose(site.area_ha, 2 * whole, rtol=1e-6)
    assert "3 linked KML files of the archive read with doc.kml" in site.warnings


@pytest.mark.parametrize(
    "href", ["http://127.0.0.1:9/a.kml", "//127.0.0.1:9/a.kml", "missing.kml", "file:///a.kml", "http://[x"]
)
def test_links_out_of_the_archive_are_reported_not_followed(read, kml, plan, packed, href):
    body = plan("A").replace("</Document>", f"<NetworkLink><Link><href>{href}</href></Link></NetworkLink></Document>")
    site = read(packed({"doc.kml": body}), "site.kmz")
    assert any(w.startswith("1 network link never followed") and href in w for w in site.warnings)


def test_linked_files_share_the_limits(read, kml, packed, monkeypatch, plan):
    monkeypatch.setattr(features, "MAX_FEATURES", 2)
    members = {"doc.kml": linking(kml, "a.kml", "b.kml", "c.kml"), **{f"{n}.kml": plan(n) for n in "abc"}}
    with pytest.raises(SiteError, match="more than 2 features"):
        read(packed(members), "site.kmz")
