"""Layers of the drawing have colours, line types and line weights."""

import pytest

from pacifico.export.dxf_layers import LINE_TYPES, add_layers


@pytest.fixture
def drawing():
    ezdxf = pytest.importorskip("ezdxf")
    drawing = ezdxf.new("R2010")
    add_layers(drawing, ["SITE-BOUNDARY", "ROAD-SPINE", "PAD", "CONTOUR-INDEX"])
    return drawing


def test_line_types_are_defined_and_their_parts_sum_to_their_length(drawing):
    for name, (_, (length, *parts)) in LINE_TYPES.items():
        assert name in drawing.linetypes
        assert sum(map(abs, parts)) == length


def test_boundary_centrelines_and_pads_differ_in_line_type(drawing):
    types = {layer.dxf.name: layer.dxf.linetype for layer in drawing.layers}
    assert types["SITE-BOUNDARY"] == "PHANTOM"
    assert types["ROAD-SPINE"] == "CENTER"
    assert types["PAD"] == "CONTINUOUS"


def test_the_boundary_is_heavier_than_a_contour(drawing):
    weights = {layer.dxf.name: layer.dxf.lineweight for layer in drawing.layers}
    assert weights["SITE-BOUNDARY"] > weights["CONTOUR-INDEX"] > 0
    assert drawing.audit().errors == []
