"""The explorer: a site's terrain and its layout on a map, and sliders that move the layout."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import ipyleaflet as leaflet
import ipywidgets as widgets
import shapely
from shapely.geometry import shape

from pacifico import crs as crs_
from pacifico.errors import InputError, PacificoError
from pacifico.explorer import layers as layers_
from pacifico.explorer import panel
from pacifico.explorer.editing import Editing
from pacifico.layout.criteria.spec import PROFILES, STRATEGIES, Profile, Strategy, make_spec
from pacifico.layout.generate import generate_layout
from pacifico.report.overlay import hillshade_overlay, web_mercator
from pacifico.site.model import Site, Zone
from pacifico.terrain.surface import slope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr

    from pacifico.layout.model.plan import Plan

BACKGROUNDS = {
    "none": None,
    "streets (network)": leaflet.basemaps.OpenStreetMap.Mapnik,
    "imagery (network)": leaflet.basemaps.Esri.WorldImagery,
}
_DRAWN = {"shapeOptions": {**layers_.AREA_STYLES["exclusion"]}}
_MAP_WIDTH_PX = 700
_WIDE = {"description_width": "100px"}


def explore(
    site: Site,
    dem: xr.DataArray,
    *,
    profile: Profile = "solar_farm",
    strategy: Strategy = "balanced",
    target_capacity_kw: float | None = None,
    setback_m: float | None = None,
    max_road_grade_pct: float | None = None,
    entry: tuple[float, float] | None = None,
    exclusions: Sequence[Zone] = (),
    spec: Mapping[str, Mapping[str, Any]] | None = None,
    height_px: int = 640,
) -> Explorer:
    """Show a site in JupyterLab, lay it out, and let sliders move the layout.

    Nothing is asked of the network until a background is switched on.

    Parameters
    ----------
    site : Site
        As `read_site` returns it.
    dem : DataArray
        As `open_dem` returns it.
    profile, strategy, target_capacity_kw, setback_m, max_road_grade_pct, entry, exclusions, spec
        As `generate_layout` takes them: where the sliders start. Polygons drawn on the map are exclusions too.
    height_px : int
        Height of the map.

    Returns
    -------
    Explorer
        Shows itself as the last line of a cell; `explorer.plan` is the layout now on the map.
    """
    return Explorer(
        site,
        dem,
        profile=profile,
        strategy=strategy,
        target_capacity_kw=target_capacity_kw,
        setback_m=setback_m,
        max_road_grade_pct=max_road_grade_pct,
        entry=entry,
        exclusions=exclusions,
        spec=spec,
        height_px=height_px,
    )


class Explorer:
    """Map and panel of one site.

    Attributes
    ----------
    plan : Plan or None
        The layout on the map; None where there is none.
    error : str
        Why there is none, in one line; empty where there is one.
    map, widget
        The ipyleaflet map; map and panel together.
    """

    def __init__(
        self,
        site: Site,
        dem: xr.DataArray,
        *,
        profile: Profile,
        strategy: Strategy,
        target_capacity_kw: float | None,
        setback_m: float | None,
        max_road_grade_pct: float | None,
        entry: tuple[float, float] | None,
        exclusions: Sequence[Zone],
        spec: Mapping[str, Mapping[str, Any]] | None,
        height_px: int,
    ) -> None:
        if target_capacity_kw is not None and not 100 <= target_capacity_kw <= 5_000_000:
            raise InputError(f"target capacity {target_capacity_kw:g} kW is out of range; give 100 to 5,000,000 kW")
        self.site = site
        self.dem = dem
        self.plan: Plan | None = None
        self.error = ""
        self._entry = entry
        self._given = tuple(exclusions)
        self._spec = spec
        self._asked: dict[str, Any] = {}
        rules = make_spec(spec)
        setback = rules.number("site", "setback_m") if setback_m is None else setback_m
        grade = rules.number("road", "max_grade_pct") if max_road_grade_pct is None else max_road_grade_pct

        slider = {"continuous_update": False, "style": _WIDE, "layout": widgets.Layout(width="auto")}
        self.profile = widgets.Dropdown(
            description="Profile", options=_labelled(PROFILES), value=profile, **_plain(slider)
        )
        self.strategy = widgets.Dropdown(
            description="Strategy", options=_labelled(STRATEGIES), value=strategy, **_plain(slider)
        )
        self.fill_site = widgets.Checkbox(
            description="as much as fits", value=target_capacity_kw is None, indent=True, style=_WIDE
        )
        self.capacity_mw = widgets.FloatLogSlider(
            description="Target, MW",
            value=(target_capacity_kw or 20_000) / 1000,
            min=-1,
            max=math.log10(5000),
            step=0.02,
            readout_format=",.1f",
            **slider,
        )
        self.setback_m = widgets.FloatSlider(
            description="Setback, m",
            value=setback,
            min=0,
            max=max(200, setback),
            step=1,
            readout_format=".0f",
            **slider,
        )
        self.max_road_grade_pct = widgets.FloatSlider(
            description="Road grade, %",
            value=grade,
            min=2,
            max=max(15, grade),
            step=0.5,
            readout_format=".1f",
            **slider,
        )
        self.background = widgets.Dropdown(
            description="Background", options=list(BACKGROUNDS), value="none", **_plain(slider)
        )
        self.status = widgets.HTML()
        self.figures = widgets.HTML()
        self.pointed_at = widgets.HTML(layout=widgets.Layout(max_width="280px"))
        self.pointed_at.value = "<i>point at anything to read about it</i>"
        self._legend = widgets.HTML()

        self._rasters = self._terrain()
        self._background: leaflet.TileLayer | None = None
        self._vectors: dict[str, leaflet.GeoJSON] = {}
        self.drawing = leaflet.DrawControl(
            position="topleft", polygon=_DRAWN, rectangle=_DRAWN, polyline={}, circlemarker={}, circle={}, marker={}
        )
        self.map = self._make_map(height_px)
        self.editing = Editing(self.map, dem, on_plan=self._show)
        self.widget = self._arrange(height_px)

        for control in self._controls:
            control.observe(self._changed, names="value")
        self.drawing.observe(self._changed, names="data")
        self.background.observe(self._switch_background, names="value")
        self._changed()

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415 (only in a notebook)

        display(self.widget)  # type: ignore[no-untyped-call]

    def drawn(self) -> tuple[Zone, ...]:
        """Polygons drawn on the map, as exclusions in the working CRS."""
        zones: list[Zone] = []
        for feature in self.drawing.data:
            area = crs_.reproject(shape(feature["geometry"]), crs_.LONLAT, self.site.crs)
            repaired = shapely.make_valid(area, method="structure", keep_collapsed=False)
            if isinstance(repaired, shapely.Polygon | shapely.MultiPolygon) and not repaired.is_empty:
                zones.append(Zone(repaired, name=f"drawn {len(zones) + 1}"))
        return tuple(zones)

    def request(self) -> dict[str, Any]:
        """Arguments of `generate_layout` that the sliders stand for."""
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
        return [self.profile, self.strategy, self.fill_site, self.capacity_mw, self.setback_m, self.max_road_grade_pct]

    def _changed(self, _: object = None) -> None:
        """Lay out again, if what is asked for is not what is shown."""
        self.capacity_mw.disabled = self.fill_site.value
        asked = self.request()
        if asked == self._asked:
            return
        before, self._asked = self._asked, asked
        if self.editing.edited and _zones_apart(before) == _zones_apart(asked):
            was, now = (tuple(a["exclusions"][len(self._given) :]) for a in (before, asked))
            self.editing.zones_changed([z for z in now if z not in was], [z.name for z in was if z not in now])
            return
        self.status.value = "<i>laying out …</i>"
        try:
            plan = generate_layout(self.site, self.dem, entry=self._entry, spec=self._spec, **asked)
        except PacificoError as fault:
            self.plan, self.error = None, str(fault)
            self.editing.open(None)
            self.status.value, self.figures.value = panel.failure(self.error), ""
            self._draw(_site_only(self.site, asked["exclusions"]))
            return
        self.editing.open(plan)
        self._show(plan)

    def _show(self, plan: Plan) -> None:
        """Put a plan on the map and its figures beside it."""
        self.plan, self.error = plan, ""
        layout = plan.to_geojson()
        self.status.value, self.figures.value = "", panel.summary(layout["pacifico"])
        self._draw(layout)

    def _draw(self, layout: dict[str, Any]) -> None:
        """Put a layout on the map; layers that stay are only given new data, so that what is switched off stays off."""
        parts = layers_.split(layout)
        if list(parts) == list(self._vectors):
            for name, data in parts.items():
                self._vectors[name].data = data
        else:
            self._vectors = {name: self._vector(name, data) for name, data in parts.items()}
            self._stack()
        self._legend.value = layers_.legend(list(parts)) + layers_.slope_legend()

    def _vector(self, name: str, data: dict[str, Any]) -> leaflet.GeoJSON:
        still = name in {"Boundary", "Buildable area"}  # to light these up would hide what stands on them
        layer = leaflet.GeoJSON(
            data=data,
            name=name,
            point_style=layers_.ENTRY_STYLE,
            hover_style={} if still else {"weight": 3, "color": "#ffffff"},
        )
        layer.on_hover(self._tell)
        return layer

    def _tell(self, feature: dict[str, Any], **_: object) -> None:
        self.pointed_at.value = layers_.told(feature["properties"])

    def _stack(self) -> None:
        bottom = (self._background,) if self._background is not None else ()
        marker = (self.editing.marker,) if self.editing.marker in self.map.layers else ()
        self.map.layers = (*bottom, *self._rasters, *self._vectors.values(), *marker)

    def _switch_background(self, change: dict[str, Any]) -> None:
        chosen = BACKGROUNDS[change["new"]]
        self._background = None
        if chosen is not None:
            self._background = leaflet.basemap_to_tiles(chosen)
            self._background.base = True
        for raster in self._rasters:
            raster.opacity = _opacity(raster.name, over_tiles=chosen is not None)
        self._stack()

    def _terrain(self) -> tuple[leaflet.ImageOverlay, ...]:
        images = hillshade_overlay(self.dem), web_mercator(slope(self.dem), layers_.slope_classes, name="Slope")
        return tuple(
            leaflet.ImageOverlay(url=i.image, bounds=i.bounds, name=i.name, opacity=_opacity(i.name, over_tiles=False))
            for i in images
        )

    def _make_map(self, height_px: int) -> leaflet.Map:
        west, south, east, north = crs_.reproject(self.site.boundary, self.site.crs, crs_.LONLAT).bounds
        view = leaflet.Map(
            layers=self._rasters,
            center=((south + north) / 2, (west + east) / 2),
            zoom=_zoom(west, south, east, north, width_px=_MAP_WIDTH_PX, height_px=height_px),
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
        view.add(leaflet.WidgetControl(widget=self.pointed_at, position="bottomright"))
        return view

    def _arrange(self, height_px: int) -> widgets.HBox:
        title = widgets.HTML(f"<b style='font-size:15px'>{escape(self.site.name)}</b>")
        parts = [title, *self._controls, self.background, self.editing.widget, self.status, self.figures]
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


def _zones_apart(asked: dict[str, Any]) -> dict[str, Any]:
    """What is asked for, drawn zones left out."""
    return {name: value for name, value in asked.items() if name != "exclusions"}


def _labelled(choices: Sequence[str]) -> list[tuple[str, str]]:
    """Choices as a person reads them, with the value that the engine takes."""
    return [(layers_.spoken(choice), choice) for choice in choices]


def _plain(slider: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in slider.items() if key != "continuous_update"}


def _opacity(name: str, *, over_tiles: bool) -> float:
    """Opacity of a raster; over tiles the hillshade must let them through."""
    return {"Hillshade": 0.35 if over_tiles else 1.0, "Slope": 0.45}[name]


def _site_only(site: Site, exclusions: tuple[Zone, ...]) -> dict[str, Any]:
    """Layout of nothing: the boundary and what must stay free."""
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


def _zoom(west: float, south: float, east: float, north: float, *, width_px: int, height_px: int) -> float:
    """Zoom at which a box in degrees fills a map, to the quarter below; at zoom 0 the world is 256 pixels wide."""
    wide = (east - west) / 360
    high = (_mercator(north) - _mercator(south)) / (2 * math.pi)
    room = 0.92
    fits = min(math.log2(room * width_px / 256 / wide), math.log2(room * height_px / 256 / high))
    return math.floor(min(fits, 19.0) * 4) / 4


def _mercator(lat: float) -> float:
    return math.asinh(math.tan(math.radians(lat)))
