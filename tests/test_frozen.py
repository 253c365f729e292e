"""Frozen mappings: equal to plain ones, hashable, picklable, closed to every change."""

import copy
import json
import pickle

import pytest

from pacifico.frozen import FrozenDict, FrozenList, frozen, thawed

PLAIN = {"a": [1, {"b": 2}], "c": None}


def test_a_frozen_value_is_equal_and_goes_back():
    value = frozen(PLAIN)
    assert value == PLAIN
    plain = thawed(value)
    assert plain == PLAIN
    assert (type(plain), type(plain["a"])) == (dict, list)
    assert json.loads(json.dumps(value)) == PLAIN


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(a=1),
        lambda d: d.__setitem__("a", 1),
        lambda d: d.__delitem__("a"),
        lambda d: d.pop("a"),
        lambda d: d.popitem(),
        lambda d: d.clear(),
        lambda d: d.setdefault("x", 1),
        lambda d: d.__ior__({"x": 1}),
        lambda d: d["a"][1].update(b=3),
        lambda d: d["a"].append(3),
        lambda d: d["a"].sort(),
        lambda d: d["a"].__setitem__(0, 3),
        lambda d: d["a"].__iadd__([3]),
    ],
)
def test_every_change_is_refused(change):
    value = frozen(PLAIN)
    with pytest.raises(TypeError, match="change a copy"):
        change(value)
    assert thawed(value) == PLAIN


def test_copies_and_pickles_are_equal_and_frozen():
    value = frozen(PLAIN)
    for twin in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):  # noqa: S301 (our own bytes)
        assert twin == value
        assert hash(twin) == hash(value)
        assert isinstance(twin, FrozenDict)
        assert isinstance(twin["a"], FrozenList)
    assert type(dict(value)) is dict
