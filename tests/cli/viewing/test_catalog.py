"""`pacifico stac` and `pacifico jobs stac` write a catalog beside reports."""

import json
from types import SimpleNamespace

import pytest

from pacifico.cli.main import main
from pacifico.cli.viewing.catalog import catalog_of_jobs
from pacifico.errors import InputError

pytest.importorskip("pystac")
IDS = ["6f1b7f7e-8f43-4c6e-9d1c-0d8a0c5f2a11", "7a2c7f7e-8f43-4c6e-9d1c-0d8a0c5f2a12"]


class Client:
    """Client of a store with two completed layouts; it notes what was fetched."""

    owner = "ann"

    def __init__(self, write_report, layout, ids=IDS):
        self.write, self.layout, self.ids, self.fetched = write_report, layout, ids, []

    def list(self, *, status, limit):
        assert status == "completed"
        return [{"layout_id": i} for i in self.ids[:limit]]

    def fetch(self, layout_id, out):
        self.fetched.append(layout_id)
        self.write(out, self.layout)


def arguments(out, **more):
    return SimpleNamespace(**{"out": out, "limit": 100, "title": "Sites", "json": False, **more})


def test_a_folder_of_reports_gets_catalog_and_page(write_report, layout, tmp_path, capsys):
    write_report(tmp_path / "north", layout)
    assert main(["stac", str(tmp_path), "--title", "Our sites"]) == 0
    assert capsys.readouterr().out == f"written: {tmp_path / 'index.html'}\nwritten: {tmp_path / 'catalog.json'}\n"
    assert json.loads((tmp_path / "catalog.json").read_text())["title"] == "Our sites"


def test_a_folder_without_reports_is_one_line_and_status_2(tmp_path, capsys):
    assert main(["stac", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_jobs_are_fetched_once(write_report, layout, tmp_path, capsys):
    client = Client(write_report, layout)
    assert catalog_of_jobs(client, arguments(tmp_path / "out", json=True)) == 0
    assert json.loads(capsys.readouterr().out)["fetched"] == IDS
    assert catalog_of_jobs(client, arguments(tmp_path / "out", json=True)) == 0
    assert json.loads(capsys.readouterr().out)["fetched"] == []
    assert client.fetched == IDS
    links = json.loads((tmp_path / "out" / "catalog.json").read_text())["links"]
    assert [link["href"] for link in links if link["rel"] == "item"] == [f"./{i}/stac-item.json" for i in IDS]


def test_the_limit_holds(write_report, layout, tmp_path):
    client = Client(write_report, layout)
    catalog_of_jobs(client, arguments(tmp_path / "out", limit=1))
    assert client.fetched == IDS[:1]
    with pytest.raises(InputError, match="--limit is -1"):
        catalog_of_jobs(client, arguments(tmp_path / "out", limit=-1))


def test_an_owner_without_layouts_is_told(write_report, layout, tmp_path):
    with pytest.raises(InputError, match="ann has no completed layouts"):
        catalog_of_jobs(Client(write_report, layout, []), arguments(tmp_path / "out"))
