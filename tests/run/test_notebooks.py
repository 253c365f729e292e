"""Templates and their parameters."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.run import notebooks

PARAMETERS = 'a: int = 1\nb: float | None = None\nc: str = ""  # required\nd = 3'


def test_parameters_are_read_from_their_cell(template):
    found = template(parameters=PARAMETERS).parameters
    assert [(p.name, p.annotation, p.required) for p in found.values()] == [
        ("a", "int", False),
        ("b", "float | None", False),
        ("c", "str", True),
        ("d", "", False),
    ]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"c": "x", "z": 1}, "'z' is not a parameter"),
        ({}, "'c' is missing"),
        ({"c": 3}, "c = 3 is not str"),
        ({"c": "x", "a": 1.5}, "a = 1.5 is not int"),
        ({"c": "x", "a": True}, "a = True is not int"),
        ({"c": "x", "b": float("nan")}, "is not plain JSON"),
    ],
)
def test_wrong_parameters_are_refused(template, values, words):
    with pytest.raises(InputError, match=words):
        notebooks.check(template(parameters=PARAMETERS), values)


def test_right_ones_pass(template):
    notebooks.check(template(parameters=PARAMETERS), {"c": "x", "a": 2, "b": 3, "d": [1]})


@pytest.mark.parametrize("name", ["none", "../evil", "Layout"])
def test_unknown_notebooks_are_refused(name):
    with pytest.raises(InputError, match="no notebook is called"):
        notebooks.find(name)
