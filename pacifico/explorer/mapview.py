"""The map of a site: terrain, layout, legend and background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipyleaflet as leaflet
import ipywidgets as widgets
import shapely
from shapely.geometry import shape

from pacifico import crs as crs_
from pacifico.explorer import layers as layers_
from pacifico.explorer.controls import ROOT, WIDE
from pacifico.report.overlay import hillshade_overlay, web_mercator
from pacifico.terrain.surface import slope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr

    from pacifico.site.model import Site, Zone

Bounds = tuple[float, float, float, float]
"""West, south, east and north [°]."""
BACKGROUNDS = {
    "none": None,
    "streets (network)": leaflet.basemaps.OpenStreetMap.Mapnik,
    "imagery (network)": leaflet.basemaps.Esri.WorldImagery,
}
"""Background maps; those of the network are read only when chosen."""
STALE = "pacifico-stale"
"""CSS class of what shows the layout before."""
CARD = "pacifico-card"
"""CSS class of texts on the map that let clicks through."""
STYLES = (
    f"<style>.{STALE} .leaflet-overlay-pane svg, .{STALE}.widget-html {{opacity: .4; transition: opacity .2s .15s}}"
    f".leaflet-control:has(.{CARD}) {{pointer-events: none}}"
    f".{ROOT} .jupyter-widget-Collapse-header {{color: var(--jp-ui-font-color1)}}</style>"
)
"""Dims what is stale, after a moment, so that quick changes don't flicker; gives folded titles the contrast that they lack."""
_EMPTY: dict[str, Any] = {"type": "FeatureCollection", "features": []}
_MAP_WIDTH_PX = 700
"""Width of the map that the zoom is chosen for [pixels]."""


class SiteMap:
    """Map with its layers.

    Attributes
    ----------
    view : Map
        The ipyleaflet map.
    """

    def __init__(self, site: Site, dem: xr.DataArray, height_px: int) -> None:
        self._bounds: Bounds = crs_.reproject(site.boundary, site.crs, crs_.LONLAT).bounds
        self._plant: Bounds | None = None
        self._height_px = height_px
        self._rasters = _terrain(dem)
        self._background: leaflet.TileLayer | None = None
        self._vectors: dict[str, leaflet.GeoJSON] = {}
        self._own: tuple[Any, ...] = self._rasters
        self.background = widgets.Dropdown(description="Background", options=list(BACKGROUNDS), value="none", **WIDE)
        self.details = widgets.HTML(
            "<i>point at a feature to read about it</i>", layout=widgets.Layout(max_width="280px")
        )
        self.details.add_class(CARD)
        self._legend = widgets.HTML()
        self.view = self._make_map()
        self.background.observe(self._switch_background, names="value")

    def draw(self, layout: Mapping[str, Any], *, partial: bool = False) -> None:
        """Draw a layout; layers that stay keep their visibility.

        Parameters
        ----------
        layout : mapping
            Content of a layout.geojson, or some of its features.
        partial : bool
            Whether the rest follows soon: layers without features stay, so that none that is switched off comes back.
        """
        parts = layers_.split(dict(layout))
        if partial and set(parts) <= set(self._vectors):
            parts = {name: parts.get(name, _EMPTY) for name in self._vectors}
        assets = [shape(f["geometry"]) for f in layout["features"] if f["properties"]["kind"] == "asset"]
        self._plant = tuple(shapely.total_bounds(assets)) if assets else None
        if list(parts) == list(self._vectors):
            for name, data in parts.items():
                self._vectors[name].data = data
        else:
            self._vectors = {name: self._vector(name, data) for name, data in parts.items()}
            self.stack()
        rows = layers_.legend(list(parts)) + layers_.slope_legend()
        self._legend.value = f"<details open><summary style='cursor:pointer'>Legend</summary>{rows}</details>"

    def stack(self) -> None:
        """Put the layers in drawing order; what others have added stays on top."""
        above = tuple(layer for layer in self.view.layers if layer not in self._own)
        bottom = (self._background,) if self._background is not None else ()
        self._own = (*bottom, *self._rasters, *self._vectors.values())
        self.view.layers = (*self._own, *above)

    def fit(self) -> None:
        """Show the whole plant; without one, the whole site."""
        west, south, east, north = bounds = self._plant or self._bounds
        self.view.center = ((south + north) / 2, (west + east) / 2)
        self.view.zoom = self._zoom(bounds)

    def show_stale(self, *, stale: bool) -> None:
        """Dim the layout, or show it as it is."""
        (self.view.add_class if stale else self.view.remove_class)(STALE)

    def _zoom(self, bounds: Bounds) -> float:
        """Zoom that shows a box in degrees."""
        return layers_.zoom_to(*bounds, width_px=_MAP_WIDTH_PX, height_px=self._height_px)

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

    def _switch_background(self, change: dict[str, Any]) -> None:
        """Show the chosen background."""
        chosen = BACKGROUNDS[change["new"]]
        self._background = None
        if chosen is not None:
            self._background = leaflet.basemap_to_tiles(chosen)
            self._background.base = True
        for raster in self._rasters:
            raster.opacity = _opacity(raster.name, over_tiles=chosen is not None)
        self.stack()

    def _make_map(self) -> leaflet.Map:
        """Map with its controls."""
        west, south, east, north = self._bounds
        view = leaflet.Map(
            layers=self._rasters,
            center=((south + north) / 2, (west + east) / 2),
            zoom=self._zoom(self._bounds),
            zoom_snap=0.25,
            zoom_delta=0.5,
            max_zoom=20,
            scroll_wheel_zoom=True,
            attribution_control=False,
            layout=widgets.Layout(height=f"{self._height_px}px", flex="1 1 420px", min_width="320px"),
        )
        view.add(leaflet.LayersControl(position="topright"))
        view.add(leaflet.FullScreenControl(position="topleft"))
        view.add(leaflet.MeasureControl(position="topleft", primary_length_unit="meters", primary_area_unit="hectares"))
        view.add(leaflet.ScaleControl(position="bottomright", imperial=False))
        view.add(leaflet.WidgetControl(widget=self._legend, position="bottomleft"))
        view.add(leaflet.WidgetControl(widget=self.details, position="bottomright"))
        return view


