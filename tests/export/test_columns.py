"""Cells and column types of tables for GIS."""

import pytest

from pacifico.export.columns import cell, dtype


@pytest.mark.parametrize(
    ("value", "expected"), [(1.5, 1.5), (None, None), ("a\nb", "a b"), (["a", "b\x00"], "a, b"), (True, True)]
)
def test_cells_are_numbers_or_text_on_one_line(value, expected):
    assert cell(value) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"type": "boolean"}, "bool"),
        ({"type": "integer"}, "int64"),
        ({"type": ["number", "null"]}, "float64"),
        ({"$ref": "#/$defs/positive"}, "float64"),
        ({"type": "string"}, "object"),
        ({}, "object"),
    ],
)
def test_types_follow_the_schema(rule, expected):
    assert dtype(rule) == expected
