"""Layouts under way: progress, Stop, and the replacement of old requests."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from pacifico.escaping import for_markup
from pacifico.explorer.engine.lanes import Engine, Ticket, shared_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.errors import PacificoError
    from pacifico.explorer.engine.messages import FirstPicture, LayoutRequest, Outcome, Terrain


@dataclass(frozen=True)
class Callbacks:
    """Who hears of a layout."""

    on_picture: Callable[[FirstPicture], None]
    on_outcome: Callable[[Outcome], None]
    on_error: Callable[[PacificoError], None]
    on_stop: Callable[[], None]


class LayoutRun:
    """Layout of one map that is computed in another process.

    Attributes
    ----------
    widget : VBox
        Progress and Stop, shown while a layout is under way.
    """

    def __init__(self, terrain: Terrain, callbacks: Callbacks) -> None:
        self._terrain = terrain
        self._callbacks = callbacks
        self._picture_key = object()
        self.engine: Engine = shared_engine()
        self.bar = widgets.IntProgress(
            min=0, max=100, layout=widgets.Layout(width="auto", flex="1 1 auto", height="14px")
        )
        self.stop_button = widgets.Button(
            description="Stop", icon="stop", tooltip="Keep the layout before", layout=widgets.Layout(width="80px")
        )
        self.message = widgets.HTML()
        self.widget = widgets.VBox(
            [widgets.HBox([self.bar, self.stop_button], layout=widgets.Layout(align_items="center")), self.message],
            layout=widgets.Layout(display="none"),
        )
        self.stop_button.on_click(lambda _: self.stop())
        poll_on_loop(self.engine)

    @property
    def busy(self) -> bool:
        """Whether a layout is under way."""
        return self.engine.busy(self)

    def start(self, request: LayoutRequest, *, picture: bool) -> None:
        """Compute a layout; one under way is replaced.

        Parameters
        ----------
        request : LayoutRequest
            Layout and edits.
        picture : bool
            Whether a first picture is worth making.
        """
        self._show(0, "laying out")
        self.engine.cancel(self._picture_key)
        self.engine.submit(Ticket(self, self._terrain, "layout", (request,), self._finished, self._failed, self._stage))
        if picture:
            ticket = Ticket(
                self._picture_key, self._terrain, "first_picture", (request,), self._pictured, lambda _: None
            )
            self.engine.submit(ticket, "aside")

    def stop(self) -> None:
        """Stop the layout under way."""
        if self.busy:
            self._end()
            self._callbacks.on_stop()

    def cancel(self) -> None:
        """Stop the layout under way: another one is shown."""
        self._end()

    def wait(self) -> None:
        """Wait for the layout under way."""
        self.engine.wait(lambda: not self.busy)

    def _end(self) -> None:
        self.engine.cancel(self)
        self.engine.cancel(self._picture_key)
        self.widget.layout.display = "none"

    def _finished(self, outcome: Outcome) -> None:
        self._end()
        self._callbacks.on_outcome(outcome)

    def _failed(self, error: PacificoError) -> None:
        self._end()
        self._callbacks.on_error(error)

    def _pictured(self, picture: FirstPicture | None) -> None:
        if picture is not None and self.busy:
            self._callbacks.on_picture(picture)

    def _stage(self, _stage: str, percent: int, message: str) -> None:
        self._show(percent, message)

    def _show(self, percent: int, message: str) -> None:
        """Show how far the layout is."""
        self.bar.value = percent
        self.message.value = f"<i>{for_markup(message)} …</i>"
        self.widget.layout.display = "flex"


_LOOPS: list[Any] = []
"""Event loops that poll the shared engine."""


def poll_on_loop(engine: Engine) -> None:
    """Have the running event loop poll an engine; without one, only `wait` does."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    if loop in _LOOPS:
        return
    _LOOPS.append(loop)

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(engine.poll)

    engine.on_wake(wake)
