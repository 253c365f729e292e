"""Parameters of a job, checked before it is stored and again where it runs."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.jobs.request import JobRequest
from pacifico.jobs.runner.parameters import check_parameters
from pacifico.jobs.runner.staging import stage
from pacifico.jobs.settings import Settings

WRONG = [
    ({"parameters": {"rules": "/srv/other/pack.toml"}}, "opens no file"),
    ({"parameters": {"rules": "pack.toml"}}, "opens no file"),
    ({"parameters": {"setback_m": "far"}}, "setback_m = 'far' is not float"),
    ({"parameters": {"colour": "red"}}, "'colour' is not a parameter"),
    ({"notebook": "submit_jobs", "parameters": {"folder": "/srv/other"}}, "works with jobs"),
    ({"notebook": "none_such"}, "no notebook is called"),
]


def ask(**fields):
    return JobRequest(**{"site_id": "home", "owner": "ann", "dem": "sample", **fields})


def test_parameters_that_the_notebook_takes_pass():
    check_parameters(ask(parameters={"rules": "ifc-appendix-d", "setback_m": 20, "weather": "upload:" + "a" * 64}))
    check_parameters(ask(parameters={"rules": {"pack": {}, "rule": []}}))


@pytest.mark.parametrize(("fields", "words"), WRONG)
def test_others_are_refused(fields, words):
    with pytest.raises(InputError, match=words):
        check_parameters(ask(**fields))


@pytest.mark.parametrize(("fields", "words"), WRONG)
def test_a_request_that_no_client_checked_is_refused_before_anything_is_staged(local_store, tmp_path, fields, words):
    """An owner can write a request and send its message without our client."""
    with pytest.raises(InputError, match=words):
        stage(ask(**fields), local_store, Settings(store="unused", owner="ann"), tmp_path / "in")
    assert not (tmp_path / "in").exists()
