import pytest

from pacifico.export.text import single_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\nb\tc", "a b c"),
        ("\x00\x1ba\x7f", "a"),
        ("a\u202eb\u200b", "ab"),
        ("a\ud800b", "a b"),
        ("  a  b ", "a b"),
        ("é 東京 ²", "é 東京 ²"),
        ("x" * 201, "x" * 199 + "…"),
        ("x" * 200, "x" * 200),
        (None, "None"),
    ],
)
def test_text_is_one_line_without_control_characters(text, line):
    assert single_line(text) == line
