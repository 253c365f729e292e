"""Map of a site and its layout, with sliders to change it."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Any, Unpack

import ipyleaflet as leaflet
import ipywidgets as widgets
import shapely
from shapely.geometry import shape

from pacifico import crs as crs_
from pacifico.errors import PacificoError
from pacifico.escaping import for_markup
from pacifico.explorer import layers as layers_
from pacifico.explorer import panel
from pacifico.explorer.editing import Editing
from pacifico.explorer.why import WhyNotMore
from pacifico.layout.criteria.design import Design, DesignOptions
from pacifico.layout.criteria.request import requested_spec
from pacifico.layout.generate import generate_layout
from pacifico.report.overlay import hillshade_overlay, web_mercator
from pacifico.site.model import Site, Zone
from pacifico.terrain.surface import slope
from pacifico.vocabulary import PROFILES, STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from pacifico.layout.model.plan import Plan

BACKGROUNDS = {
    "none": None,
    "streets (network)": leaflet.basemaps.OpenStreetMap.Mapnik,
    "imagery (network)": leaflet.basemaps.Esri.WorldImagery,
}
"""Background maps; those of the network are read only when chosen."""
_DRAWN = {"shapeOptions": {**layers_.AREA_STYLES["exclusion"]}}
_MAP_WIDTH_PX = 700
"""Width of the map that the first zoom is chosen for [pixels]."""
_WIDE_LAYOUT: dict[str, Any] = {"style": {"description_width": "100px"}, "layout": {"width": "auto"}}
"""Look of all controls."""


def explore(
    site: Site,
    dem: xr.DataArray,
    *,
    exclusions: Sequence[Zone] = (),
    height_px: int = 640,
    **design: Unpack[DesignOptions],
) -> Explorer:
    """Show a site in JupyterLab with a layout that sliders change.

    Nothing is read from the network until a background is switched on.

    Parameters
    ----------
    site : Site
        As `read_site` returns it.
    dem : DataArray
        As `open_dem` returns it.
    exclusions : sequence of Zone
        Ground that must stay free. Polygons drawn on the map are exclusions too.
    height_px : int
        Height of the map [pixels].
    **design
        As for `generate_layout`, where the sliders start: `profile`, `strategy`, `target_capacity_kw`, `setback_m`,
        `max_road_grade_pct`, `entry` and `spec`.

    Returns
    -------
    Explorer
        Shows itself as the last line of a cell; `explorer.plan` is the layout on the map.

    Raises
    ------
    InputError
        A choice or value of the design is invalid.

    Examples
    --------
    >>> explorer = explore(site, dem, profile="bess", target_capacity_kw=50_000)  # doctest: +SKIP
    """
    return Explorer(site, dem, exclusions=exclusions, height_px=height_px, **design)


class Explorer:
    """Map and panel of one site. Parameters are those of `explore`.

    Attributes
    ----------
    plan : Plan or None
        Layout on the map; None without one.
    error : str
        Why there is none, in one line; empty if there is one.
    map : Map
        The ipyleaflet map.
    widget : HBox
        Map and panel.
    """

    def __init__(
        self,
        site: Site,
        dem: xr.DataArray,
        *,
        exclusions: Sequence[Zone] = (),
        height_px: int = 640,
        **design: Unpack[DesignOptions],
    ) -> None:
        start = Design(**design)
        self.site = site
        self.dem = dem
        self.plan: Plan | None = None
        self.error = ""
        self._entry = start.entry
        self._given = tuple(exclusions)
        self._spec = start.spec
        self._shown: dict[str, Any] = {}
        self._make_sliders(start)
        self.background = widgets.Dropdown(
            description="Background", options=list(BACKGROUNDS), value="none", **_WIDE_LAYOUT
        )
        self.status = widgets.HTML()
        self.figures = widgets.HTML()
        self.details = widgets.HTML(
            "<i>point at a feature to read about it</i>", layout=widgets.Layout(max_width="280px")
        )
        self._legend = widgets.HTML()

        self._rasters = self._terrain()
        self._background: leaflet.TileLayer | None = None
        self._vectors: dict[str, leaflet.GeoJSON] = {}
        self.drawing = leaflet.DrawControl(
            position="topleft", polygon=_DRAWN, rectangle=_DRAWN, polyline={}, circlemarker={}, circle={}, marker={}
        )
        self.map = self._make_map(height_px)
        self.editing = Editing(self.map, dem, on_plan=self._show)
        self.why = WhyNotMore(self.map, dem)
        self.widget = self._arrange(height_px)

        for control in self._controls:
            control.observe(self.update, names="value")
        self.drawing.observe(self.update, names="data")
        self.background.observe(self._switch_background, names="value")
        self.update()

    def _make_sliders(self, start: Design) -> None:
        """Make the sliders and menus of the design, at its values."""
        target_kw = start.target_capacity_kw
        spec = requested_spec(start.profile, start.strategy, target_kw, None, None, start.spec)
        setback = spec.number("site", "setback_m") if start.setback_m is None else start.setback_m
        grade = spec.number("road", "max_grade_pct") if start.max_road_grade_pct is None else start.max_road_grade_pct
        self.profile = widgets.Dropdown(
            description="Profile", options=_labelled(PROFILES), value=start.profile, **_WIDE_LAYOUT
        )
        self.strategy = widgets.Dropdown(
            description="Strategy", options=_labelled(STRATEGIES), value=start.strategy, **_WIDE_LAYOUT
        )
        self.fill_site = widgets.Checkbox(
            description="as much as fits", value=target_kw is None, indent=True, style=_WIDE_LAYOUT["style"]
        )
        self.capacity_mw = widgets.FloatLogSlider(
            description="Target, MW",
            value=(target_kw or 20_000) / 1000,
            min=-1,
            max=log10(5000),
            step=0.02,
            readout_format=",.1f",
            **_slider(),
        )
        self.setback_m = widgets.FloatSlider(
            description="Setback, m",
            value=setback,
            min=0,
            max=max(200, setback),
            step=1,
            readout_format=".0f",
            **_slider(),
        )
        self.max_road_grade_pct = widgets.FloatSlider(
            description="Road grade, %",
            value=grade,
            min=2,
            max=max(15, grade),
            step=0.5,
            readout_format=".1f",
            **_slider(),
        )

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415 (only in a notebook)

        display(self.widget)  # type: ignore[no-untyped-call]

    def drawn(self) -> tuple[Zone, ...]:
        """Exclusions drawn on the map, in the working CRS."""
        zones: list[Zone] = []
        for feature in self.drawing.data:
            area = crs_.reproject(shape(feature["geometry"]), crs_.LONLAT, self.site.crs)
            repaired = shapely.make_valid(area, method="structure", keep_collapsed=False)
            if isinstance(repaired, shapely.Polygon | shapely.MultiPolygon) and not repaired.is_empty:
                zones.append(Zone(repaired, name=f"drawn {len(zones) + 1}"))
        return tuple(zones)

    def request(self) -> dict[str, Any]:
        """Keywords of `generate_layout` that the controls stand for."""
        return {
            "profile": self.profile.value,
            "strategy": self.strategy.value,
            "target_capacity_kw": None if self.fill_site.value else float(round(self.capacity_mw.value * 1000)),
            "setback_m": self.setback_m.value,
            "max_road_grade_pct": self.max_road_grade_pct.value,
            "exclusions": (*self._given, *self.drawn()),
        }

    @property
    def _controls(self) -> list[Any]:
        """Controls of the design."""
        return [self.profile, self.strategy, self.fill_site, self.capacity_mw, self.setback_m, self.max_road_grade_pct]

    def update(self, _: object = None) -> None:
        """Lay out again if the request differs from the layout shown."""
        self.capacity_mw.disabled = self.fill_site.value
        request = self.request()
        if request == self._shown:
            return
        before, self._shown = self._shown, request
        if self.editing.edited and _without_zones(before) == _without_zones(request):
            # only drawn zones differ: they are edits of the edited plan
            old, new = (tuple(r["exclusions"][len(self._given) :]) for r in (before, request))
            self.editing.zones_changed([z for z in new if z not in old], [z.name for z in old if z not in new])
            return
        self.status.value = "<i>laying out …</i>"
        try:
            plan = generate_layout(self.site, self.dem, entry=self._entry, spec=self._spec, **request)
        except PacificoError as error:
            self.plan, self.error = None, str(error)
            self.editing.open(None)
            self.why.show(None)
            self.status.value, self.figures.value = panel.failure(self.error), ""
            self._draw(_site_only(self.site, request["exclusions"]))
            return
        self.editing.open(plan)
        self._show(plan)

    def _show(self, plan: Plan) -> None:
        """Show a plan on the map and its figures beside it."""
        self.plan, self.error = plan, ""
        layout = plan.to_geojson()
        self.status.value, self.figures.value = "", panel.summary(layout["pacifico"])
        self._draw(layout)
        self.why.show(plan)

    def _draw(self, layout: dict[str, Any]) -> None:
        """Draw a layout on the map; layers that stay keep their visibility."""
        parts = layers_.split(layout)
        if list(parts) == list(self._vectors):
            for name, data in parts.items():
                self._vectors[name].data = data
        else:
            self._vectors = {name: self._vector(name, data) for name, data in parts.items()}
            self._stack()
        self._legend.value = layers_.legend(list(parts)) + layers_.slope_legend()

    def _vector(self, name: str, data: dict[str, Any]) -> leaflet.GeoJSON:
        """Layer of the map."""
        still = name in {"Boundary", "Buildable area"}  # a highlight would hide the features on them
        layer = leaflet.GeoJSON(
            data=data,
            name=name,
            point_style=layers_.ENTRY_STYLE,
            hover_style={} if still else {"weight": 3, "color": "#ffffff"},
        )
        layer.on_hover(self._show_details)
        return layer

    def _show_details(self, feature: dict[str, Any], **_: object) -> None:
        """Show the details of the feature pointed at."""
        self.details.value = layers_.details(feature["properties"])

    def _stack(self) -> None:
        """Put the layers in drawing order."""
        bottom = (self._background,) if self._background is not None else ()
        marker = (self.editing.marker,) if self.editing.marker in self.map.layers else ()
        self.map.layers = (*bottom, *self._rasters, *self._vectors.values(), *self.why.lit.values(), *marker)

    def _switch_background(self, change: dict[str, Any]) -> None:
        """Show the chosen background."""
        chosen = BACKGROUNDS[change["new"]]
        self._background = None
        if chosen is not None:
            self._background = leaflet.basemap_to_tiles(chosen)
            self._background.base = True
        for raster in self._rasters:
            raster.opacity = _opacity(raster.name, over_tiles=chosen is not None)
        self._stack()

    def _terrain(self) -> tuple[leaflet.ImageOverlay, ...]:
        """Hillshade and slope classes as images."""
        images = hillshade_overlay(self.dem), web_mercator(slope(self.dem), layers_.slope_classes, name="Slope")
        return tuple(
            leaflet.ImageOverlay(url=i.image, bounds=i.bounds, name=i.name, opacity=_opacity(i.name, over_tiles=False))
            for i in images
        )

    def _make_map(self, height_px: int) -> leaflet.Map:
        """Map with its controls."""
        west, south, east, north = crs_.reproject(self.site.boundary, self.site.crs, crs_.LONLAT).bounds
        view = leaflet.Map(
            layers=self._rasters,
            center=((south + north) / 2, (west + east) / 2),
            zoom=layers_.zoom_to(west, south, east, north, width_px=_MAP_WIDTH_PX, height_px=height_px),
            zoom_snap=0.25,
            zoom_delta=0.5,
            max_zoom=20,
            scroll_wheel_zoom=True,
            attribution_control=False,
            layout=widgets.Layout(height=f"{height_px}px", flex="1 1 auto", min_width="320px"),
        )
        view.add(self.drawing)
        view.add(leaflet.LayersControl(position="topright"))
        view.add(leaflet.ScaleControl(position="bottomright", imperial=False))
        view.add(leaflet.WidgetControl(widget=self._legend, position="bottomleft"))
        view.add(leaflet.WidgetControl(widget=self.details, position="bottomright"))
        return view

    def _arrange(self, height_px: int) -> widgets.HBox:
        """Map with the panel beside it."""
        title = widgets.HTML(f"<b style='font-size:15px'>{for_markup(self.site.name)}</b>")
        parts = [
            title,
            *self._controls,
            self.background,
            self.editing.widget,
            self.status,
            self.figures,
            self.why.widget,
        ]
        side = widgets.VBox(
            parts,
            layout=widgets.Layout(
                width="340px",
                flex="0 0 340px",
                height=f"{height_px}px",
                overflow="hidden auto",
                padding="0 12px 0 10px",
            ),
        )
        return widgets.HBox([self.map, side], layout=widgets.Layout(width="100%"))


def _without_zones(request: dict[str, Any]) -> dict[str, Any]:
    """Request without its exclusions."""
    return {name: value for name, value in request.items() if name != "exclusions"}


def _labelled(choices: Sequence[str]) -> list[tuple[str, str]]:
    """Choices of a menu: name in words, and value."""
    return [(layers_.display_name(choice), choice) for choice in choices]


def _slider() -> dict[str, Any]:
    """Look of a slider, which acts when it is released."""
    return {"continuous_update": False, **_WIDE_LAYOUT}


def _opacity(name: str, *, over_tiles: bool) -> float:
    """Opacity of a raster; over background tiles the hillshade is transparent."""
    return {"Hillshade": 0.35 if over_tiles else 1.0, "Slope": 0.45}[name]


def _site_only(site: Site, exclusions: tuple[Zone, ...]) -> dict[str, Any]:
    """Layout without assets: the boundary and the exclusions."""
    shapes = [("boundary", site.name, site.boundary)]
    shapes += [("exclusion", zone.name, zone.geometry) for zone in (*site.exclusions, *exclusions)]
    return {
        "features": [
            {
                "geometry": shapely.geometry.mapping(crs_.reproject(area, site.crs, crs_.LONLAT)),
                "properties": {"kind": kind, "name": name},
            }
            for kind, name, area in shapes
        ]
    }
