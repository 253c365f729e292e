import pytest

from pacifico import errors
from pacifico.errors import (
    MAX_MESSAGE,
    InputError,
    InternalError,
    OutsideServiceError,
    PacificoError,
    is_plain_line,
    named,
)


def test_exit_status_says_who_must_act():
    assert InputError.exit_code == 2
    assert OutsideServiceError.exit_code == 3
    assert InternalError.exit_code == 70


@pytest.mark.parametrize("kind", [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, Exception)])
def test_all_errors_share_one_base(kind):
    assert issubclass(kind, PacificoError)


def test_input_errors_are_value_errors_and_internal_errors_are_not():
    assert issubclass(InputError, ValueError)
    assert not issubclass(InternalError, InputError)


def test_named_lists_all_up_to_the_limit():
    assert named([]) == ""
    assert named(["a"]) == "a"
    assert named(iter("abcdef")) == "a, b, c, d, e, f"


def test_named_counts_those_past_the_limit():
    assert named("abcdefgh") == "a, b, c, d, e, f and 2 more"
    assert named("abc", limit=1) == "a and 2 more"


def test_messages_are_one_printable_line():
    quoted = "a\n  b\tc\x00\x1b[2J\u202ed\u2028e\ud800f"
    assert str(InputError(quoted)) == "a b c\ufffd\ufffd[2J\ufffdd e\ufffdf"
    assert str(OutsideServiceError("down\r\n")) == "down"


def test_long_messages_keep_their_end_with_the_remedy():
    line = str(InputError("value " + "x" * 5000 + "; give a number"))
    assert len(line) <= MAX_MESSAGE
    assert line.startswith("value xxx")
    assert " ... " in line
    assert line.endswith("; give a number")
    assert str(InputError("y" * MAX_MESSAGE)) == "y" * MAX_MESSAGE


@pytest.mark.parametrize(
    ("text", "plain"),
    [("a b", True), ("", False), (" ", False), ("a\nb", False), ("a\x00", False), ("a\u202e", False), ("é°", True)],
)
def test_a_plain_line_has_no_control_characters(text, plain):
    assert is_plain_line(text) is plain
