"""Archives: what is refused."""

import struct

import pytest

from pacifico.errors import SiteError


def broken(data, at, value):
    return data[:at] + value + data[at + len(value) :]


def test_shadow_files_are_passed_over(read, plan, packed):
    site = read(packed({"__MACOSX/._doc.kml": b"\x00", "._doc.kml": b"\x00", "doc.kml": plan()}), "site.kmz")
    assert (site.name, site.warnings) == ("A", ())


def test_nothing_is_written(read, plan, tmp_path, monkeypatch, packed):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    members = {
        "/tmp/pacifico_probe": b"x",
        "..\\..\\pacifico_probe": b"x",
        "../pacifico_probe": b"x",
        "doc.kml": plan(),
    }
    read(packed(members), "site.kmz")
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "site.kmz"}
    assert not (tmp_path.parent / "pacifico_probe").exists()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "holds no"),
        ({"site.csv": "a,b"}, r"no shapefile \(it holds 'site.csv'\)"),
        ({"inner.kmz": "PK"}, r"holds another archive \('inner.kmz'\); unpack it first"),
        ({"a.gdb/a1.gdbtable": "x"}, "file geodatabase is not supported"),
        ({"a.geojson": "PK\x03\x04"}, "holds another archive"),
        ({"doc.kml": " " * 40_000_000}, "unpacks to 40 MB; the limit is 32 MB"),
        ({"doc.kml": " " * 20_000_000}, "-fold; the limit is 200-fold"),
        ({str(i): "" for i in range(5001)}, "more than 5,000 members"),
    ],
)
def test_refused(read, members, message, packed):
    with pytest.raises(SiteError, match=message):
        read(packed(members), "site.zip")


def test_damaged(read, plan, packed):
    good = packed({"doc.kml": plan()})
    for cut in (10, len(good) // 2, len(good) - 5):
        with pytest.raises(SiteError, match="damaged or cut off"):
            read(good[:cut], "site.kmz")
    with pytest.raises(SiteError, match="can't be unpacked"):
        read(broken(good, 45, b"\xff\xff\xff\xff"), "site.kmz")


def test_encrypted(read, plan, packed):
    good = packed({"doc.kml": plan()})
    directory = good.rfind(b"PK\x01\x02")
    flagged = broken(broken(good, 6, b"\x01\x00"), directory + 8, b"\x01\x00")
    with pytest.raises(SiteError, match="encrypted"):
        read(flagged, "site.kmz")


def test_a_lying_size_does_not_pass(read, packed):
    data = packed({"doc.kml": " " * 20_000_000})
    directory = data.rfind(b"PK\x01\x02")
    small = struct.pack("<I", 400)
    with pytest.raises(SiteError, match="can't be unpacked"):
        read(broken(broken(data, 22, small), directory + 24, small), "site.kmz")


def test_a_member_without_a_name_is_passed_over(read, plan, packed):
    data = packed({"x": "y", "doc.kml": plan()})
    directory = data.find(b"PK\x01\x02")
    nameless = broken(data, directory + 46, b"\x00")  # zipfile ends names at a null byte
    assert read(nameless, "site.kmz").name == "A"
