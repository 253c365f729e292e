"""One undo stack: whatever changed last is undone first."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pacifico.explorer.state.document import Document, EditStep
from pacifico.explorer.state.history import MOST_STATES, History
from pacifico.layout.criteria.design import Design

FIRST = Document(Design())


def changed(n: int) -> Document:
    return FIRST.with_design(Design(setback_m=float(n)))


def test_sliders_and_edits_are_undone_in_turn():
    history = History(FIRST)
    moved = changed(5)
    edited = moved.with_edit(EditStep("add", "battery", (0.0, 0.0)))
    assert history.push(moved)
    assert history.push(edited)
    assert (history.undo(), history.undo(), history.undo()) == (moved, FIRST, FIRST)
    assert not history.can_undo
    assert (history.redo(), history.redo(), history.redo()) == (moved, edited, edited)
    assert not history.can_redo


def test_the_same_document_is_no_change():
    history = History(FIRST)
    assert not history.push(Document(Design()))
    assert not history.can_undo


def test_a_refused_change_can_not_be_redone():
    history = History(FIRST)
    history.push(changed(5))
    assert history.drop() == FIRST
    assert not history.can_redo
    assert history.drop() == FIRST


def test_a_new_change_forgets_what_was_undone():
    history = History(FIRST)
    history.push(changed(5))
    history.undo()
    history.push(changed(6))
    assert not history.can_redo


def test_the_oldest_documents_are_forgotten():
    history = History(FIRST)
    for n in range(MOST_STATES + 5):
        history.push(changed(n))
    while history.can_undo:
        history.undo()
    assert history.present == changed(4)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines may be busy
@given(st.lists(st.integers(0, 50), max_size=30))
def test_undo_and_redo_are_inverse(values):
    history = History(FIRST)
    for value in values:
        history.push(changed(value))
    last = history.present
    steps = 0
    while history.can_undo:
        history.undo()
        steps += 1
    assert history.present == FIRST
    for _ in range(steps):
        history.redo()
    assert history.present == last
