"""Rows, piles and graded ground of the plan on the map, computed aside on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipyleaflet as leaflet
import ipywidgets as widgets

from pacifico.escaping import for_markup
from pacifico.explorer import panel
from pacifico.explorer.engine.lanes import Ticket
from pacifico.explorer.layers import CUT_COLOURS, DEPTH_EDGES_M, FILL_COLOURS, ROW_COLOURS
from pacifico.explorer.mapview import STALE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from pacifico.errors import PacificoError
    from pacifico.explorer.engine.lanes import Engine
    from pacifico.explorer.engine.messages import RackingView, Terrain
    from pacifico.layout.model.plan import Plan

FAINT = 0.35
"""Opacity of what shows the layout before."""
_DEPTH_OPACITY = 0.8
_WAITS = "rows follow once the layout is there"
_STOPPED = "stopped; switch it off and on to try again"


class RowsAndGrading:
    """Switch, numbers and layers of rows and graded ground; hidden without solar arrays.

    Parameters
    ----------
    view : Map
        The map.
    engine : Engine
        Processes that design the racking.
    terrain : Terrain
        Site and DEM of the map.

    Attributes
    ----------
    layers : dict
        Layers on the map by name.
    widget : VBox
        The switch and the numbers.
    """

    def __init__(self, view: leaflet.Map, engine: Engine, terrain: Terrain) -> None:
        self._map, self._engine, self._terrain = view, engine, terrain
        self._key = object()
        self._plan: Plan | None = None
        self._known: tuple[Plan, RackingView | None] | None = None
        self._stale = False
        self.layers: dict[str, Any] = {}
        self.switch = widgets.Checkbox(
            description="Rows and grading", value=False, indent=False, layout=widgets.Layout(width="auto")
        )
        self.stop_button = widgets.Button(
            description="Stop", icon="stop", tooltip="Stop the design of rows", layout=widgets.Layout(width="80px")
        )
        self.stop_button.layout.display = "none"
        self.message = widgets.HTML()
        self.figures = widgets.HTML()
        under_way = widgets.HBox([self.stop_button, self.message], layout=widgets.Layout(align_items="center"))
        self.widget = widgets.VBox(
            [self.switch, under_way, self.figures], layout=widgets.Layout(display="none", overflow="hidden")
        )
        self.switch.observe(self._switched, names="value")
        self.stop_button.on_click(lambda _: self.stop())

    def show(self, plan: Plan | None) -> None:
        """Design the rows of another plan, if the switch is on."""
        self._end()
        self._plan, self._stale = plan, False
        if plan is None or not any(a.item.kind == "solar_array" for a in plan.asset_list):
            self._clear()
            self.widget.layout.display = "none"
            return
        self.widget.layout.display = "flex"
        if not self.switch.value:
            return
        if self._known is not None and self._known[0] is plan:
            self._draw(self._known[1])
            return
        self._dim()
        self._say("designing rows and piles …")
        self.stop_button.layout.display = ""
        ticket = Ticket(self._key, self._terrain, "racking", (plan,), self._finished, self._failed)
        self._engine.submit(ticket, "aside")

    def show_stale(self, *, stale: bool) -> None:
        """Dim rows and figures while another layout is under way; what computes them makes way for it."""
        self._stale = stale
        if stale:
            self._end()
            self._dim()
            self._say(_WAITS if self.switch.value else "")

    def stop(self) -> None:
        """Stop the design under way."""
        if self._engine.busy(self._key):
            self._end()
            self._say(_STOPPED)

    def wait(self) -> None:
        """Wait for the rows of the plan on the map."""
        self._engine.wait(lambda: not self._engine.busy(self._key))

    def _switched(self, _: object) -> None:
        """Design the rows of the plan on the map, or take them off the map."""
        if not self.switch.value:
            self._end()
            self._clear()
        elif self._stale:
            self._say(_WAITS)
        else:
            self.show(self._plan)

    def _finished(self, view: RackingView | None) -> None:
        """Show the rows of the plan on the map."""
        assert self._plan is not None  # noqa: S101 (another plan cancels the ticket)
        self._known = self._plan, view
        self._draw(view)

    def _failed(self, error: PacificoError) -> None:
        """Show why there are no rows."""
        self._clear()
        self.message.value = panel.problem(str(error))

    def _draw(self, view: RackingView | None) -> None:
        """Draw a view; layers of the view before go."""
        self._clear()
        if view is None:
            return
        if view.depth is not None:
            image = leaflet.ImageOverlay(
                url=view.depth.url, bounds=view.depth.bounds, name="Graded depth", opacity=_DEPTH_OPACITY
            )
            self.layers["Graded depth"] = image
        for name, features in (("Rows", view.rows), ("Arrays beyond racking", view.outlines)):
            if features:
                data = {"type": "FeatureCollection", "features": list(features)}
                self.layers[name] = leaflet.GeoJSON(data=data, name=name, style={"opacity": 1.0})
        self._map.layers = (*self._map.layers, *self.layers.values())
        self.figures.value = summary(view)

    def _end(self) -> None:
        """Stop the task, if one waits or runs."""
        self._engine.cancel(self._key)
        self.stop_button.layout.display = "none"

    def _clear(self) -> None:
        """Take layers and figures away."""
        gone = tuple(self.layers.values())
        if gone:
            self._map.layers = tuple(layer for layer in self._map.layers if layer not in gone)
        self.layers = {}
        self.stop_button.layout.display = "none"
        self.message.value = self.figures.value = ""
        self.figures.remove_class(STALE)

    def _dim(self) -> None:
        """Dim layers and figures: they are of the layout before."""
        for layer in self.layers.values():
            if isinstance(layer, leaflet.ImageOverlay):
                layer.opacity = FAINT
            else:
                layer.style = {"opacity": FAINT}
        self.figures.add_class(STALE)

    def _say(self, words: str) -> None:
        self.message.value = f"<i>{for_markup(words)}</i>" if words else ""


def figures_of(view: RackingView) -> list[tuple[str, str]]:
    """Label and value of each number."""
    m = view.metrics
    rows = [
        ("Rows", f"{m['row_count']:,}" + ("" if view.rows is not None else ", too many to draw")),
        ("Piles", f"{m['pile_count']:,}"),
        ("Array cut", f"{m['array_cut_m3']:,.0f} m³"),
        ("Array fill", f"{m['array_fill_m3']:,.0f} m³"),
        ("Graded area", f"{m['graded_area_ha']:,.2f} ha"),
    ]
    left_out = f"{view.left_out:,}"
    if view.left_out:
        left_out += f", {view.left_out_kw / 1000:,.2f} MW"
    rows.append(("Arrays over limits, left out", left_out))
    if view.kept_beyond:
        rows.append(("Arrays over limits, kept", f"{view.kept_beyond:,}"))
    return rows


def summary(view: RackingView) -> str:
    """Numbers and colours of rows and graded ground, as HTML."""
    lines = "".join(
        f"<tr><td style='padding-right:12px;color:#666'>{for_markup(label)}</td><td style='text-align:right'>{for_markup(value)}</td></tr>"
        for label, value in figures_of(view)
    )
    parts = [f"<table style='line-height:1.5;width:100%'>{lines}</table>"]
    low, high = view.window_m
    if view.rows:
        steps = [f"{(high - low) * k / 3:.2g}" for k in (1, 2, 3)]
        parts.append(_key(f"Reveal along a row varies up to [m], window {low:g} to {high:g} m",
                          zip(ROW_COLOURS, [*steps, "outside"], strict=True)))  # fmt: skip
    if view.depth is not None:
        shallow, deep = DEPTH_EDGES_M
        depths = (f"{shallow:g}", f"{deep:g}", "deeper")
        parts.append(_key("Cut up to [m]", zip(CUT_COLOURS, depths, strict=True)))
        parts.append(_key("Fill up to [m]", zip(FILL_COLOURS, depths, strict=True)))
    return "".join(parts)


def _key(title: str, classes: Iterable[tuple[str, str]]) -> str:
    """Line that explains colours."""
    swatches = "".join(
        f"<span style='white-space:nowrap;margin-right:10px'><span style='display:inline-block;width:12px;height:12px;"
        f"vertical-align:-1px;margin-right:4px;border:1px solid #888;background:{colour}'></span>{for_markup(text)}</span>"
        for colour, text in classes
    )
    return f"<div style='line-height:1.5'><span style='color:#666'>{for_markup(title)}</span><br>{swatches}</div>"
