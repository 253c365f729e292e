"""Pages of layouts and sites."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.serving.owned import OwnedJobs
from pacifico.jobs.serving.pages import LayoutFilter, layout_page, site_page
from pacifico.jobs.settings import Settings

ALL = LayoutFilter()


@pytest.fixture
def jobs(tmp_path):
    return OwnedJobs(Settings(store=str(tmp_path / "store"), owner="ann"))


def sites(jobs, tmp_path, count):
    found = []
    for n in range(count):
        path = tmp_path / f"s{n}.kml"
        path.write_text(f"<kml n='{n}'/>")
        found.append(jobs.upload_site(path))
    return found


def test_pages_follow_each_other_newest_first(jobs, tmp_path):
    (site,) = sites(jobs, tmp_path, 1)
    made = []
    for _ in range(5):
        request = jobs.request(site, dem="sample")
        jobs.accept(request)
        made.append(request.layout_id)
    seen, cursor = [], None
    while True:
        rows, cursor = layout_page(jobs, ALL, cursor=cursor, limit=2)
        assert len(rows) <= 2
        seen += [row["layout_id"] for row in rows]
        if cursor is None:
            break
    assert sorted(seen) == sorted(made)
    times = [row["created_at"] for row in layout_page(jobs, ALL)[0]]
    assert times == sorted(times, reverse=True)


def test_filters(jobs, tmp_path):
    a, b = sites(jobs, tmp_path, 2)
    ids = {}
    for name, site in (("one", a), ("two", a), ("three", b)):
        request = jobs.request(site, dem="sample")
        jobs.accept(request)
        ids[name] = request.layout_id
    jobs.records.fail("ann", ids["two"], kind="lost", message="gone")
    jobs.cancel(ids["three"])

    def found(**given):
        return {row["layout_id"] for row in layout_page(jobs, LayoutFilter(**given))[0]}

    assert found(site_id=a) == {ids["one"], ids["two"]}
    assert found(status="failed") == {ids["two"]} == found(error_kind="lost")
    assert found(site_id=b, status="queued") == set()
    assert found(since=datetime.now(UTC) + timedelta(minutes=1)) == set()
    assert found(since=datetime.now(UTC) - timedelta(minutes=1)) == set(ids.values())


def test_pages_of_sites(jobs, tmp_path):
    made = sites(jobs, tmp_path, 3)
    jobs.store.put(f"{keys.site('ann', 'planted')}/site.json", b"[]", kind="uploads")
    first, cursor = site_page(jobs, limit=2)
    rest, end = site_page(jobs, limit=2, cursor=cursor)
    assert [r.site_id for r in (*first, *rest)] == sorted(made)
    assert end is None
    assert site_page(OwnedJobs(jobs.settings, owner="bob"))[0] == []


@pytest.mark.parametrize("name", ["é", "=ff", "=", "a=2", "A", "\udcff"])
def test_a_site_under_a_name_that_no_client_writes_is_left_out(jobs, tmp_path, name):
    made = sites(jobs, tmp_path, 1)
    planted = tmp_path / "store" / "owners" / "ann" / "sites" / name
    planted.mkdir()
    (planted / "site.json").write_bytes(b"{}")
    assert [record.site_id for record in site_page(jobs)[0]] == made


@pytest.mark.parametrize("content", ["x", "[]", '["a","b"]', "[1]", '[1,"../.."]', "[-5,1]", "[" * 4000])
def test_strange_cursors_are_refused(jobs, content):
    for cursor in (content, base64.urlsafe_b64encode(content.encode()).decode()):
        with pytest.raises(InputError):
            layout_page(jobs, ALL, cursor=cursor)
    number = base64.urlsafe_b64encode(json.dumps([5]).encode()).decode()
    with pytest.raises(InputError):
        site_page(jobs, cursor=number)
