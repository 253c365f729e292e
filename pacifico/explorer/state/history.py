"""One undo stack over sliders, zones and edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pacifico.explorer.state.document import Document

MOST_STATES = 500
"""Most documents kept; older ones can't be restored. A document holds no layout, so that this takes little memory."""


class History:
    """Documents in the order in which the user made them.

    Parameters
    ----------
    document : Document
        The first one.
    """

    def __init__(self, document: Document) -> None:
        self._past: list[Document] = []
        self._present = document
        self._future: list[Document] = []

    @property
    def present(self) -> Document:
        """Document as it is now."""
        return self._present

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to undo."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone change to redo."""
        return bool(self._future)

    def push(self, document: Document) -> bool:
        """Make a document the present one; return whether it differs."""
        if document == self._present:
            return False
        self._past.append(self._present)
        del self._past[:-MOST_STATES]
        self._present = document
        self._future.clear()
        return True

    def undo(self) -> Document:
        """Return to the document before the last change; the same without one."""
        if self._past:
            self._future.append(self._present)
            self._present = self._past.pop()
        return self._present

    def redo(self) -> Document:
        """Restore the last change that was undone; the same without one."""
        if self._future:
            self._past.append(self._present)
            self._present = self._future.pop()
        return self._present

    def drop(self) -> Document:
        """Forget the last change: it was refused, and can't be redone."""
        if self._past:
            self._present = self._past.pop()
        return self._present
