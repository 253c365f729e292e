"""Mutants of small sources."""

from __future__ import annotations

import ast

import pytest
from mutants.mutations import mutants
from mutants.run import ROOT, TESTS


def changed(source):
    return [ast.unparse(m.tree) for m in mutants(source)]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("a < b", ["a <= b"]),
        ("a == b != c", ["a != b != c", "a == b == c"]),
        ("a is None", ["a is not None"]),
        ("a in b", ["a not in b"]),
        ("a + b", ["a - b"]),
        ("a *= b", ["a /= b"]),
        ("a = 2", ["a = 3"]),
        ("a = True", ["a = False"]),
        ("a and b", ["a or b"]),
        ("not a", ["not not a"]),
        ("if a:\n    b", ["if not a:\n    b"]),
        ("def f():\n    return a", ["def f():\n    return None"]),
    ],
)
def test_each_operator_makes_one_change(source, found):
    assert changed(source) == found


@pytest.mark.parametrize(
    "source",
    [
        '"""Text with 2 words."""',
        "raise ValueError(a + b)",
        "a = f'{1 + 2}'",
        "if TYPE_CHECKING:\n    import a",
        "def f(a: Literal[1]) -> Literal[2]:\n    return",
        "@cache(2)\ndef f():\n    pass",
        "def f():\n    return None",
    ],
)
def test_messages_types_and_decorators_stay(source):
    assert changed(source) == []


def test_a_mutant_tells_its_line_and_change():
    (mutant,) = mutants("x = 1 if False else a\nb < c".replace("1 if False else ", ""))
    assert (mutant.line, mutant.change) == (2, "comparison: b < c  ->  b <= c")


def test_listed_modules_and_tests_exist():
    assert [m for m in TESTS if not (ROOT / "pacifico" / m).is_file()] == []
    assert [t for tests in TESTS.values() for t in tests if not (ROOT / "tests" / t).is_file()] == []
