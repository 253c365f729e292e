"""What becomes of the message of a delivery."""

import pytest

from pacifico.jobs.delivery import Delivery, Ending, settle


class Queue:
    """Queue that records its calls."""

    def __init__(self):
        self.calls = []

    def delete(self, message):
        self.calls.append(("delete", message))

    def hide(self, message, seconds):
        self.calls.append(("hide", message, seconds))

    def send_copy(self, message, *, delay_s):
        self.calls.append(("copy", message, delay_s))


@pytest.mark.parametrize(
    ("do", "calls"),
    [
        ("delete", [("delete", "m")]),
        ("copy", [("copy", "m", 30.0), ("delete", "m")]),  # the copy first: a crash between leaves two, never none
        ("hide", [("hide", "m", 30.0)]),
        ("leave", []),
    ],
)
def test_each_action_reaches_the_queue_in_order(do, calls):
    queue = Queue()
    settle(Delivery(ending=Ending.RELEASED, do=do, delay_s=30.0), "m", queue)
    assert queue.calls == calls
