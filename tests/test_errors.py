import pytest

from pacifico import errors
from pacifico.errors import InputError, InternalError, OutsideServiceError, PacificoError, named


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
