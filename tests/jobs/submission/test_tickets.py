"""Tickets for uploads without credentials."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.store.base import NotFoundError, PermissionDeniedError, SignedUpload
from pacifico.jobs.submission.tickets import Tickets


class Signs:
    """A folder that signs as a bucket does."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def presign_put(self, key, *, expires_s, kind, size_bytes=None):
        return SignedUpload(f"https://{key}", {"Content-Length": str(size_bytes)}, expires_s)


@pytest.fixture
def tickets(local_store):
    return Tickets(Signs(local_store), "ann", 100)


def arrive(store, ticket, data):
    suffix = ticket.rpartition(".")[2]
    store.put(f"{keys.upload('ann', ticket.rpartition('.')[0])}/boundary.{suffix}", data, kind="uploads")


def test_a_ticket_takes_one_file_of_one_size_and_is_used_up(tickets, local_store):
    ticket, signed = tickets.issue("site.kml", size_bytes=6, expires_s=900)
    assert signed.headers == {"Content-Length": "6"}
    arrive(local_store, ticket, b"<kml/>")
    with tickets.redeem(ticket) as path:
        assert path.read_bytes() == b"<kml/>"
    with pytest.raises(NotFoundError), tickets.redeem(ticket):
        pass


@pytest.mark.parametrize(
    ("name", "size", "expires", "words"),
    [
        ("site.exe", 6, 900, "no boundary file"),
        ("site.kml", 101, 900, "1 to 100"),
        ("site.kml", 0, 900, "1 to 100"),
        ("site.kml", -1, 900, "1 to 100"),
        ("site.kml", 6, 3601, "1 to 3600 s"),
        ("site.kml", 6, 0, "1 to 3600 s"),
    ],
)
def test_size_and_time_have_limits(tickets, name, size, expires, words):
    with pytest.raises(InputError, match=words):
        tickets.issue(name, size_bytes=size, expires_s=expires)


def test_a_larger_file_is_not_taken_though_it_arrived(tickets, local_store):
    ticket, _ = tickets.issue("site.kml", size_bytes=6, expires_s=900)
    arrive(local_store, ticket, b"x" * 101)
    with pytest.raises(InputError, match="at most"), tickets.redeem(ticket):
        pass


def test_a_role_that_may_not_delete_still_registers(tickets, local_store, monkeypatch):
    ticket, _ = tickets.issue("site.kml", size_bytes=6, expires_s=900)
    arrive(local_store, ticket, b"<kml/>")

    def refuse(_):
        raise PermissionDeniedError("no")

    monkeypatch.setattr(local_store, "delete", refuse)
    with tickets.redeem(ticket) as path:
        assert path.is_file()
