"""Figures of a report, from site, DEM and stored layout.

A stored layout makes them independent of how the layout came: from a plan or from a report folder.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap, ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pacifico import legend
from pacifico.layout.files.stored import COARSE_M, LEVEL, StoredLayout
from pacifico.report import mapframe as frame
from pacifico.report import marks
from pacifico.report.elevations import height_change
from pacifico.terrain.surface import slope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Site, Zone

_GROUND = LinearSegmentedColormap.from_list(
    "ground", ["#6f9b7a", "#b9c98f", "#ece2b5", "#cfa97c", "#a77d63", "#f3efea"]
)
"""Elevation tints, light enough for lines to stay legible."""
_STEEPNESS = ("#fff7d6", "#fee391", "#fec44f", "#fe9929", "#d95f0e", "#8c2d04")
"""Slope classes after ColorBrewer YlOrBr: steeper is darker, also in print without colour."""
_CUT_FILL = LinearSegmentedColormap.from_list(
    "cut_fill", ["#8c3b00", "#e08214", "#fdd9a8", "#f4f4f4", "#b5d3ea", "#4393c3", "#083b73"]
)


def site_figure(site: Site, dem: xr.DataArray) -> Figure:
    """Site on shaded relief, with contours, exclusions and entries."""
    fig, ax = frame.map_figure(site.boundary, ground=dem, title="Site and terrain")
    z = dem.values
    low, high = (float(v) for v in np.nanpercentile(z, [1, 99]))
    tint = frame.paint(ax, dem, z, cmap=_GROUND, clim=(low, max(high, low + 1)), interpolation="bilinear")
    frame.shade(ax, dem, strength=0.38).set_zorder(1.5)
    step = frame.contours(ax, dem, site.boundary)
    handles: list[Patch | Line2D] = [_outline(ax, site)]
    handles += _exclusions(ax, site.exclusions)
    for anchor in site.anchors:
        ax.plot(
            anchor.point.x, anchor.point.y, "o", ms=7, mfc=legend.ENTRY if anchor.is_entry else "#ffffff", mec="white" if anchor.is_entry else "#333", mew=1.3, zorder=12
        )  # fmt: skip
    if site.entries:
        handles.append(_dot("Entry", legend.ENTRY))
    if step:
        handles.append(Line2D([], [], color="#5b4636", lw=0.8, label=f"Contours every {step:g} m"))
    frame.legend(
        ax, handles, note=f"{site.area_ha:,.1f} ha\nWorking CRS: {site.crs.name}\nElevation: {dem.attrs['source']}"
    )
    marks.colour_bar(ax, tint, "Elevation [m]", low=0.24, high=0.6, extend="both")
    return fig


def slope_figure(site: Site, dem: xr.DataArray, limits: Mapping[str, float]) -> Figure:
    """Slope classes by the limits of asset types, with their shares.

    Parameters
    ----------
    site : Site
        Site to show.
    dem : DataArray
        Its ground.
    limits : mapping
        Slope limit of each asset type [°].
    """
    degrees = slope(dem).values
    edges = _class_edges(limits)
    colours = _spread(_STEEPNESS, len(edges) - 1)
    fig, ax = frame.map_figure(site.boundary, ground=dem, title="Slope, by the limits of asset types")
    frame.shade(ax, dem)
    norm = BoundaryNorm(edges, len(colours))
    frame.paint(ax, dem, np.ma.masked_invalid(degrees), cmap=ListedColormap(colours), norm=norm, alpha=0.78)
    inside = _inside(site, dem)
    known = degrees[inside & np.isfinite(degrees)]
    handles: list[Patch | Line2D] = []
    for (low, high), colour in zip(pairwise(edges), colours, strict=True):
        share = float(np.mean((known >= low) & (known < high))) if known.size else 0.0
        name = f"{low:g}–{high:g}°" if high < 90 else f"over {low:g}°"
        allowed = sorted(legend.ASSETS[k][0].lower() for k, v in limits.items() if v >= high and k in legend.ASSETS)
        dropped = sorted(legend.ASSETS[k][0].lower() for k, v in limits.items() if v == low and k in legend.ASSETS)
        if not allowed:
            text = "nothing may stand"
        elif not dropped:
            text = "everything may stand"
        else:
            text = "no longer: " + _wrapped(dropped)
        handles.append(
            Patch(facecolor=colour, edgecolor="#777", lw=0.5, label=f"{name}: {share:.0%} of the site\n{text}")
        )
    nodata = float(np.mean(~np.isfinite(degrees[inside]))) if inside.any() else 0.0
    if nodata > 0:
        handles.append(Patch(facecolor="#eef0ec", edgecolor="#777", lw=0.5, label=f"no elevation: {nodata:.1%}"))
    handles.append(_outline(ax, site))
    frame.legend(ax, handles, title="Slope of natural ground", note=_resolution_note(dem))
    return fig


def buildable_figure(layout: StoredLayout, dem: xr.DataArray) -> Figure:
    """Ground that setbacks, exclusions and slope leave to build on."""
    fig, ax = frame.map_figure(layout.boundary, ground=dem, title="Buildable ground")
    frame.shade(ax, dem)
    frame.area_patch(ax, [layout.boundary], facecolor="#fdf6ec", alpha=0.55, lw=0, zorder=1)
    buildable = [s.geometry for s in layout.of_kind("buildable")]
    frame.area_patch(ax, buildable, facecolor=legend.BUILDABLE, edgecolor="#3c7a3a", alpha=0.72, lw=0.6, zorder=2)
    zones = [s.geometry for s in layout.of_kind("exclusion")]
    frame.area_patch(ax, zones, facecolor="none", edgecolor=legend.EXCLUSION, hatch="////", lw=1.0, zorder=3)
    frame.area_patch(ax, [layout.boundary], facecolor="none", edgecolor=legend.BOUNDARY, lw=2, zorder=10)
    m = layout.metrics
    share = m["buildable_area_ha"] / m["site_area_ha"]
    handles: list[Patch | Line2D] = [
        Patch(facecolor=legend.BUILDABLE, edgecolor="#3c7a3a", label=f"Buildable: {m['buildable_area_ha']:,.1f} ha ({share:.0%})"),
        Patch(facecolor="#fdf6ec", edgecolor="#999", label=f"Not buildable: {m['site_area_ha'] - m['buildable_area_ha']:,.1f} ha\n(slope, setback, exclusion,\nno elevation)"),
    ]  # fmt: skip
    if zones:
        handles.append(Patch(facecolor="none", edgecolor=legend.EXCLUSION, hatch="////", label="Exclusion"))
    handles.append(Line2D([], [], color=legend.BOUNDARY, lw=2, label="Site boundary"))
    interval = m.get("buildable_area_p10_p90_ha")
    note = f"P10 to P90 under DEM error:\n{interval[0]:,.1f} to {interval[1]:,.1f} ha\n" if interval else ""
    frame.legend(ax, handles, note=note + _resolution_note(dem))
    return fig


def plot_plan(plan: Plan, dem: xr.DataArray | None = None) -> Figure:
    """Figure of a plan, on shaded ground where its DEM is given."""
    return layout_figure(StoredLayout.of(plan.to_geojson()), dem)


def layout_figure(layout: StoredLayout, dem: xr.DataArray | None) -> Figure:
    """Assets by type, pads, roads, cables, entry and boundary."""
    fig, ax = frame.map_figure(layout.boundary, ground=dem, title="Layout")
    if dem is not None:
        frame.shade(ax, dem, strength=0.55)
        frame.contours(ax, dem, layout.boundary)
    zones = [s.geometry for s in layout.of_kind("exclusion")]
    frame.area_patch(ax, zones, facecolor=legend.EXCLUSION, edgecolor=legend.EXCLUSION, alpha=0.25, lw=0.8, zorder=3)
    pads = [s.geometry for s in layout.of_kind("pad")]
    frame.area_patch(ax, pads, facecolor=legend.PAD, edgecolor=legend.PAD, alpha=0.6, lw=0.8, zorder=5)
    handles: list[Patch | Line2D] = []
    assets = layout.of_kind("asset")
    for kind in [*legend.ASSETS, *sorted({a["asset_type"] for a in assets} - set(legend.ASSETS))]:
        footprints = [a.geometry for a in assets if a["asset_type"] == kind]
        if footprints:
            name, colour = legend.ASSETS.get(kind, legend.OTHER_ASSET)
            frame.area_patch(ax, footprints, facecolor=colour, edgecolor="#222", lw=0.3, zorder=6)
            handles.append(Patch(facecolor=colour, edgecolor="#222", lw=0.4, label=f"{name}: {len(footprints)}"))
    if pads:
        handles.append(Patch(facecolor=legend.PAD, alpha=0.6, label=f"Pad: {len(pads)}"))
    roads = layout.of_kind("road")
    for edge in (True, False):
        for road in roads:
            width = legend.ROADS.get(road["road_class"], ("", 2.5))[1] * 0.55
            frame.lines(ax, [road.geometry], color=legend.ROAD_EDGE if edge else legend.ROAD, lw=width + (1.1 if edge else 0), zorder=7 if edge else 8)  # fmt: skip
    if roads:
        handles.append(
            Line2D(
                [], [], color=legend.ROAD_EDGE, lw=2.2, label=f"Road: {layout.metrics['road_length_m'] / 1000:,.2f} km"
            )
        )
    cables = [s.geometry for s in layout.of_kind("cable")]
    if cables:
        frame.lines(ax, cables, color=legend.CABLE, lw=0.9, linestyles="dashed", zorder=9)
        handles.append(Line2D([], [], color=legend.CABLE, lw=1, ls="--", label="Cable"))
    if crossings := [s.geometry for s in layout.of_kind("crossing")]:
        frame.lines(ax, crossings, color=legend.CROSSING, lw=3.5, zorder=9)
        handles.append(Line2D([], [], color=legend.CROSSING, lw=3.5, label=f"Crossing: {len(crossings)}"))
    if fences := [s.geometry for s in layout.of_kind("fence")]:
        frame.lines(ax, fences, color=legend.FENCE, lw=0.8, linestyles="dashdot", zorder=9)
        handles.append(Line2D([], [], color=legend.FENCE, lw=1, ls="-.", label="Fence"))
    if zones:
        handles.append(Patch(facecolor=legend.EXCLUSION, alpha=0.25, edgecolor=legend.EXCLUSION, label="Exclusion"))
    frame.area_patch(ax, [layout.boundary], facecolor="none", edgecolor=legend.BOUNDARY, lw=2, zorder=10)
    handles.append(Line2D([], [], color=legend.BOUNDARY, lw=2, label="Site boundary"))
    for entry in layout.of_kind("entry"):
        x, y = shapely.get_coordinates(entry.geometry)[0]
        ax.plot(x, y, "o", ms=9, mfc=legend.ENTRY, mec="white", mew=1.6, zorder=12)
    handles.append(_dot("Entry", legend.ENTRY))
    frame.legend(ax, handles)
    return fig


def cut_fill_figure(layout: StoredLayout, dem: xr.DataArray) -> Figure:
    """Design height minus ground under pads and roads."""
    graded = [s.geometry for kind in ("pad", "road", "asset") for s in layout.of_kind(kind)]
    area = shapely.union_all(graded) if graded else layout.boundary
    fig, ax = frame.map_figure(area, ground=dem, title="Cut and fill")
    frame.shade(ax, dem, strength=0.5)
    side_pt = 2.4
    change = height_change(layout, dem, step_m=min(max(0.85 * side_pt * marks.metres_per_point(ax), 0.4), 4.0))
    assets = [s.geometry for s in layout.of_kind("asset")]
    frame.area_patch(ax, assets, facecolor="none", edgecolor="#8a938e", lw=0.4, zorder=3)
    worst = max((float(np.abs(dz).max()) for _, dz in change if dz.size), default=0.0)
    top = marks.nice_above(max(worst, 0.1))
    xy = np.concatenate([c[0] for c in change]) if change else np.empty((0, 2))
    dz = np.concatenate([c[1] for c in change]) if change else np.empty(0)
    # roads are narrower than a pixel of the map: dots of a fixed size keep them visible
    dots = ax.scatter(
        xy[:, 0], xy[:, 1], c=dz, s=side_pt**2, marker="s", linewidths=0, cmap=_CUT_FILL, vmin=-top, vmax=top, zorder=6
    )
    frame.area_patch(ax, [layout.boundary], facecolor="none", edgecolor=legend.BOUNDARY, lw=1.6, zorder=10)
    frame.area_patch(
        ax, [s.geometry for s in layout.of_kind("pad")], facecolor="none", edgecolor="#333", lw=0.6, zorder=7
    )
    marks.colour_bar(ax, dots, "design minus ground [m]\ncut < 0 < fill", low=0.45, high=0.98)
    m = layout.metrics
    rows = [("", "cut m³", "fill m³")]
    rows += [
        (what.removeprefix("ground "), f"{m[f'{part}_cut_m3']:,.0f}", f"{m[f'{part}_fill_m3']:,.0f}")
        for part, what in legend.EARTHWORK_PARTS.items()
        if f"{part}_cut_m3" in m
    ]
    rows.append(("total", f"{m['cut_volume_m3']:,.0f}", f"{m['fill_volume_m3']:,.0f}"))
    text = "\n".join(f"{a:<12}{b:>9}{c:>9}" for a, b, c in rows)
    if dem.attrs["source_resolution_m"] > COARSE_M:
        text += "\n\nCoarse ground: these are\nno claim about grading."
    ax.text(
        marks.beside(ax, 0.14),
        0.0,
        text,
        transform=ax.transAxes,
        fontsize=7.4,
        family="monospace",
        va="bottom",
        color=frame.INK,
    )
    return fig


def _outline(ax: Axes, site: Site) -> Line2D:
    """Draw the boundary; return its legend handle."""
    frame.area_patch(ax, [site.boundary], facecolor="none", edgecolor="white", lw=3.6, alpha=0.75, zorder=9)
    frame.area_patch(ax, [site.boundary], facecolor="none", edgecolor=legend.BOUNDARY, lw=2, zorder=10)
    return Line2D([], [], color=legend.BOUNDARY, lw=2, label="Site boundary")


def _exclusions(ax: Axes, zones: Sequence[Zone]) -> list[Patch]:
    """Draw exclusion zones; return their legend handles."""
    hard = [z.geometry.buffer(z.buffer_m) if z.buffer_m else z.geometry for z in zones if z.zone_type != "cost"]
    costly = [z.geometry for z in zones if z.zone_type == "cost"]
    handles = []
    if hard:
        frame.area_patch(ax, hard, facecolor=legend.EXCLUSION, edgecolor=legend.EXCLUSION, alpha=0.32, lw=1, zorder=4)
        handles.append(Patch(facecolor=legend.EXCLUSION, alpha=0.32, label=f"Exclusion: {len(hard)}"))
    if costly:
        frame.area_patch(ax, costly, facecolor="none", edgecolor="#7a5195", hatch="..", lw=0.8, zorder=4)
        handles.append(
            Patch(facecolor="none", edgecolor="#7a5195", hatch="..", label=f"Costly to cross: {len(costly)}")
        )
    return handles


def _dot(name: str, colour: str) -> Line2D:
    """Legend handle of a point."""
    return Line2D([], [], marker="o", ls="", ms=7, mfc=colour, mec="white", label=name)


def _class_edges(limits: Mapping[str, float]) -> list[float]:
    """Class edges [°]: 0, the limits, and one for very steep ground."""
    edges = sorted({0.0, *limits.values()})
    beyond = max(15.0, edges[-1] + 5)
    return [*edges, beyond, 90.0]


def _spread(colours: Sequence[str], count: int) -> list[str]:
    """Colours spread over a number of classes."""
    scale = LinearSegmentedColormap.from_list("scale", list(colours))
    from matplotlib.colors import to_hex  # noqa: PLC0415

    return [to_hex(scale(i / max(count - 1, 1))) for i in range(count)]


def _wrapped(names: Sequence[str], width: int = 22) -> str:
    """Names on lines of at most so many characters."""
    lines = [""]
    for k, name in enumerate(names):
        word = name + ("," if k < len(names) - 1 else "")
        if lines[-1] and len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return "\n".join(lines)


def _inside(site: Site, dem: xr.DataArray) -> NDArray[np.bool_]:
    """Cells whose centre is inside the boundary."""
    x, y = np.meshgrid(dem.x.values, dem.y.values)
    shapely.prepare(site.boundary)
    return np.asarray(shapely.contains_xy(site.boundary, x, y))


def _resolution_note(dem: xr.DataArray) -> str:
    """Note on the cells of the DEM and of its source."""
    own = dem.attrs["source_resolution_m"]
    if dem.attrs["source"] == LEVEL:
        return "Level ground was assumed:\nno terrain was read"
    note = f"Cells {dem.attrs['resolution_m']:g} m, source {own:.3g} m"
    return note + ("\nCoarse: no claim about grading" if own > COARSE_M else "")
