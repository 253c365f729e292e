"""Places on the map: entry, grid connection, search, and the ground at the pointer."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import ipyleaflet as leaflet
import ipywidgets as widgets
import numpy as np

from pacifico.crs import LONLAT, transformer
from pacifico.errors import InputError
from pacifico.explorer import panel
from pacifico.explorer.mapview import CARD
from pacifico.explorer.state.zone_text import parse_place
from pacifico.grid import Grid, elevations
from pacifico.terrain.surface import slope

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from pacifico.explorer.state.document import LonLat
    from pacifico.layout.criteria.design import Design

_INTERVAL_S = 0.08
"""Shortest time between two readings at the pointer [s]."""
_CLOSE_ZOOM = 16.0
"""Zoom at which a searched place is shown."""


class PointerReading:
    """Height and slope of the ground at a place.

    Parameters
    ----------
    dem : DataArray
        Elevation model.
    """

    def __init__(self, dem: xr.DataArray) -> None:
        self._grid = Grid.of(dem)
        self._heights = elevations(dem)
        self._slopes = slope(dem).values
        self._to_xy = transformer(LONLAT, self._grid.crs)

    def text(self, lon: float, lat: float) -> str:
        """Coordinates, height and slope in words; outside the DEM coordinates alone."""
        place = f"{lon:.5f}, {lat:.5f}"
        x, y = self._to_xy.transform(lon, lat)
        west, south, east, north = self._grid.bounds
        if not (west <= x < east and south < y <= north):
            return f"{place}: outside the elevation model"
        row, column = int((north - y) / self._grid.dy), int((x - west) / self._grid.dx)
        height, steepness = float(self._heights[row, column]), float(self._slopes[row, column])
        if np.isnan(height):
            return f"{place}: no elevation"
        steep = "" if np.isnan(steepness) else f", slope {steepness:.1f}°"
        return f"{place}: {height:.1f} m{steep}"


class Places:
    """Tools for places, and the reading at the pointer.

    Parameters
    ----------
    view : Map
        The map.
    dem : DataArray
        Its elevation model.
    on_design : callable
        Called with a function from the present design to the new one.
    on_fit : callable
        Called to show the whole site.
    """

    def __init__(
        self,
        view: leaflet.Map,
        dem: xr.DataArray,
        on_design: Callable[[Callable[[Design], Design]], None],
        on_fit: Callable[[], None],
    ) -> None:
        self._view = view
        self._on_design = on_design
        self._reading = PointerReading(dem)
        self._read_at = 0.0
        self._poi: leaflet.CircleMarker | None = None
        self._found: leaflet.CircleMarker | None = None
        narrow = widgets.Layout(width="150px")
        self.entry = widgets.ToggleButton(
            description="Place entry", icon="sign-in", tooltip="then click the place", layout=narrow
        )
        self.poi = widgets.ToggleButton(
            description="Place grid", icon="bolt", tooltip="grid connection: then click the place", layout=narrow
        )
        self.clear = widgets.Button(description="As in the file", tooltip="Entry and grid connection", layout=narrow)
        self.fit = widgets.Button(description="Fit to plant", icon="arrows-alt", layout=narrow)
        self.search = widgets.Text(
            placeholder="go to longitude, latitude", continuous_update=False, layout=widgets.Layout(width="auto")
        )
        self.message = widgets.HTML()
        self.pointer = widgets.HTML()
        self.widget = widgets.VBox(
            [widgets.HBox([self.entry, self.poi]), widgets.HBox([self.clear, self.fit]), self.search, self.message]
        )
        self.pointer.add_class(CARD)
        view.add(leaflet.WidgetControl(widget=self.pointer, position="bottomright"))
        self.fit.on_click(lambda _: on_fit())
        self.clear.on_click(lambda _: on_design(lambda design: replace(design, entry=None, poi=None)))
        self.search.observe(lambda change: self.go_to(change["new"]), names="value")
        for one, other in ((self.entry, self.poi), (self.poi, self.entry)):
            one.observe(lambda change, other=other: _release(other, change["new"]), names="value")

    def clicked(self, lon: float, lat: float) -> bool:
        """Place what is switched on; return whether the click was for it."""
        if self.entry.value:
            self.entry.value = False
            self._on_design(lambda design: replace(design, entry=(lon, lat)))
            return True
        if self.poi.value:
            self.poi.value = False
            self._on_design(lambda design: replace(design, poi=(lon, lat)))
            return True
        return False

    def moved(self, lon: float, lat: float) -> None:
        """Show the ground at the pointer, a few times a second at most."""
        now = time.monotonic()
        if now - self._read_at >= _INTERVAL_S:
            self._read_at = now
            self.pointer.value = f"<span style='padding:0 6px'>{self._reading.text(lon, lat)}</span>"

    def go_to(self, text: str) -> None:
        """Show a typed place, or why it can't be read."""
        if not text.strip():
            return
        try:
            lon, lat = parse_place(text)
        except InputError as error:
            self.message.value = panel.problem(str(error))
            return
        self.message.value = self._reading.text(lon, lat)
        self._found = self._mark(self._found, (lon, lat), "Searched place", "#000000")
        self._view.center, self._view.zoom = (lat, lon), max(self._view.zoom, _CLOSE_ZOOM)

    def show(self, design: Design) -> None:
        """Show the grid connection of a design."""
        self._poi = self._mark(self._poi, design.poi, "Grid connection", "#d55e00")

    def _mark(
        self, before: leaflet.CircleMarker | None, place: LonLat | None, name: str, colour: str
    ) -> leaflet.CircleMarker | None:
        """Put a mark on the map in place of the one before.

        Parameters
        ----------
        before : CircleMarker, optional
            Mark to take away.
        place : (float, float), optional
            Longitude and latitude [°]; None for no mark.
        name : str
            Name among the layers.
        colour : str
            Colour of its fill.
        """
        if before is not None and before in self._view.layers:
            self._view.remove(before)
        if place is None:
            return None
        mark = leaflet.CircleMarker(
            location=(place[1], place[0]), name=name, radius=7, color="#ffffff", weight=2, fill_color=colour, fill_opacity=1.0
        )  # fmt: skip
        self._view.add(mark)
        return mark


def _release(button: widgets.ToggleButton, pressed: object) -> None:
    """Release a button when another one is pressed."""
    if pressed:
        button.value = False
