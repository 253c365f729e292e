"""Settings from the environment."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.jobs.settings import ENVIRONMENT, from_environment


@pytest.mark.parametrize(
    ("name", "text"),
    [("PACIFICO_LEASE_S", "x"), ("PACIFICO_WAIT_S", "21"), ("PACIFICO_LEASE_S", "120"), ("PACIFICO_SSE", "rot13")],
)
def test_settings_that_cant_be(name, text):
    with pytest.raises(InputError, match=name):
        from_environment({name: text})


def test_every_setting_is_documented_and_read():
    import inspect

    from pacifico.jobs import settings

    source = inspect.getsource(settings.from_environment)
    assert all(f'"{name}"' in source for name in ENVIRONMENT)


def test_a_key_without_its_kind_of_encryption_is_refused():
    with pytest.raises(InputError, match="PACIFICO_SSE=aws:kms"):
        from_environment({"PACIFICO_KMS_KEY_ID": "arn"})
    assert from_environment({"PACIFICO_KMS_KEY_ID": "arn", "PACIFICO_SSE": "aws:kms"}).kms_key_id == "arn"


def test_without_a_setting_the_buckets_own_encryption_holds_for_everybody():
    assert from_environment({}).sse == "bucket"
    assert from_environment({"PACIFICO_SSE": "none"}).sse == "bucket"  # an older name


def test_without_a_home_the_store_must_be_named(monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError("uid")))
    with pytest.raises(InputError, match="set PACIFICO_STORE to a folder, or set HOME"):
        from_environment({})
    assert from_environment({"PACIFICO_STORE": "/srv/store"}).owner.startswith("uid-")
