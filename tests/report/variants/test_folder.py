"""The folder of a comparison is complete, repeatable and offline."""

import csv
import json
import re

import pytest

from pacifico.errors import InputError


def test_the_folder_is_complete_and_repeatable(variants, tmp_path):
    out = tmp_path / "deep" / "out"
    page = variants.write(out)
    first = {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}
    assert set(first) == {
        "clustered/layout.geojson", "comparison.csv", "comparison.json", "density/layout.geojson", "index.html",
    }  # fmt: skip
    variants.write(out)
    assert {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()} == first
    assert [p.name for p in out.parent.iterdir()] == ["out"]
    record = json.loads(first["comparison.json"])
    rows = list(csv.DictReader(first["comparison.csv"].decode().splitlines()))
    assert [r["strategy"] for r in rows] == ["density", "clustered"]
    assert float(rows[0]["road_length_m"]) == record["variants"]["density"]["road_length_m"]
    text = page.read_text(encoding="utf-8")
    assert "square &lt;b&gt;field" in text
    assert not re.findall(r"(?:src|href)=[\"'](?!data:|density/|clustered/)", text)
    assert "default-src 'none'" in text


def test_a_folder_with_other_files_is_refused(variants, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="is not empty and holds no comparison"):
        variants.write(tmp_path)
    variants.write(tmp_path / "ours")
    (tmp_path / "ours" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="is not empty"):
        variants.write(tmp_path / "ours")
    with pytest.raises(InputError, match="is not a folder"):
        variants.write(tmp_path / "letter.txt")
    assert (tmp_path / "letter.txt").read_text() == "dear"
