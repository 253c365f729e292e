"""Buttons that offer what would help a refused edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from pacifico.escaping import for_markup
from pacifico.explorer.engine.lanes import Ticket

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.errors import PacificoError
    from pacifico.explorer.engine.lanes import Engine
    from pacifico.explorer.engine.messages import Offer, Terrain
    from pacifico.explorer.state.document import EditStep
    from pacifico.layout.model.plan import Plan


class Offers:
    """Offers for the last refused edit.

    Parameters
    ----------
    engine : Engine
        Processes that search for offers.
    terrain : Terrain
        Site and DEM of the map.
    on_take : callable
        Called with the offer that the user takes.

    Attributes
    ----------
    widget : VBox
        A button for each offer.
    """

    def __init__(self, engine: Engine, terrain: Terrain, on_take: Callable[[Offer], None]) -> None:
        self._engine, self._terrain, self._on_take = engine, terrain, on_take
        self._key = object()
        self.message = widgets.HTML()
        self.buttons = widgets.VBox()
        self.widget = widgets.VBox([self.message, self.buttons], layout=widgets.Layout(display="none"))

    def find(self, plan: Plan, step: EditStep) -> None:
        """Search offers for an edit that a plan refuses; only moves and new assets have some."""
        if step.operation in ("move", "add"):
            self._show("<i>looking for what would help …</i>", ())
            ticket = Ticket(self._key, self._terrain, "offers", (plan, step), self._found, self._failed)
            self._engine.submit(ticket, "aside")

    def clear(self) -> None:
        """Drop the offers: another plan or edit is shown."""
        self._engine.cancel(self._key)
        self.widget.layout.display = "none"
        self.buttons.children = ()

    def wait(self) -> None:
        """Wait for the offers that are being searched."""
        self._engine.wait(lambda: not self._engine.busy(self._key))

    def _found(self, offers: tuple[Offer, ...]) -> None:
        """Show offers, or that there are none."""
        text = "What would help:" if offers else "<i>no place near, no skid and no slope limit would help</i>"
        self._show(text, offers)

    def _failed(self, error: PacificoError) -> None:
        """Show why nothing was found."""
        self._show(for_markup(str(error)), ())

    def _show(self, text: str, offers: tuple[Offer, ...]) -> None:
        """Show a line and a button for each offer.

        Parameters
        ----------
        text : str
            The line, as HTML.
        offers : tuple of Offer
            The offers.
        """
        self.message.value = text
        self.buttons.children = tuple(map(self._button, offers))
        self.widget.layout.display = ""

    def _button(self, offer: Offer) -> widgets.Button:
        """Button of an offer; its words may be long."""
        button = widgets.Button(
            description=offer.words, tooltip=offer.words, icon="check", layout=widgets.Layout(width="auto")
        )
        button.on_click(lambda _: self._on_take(offer))
        return button
