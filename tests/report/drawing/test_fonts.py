"""Fonts of a PDF hold the same letters as by matplotlib alone."""

from __future__ import annotations

import io

import pytest
from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib.backends._backend_pdf_ps import font_as_file
from matplotlib.font_manager import findfont
from matplotlib.ft2font import FT2Font

from pacifico.report.drawing.fonts import COMPOSING, plain_font, plain_fonts

TEXT = "Réseau à 34,5 kV – 12°, pente ≤ 5 % ½ Ω □ Żółć ﬁ"


def cut(path, text):
    """Font cut to the letters of a text, as matplotlib cuts it; a letter's outline by the letter."""
    ids = {FT2Font(path).get_char_index(ord(c)) for c in text}
    options = subset.Options(glyph_names=True, recommended_glyphs=True)
    with subset.load_font(path, options) as font:
        cutter = subset.Subsetter(options=options)
        cutter.populate(gids=ids)
        cutter.subset(font)
        data = font_as_file(font).getvalue()
    found = FT2Font(io.BytesIO(data))
    outlines = {}
    for c in text:
        found.load_glyph(cutter.glyph_index_map[FT2Font(path).get_char_index(ord(c))])
        vertices, codes = found.get_path()
        outlines[c] = (vertices.tolist(), codes.tolist())
    return data, outlines


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_letters_keep_their_outlines(weight):
    path = str(findfont(f"DejaVu Sans:{weight}"))
    usual_data, usual = cut(path, TEXT)
    with plain_fonts():
        data, outlines = cut(path, TEXT)
    assert outlines == usual
    assert len(data) < len(usual_data)
    assert not set(TTFont(io.BytesIO(data)).keys()) & {*COMPOSING}
    assert cut(path, TEXT)[0] == usual_data  # the usual way is back


def test_other_kinds_of_fonts_are_read_as_usual(tmp_path):
    path = tmp_path / "a.otf"
    path.write_bytes(b"OTTO" + bytes(60))
    assert plain_font(str(path)) is None
