"""Mapping that keeps its newest entries."""

from __future__ import annotations

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Newest(dict[Key, Value], Generic[Key, Value]):
    """Mapping of a limited size.

    Parameters
    ----------
    most : int
        Most entries; the oldest is forgotten.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, key: Key, value: Value) -> None:
        """Keep an entry; an older one of the same key is replaced in its place."""
        self[key] = value
        if len(self) > self._most:
            del self[next(iter(self))]
