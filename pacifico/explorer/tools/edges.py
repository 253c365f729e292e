"""Setbacks of single edges: choose a side, a named line or an edge, and its distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipyleaflet as leaflet
import ipywidgets as widgets
import numpy as np
import shapely

from pacifico.crs import LONLAT, reproject
from pacifico.layout.criteria.setbacks import SIDES, edges_along, edges_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pacifico.explorer.state.overrides import Edge, Overrides
    from pacifico.site.model import Site

MOST_EDGES = 40
"""Most edges that the menu lists one by one; boundaries with more are chosen by side or line."""
_LIT = {"color": "#ffd400", "weight": 5, "opacity": 1.0}


def edge_choices(site: Site) -> dict[Edge, tuple[str, shapely.MultiLineString]]:
    """Edges that a setback may choose, with their words and lines.

    Parameters
    ----------
    site : Site
        Boundary and named lines.
    """
    edges = edges_of(site.boundary)
    lines = shapely.linestrings(edges.ends)
    found: dict[Edge, tuple[str, shapely.MultiLineString]] = {}
    for side in SIDES:
        own = [k for k, faces in enumerate(edges.faces) if faces == side]
        if own:
            found[side] = (f"{side} side", shapely.multilinestrings(lines[own]))
    for name in dict.fromkeys(n.name for n in site.lines):
        along = edges_along(edges, [n.line for n in site.lines if n.name == name])
        if along and name.strip() and name.casefold() not in SIDES:
            found[name] = (f"along {name[:40]}", shapely.multilinestrings(lines[along]))
    if len(lines) <= MOST_EDGES:
        for k, (line, faces) in enumerate(zip(lines, edges.faces, strict=True), start=1):
            found[k] = (f"edge {k}: {faces}, {line.length:,.0f} m", shapely.multilinestrings(np.array([line])))
    return found


class EdgeSetbacks:
    """Folded section of the panel: setbacks of single edges.

    Parameters
    ----------
    view : Map
        Map on which the chosen edge is lit.
    site : Site
        Boundary and named lines.
    look : mapping
        Keywords of menu and slider.
    on_setback : callable
        Called with an edge and its setback [m]; None for that of all edges.

    Attributes
    ----------
    widget : Accordion
        The section.
    """

    def __init__(
        self, view: leaflet.Map, site: Site, look: Mapping[str, Any], on_setback: Callable[[Edge, float | None], None]
    ) -> None:
        self._map, self._site, self._on_setback = view, site, on_setback
        self._choices = edge_choices(site)
        self._updating = False
        self._overrides: Overrides | None = None
        self._usual_m = 0.0
        self._lit: leaflet.GeoJSON | None = None
        self.edge = widgets.Dropdown(description="Edge", options=self._options(), **look)
        self.setback_m = widgets.FloatSlider(
            description="Its setback, m", min=0, max=200, step=1, readout_format=".0f", continuous_update=False, **look
        )
        self.usual = widgets.Button(description="As all edges", icon="times", layout=widgets.Layout(width="auto"))
        self.widget = widgets.Accordion(
            children=[widgets.VBox([self.edge, self.setback_m, self.usual])],
            titles=("Setback by edge",),
            selected_index=None,
        )
        self.edge.observe(self._chosen, names="value")
        self.setback_m.observe(self._changed, names="value")
        self.usual.on_click(lambda _: self._on_setback(self.edge.value, None))
        self.widget.observe(lambda _: self._light(), names="selected_index")

    def show(self, overrides: Overrides, usual_m: float) -> None:
        """Show the setbacks of overrides.

        Parameters
        ----------
        overrides : Overrides
            Setbacks of edges.
        usual_m : float
            Setback of all other edges [m].
        """
        self._overrides, self._usual_m = overrides, usual_m
        self._updating = True
        try:
            chosen = self.edge.value
            options = self._options()
            if options != list(self.edge.options):
                self.edge.options = options
                self.edge.value = chosen
        finally:
            self._updating = False
        self._show_chosen()

    def _options(self) -> list[tuple[str, Edge]]:
        """Entries of the menu; those with a setback of their own say so."""
        known = dict(self._overrides.edge_setbacks) if self._overrides is not None else {}
        return [
            (f"{words} – {known[edge]:g} m" if edge in known else words, edge)
            for edge, (words, _) in self._choices.items()
        ]

    def _show_chosen(self) -> None:
        """Bring the slider up to date with the chosen edge."""
        own = None if self._overrides is None else self._overrides.edge(self.edge.value)
        value = self._usual_m if own is None else own
        self._updating = True
        try:
            self.setback_m.max = max(200.0, value)
            self.setback_m.value = value
        finally:
            self._updating = False
        self.usual.disabled = own is None

    def _chosen(self, _: object) -> None:
        """Show the edge that the user chose."""
        if not self._updating:
            self._show_chosen()
            self._light()

    def _changed(self, change: dict[str, Any]) -> None:
        """Pass on the setback that the user chose."""
        if not self._updating:
            self._on_setback(self.edge.value, float(change["new"]))

    def _light(self) -> None:
        """Light the chosen edge while the section is open."""
        if self._lit is not None and self._lit in self._map.layers:
            self._map.remove(self._lit)
        self._lit = None
        if self.widget.selected_index is not None and self.edge.value is not None:
            line = reproject(self._choices[self.edge.value][1], self._site.crs, LONLAT)
            feature = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(line)}
            self._lit = leaflet.GeoJSON(
                data={"type": "FeatureCollection", "features": [feature]}, style=_LIT, name="Edge of the setback"
            )
            self._map.add(self._lit)
