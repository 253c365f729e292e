"""Requests that could only fail are refused before they are stored."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.jobs.request import JobRequest
from pacifico.jobs.settings import Settings
from pacifico.jobs.store.base import NotFoundError
from pacifico.jobs.submission.checks import check_request
from pacifico.jobs.uploads import upload_file, upload_site

SETTINGS = Settings(store="s3://store-of-jobs/p", owner="ann", dem_buckets=frozenset({"dems"}))


@pytest.fixture
def ask(local_store, tmp_path):
    """Check a request for a site that is there."""
    path = tmp_path / "site.kml"
    path.write_bytes(b"<kml/>")
    site = upload_site(local_store, path, owner="ann", site_id=None, limit=100)

    def check(**fields):
        check_request(JobRequest(**{"owner": "ann", "site_id": site, "dem": "sample", **fields}), local_store, SETTINGS)

    return check


def test_a_whole_request_passes(ask, local_store, tmp_path):
    weather = upload_file(local_store, tmp_path / "site.kml", owner="ann", limit=100)
    ask()
    ask(dem=weather)
    ask(dem="s3://dems/a.tif")
    ask(parameters={"weather": weather, "setback_m": 20, "spec": {"solar": {"tracker_gcr": 0.4}}, "entry": [1.0, 2.0]})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"parameters": {"colour": "red"}}, "'colour' is not a parameter"),
        ({"parameters": {"setback_m": "far"}}, "setback_m = 'far' is not float"),
        ({"parameters": {"entry": 3}}, "entry = 3 is not list"),
        ({"parameters": {"energy": "yes"}}, "energy = 'yes' is not bool"),
        ({"parameters": {"weather": "/etc/passwd"}}, "upload:<sha256>"),
        ({"parameters": {"exclusions": ["a"]}}, "upload:<sha256>"),
        ({"parameters": {"rules": "/etc/pack.toml"}}, "opens no file"),
        ({"parameters": {"rules": "../pack.toml"}}, "opens no file"),
        ({"notebook": "none_such"}, "no notebook is called"),
        ({"notebook": "submit_jobs"}, "works with jobs"),
        (
            {"notebook": "compare_variants", "parameters": {"weather": "upload:" + "a" * 64}},
            "'weather' is not a parameter",
        ),
        ({"site_id": "other"}, "upload it first"),
        ({"dem": "upload:" + "b" * 64}, "not among the uploads"),
        ({"parameters": {"exclusions": "upload:" + "c" * 64}}, "not among the uploads"),
        ({"dem": "s3://store-of-jobs/owners/bob/uploads/x/file"}, "in the store of jobs"),
    ],
)
def test_a_request_that_could_only_fail_is_refused(ask, fields, words):
    with pytest.raises(InputError, match=words) as refused:
        ask(**fields)
    assert "\n" not in str(refused.value)


def test_an_upload_of_another_owner_is_not_found(ask, local_store, tmp_path):
    theirs = upload_file(local_store, tmp_path / "site.kml", owner="bob", limit=100)
    with pytest.raises(NotFoundError, match="not among the uploads of 'ann'"):
        ask(dem=theirs)
