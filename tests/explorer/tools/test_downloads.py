"""Links hold the files themselves."""

from __future__ import annotations

import base64
import io
import re
import zipfile

from pacifico.explorer.tools import downloads
from pacifico.explorer.tools.downloads import links_of


def contents(html):
    found = re.findall(r'download="([^"]*)" href="data:([^;]*);base64,([^"]*)"', html)
    return {name: (kind, base64.b64decode(data)) for name, kind, data in found}


def test_one_file_is_one_link(tmp_path):
    path = tmp_path / "a'&b.kmz"
    path.write_bytes(b"kmz")
    ((_, content),) = contents(links_of([str(path)])).values()
    assert content == b"kmz"
    assert "a'&b" not in links_of([str(path)])


def test_a_folder_has_its_page_its_sheet_and_an_archive(tmp_path):
    folder = tmp_path / "North-report"
    folder.mkdir()
    files = [folder / name for name in ("report.html", "site-plan.pdf", "costs.csv")]
    for file in files:
        file.write_text(file.name)
    found = contents(links_of(map(str, files)))
    assert list(found) == ["report.html", "site-plan.pdf", "North-report.zip"]
    assert found["site-plan.pdf"] == ("application/pdf", b"site-plan.pdf")
    with zipfile.ZipFile(io.BytesIO(found["North-report.zip"][1])) as archive:
        assert archive.namelist() == [file.name for file in files]


def test_a_large_file_stays_in_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "MOST_LINK_BYTES", 2)
    path = tmp_path / "a.gpkg"
    path.write_bytes(b"gpkg")
    assert "too large for a link" in links_of([str(path)])
    assert "href" not in links_of([str(path)])
