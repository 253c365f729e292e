"""The check of the fuzz harnesses finds what it is there to find."""

from __future__ import annotations

import random
import warnings

import pytest
from fuzz.mutators import mutate_json, mutate_toml, mutate_xml, mutate_zip
from fuzz.scaffold import NAMES, BreachError, Harness, check, check_within_limits, load

from pacifico.errors import InputError, InternalError


def harness(read):
    return Harness(read, dict)


def test_an_accepted_input_is_told_from_a_refused_one():
    def refuse(data):
        raise InputError("no")

    assert check(harness(lambda data: ["north"]), b"")
    assert not check(harness(refuse), b"")


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), MemoryError(), InternalError("x")])
def test_other_errors_are_breaches(error):
    def read(data):
        raise error

    with pytest.raises(BreachError):
        check(harness(read), b"")


def test_warnings_of_python_are_breaches():
    with pytest.raises(BreachError, match="RuntimeWarning"):
        check(harness(lambda data: [warnings.warn("overflow", RuntimeWarning, stacklevel=1)]), b"")


@pytest.mark.parametrize("text", ["", "a\nb", "a\x1b[2J", "\ud800", "x" * 2000, "\u2028"])
def test_texts_are_one_short_line(text):
    with pytest.raises(BreachError):
        check(harness(lambda data: [text]), b"")


def test_much_memory_is_a_breach(monkeypatch):
    monkeypatch.setattr("fuzz.scaffold.MOST_BYTES", -1)
    with pytest.raises(BreachError, match="MB"):
        check_within_limits(harness(lambda data: []), b"")


def test_much_time_is_a_breach(monkeypatch):
    monkeypatch.setattr("fuzz.scaffold.MOST_SECONDS", -1.0)
    with pytest.raises(BreachError, match="took"):
        check_within_limits(harness(lambda data: []), b"")


@pytest.mark.parametrize("name", NAMES)
def test_every_harness_starts_from_small_inputs(name):
    seeds = load(name).seeds()
    assert len(seeds) >= 2
    assert max(map(len, seeds.values())) < 4096


@pytest.mark.parametrize(
    ("mutate", "seed"),
    [(mutate_json, "request"), (mutate_toml, "spec"), (mutate_xml, "kml"), (mutate_zip({"kml": mutate_xml}), "kmz")],
)
def test_mutators_change_inputs_and_repeat_by_their_seed(mutate, seed):
    data = next(iter(load(seed).seeds().values()))

    def changed(number):
        rng = random.Random(number)
        return mutate(data, rng, lambda part: part + bytes([rng.randrange(256)]))

    first = [changed(k) for k in range(50)]
    assert first == [changed(k) for k in range(50)]
    assert sum(x != data for x in first) > 40
