"""Messages arrive as they were sent, or the stream has ended."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pacifico.explorer.engine.frames import read_frame, write_frame


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines may be busy
@given(st.lists(st.one_of(st.text(max_size=50), st.binary(max_size=50), st.integers()), max_size=10))
def test_messages_arrive_in_order(messages):
    stream = io.BytesIO()
    for message in messages:
        write_frame(stream, message)
    stream.seek(0)
    assert [read_frame(stream) for _ in messages] == messages
    with pytest.raises(EOFError):
        read_frame(stream)


def test_a_cut_message_is_an_end():
    stream = io.BytesIO()
    write_frame(stream, "a message")
    with pytest.raises(EOFError):
        read_frame(io.BytesIO(stream.getvalue()[:-1]))
