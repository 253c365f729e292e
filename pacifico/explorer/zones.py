"""Zones that are drawn or typed on the map."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ipyleaflet as leaflet
import ipywidgets as widgets
import shapely
from shapely.geometry import mapping, shape

from pacifico.errors import InputError
from pacifico.explorer import panel
from pacifico.explorer.layers import AREA_STYLES
from pacifico.explorer.state.document import DrawnZone
from pacifico.explorer.state.zone_text import parse_zones

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pacifico.site.model import Site

_DRAWN = {"shapeOptions": {**AREA_STYLES["exclusion"]}}
_USES = (
    ("Keep free", ""),
    ("Existing road", "road"),
    ("Power line", "line"),
    ("Water", "water"),
    ("Pipeline", "pipeline"),
    ("Railway", "railway"),
)
"""What a drawn line or a typed shape is, and the role that it gets."""
_SAME_DEG = 2e-6
"""Difference up to which a shape is the same: the browser rounds to six decimals [°]."""


class Zones:
    """Drawing tools, and a field for text.

    Parameters
    ----------
    site : Site
        Site of the map.
    on_change : callable
        Called with all zones when the user has drawn, changed, removed or typed some.
    """

    def __init__(self, site: Site, on_change: Callable[[tuple[DrawnZone, ...]], None]) -> None:
        self._site = site
        self._on_change = on_change
        self._zones: tuple[DrawnZone, ...] = ()
        self._setting = False
        self.drawing = leaflet.DrawControl(
            position="topleft", polygon=_DRAWN, rectangle=_DRAWN, polyline=_DRAWN, circlemarker={}, circle={}, marker={}
        )
        self.text = widgets.Textarea(
            placeholder="WKT, GeoJSON, or one 'longitude, latitude' a line",
            layout=widgets.Layout(width="auto", height="72px"),
        )
        self.buffer_m = widgets.BoundedFloatText(
            description="Buffer, m", value=0, min=0, max=10_000, layout=widgets.Layout(width="190px"),
            style={"description_width": "70px"},
        )  # fmt: skip
        self.use = widgets.Dropdown(
            description="It is",
            options=_USES,
            layout=widgets.Layout(width="190px"),
            style={"description_width": "70px"},
        )
        self.add = widgets.Button(description="Add zone", icon="plus", layout=widgets.Layout(width="110px"))
        self.message = widgets.HTML()
        self.widget = widgets.VBox([self.text, self.use, widgets.HBox([self.buffer_m, self.add]), self.message])
        self.drawing.observe(self._drawn, names="data")
        self.add.on_click(self._typed)

    def set(self, zones: tuple[DrawnZone, ...]) -> None:
        """Show zones on the map, without a call of `on_change`."""
        self._zones = zones
        self._setting = True
        try:
            self.drawing.data = [
                {
                    "type": "Feature",
                    "properties": {"name": zone.name, "style": _DRAWN["shapeOptions"]},
                    "geometry": mapping(zone.area),
                }
                for zone in zones
            ]
        finally:
            self._setting = False

    def _drawn(self, change: dict[str, Any]) -> None:
        """Take over what the drawing tools hold."""
        if self._setting:
            return
        lines = [f["geometry"] for f in change["new"] if f["geometry"]["type"] == "LineString"]
        zones = zones_of(change["new"], self._zones)
        for line in lines:
            found = self._parsed(json.dumps(line), "drawn line")
            if found is None:
                self.set(self._zones)  # takes the line off the map
                return
            zones = _with(zones, found)
        self._on_change(zones)

    def _typed(self, _: object) -> None:
        """Add the zones of the text, or show why there are none."""
        found = self._parsed(self.text.value, "typed")
        if found is not None:
            self.text.value = ""
            self._on_change(_with(self._zones, found))

    def _parsed(self, text: str, name: str) -> tuple[DrawnZone, ...] | None:
        """Zones of a text; None where it is refused."""
        self.message.value = ""
        try:
            return parse_zones(text, self._site, buffer_m=self.buffer_m.value, name=name, role=self.use.value)
        except InputError as error:
            self.message.value = panel.problem(str(error))
            return None


def _with(zones: Sequence[DrawnZone], more: Sequence[DrawnZone]) -> tuple[DrawnZone, ...]:
    """Zones and more zones, under names that are free."""
    out = list(zones)
    for zone in more:
        out.append(replace(zone, name=free_name(zone.name, out)))
    return tuple(out)


def zones_of(features: Sequence[Mapping[str, Any]], known: Sequence[DrawnZone]) -> tuple[DrawnZone, ...]:
    """Zones of the features that the drawing tools hold.

    A known zone keeps its name, buffer and exact shape.
    """
    by_name = {zone.name: zone for zone in known}
    zones: list[DrawnZone] = []
    for feature in features:
        area = shape(feature["geometry"])
        if not area.is_valid:
            area = shapely.make_valid(area, method="structure", keep_collapsed=False)
        if not isinstance(area, shapely.Polygon | shapely.MultiPolygon) or area.is_empty:
            continue
        before = by_name.pop(str((feature.get("properties") or {}).get("name", "")), None)
        if before is None:
            zones.append(DrawnZone(free_name("drawn", [*zones, *known]), area))
        elif area.equals_exact(before.area, _SAME_DEG):
            zones.append(before)
        else:
            zones.append(replace(before, area=area))
    return tuple(zones)


def free_name(name: str, zones: Sequence[DrawnZone]) -> str:
    """Name that no zone has: 'typed', or 'drawn 1' and so on."""
    names = {zone.name for zone in zones}
    if name not in names and name != "drawn":
        return name
    return next(free for n in range(1, len(names) + 2) if (free := f"{name} {n}") not in names)
