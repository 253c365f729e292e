"""Keys of the store."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacifico.errors import InputError
from pacifico.jobs import keys

GOOD = {
    "schema_version": 1,
    "layout_id": "123e4567-e89b-12d3-a456-426614174000",
    "site_id": "s",
    "owner": "ann",
    "target_capacity_kw": 1000,
    "dem": "3dep",
}
# of four bytes a character, each three characters of a key: no longer than keys may be
NAMES = st.text(min_size=1, max_size=16).filter(lambda s: s.encode("utf-8", "ignore").decode() == s)


@given(NAMES, NAMES)
def test_owners_never_collide_and_never_escape(a, b):
    one, two = keys.encode(a), keys.encode(b)
    assert (one == two) == (a == b)
    assert (one.lower() == two.lower()) == (a == b)  # nor where the file system folds case
    assert keys.decode(one) == a
    assert set(one) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_=")


@pytest.mark.parametrize(
    "path", ["/a", "../a", "a/../b", "a//b", "a\\b/..", "a/.hidden", "", "é.txt", "a\nb", "x" * 600]
)
def test_report_files_cant_leave_their_attempt(path):
    with pytest.raises(InputError):
        keys.artifact("ann", GOOD["layout_id"], 1, path)


def test_hints_sort_newest_first_and_say_all():
    layout_id = str(uuid.uuid4())
    old = keys.hint("ann", layout_id, created_ms=1_000, revision=3, status="failed")
    new = keys.hint("ann", layout_id, created_ms=2_000, revision=1, status="queued")
    assert sorted([old, new]) == [new, old]
    assert keys.read_hint(old) == (1_000, layout_id, 3, "failed")


@pytest.mark.parametrize(
    "tail",
    ["x", "0-1", "9999999999999-../00000001-queued", "9999999999999-" + "-" * 36 + "/00000001-queued", "1/2-queued"],
)
def test_a_planted_hint_is_refused(tail):
    with pytest.raises(InputError):
        keys.read_hint(f"owners/ann/index/{tail}")


def test_hints_of_one_layout_share_a_prefix():
    layout_id = "12345678-1234-5678-1234-567812345678"
    one = keys.hint("ann", layout_id, created_ms=5, revision=1, status="queued")
    assert one.startswith(keys.hints("ann", layout_id, created_ms=5))


def test_edits_stay_below_their_layout():
    layout_id = "12345678-1234-5678-1234-567812345678"
    for key in (keys.edits("ann", layout_id), keys.edited("ann", layout_id, "0" * 64, "layout.geojson")):
        assert key.startswith(keys.layout("ann", layout_id) + "/")
    with pytest.raises(InputError):
        keys.edited("ann", layout_id, "..", "layout.geojson")
