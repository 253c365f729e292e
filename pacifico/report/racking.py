"""Figures and table of racking: piles, worst row, row shade."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import shapely
from matplotlib import colormaps
from matplotlib.collections import PatchCollection, PolyCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patches import Polygon as Outline

from pacifico import legend
from pacifico.analysis.shading.table import shade_frame
from pacifico.layout.criteria.racking import racking_criteria
from pacifico.report import mapframe as frame
from pacifico.report import marks
from pacifico.report.tables import Table

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pacifico.analysis.energy import Energy
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.racking import RackingCriteria
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.racking import GradedCells, RackingDesign

NO_ROWS = "no solar array stands: there are no rows and no piles"
_DEPTHS = ListedColormap(colormaps["PuOr"](np.r_[np.linspace(0.0, 0.36, 128), np.linspace(0.64, 1.0, 128)]))
"""Colours of depths, without the pale middle: shallow cut and fill differ from the ground."""
_CUT, _FILL, _OUTSIDE, _ROAD = "#e08214", "#8073ac", "#d4006a", "#6b6257"
LEAST_SCALE_PCT = 1.0
"""Least end of the colour scale of losses [%]: smaller losses are shown as small."""
PILE_DOT_M = 5.0
"""Size of a pile's dot on the map [m]: less than the distance between piles."""
NAME_PT = (10.0, 7.0)
"""Width and height of an array's number on a map [pt]: smaller arrays have none."""
LEAST_DEPTH_M = 0.1
"""Least end of the colour scale of cut and fill [m]: shallower grading is shown as shallow."""
_LEFT_IN, _PANEL_IN = 0.6, 2.6
"""Room at the left of a panel, and its height [in]."""


def racking_table(plan: Plan) -> Table:
    """Rows, piles and grading in figures."""
    design = plan.racking
    if design is None:
        return Table(("", "", ""), (), words=1, empty=NO_ROWS)
    m, criteria = design.metrics(), racking_criteria(plan.spec)
    shares = "; ".join(f"{length} m: {100 * share:.1f} %" for length, share in m["pile_length_shares"].items())
    rows = [
        ("Racking", criteria.name.replace("_", " "), ""),
        ("Reveal window", f"{criteria.min_reveal_m:g} to {criteria.max_reveal_m:g}", "m"),
        ("Rows", f"{m['row_count']:,}", ""),
        ("Piles", f"{m['pile_count']:,}", ""),
        ("Piles outside the window", f"{m['piles_outside_window']:,}", ""),
        ("Piles by ordered length", shares, ""),
        ("Steel of piles", f"{m['steel_t']:,.1f}", "t"),
        ("Cut under arrays", f"{m['array_cut_m3']:,.0f}", "m³"),
        ("Fill under arrays", f"{m['array_fill_m3']:,.0f}", "m³"),
        ("Graded ground", f"{m['graded_area_ha']:,.2f}", "ha"),
        ("Above the least possible, at most", f"{m['array_above_bound_pct']:.2g}", "%"),
        ("Arrays beyond the racking's slopes or steps", f"{m['arrays_over_racking_limits']:,}", ""),
    ]
    return Table(("", "", ""), tuple(rows))


def piles_figure(plan: Plan, dem: xr.DataArray) -> Figure | None:
    """Map of the piles, coloured by reveal, with names of arrays; None without rows."""
    design = plan.racking
    if design is None:
        return None
    criteria = racking_criteria(plan.spec)
    fig, ax = _arrays_map(plan, dem, "Piles by reveal")
    piles = design.piles
    size = min(max((PILE_DOT_M / marks.metres_per_point(ax)) ** 2, 0.8), 40.0)
    dots = ax.scatter(
        piles.x, piles.y, c=piles.reveal_m, s=size, marker="o", linewidths=0, cmap="viridis", zorder=6,
        vmin=criteria.min_reveal_m, vmax=criteria.max_reveal_m,
    )  # fmt: skip
    handles: list[Patch | Line2D] = []
    out = piles.outside
    if out.any():
        ax.scatter(piles.x[out], piles.y[out], s=max(4 * size, 16), marker="x", c=_OUTSIDE, linewidths=0.8, zorder=8)
        handles.append(Line2D([], [], marker="x", ls="", mec=_OUTSIDE, label=f"Outside the window: {int(out.sum()):,}"))
    named = _names(ax, plan)
    marks.colour_bar(ax, dots, "reveal [m]", low=0.35, high=0.75)
    handles += _context()
    note = f"{len(piles.row):,} piles\n{named}"
    frame.legend(ax, handles, note=note)
    return fig


