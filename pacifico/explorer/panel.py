"""Text of the panel beside the map, as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pacifico.analysis.headline import stored_headline
from pacifico.escaping import for_markup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pacifico.explorer.engine.messages import FirstPicture

STOPPED = "<b>Stopped.</b> Map and figures show the layout before."
STALE_FIGURES = "<i>map and figures show the layout before</i>"


def figures(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Labels and values of the figures below the headline.

    Parameters
    ----------
    metrics : mapping
        Member `metrics` of a layout.geojson.
    """
    m = metrics
    rows = []
    if m["total_capacity_dc_kw"]:
        rows.append(("Capacity, DC", f"{m['total_capacity_dc_kw'] / 1000:,.1f} MW"))
    if m["storage_kwh"]:
        power = m.get("storage_kw")
        rated = f"{power / 1000:,.1f} MW, " if power else ""
        rows.append(("Storage", f"{rated}{m['storage_kwh'] / 1000:,.1f} MWh"))
    buildable = _range(m["buildable_area_ha"], m["buildable_area_p10_p90_ha"])
    rows += [
        ("Buildable", f"{buildable} of {m['site_area_ha']:,.1f} ha"),
        ("Assets", f"{m['asset_count']:,}"),
        ("Roads", f"{m['road_length_m'] / 1000:,.2f} km, up to {m['max_road_grade_pct']:.1f} %"),
        ("Net earthwork", f"{m['net_earthwork_m3']:+,.0f} m³"),
    ]
    return rows


def summary(layout: Mapping[str, Any]) -> str:
    """Headline, figures, unplaced assets and warnings of a layout."""
    answers = "".join(
        f"<tr><td style='padding-right:12px;color:#666;vertical-align:top;white-space:nowrap'>{for_markup(a.label)}</td>"
        f"<td style='font-weight:600{';color:#b3201f' if a.alarm else ''}'>{for_markup(a.text)}</td></tr>"
        for a in stored_headline(layout)
    )
    rows = "".join(
        f"<tr><td style='padding-right:12px;color:#666'>{for_markup(label)}</td><td style='text-align:right'>{for_markup(value)}</td></tr>"
        for label, value in figures(layout["metrics"])
    )
    missing = [f"{u['count']} × {u['asset_type'].replace('_', ' ')}: {u['reason']}" for u in layout["unplaced"]]
    return (
        f"<table style='line-height:1.4;width:100%'>{answers}</table>"
        f"<table style='line-height:1.5;width:100%'>{rows}</table>"
        + _notes("Not placed", missing, "#8a4b00")
        + _notes("Good to know", layout["warnings"], "#555")
    )


def failure(message: str) -> str:
    """Line that says why there is no layout."""
    return f"<div style='color:#b3201f;line-height:1.35;padding:4px 0'><b>No layout:</b> {for_markup(message)}</div>"


def continued(name: str, zones: int, edits: int) -> str:
    """Line about a session that goes on.

    Parameters
    ----------
    name : str
        Name of its file.
    zones, edits : int
        How many of each it holds.
    """
    words = f"continued from {for_markup(name)}: {zones} zones, {edits} edits; Undo starts anew"
    return f"<div style='color:#555;line-height:1.35'>{words}</div>"


def first_draft(picture: FirstPicture, *, keeps_figures: bool) -> str:
    """Line about the first draft of a layout under way.

    Parameters
    ----------
    picture : FirstPicture
        The draft.
    keeps_figures : bool
        Whether the figures of the layout before are still shown.
    """
    before = "; figures are of the layout before" if keeps_figures else ""
    return (
        f"<i>first draft: {picture.asset_count:,} assets, {picture.capacity_kw / 1000:,.1f} MW before roads{before}</i>"
    )


def refused_edits(edits: Iterable[tuple[str, str]]) -> str:
    """List of edits that a layout refuses; empty without one.

    Parameters
    ----------
    edits : iterable of (str, str)
        Each edit in a few words, and why it is refused.
    """
    lines = [f"{words}: {reason}" for words, reason in edits]
    return _notes("Edits that this layout refuses", lines, "#b3201f")


def problem(message: str) -> str:
    """Line about something that failed."""
    return f"<div style='color:#b3201f;line-height:1.35;padding:4px 0'>{for_markup(message)}</div>"


def _notes(title: str, lines: Iterable[str], colour: str) -> str:
    """Titled list; empty without lines."""
    items = "".join(f"<li style='line-height:1.35'>{for_markup(line)}</li>" for line in lines)
    if not items:
        return ""
    return f"<div style='color:{colour};margin-top:6px'><b>{title}</b><ul style='margin:0;padding-left:18px'>{items}</ul></div>"


def _range(value: float, interval: tuple[float, float] | list[float]) -> str:
    """Value with its interval in brackets."""
    low, high = (f"{limit:,.1f}" for limit in interval)
    return f"{value:,.1f} ({low}–{high})" if low != high else low
