"""Road profile from the entry to the farthest road end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.files.stored import COARSE_M
from pacifico.report import mapframe as frame
from pacifico.report.elevations import road_profile

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pacifico.array_types import FloatArray
    from pacifico.layout.files.stored import StoredLayout
    from pacifico.report.elevations import RoadProfile

HEIGHT_IN = 4.6
"""Height of the figure [inches]."""
_CUT, _FILL, _DESIGN, _GROUND = "#e08214", "#4393c3", "#1c2321", "#7a6a58"


def profile_figure(layout: StoredLayout, dem: xr.DataArray, *, max_grade_pct: float | None = None) -> Figure | None:
    """Profile of the longest way from the entry; None without roads.

    The upper axes show ground, design line, cut and fill; the lower ones show the grade.

    Parameters
    ----------
    layout : StoredLayout
        Layout with its roads.
    dem : DataArray
        Ground under them.
    max_grade_pct : float, optional
        Grade limit to draw [%].
    """
    profile = road_profile(layout, dem)
    if profile is None:
        return None
    fig = frame.Picture(figsize=(frame.WIDTH_IN, HEIGHT_IN), dpi=frame.DPI, facecolor="white")
    grid = fig.add_gridspec(2, 1, height_ratios=[3, 1], left=0.075, right=0.985, top=0.9, bottom=0.11, hspace=0.12)
    above, below = fig.add_subplot(grid[0]), fig.add_subplot(grid[1])
    _draw_heights(above, profile)
    _draw_grade(below, profile, max_grade_pct)
    _write_title(fig, above, profile)
    for axes in (above, below):
        axes.set_xlim(0, profile.station_m[-1])
        axes.grid(color="#e3e7e4", lw=0.6)
        axes.set_axisbelow(True)
        frame.keep_title(axes)
        axes.tick_params(labelsize=8.5)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    above.tick_params(labelbottom=False)
    if dem.attrs["source_resolution_m"] > COARSE_M:
        above.text(0.995, 0.03, f"Ground known every {dem.attrs['source_resolution_m']:.0f} m only: no claim about grading", transform=above.transAxes, ha="right", fontsize=8, color="#8b0d1e")  # fmt: skip
    return fig


def _draw_heights(ax: Axes, profile: RoadProfile) -> None:
    """Draw ground, design line, cut and fill."""
    s, design, ground = profile.station_m, profile.design_m, profile.ground_m
    # cut to the crossings of the two lines: matplotlib's own `where` takes a hundred times as long
    at, line, natural = _with_crossings(s, design, ground)
    for edge, colour, label in ((np.maximum, _CUT, "cut"), (np.minimum, _FILL, "fill")):
        ax.fill_between(at, line, edge(line, natural), color=colour, alpha=0.55, lw=0, label=label)
    ax.plot(s, ground, color=_GROUND, lw=1.1, label="ground under the centreline")
    ax.plot(s, design, color=_DESIGN, lw=1.9, label="design line")
    heights = np.concatenate([design, ground[np.isfinite(ground)]])
    low, high = float(heights.min()), float(heights.max())
    ax.set_ylim(low - 0.12 * (high - low) - 0.5, high + 0.3 * (high - low) + 0.5)
    ax.set_ylabel("Elevation [m]")
    ax.legend(ncols=4, fontsize=8.5, frameon=False, loc="upper left")


def _with_crossings(station: FloatArray, design: FloatArray, ground: FloatArray) -> FloatArray:
    """Rows of stations and both heights, with a point added where the lines cross.

    Parameters
    ----------
    station : array
        Distance from the entry [m].
    design, ground : array
        Heights of both lines [m], NaN where unknown.
    """
    above = ground - design
    k = np.flatnonzero(above[:-1] * above[1:] < 0)
    rows = np.stack([station, design, ground])
    share = above[k] / (above[k] - above[k + 1])
    return np.insert(rows, k + 1, rows[:, k] + share * (rows[:, k + 1] - rows[:, k]), axis=1)


def _draw_grade(ax: Axes, profile: RoadProfile, max_grade_pct: float | None) -> None:
    """Draw the grade and its limit."""
    s = profile.station_m
    ax.fill_between((s[:-1] + s[1:]) / 2, profile.grade_pct, color="#5d6764", alpha=0.45, lw=0, step="mid")
    ax.axhline(0, color="#5d6764", lw=0.6)
    top = float(np.abs(profile.grade_pct).max()) * 1.25 + 0.5
    if max_grade_pct is not None:
        for limit in (-max_grade_pct, max_grade_pct):
            ax.axhline(limit, color="#b2182b", lw=0.9, ls="--")
        top = max(top, 1.25 * max_grade_pct)
        ax.text(
            s[-1], max_grade_pct, f"limit {max_grade_pct:g} % ", color="#b2182b", fontsize=7.5, ha="right", va="bottom"
        )
    ax.set(ylim=(-top, top), ylabel="Grade [%]", xlabel="Distance from the entry along the road [m]")


def _write_title(fig: Figure, ax: Axes, profile: RoadProfile) -> None:
    """Write length, vertical exaggeration and largest depth."""
    length_m, ground = float(profile.station_m[-1]), profile.ground_m
    across = ax.get_position().width * frame.WIDTH_IN / length_m
    up = ax.get_position().height * HEIGHT_IN / float(np.diff(ax.get_ylim())[0])
    depth = float(np.nanmax(np.abs(profile.design_m - ground))) if np.isfinite(ground).any() else 0.0
    title = f"Road profile: longest way from the entry, {length_m / 1000:,.2f} km"
    fig.text(0.075, 0.945, title, fontsize=12.5, fontweight="bold", color=frame.INK)
    note = f"heights x {up / across:.0f} · deepest {depth:.2f} m"
    fig.text(0.985, 0.945, note, fontsize=8.5, color="#5d6764", ha="right")
