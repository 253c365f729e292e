"""Axes that draw all ticks with one object.

matplotlib makes five artists for each tick, also for axes that are hidden: a third of a figure's time. These axes look the
same; they move one tick along the axis and draw it at each place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis, YAxis

if TYPE_CHECKING:
    from matplotlib.transforms import Bbox

_EDGE = 1e-10
"""Share of an axis by which a tick may lie beyond its end, from rounding."""


class _NoTicksYet:
    """List of ticks that begins empty.

    matplotlib's own makes a tick as soon as it is read.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else instance.__dict__.setdefault(self._name, [])


class _OneTick(Axis):
    """Axis with one tick, made when first drawn."""

    majorTicks: Any = _NoTicksYet()  # noqa: N815 (matplotlib's name)
    minorTicks: Any = _NoTicksYet()  # noqa: N815
    _drawn: tuple[list[Any], tuple[list[Bbox], list[Bbox]]] | None = None
    """While it is drawn: its tick, and the boxes of labels on both sides."""

    def _get_tick(self, major: bool) -> Any:  # noqa: FBT001 (matplotlib's signature)
        """Make a tick, clipped to the axes."""
        tick: Any = super()._get_tick(major)  # type: ignore[misc]  # matplotlib's stubs leave it out
        tick.set_clip_path(self.axes.patch)
        return tick

    def draw(self, renderer: Any) -> None:
        """Draw grid lines, ticks, their labels and the axis label."""
        if not self.get_visible():
            return
        if len(self.get_minorticklocs()):
            super().draw(renderer)
            return
        try:
            self._draw(renderer)
        finally:
            self._drawn = None
        self.stale = False

    def _draw(self, renderer: Any) -> None:
        """Do what the base class does, with one tick."""
        _, boxes = self._drawn = self._draw_ticks(renderer)
        self._update_label_position(renderer)  # type: ignore[attr-defined]  # as in _get_tick
        self.label.draw(renderer)
        self._update_offset_text_position(*boxes)  # type: ignore[attr-defined]
        self.offsetText.set_text(self.get_major_formatter().get_offset())
        self.offsetText.draw(renderer)

    def _draw_ticks(self, renderer: Any) -> tuple[list[Any], tuple[list[Bbox], list[Bbox]]]:
        """Draw the visible ticks.

        Returns their tick, if any, and the boxes of their labels on both sides.
        """
        found: tuple[list[Bbox], list[Bbox]] = ([], [])
        places = self.get_majorticklocs()
        texts = self.get_major_formatter().format_ticks(list(places))
        low, high = sorted(self.get_transform().transform(sorted(self.get_view_interval())).tolist())
        rounding = _EDGE * (high - low)
        ticks: list[Any] = []
        for place, at, text in zip(places, self.get_transform().transform(places), texts, strict=True):
            if not low - rounding <= at <= high + rounding:
                continue
            ticks = self.get_major_ticks(1)
            ticks[0].update_position(place)
            for label, boxes in zip((ticks[0].label1, ticks[0].label2), found, strict=True):
                label.set_text(text)
                if label.get_visible():
                    boxes.append(label.get_window_extent(renderer))
            ticks[0].draw(renderer)
        return ticks, found

    def _update_ticks(self) -> Any:
        """Ticks that are drawn, for the spines."""
        return super()._update_ticks() if self._drawn is None else self._drawn[0]  # type: ignore[misc]

    def _get_ticks_position(self) -> Any:
        """Side of the ticks.

        The base class looks it up in the first tick of each kind.
        """
        self.get_major_ticks(1)
        self.get_minor_ticks(1)
        return super()._get_ticks_position()  # type: ignore[misc]

    def _get_tick_boxes_siblings(self, renderer: Any) -> Any:
        """Boxes of the labels just drawn."""
        return super()._get_tick_boxes_siblings(renderer) if self._drawn is None else self._drawn[1]  # type: ignore[misc]


class _X(_OneTick, XAxis):
    """Horizontal axis."""


class _Y(_OneTick, YAxis):
    """Vertical axis."""


class PlainAxes(Axes):
    """Axes whose ticks all look the same."""

    def _init_axis(self) -> None:
        """Make both axes, as matplotlib's own projections do."""
        new: Any = {"clear": False}
        self.xaxis, self.yaxis = _X(self, **new), _Y(self, **new)
        for side, axis in (("bottom", self.xaxis), ("top", self.xaxis), ("left", self.yaxis), ("right", self.yaxis)):
            self.spines[side].register_axis(axis)

    def clear(self) -> None:
        """Clear the axes and place the frame.

        matplotlib places it when it makes the first tick.
        """
        super().clear()
        for spine in self.spines.values():
            spine.set_position(("outward", 0.0))
