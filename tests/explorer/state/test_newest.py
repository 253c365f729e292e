"""Only the newest entries are kept."""

from __future__ import annotations

from pacifico.explorer.state.newest import Newest


def test_the_oldest_entry_is_forgotten():
    kept = Newest(2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        kept.keep(key, value)
    assert kept == {"b": 2, "c": 4}
