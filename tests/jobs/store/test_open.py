"""Addresses of stores."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.jobs.settings import from_environment
from pacifico.jobs.store.open import open_store


@pytest.mark.parametrize("address", ["s3://", "s3://UPPER/x", "ftp://host/x", "s3://bucket?x=1"])
def test_addresses_that_are_none(address):
    with pytest.raises(InputError):
        open_store(from_environment({"PACIFICO_STORE": address}))
