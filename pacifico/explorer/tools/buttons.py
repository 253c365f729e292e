"""Buttons of the panel: undo, redo, lay out again, drop refused edits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ipywidgets as widgets

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Actions:
    """What the buttons do."""

    undo: Callable[[], None]
    redo: Callable[[], None]
    resume: Callable[[], None]
    forget: Callable[[], None]


class PanelButtons:
    """Buttons of the panel.

    Parameters
    ----------
    actions : Actions
        What they do.

    Attributes
    ----------
    row : HBox
        Undo, redo and, after a stop, lay out.
    forget : Button
        Drops refused edits; shown where there are some.
    """

    def __init__(self, actions: Actions) -> None:
        half = widgets.Layout(width="110px")
        self.undo = widgets.Button(description="Undo", icon="undo", tooltip="Sliders, zones and edits", layout=half)
        self.redo = widgets.Button(description="Redo", icon="repeat", layout=half)
        self.resume = widgets.Button(description="Lay out", icon="play", layout=widgets.Layout(display="none"))
        self.forget = widgets.Button(
            description="Drop refused edits", icon="times", layout=widgets.Layout(display="none", width="auto")
        )
        self.row = widgets.HBox([self.undo, self.redo, self.resume])
        self.undo.on_click(lambda _: actions.undo())
        self.redo.on_click(lambda _: actions.redo())
        self.resume.on_click(lambda _: actions.resume())
        self.forget.on_click(lambda _: actions.forget())

    def show_history(self, *, can_undo: bool, can_redo: bool) -> None:
        """Show what can be undone and redone; a layout is under way."""
        self.undo.disabled, self.redo.disabled = not can_undo, not can_redo
        self.resume.layout.display = "none"

    def show_refused(self, *, refused: bool) -> None:
        """Show whether there are refused edits to drop."""
        self.forget.layout.display = "" if refused else "none"