def _arrays_map(plan: Plan, dem: xr.DataArray, title: str) -> tuple[frame.Picture, Axes]:
    """Map around the arrays of a plan, with their outlines and the site's."""
    arrays = [a.footprint for a in plan.asset_list if a.item.kind == "solar_array"]
    fig, ax = frame.map_figure(shapely.union_all(arrays), ground=dem, title=title)
    frame.shade(ax, dem, strength=0.5)
    frame.area_patch(ax, arrays, facecolor="none", edgecolor="#8a938e", lw=0.3, zorder=3)
    frame.lines(ax, [r.line for r in plan.road_list], colors=_ROAD, linewidths=0.9, zorder=2)
    frame.area_patch(ax, [plan.site.boundary], facecolor="none", edgecolor=legend.BOUNDARY, lw=1.6, zorder=10)
    return fig, ax


def _context() -> list[Line2D]:
    """Legend handles of what `_arrays_map` draws."""
    return [
        Line2D([], [], color=_ROAD, lw=1.2, label="Road"),
        Line2D([], [], color=legend.BOUNDARY, lw=2, label="Site boundary"),
    ]


def _names(ax: Axes, plan: Plan) -> str:
    """Write the number of each array on it, or of each power block where most are too small; return what they are."""
    arrays = [a for a in plan.asset_list if a.item.kind == "solar_array"]
    wide, tall = (pt * marks.metres_per_point(ax) for pt in NAME_PT)
    west, south, east, north = shapely.bounds([a.footprint for a in arrays]).T
    fits = (east - west >= wide) & (north - south >= tall)
    if fits.mean() >= 0.5:
        places = {
            a.asset_id.rpartition("-")[2].lstrip("0"): a.footprint.centroid
            for a, fit in zip(arrays, fits.tolist(), strict=True)
            if fit
        }
        said = "numbers: solar array"
    else:
        ids = sorted({a.block_id for a in arrays if a.block_id})
        blocks = {i: shapely.union_all([a.footprint for a in arrays if a.block_id == i]) for i in ids}
        places = {i: area.representative_point() for i, area in blocks.items() if area.area >= 4 * wide * tall}
        said = "B...: power block"
    marks.write_names(ax, places, size_pt=5.5)
    return said if places else ""


def grading_figure(plan: Plan, dem: xr.DataArray) -> Figure | None:
    """Map of the depth of cut and fill under arrays, cell by cell; None without graded ground."""
    design = plan.racking
    if design is None or not len(design.volumes_m3):
        return None
    fig, ax = _arrays_map(plan, dem, "Ground graded under arrays")
    depths = np.concatenate([cells.correction_m for cells in design.graded])
    most = marks.nice_above(max(float(np.quantile(np.abs(depths), 0.98)), LEAST_DEPTH_M))
    shown = PolyCollection(
        np.concatenate([_squares(cells) for cells in design.graded]).tolist(),
        cmap=_DEPTHS, norm=Normalize(-most, most), linewidths=0.25, zorder=5,
    )  # fmt: skip
    shown.set_array(depths)
    shown.set_edgecolor("face")
    ax.add_collection(shown, autolim=False)
    named = _names(ax, plan)
    ends: Literal["both", "neither"] = "both" if np.abs(depths).max() > most else "neither"
    marks.colour_bar(ax, shown, "cut (-) and fill (+) [m]", low=0.35, high=0.75, extend=ends)
    m = design.metrics()
    handles = [
        Patch(facecolor=_CUT, label=f"Cut: {m['array_cut_m3']:,.0f} m³"),
        Patch(facecolor=_FILL, label=f"Fill: {m['array_fill_m3']:,.0f} m³"),
        *_context(),
    ]
    note = f"deepest: {max(-depths.min(), 0.0):.2f} m of cut,\n{max(depths.max(), 0.0):.2f} m of fill\ngraded: {m['graded_area_ha']:,.2f} ha\n{named}"
    frame.legend(ax, handles, note=note)
    return fig


