"""Text and furniture of the drawn sheet."""

from pacifico.report.paper import drawable, wrapped


def test_characters_that_the_font_lacks_are_boxes():
    assert drawable("a\u6771\u0000b") == "a□ b"
    assert drawable("é ²") == "é ²"


def test_long_text_is_cut_after_the_last_line():
    lines = wrapped("one two three four five six", 9, 2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")