def _terrain(dem: xr.DataArray) -> tuple[leaflet.ImageOverlay, ...]:
    """Hillshade and slope classes as images."""
    images = hillshade_overlay(dem), web_mercator(slope(dem), layers_.slope_classes, name="Slope")
    return tuple(
        leaflet.ImageOverlay(url=i.image, bounds=i.bounds, name=i.name, opacity=_opacity(i.name, over_tiles=False))
        for i in images
    )


def _opacity(name: str, *, over_tiles: bool) -> float:
    """Opacity of a terrain image."""
    if name == "Slope":
        return 0.45
    return 0.35 if over_tiles else 1.0


def side_by_side(view: leaflet.Map, parts: Sequence[Any], height_px: int) -> widgets.HBox:
    """Map with a panel beside it, or below it where there is no room.

    Parameters
    ----------
    view : Map
        The map.
    parts : sequence of widgets
        Parts of the panel, from the top.
    height_px : int
        Height of the panel [pixels].
    """
    for part in parts:
        part.layout.flex = "0 0 auto"  # otherwise the panel shrinks some to nothing
    side = widgets.VBox(
        parts,
        layout=widgets.Layout(
            width="340px",
            flex="1 0 320px",
            max_width="420px",
            height=f"{height_px}px",
            overflow="hidden auto",
            padding="0 12px 0 10px",
        ),
    )
    return widgets.HBox([view, side], layout=widgets.Layout(width="100%", flex_flow="row wrap"))


def folded(parts: Mapping[str, Any]) -> widgets.Accordion:
    """Sections of the panel by title, all folded."""
    return widgets.Accordion(children=list(parts.values()), titles=tuple(parts), selected_index=None)


def site_only(site: Site, exclusions: Sequence[Zone]) -> dict[str, Any]:
    """Layout without assets: the boundary and the exclusions."""
    shapes = [("boundary", site.name, site.boundary)]
    shapes += [("exclusion", zone.name, zone.geometry) for zone in (*site.exclusions, *exclusions)]
    geometries = crs_.geojson_geometries([area for _, _, area in shapes], site.crs)
    return {
        "features": [
            {"type": "Feature", "geometry": geometry, "properties": {"kind": kind, "name": name}}
            for (kind, name, _), geometry in zip(shapes, geometries, strict=True)
        ]
    }