def _squares(cells: GradedCells) -> FloatArray:
    """Corners of graded cells, shape (n, 4, 2) [m]."""
    angle = np.radians(-cells.azimuth_deg)
    turn = cells.cell_m / 2 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]) @ turn.T
    squares: FloatArray = np.stack([cells.x, cells.y], axis=1)[:, None] + corners
    return squares


def rows_figure(plan: Plan) -> Figure | None:
    """Histogram of reveals, pile lengths, and the row with most grading in profile; None without rows."""
    design = plan.racking
    if design is None:
        return None
    criteria = racking_criteria(plan.spec)
    height = 2 * _PANEL_IN + 1.9
    fig = frame.Picture(figsize=(frame.WIDTH_IN, height), dpi=frame.DPI, facecolor="white")
    wide = frame.WIDTH_IN - 2 * _LEFT_IN
    low = 0.8 / height, _PANEL_IN / height
    up = (_PANEL_IN + 1.5) / height
    _reveals(fig.add_axes((_LEFT_IN / frame.WIDTH_IN, up, 0.46 * wide / frame.WIDTH_IN, low[1])), design, criteria)
    left = (_LEFT_IN + 0.56 * wide) / frame.WIDTH_IN
    _lengths(fig.add_axes((left, up, 0.44 * wide / frame.WIDTH_IN, low[1])), design)
    _profile(fig.add_axes((_LEFT_IN / frame.WIDTH_IN, low[0], wide / frame.WIDTH_IN, low[1])), design, criteria)
    return fig


def _reveals(ax: Axes, design: RackingDesign, criteria: RackingCriteria) -> None:
    """Histogram of reveals with the window."""
    edges = np.linspace(criteria.min_reveal_m, criteria.max_reveal_m, 25)
    ax.hist(np.clip(design.piles.reveal_m, edges[0], edges[-1]), bins=edges.tolist(), color="#31688e")
    for end in (criteria.min_reveal_m, criteria.max_reveal_m):
        ax.axvline(end, color="#444", lw=0.9, ls="--")
    ax.set(xlabel="reveal [m]")
    ax.set_title("Piles by reveal, window dashed", fontsize=10, loc="left", color=frame.INK)
    _plain(ax)


def _lengths(ax: Axes, design: RackingDesign) -> None:
    """Share of piles by ordered length."""
    names = list(design.length_shares)
    shares = [100 * design.length_shares[n] for n in names]
    bars = ax.bar(names, shares, color="#35b779", width=0.6)
    ax.bar_label(bars, [f"{s:.1f} %" for s in shares], fontsize=8)
    ax.set(xlabel="ordered length [m]", ylabel="share of piles [%]", ylim=(0, 1.12 * max(shares)))
    ax.set_title(f"Pile lengths: {design.steel_t:,.0f} t of steel", fontsize=10, loc="left", color=frame.INK)
    _plain(ax)


