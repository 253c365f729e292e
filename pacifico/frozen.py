"""Mappings and lists that can't be changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable


def _refuse(self: object, *_: object, **__: object) -> NoReturn:
    """Refuse a change."""
    plain = "dict" if isinstance(self, dict) else "list"
    raise TypeError(f"this {plain} can't be changed; change a copy: {plain}(...)")


class FrozenDict(dict[str, Any]):
    """Dictionary that refuses changes; equal to a plain one, hashable and picklable."""

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Callable[[dict[str, Any]], FrozenDict], tuple[dict[str, Any]]]:
        """Pickle the content: it can't be filled item by item."""
        return FrozenDict, (dict(self),)


class FrozenList(list[Any]):
    """List that refuses changes; equal to a plain one, hashable and picklable."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    def __reduce__(self) -> tuple[Callable[[list[Any]], FrozenList], tuple[list[Any]]]:
        """Pickle the content: it can't be filled item by item."""
        return FrozenList, (list(self),)


def frozen(value: Any) -> Any:
    """Copy of a JSON-like value in which nothing can be changed.

    Examples
    --------
    >>> frozen({"a": [1, 2]}) == {"a": [1, 2]}
    True
    """
    if isinstance(value, FrozenDict | FrozenList):
        return value
    if isinstance(value, Mapping):
        return FrozenDict({key: frozen(inner) for key, inner in value.items()})
    return FrozenList([frozen(inner) for inner in value]) if isinstance(value, list | tuple) else value


def thawed(value: Any) -> Any:
    """Copy of a frozen value in plain dictionaries and lists."""
    if isinstance(value, Mapping):
        return {key: thawed(inner) for key, inner in value.items()}
    return [thawed(inner) for inner in value] if isinstance(value, list | tuple) else value
