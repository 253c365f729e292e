"""Mutants of small sources."""

from __future__ import annotations

import ast
import sys
import tomllib
from types import ModuleType

import pytest
from mutants.argued import LIST, entries, reason
from mutants.mutations import mutants
from mutants.run import ROOT, TESTS, apply_mutant


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


def test_argued_mutants_exist_and_have_a_reason():
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))["argued"]
    assert {e["module"] for e in listed} <= set(TESTS)
    stale = []
    for module in {e["module"] for e in listed}:
        source = (ROOT / "pacifico" / module).read_text(encoding="utf-8")
        lines = source.splitlines()
        places = {(m.change, lines[m.line - 1]) for m in mutants(source)}
        for entry in entries(module):
            assert entry["why"]
            found = {change for change, line in places if entry.get("within", "") in line}
            stale += [(module, change) for change in entry["changes"] if change not in found]
    assert stale == []


def test_a_mutant_that_is_not_listed_has_no_reason():
    (mutant,) = mutants("x < y")
    assert reason("analysis/costs.py", mutant) == ""


@pytest.mark.parametrize(
    ("change", "most", "parts", "default"),
    [("constant: 5  ->  6", 6, 2, 3), ("constant: 2  ->  3", 5, 3, 3), ("constant: 3  ->  4", 5, 2, 4)],
)
def test_limits_of_a_model_are_changed_with_its_module(change, most, parts, default):
    """pydantic compiles them when the class is made."""
    module = ModuleType("limits")
    source = (
        "from __future__ import annotations\nfrom pydantic import BaseModel, Field\nMOST = 5\n"
        "class Part(BaseModel):\n    n: int = Field(le=MOST)\n"
        "class Whole(BaseModel):\n    parts: list[Part] = Field(max_length=2)\n    n: int = 3\n"
    )
    sys.modules["limits"] = module
    module.__file__ = "limits.py"
    try:
        exec(source, module.__dict__)  # noqa: S102 (the text above)
        part, whole = module.Part(n=5), module.Whole
        (mutant,) = (m for m in mutants(source) if m.change == change)
        apply_mutant(module, mutant)
        assert whole(parts=[part] * parts).parts == [part] * parts
        assert (whole(parts=[]).n, module.Part(n=most).n) == (default, most)
        with pytest.raises(ValueError, match="parts"):
            whole(parts=[part] * (parts + 1))
        with pytest.raises(ValueError, match=f"less than or equal to {most}"):
            module.Part(n=most + 1)
    finally:
        del sys.modules["limits"]
