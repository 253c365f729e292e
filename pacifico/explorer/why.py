"""Why a site holds no more: its land by reason, and levers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipyleaflet as leaflet
import ipywidgets as widgets

from pacifico.escaping import for_markup, visible
from pacifico.explorer import panel
from pacifico.explorer.engine.lanes import Ticket
from pacifico.report.land import COLOURS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pacifico.errors import PacificoError
    from pacifico.explorer.engine.lanes import Engine
    from pacifico.explorer.engine.messages import Terrain
    from pacifico.layout.model.land_use import LandUse
    from pacifico.layout.model.plan import Plan

_WIDE = widgets.Layout(width="auto")


class WhyNotMore:
    """Folded section of the panel that explains the land of the plan on the map.

    Attributes
    ----------
    land : LandUse or None
        Land of the plan; None while the section is folded, and while the land is being measured.
    lit : dict
        Layers that are lit on the map, by the key of their part.
    widget : Accordion
        The section.
    """

    def __init__(self, view: leaflet.Map, engine: Engine, terrain: Terrain) -> None:
        self._map, self._engine, self._terrain = view, engine, terrain
        self._key = object()
        self._plan: Plan | None = None
        self.land: LandUse | None = None
        self.lit: dict[str, leaflet.GeoJSON] = {}
        self.parts = widgets.VBox()
        self.solve = widgets.Button(
            description="What would change it", tooltip="Solve a layout for each limit", layout=_WIDE
        )
        self.levers = widgets.HTML()
        body = widgets.VBox([self.parts, self.solve, self.levers])
        self.widget = widgets.Accordion(children=[body], titles=("Why not more",), selected_index=None)
        self.widget.observe(self._unfolded, names="selected_index")
        self.solve.on_click(self._solve)

    def show(self, plan: Plan | None) -> None:
        """Explain another plan; its land is measured once the section is open."""
        self._dim()
        self._engine.cancel(self._key)
        self._plan, self.land = plan, None
        self.parts.children, self.levers.value = (), ""
        self.solve.disabled = plan is None
        if self.widget.selected_index is not None:
            self._measure()

    def wait(self) -> None:
        """Wait for what is being found out."""
        self._engine.wait(lambda: not self._engine.busy(self._key))

    def _unfolded(self, change: dict[str, Any]) -> None:
        """Measure the land when the section is opened; dim it when it is folded."""
        if change["new"] is None:
            self._dim()
        elif self.land is None:
            self._measure()

    def _measure(self) -> None:
        """Measure the plan's land in the process aside."""
        if self._plan is not None:
            self._start("land", self._measured)

    def _measured(self, land: LandUse) -> None:
        """Show the parts of the plan's land."""
        self.land, self.levers.value = land, ""
        features = self.land.to_geojson()["features"]
        self.parts.children = tuple(
            self._button(f"{visible(p.label)}: {p.hectares:,.1f} ha ({p.hectares / self.land.site_ha:.0%})", feature, p.key, COLOURS[p.reason])
            for p, feature in zip(self.land.parts, features, strict=True)
        )  # fmt: skip

    def _button(self, text: str, feature: dict[str, Any], key: str, colour: str) -> widgets.ToggleButton:
        """Button that lights the ground of a part.

        Parameters
        ----------
        text : str
            Label and area of the part.
        feature : dict
            Its ground as a GeoJSON feature.
        key : str
            Key of the part.
        colour : str
            Colour of its ground.
        """
        button = widgets.ToggleButton(description=text, tooltip="Show on the map", layout=_WIDE)
        button.layout.border_left = f"8px solid {colour}"
        style = {"color": "#ffd400", "weight": 1.5, "fillColor": colour, "fillOpacity": 0.75}
        button.observe(self._switch(key, {"type": "FeatureCollection", "features": [feature]}, style), names="value")
        return button

    def _switch(self, key: str, data: dict[str, Any], style: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
        """Handler that lights or dims the ground of a part."""

        def switch(change: dict[str, Any]) -> None:
            if change["new"]:
                self.lit[key] = leaflet.GeoJSON(data=data, style=style, name=f"Land: {key}")
                self._map.add(self.lit[key])
            elif key in self.lit:
                layer = self.lit.pop(key)
                if layer in self._map.layers:
                    self._map.remove(layer)

        return switch

    def _dim(self) -> None:
        """Dim all ground."""
        for button in self.parts.children:
            button.value = False

    def _solve(self, _: object) -> None:
        """Solve the levers of the plan in the process aside."""
        if self._plan is not None:
            self.solve.disabled = True
            self._start("levers", self._solved)

    def _solved(self, texts: tuple[str, ...]) -> None:
        """List the levers."""
        rows = "".join(f"<li style='line-height:1.35'>{for_markup(text)}</li>" for text in texts)
        self.levers.value = f"<ul style='margin:0;padding-left:18px'>{rows}</ul>"
        self.solve.disabled = False

    def _start(self, task: str, on_result: Callable[[Any], None]) -> None:
        """Start a task on the plan."""
        ticket = Ticket(self._key, self._terrain, task, (self._plan,), on_result, self._failed, self._progress)
        self._engine.submit(ticket, "aside")

    def _failed(self, error: PacificoError) -> None:
        """Show why nothing was found."""
        self.levers.value = panel.problem(str(error))
        self.solve.disabled = False

    def _progress(self, _stage: str, percent: int, message: str) -> None:
        """Show how far the task is."""
        self.levers.value = f"<i>{percent} %, {for_markup(message)} …</i>"
