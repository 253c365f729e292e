"""Why a site holds no more, as table, figure and map layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pacifico import legend
from pacifico.escaping import for_markup, visible
from pacifico.layout.files.stored import LEVEL
from pacifico.layout.model.land_use import Reason
from pacifico.report import mapframe as frame
from pacifico.run.html import LAND

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from pacifico.layout.model.land_use import LandPart, LandUse
    from pacifico.layout.model.levers import Levers
    from pacifico.layout.model.plan import Plan

COLOURS: dict[Reason, str] = {
    Reason.SETBACK: "#b8b8b8",
    Reason.EXCLUSION: "#cc79a7",
    Reason.CHANNEL: "#4a90c2",
    Reason.NO_ELEVATION: "#f5f5f5",
    Reason.TOO_STEEP: "#8c510a",
    Reason.TOO_SMALL: "#e6c47a",
    Reason.SPACING: "#a6cee3",
    Reason.CUT_OFF: "#d95f02",
    Reason.NO_ROAD_WORTH_IT: "#f0a35e",
    Reason.NOT_NEEDED: "#c7e9c0",
    Reason.USED: "#1b7837",
}
"""Colour of each reason: losses in browns and greys, used ground in green."""
MOST_ASSETS = 300
"""Most assets of a layout that misses its target for which levers are solved unasked: larger ones take minutes."""


@dataclass(frozen=True)
class LandTable:
    """Table of the land waterfall with the best lever of each part."""

    land: LandUse
    levers: Levers | None = None

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr data-land="{for_markup(part.key)}">'
            f'<td class="word"><i class="chip" style="background:{COLOURS[part.reason]}"></i>'
            f'<span class="name">{for_markup(part.label)}</span></td>'
            f"<td>{_minus(part)}{part.hectares:,.1f}</td><td>{part.hectares / self.land.site_ha:.0%}</td>"
            f"{self._lever_cell(part)}</tr>"
            for part in self.land.parts
        )
        lever = '<th class="word">What would change it</th>' if self.levers is not None else ""
        head = f'<tr><th class="word">Land</th><th>ha</th><th>Share</th>{lever}</tr>'
        blank = "<td></td>" if self.levers is not None else ""
        site = f'<tr><td class="word">Site</td><td>{self.land.site_ha:,.1f}</td><td>100%</td>{blank}</tr>'
        return f'<table class="land"><thead>{head}</thead><tbody>{site}{rows}</tbody></table>'

    def _lever_cell(self, part: LandPart) -> str:
        """Best lever of a part as a cell; none where levers were not solved."""
        if self.levers is None:
            return ""
        best = self.levers.best_for(part.key)
        return f'<td class="word">{for_markup(best.text if best is not None else "–")}</td>'

    def __repr__(self) -> str:
        lines = [f"{'Site':<40}{self.land.site_ha:>10,.1f} ha"]
        lines += [f"{part.label[:39]:<40}{part.hectares:>10,.1f} ha" for part in self.land.parts]
        return "\n".join(lines)


@dataclass(frozen=True)
class LandLayer:
    """Ground of each reason, for the report's map to light up."""

    land: LandUse

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002 (called by IPython)
        content = self.land.to_geojson()
        for feature, part in zip(content["features"], self.land.parts, strict=True):
            feature["properties"]["colour"] = COLOURS[part.reason]
        return {LAND: content, "text/plain": "ground by reason"}


def levers_of(
    plan: Plan, dem: xr.DataArray, *, wanted: bool | None, entry: tuple[float, float] | None = None
) -> Levers | None:
    """Levers of a plan for its report; None where they are not solved.

    Parameters
    ----------
    plan : Plan
        Plan to explain.
    dem : DataArray
        DEM that it was made on.
    wanted : bool, optional
        Whether to solve them; None: where the plan misses its target and is small.
    entry : (float, float), optional
        Requested entry, longitude and latitude [°].
    """
    if wanted is None:
        short = next(answer.alarm for answer in plan.headline if answer.name == "capacity")
        wanted = short and len(plan.asset_list) <= MOST_ASSETS
    return plan.levers(dem, entry=entry) if wanted else None


def land_figure(land: LandUse, dem: xr.DataArray, *, boundary: Any) -> Figure:
    """Map of the ground by reason, with the waterfall as its legend.

    Parameters
    ----------
    land : LandUse
        Parts of the site.
    dem : DataArray
        Ground to shade.
    boundary : geometry
        Boundary of the site [m].
    """
    fig, ax = frame.map_figure(boundary, ground=dem, title="Why not more: land of the site by reason")
    if dem.attrs.get("source") != LEVEL:
        frame.shade(ax, dem, strength=0.5)
    for part in land.parts:
        frame.area_patch(ax, [part.geometry], facecolor=COLOURS[part.reason], edgecolor="none", alpha=0.75, zorder=2)
    frame.area_patch(ax, [boundary], facecolor="none", edgecolor=legend.BOUNDARY, lw=2, zorder=10)
    _waterfall(fig, ax, land)
    return fig


def _waterfall(fig: Figure, ax: Any, land: LandUse) -> None:
    """Draw the waterfall of land to the right of a map."""
    place = ax.get_position()
    left = place.x1 + 0.16 / frame.WIDTH_IN
    bars = fig.add_axes((left, place.y0, 0.985 - left, place.height))
    left_ha = land.site_ha
    rows: list[tuple[str, float, float, str]] = [("Site", 0.0, land.site_ha, "#5d6764")]
    for part in land.parts:
        start = 0.0 if part.reason is Reason.USED else left_ha - part.hectares
        rows.append((part.label, start, part.hectares, COLOURS[part.reason]))
        left_ha -= 0.0 if part.reason is Reason.USED else part.hectares
    for n, (label, start, width, colour) in enumerate(rows):
        bars.barh(n, width, left=start, height=0.42, color=colour, edgecolor="#555", linewidth=0.5)
        text = f"{_short(label)}: {width:,.1f} ha ({width / land.site_ha:.0%})"
        bars.text(0, n - 0.3, text, fontsize=8, va="bottom", ha="left", color=frame.INK, parse_math=False)
    bars.set(xlim=(0, land.site_ha), ylim=(len(rows) - 0.5, -0.85), xticks=[], yticks=[])
    bars.axis("off")


def _short(label: str, most: int = 26) -> str:
    """Label of at most so many characters."""
    shown = visible(label)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _minus(part: LandPart) -> str:
    """Sign of a part: what is lost is subtracted."""
    return "" if part.reason is Reason.USED else "−"
