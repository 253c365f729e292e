"""Offers become buttons; the newest refused edit has them."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.explorer.engine.messages import Offer
from pacifico.explorer.state.document import EditStep
from pacifico.explorer.tools.offers import Offers

STEP = EditStep("add", "solar_array", (1.0, 2.0))
OFFER = Offer("Add a skid here too: +0.20 million USD", (STEP,))


class Engine:
    """Keeps the tickets that it is given."""

    def __init__(self):
        self.tickets, self.cancelled = [], 0

    def submit(self, ticket, lane):
        assert lane == "aside"
        self.tickets.append(ticket)

    def cancel(self, _):
        self.cancelled += 1


@pytest.fixture
def taken():
    return []


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def offers(engine, taken):
    return Offers(engine, None, taken.append)


def test_an_offer_is_taken_by_its_button(offers, engine, taken):
    offers.find("plan", STEP)
    assert engine.tickets[0].arguments == ("plan", STEP)
    engine.tickets[0].on_result((OFFER,))
    (button,) = offers.buttons.children
    assert button.description == OFFER.words
    button.click()
    assert taken == [OFFER]
    offers.clear()
    assert offers.widget.layout.display == "none"
    assert offers.buttons.children == ()
    assert engine.cancelled == 1


def test_that_nothing_helps_is_said(offers, engine):
    offers.find("plan", STEP)
    engine.tickets[0].on_result(())
    assert "would help" in offers.message.value
    assert offers.buttons.children == ()
    engine.tickets[0].on_error(InputError("a < b"))
    assert offers.message.value == "a &lt; b"


def test_a_removal_has_none(offers, engine):
    offers.find("plan", EditStep("remove", "battery", (1.0, 2.0), "battery-0001"))
    assert engine.tickets == []
