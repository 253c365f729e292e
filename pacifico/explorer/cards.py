"""Cards of the gallery: one layout each, read from the job store."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pacifico.analysis.headline import stored_headline
from pacifico.errors import OutsideServiceError, PacificoError
from pacifico.escaping import for_markup
from pacifico.explorer.artifacts import artifact
from pacifico.explorer.layers import display_name
from pacifico.explorer.progress import COLOURS
from pacifico.layout.files.versions import upgraded
from pacifico.report.thumbnail import thumbnail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.jobs.client import JobClient

LARGEST_DRAWN = 30_000_000
"""Size of layout.geojson above which no picture is drawn [bytes]."""
_READERS = 8
"""Cards read at a time."""


@dataclass(frozen=True)
class Card:
    """One layout of an owner, as the gallery shows it."""

    layout_id: str
    status: str
    created_at: str
    title: str = ""
    design: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    alarms: frozenset[str] = frozenset()
    """Labels of figures to show in red."""
    picture: str = ""
    """SVG; empty without a layout."""
    note: str = ""
    """Why there is no layout, or the progress of its job."""

    @property
    def name(self) -> str:
        """Title, design and time on one line."""
        return f"{self.title or self.layout_id[:8]}, {self.design or self.status}, {self.created_at[:16].replace('T', ' ')}"

    def html(self) -> str:
        """Card as HTML: picture, status and figures."""
        rows = "".join(
            f"<tr><td style='color:#666;padding-right:8px;text-align:left;white-space:nowrap;vertical-align:top'>{for_markup(a)}</td><td style='text-align:left{';color:#b3201f;font-weight:600' if a in self.alarms else ''}'>{for_markup(b)}</td></tr>"
            for a, b in self.figures
        )
        title = f"<b>{for_markup(self.title or self.layout_id[:8])}</b><br><span style='color:#555'>{for_markup(self.design)}</span>"
        state = f"<span style='color:{COLOURS[self.status]}'>{self.status}</span> <span style='color:#888'>{for_markup(self.created_at[:16].replace('T', ' '))}</span>"
        note = f"<div style='color:#8a4b00'>{for_markup(self.note)}</div>" if self.note else ""
        space = "<div style='height:170px;background:#f1f3f4'></div>"
        return (
            f"<div style='line-height:1.4;overflow-wrap:anywhere'>{self.picture or space}<div>{title}</div><div>{state}</div>{note}"
            f"<table style='line-height:1.35;width:100%'>{rows}</table></div>"
        )


def cards(client: JobClient, rows: Sequence[Mapping[str, Any]]) -> list[Card]:
    """Cards for the rows of a job listing, in the same order.

    Raises
    ------
    OutsideServiceError
        The store failed.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(lambda row: card(client, row), rows))


def card(client: JobClient, row: Mapping[str, Any]) -> Card:
    """Card of one job, with its layout once it is completed.

    Raises
    ------
    OutsideServiceError
        The store failed.
    """
    try:
        status = client.status(row["layout_id"])
    except OutsideServiceError:
        raise
    except PacificoError as error:  # the listing may name a job that was removed or is not there yet
        return Card(row["layout_id"], row["status"], row["created_at"], note=str(error))
    base = Card(status["layout_id"], status["status"], status["created_at"], f"Site {status['site_id'][:8]}")
    if status["status"] != "completed":
        progress = f"{status['progress_pct']} %, {status['stage'].replace('_', ' ')}"
        note = status["error_message"] or ("" if status["status"] == "cancelled" else progress)
        return replace(base, note=note)
    if "layout.geojson" not in status["artifacts"]:
        return replace(base, note="no layout in it")
    if status["artifacts"]["layout.geojson"]["bytes"] > LARGEST_DRAWN:
        figures = (
            ("Capacity", f"{status['total_capacity_kw'] / 1000:,.1f} MW"),
            ("Assets", f"{status['asset_count']:,}"),
        )
        return replace(base, title=status["site_id"][:32], figures=figures, note="too large for a picture")
    return layout_card(base, json.loads(artifact(client, status, "layout.geojson")))


def layout_card(base: Card, layout: Mapping[str, Any]) -> Card:
    """Card with the figures and the picture of its layout."""
    about = upgraded(layout["pacifico"])
    answers = stored_headline(about)
    boundary: Mapping[str, Any] = next(
        (f["properties"] for f in layout["features"] if f["properties"]["kind"] == "boundary"), {}
    )
    return replace(
        base,
        title=str(boundary.get("name") or base.title),
        design=f"{display_name(about['profile'])}, {display_name(about['strategy']).lower()}",
        figures=tuple((answer.label, answer.text) for answer in answers),
        alarms=frozenset(answer.label for answer in answers if answer.alarm),
        picture=thumbnail(layout),
    )