def _profile(ax: Axes, design: RackingDesign, criteria: RackingCriteria) -> None:
    """Row with most grading, or where none is graded with the widest range of reveals, in profile."""
    piles, rows = design.piles, design.rows
    count = len(rows.number)
    graded = np.bincount(piles.row, weights=np.abs(piles.graded_m - piles.ground_m), minlength=count)
    spread = np.bincount(piles.row, weights=np.abs(piles.reveal_m - criteria.min_reveal_m), minlength=count)
    worst = int(np.argmax(graded if graded.max() > 0 else spread))
    k = slice(int(rows.first_pile[worst]), int(rows.first_pile[worst + 1]))
    x, y = piles.x[k], piles.y[k]
    s = np.hypot(x - rows.ends[worst, 0, 0], y - rows.ends[worst, 0, 1])
    length = float(np.hypot(*(rows.ends[worst, 1, :2] - rows.ends[worst, 0, :2])))
    ground, after, top = piles.ground_m[k], piles.graded_m[k], piles.top_m[k]
    ax.fill_between(
        s, ground, after, where=(after < ground).tolist(), color=_CUT, alpha=0.45, interpolate=True, label="Cut"
    )
    ax.fill_between(
        s, ground, after, where=(after > ground).tolist(), color=_FILL, alpha=0.45, interpolate=True, label="Fill"
    )
    ax.plot(s, ground, color="#7a6a53", lw=1.4, label="Natural ground")
    ax.plot(s, after, color="#3d3427", lw=1.2, ls="--", label="Graded ground")
    ax.vlines(s, after, top, color="#444", lw=1.6)
    ends = [0.0, *s.tolist(), length]
    ax.plot(
        ends,
        [rows.ends[worst, 0, 2], *top.tolist(), rows.ends[worst, 1, 2]],
        color="#0072b2",
        lw=2.2,
        label="Tube or table",
    )
    ax.fill_between(
        s,
        after + criteria.min_reveal_m,
        after + criteria.max_reveal_m,
        color="#0072b2",
        alpha=0.10,
        lw=0,
        label="Window",
    )
    low, high = ax.get_ylim()
    wide, tall = ax.get_window_extent().size
    times = (length / wide) / ((high - low) / tall)
    name = f"{rows.array_id[worst].replace('_', ' ')}, row {rows.number[worst]}"
    slope = (rows.ends[worst, 1, 2] - rows.ends[worst, 0, 2]) / length
    title = f"Worst row: {name} (tube at {100 * slope:+.1f} %, heights {times:.0f} times larger)"
    ax.set_title(title, fontsize=10, loc="left", color=frame.INK)
    ax.set(xlabel="along the row [m]", ylabel="elevation [m]")
    ax.legend(fontsize=7.5, ncols=6, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.13))
    _plain(ax)


def _plain(ax: Axes) -> None:
    """Small labels, no frame above and at the right, and a title at the left, if any."""
    frame.keep_title(ax)
    ax.tick_params(labelsize=8)
    ax.xaxis.label.set_fontsize(8.5)
    ax.yaxis.label.set_fontsize(8.5)
    ax.spines[["top", "right"]].set_visible(False)


def row_shade_figure(plan: Plan, year: Energy | None, dem: xr.DataArray) -> Figure | None:
    """Map of arrays by their loss to row shade; None without a year.

    Parameters
    ----------
    plan : Plan
        Plan with its arrays.
    year : Energy or None
        Year of its arrays.
    dem : DataArray
        Ground to shade and contour.
    """
    if year is None or not year.arrays:
        return None
    table = shade_frame(plan, year)
    arrays = list(table.geometry)
    loss = 100.0 * table["row_shade_loss_share"].to_numpy(dtype=np.float64)
    fig, ax = frame.map_figure(shapely.union_all(arrays), ground=dem, title="Energy lost to shade of rows on rows")
    frame.shade(ax, dem, strength=0.5)
    patches = PatchCollection(
        [Outline(shapely.get_coordinates(a.exterior)) for a in arrays],
        cmap="magma_r", edgecolor="#6b6b6b", linewidth=0.2, zorder=5,
    )  # fmt: skip
    patches.set_array(loss)
    patches.set_clim(0.0, max(LEAST_SCALE_PCT, float(loss.max())))
    ax.add_collection(patches)
    frame.area_patch(ax, [plan.site.boundary], facecolor="none", edgecolor=legend.BOUNDARY, lw=1.6, zorder=10)
    marks.colour_bar(ax, patches, "year's loss of an array [%]", low=0.3, high=0.75)
    worst = int(np.argmax(loss))
    handles = [Line2D([], [], color=legend.BOUNDARY, lw=2, label="Site boundary")]
    if loss[worst] > 0:
        x, y = arrays[worst].centroid.coords[0]
        ax.plot([x], [y], marker="o", ms=11, mfc="none", mec="#0072b2", mew=1.6, zorder=11)
        label = f"Largest: {table['array'].iloc[worst].replace('_', ' ')}, {loss[worst]:.1f} %"
        handles.append(Line2D([], [], marker="o", ls="", mfc="none", mec="#0072b2", mew=1.6, label=label))
    frame.legend(ax, handles)
    return fig


def write_piles(plan: Plan, path: str | Path) -> Path | None:
    """Write piles.csv of a plan; None where it has no rows."""
    return None if plan.racking is None else plan.write_piles(Path(path))
