"""Settings of the extension."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.server.settings import ENVIRONMENT, from_environment


def test_defaults():
    found = from_environment({})
    assert (found.run_async, found.default_dem, found.timeout_s, found.streams) == (False, "3dep", 300, 200)
    assert 1 <= found.processes <= 4


def test_every_variable_is_read():
    given = dict.fromkeys(ENVIRONMENT, "2") | {"PACIFICO_ASYNC": "1", "PACIFICO_DEFAULT_DEM": "glo30"}
    found = from_environment(given)
    assert (found.run_async, found.default_dem) == (True, "glo30")
    assert (found.processes, found.timeout_s, found.rate, found.streams, found.body_s) == (2, 2, 2, 2, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PACIFICO_ASYNC", "maybe"), ("PACIFICO_DEFAULT_DEM", "/etc/passwd"), ("PACIFICO_SERVER_RATE", "fast"),
     ("PACIFICO_SERVER_PROCESSES", "0"), ("PACIFICO_SERVER_STREAMS", "-1"), ("PACIFICO_SERVER_BODY_S", "nan")],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(name, value):
    with pytest.raises(InputError, match=name):
        from_environment({name: value})
