"""Text and furniture of the drawn sheet."""

from fontTools import subset

from pacifico.report.paper import drawable, plain_fonts, wrapped


def test_characters_that_the_font_lacks_are_boxes():
    assert drawable("a\u6771\u0000b") == "a□ b"
    assert drawable("é ²") == "é ²"


def test_long_text_is_cut_after_the_last_line():
    lines = wrapped("one two three four five six", 9, 2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")


def test_fonts_are_embedded_without_tables_for_composing_meanwhile_and_usual_ones_after():
    usual = subset.Options().drop_tables
    with plain_fonts():
        assert set(subset.Options().drop_tables) == {*usual, "GDEF", "GPOS", "GSUB", "kern", "MATH", "name"}
    assert subset.Options().drop_tables == usual
