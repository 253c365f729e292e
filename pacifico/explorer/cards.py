"""What the gallery shows of each layout: read from the store, small enough for fifty of them."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

from pacifico.errors import OutsideServiceError, PacificoError
from pacifico.explorer import panel
from pacifico.explorer.layers import spoken
from pacifico.explorer.progress import COLOURS
from pacifico.explorer.thumbnail import thumbnail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.jobs.client import JobClient

LARGEST_DRAWN = 30_000_000
"""Of a layout.geojson over this size [bytes] no picture is drawn."""
_READERS = 8
_FIRST = ("Capacity, AC", "Storage", "Buildable", "Roads", "Cut", "Fill")


@dataclass(frozen=True)
class Card:
    """One layout of an owner."""

    layout_id: str
    status: str
    created_at: str
    title: str = ""
    design: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    picture: str = ""
    """SVG; empty where there is no layout."""
    note: str = ""
    """Why there is none, or how far it is."""

    @property
    def name(self) -> str:
        """Name in a list."""
        return f"{self.title or self.layout_id[:8]}, {self.design or self.status}, {self.created_at[:16].replace('T', ' ')}"

    def html(self) -> str:
        """Picture, figures and status."""
        rows = "".join(
            f"<tr><td style='color:#666;padding-right:8px;text-align:left;white-space:nowrap'>{escape(a)}</td><td style='text-align:right'>{escape(b)}</td></tr>"
            for a, b in self.figures
        )
        head = f"<b>{escape(self.title or self.layout_id[:8])}</b><br><span style='color:#555'>{escape(self.design)}</span>"
        state = f"<span style='color:{COLOURS[self.status]}'>{self.status}</span> <span style='color:#888'>{escape(self.created_at[:16].replace('T', ' '))}</span>"
        note = f"<div style='color:#8a4b00'>{escape(self.note)}</div>" if self.note else ""
        space = "<div style='height:170px;background:#f1f3f4'></div>"
        return (
            f"<div style='line-height:1.4;overflow-wrap:anywhere'>{self.picture or space}<div>{head}</div><div>{state}</div>{note}"
            f"<table style='line-height:1.35;width:100%'>{rows}</table></div>"
        )


def cards(client: JobClient, rows: Sequence[Mapping[str, Any]]) -> list[Card]:
    """Read a card for each row of a listing, in its order.

    Raises
    ------
    OutsideServiceError
        The store failed.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(lambda row: card(client, row), rows))


def card(client: JobClient, row: Mapping[str, Any]) -> Card:
    """Read one layout: its status, and once completed its layout.geojson.

    Raises
    ------
    OutsideServiceError
        The store failed.
    """
    try:
        status = client.status(row["layout_id"])
    except OutsideServiceError:
        raise
    except PacificoError as error:  # listed, but gone or not yet there
        return Card(row["layout_id"], row["status"], row["created_at"], note=str(error))
    known = Card(status["layout_id"], status["status"], status["created_at"])
    site = f"Site {status['site_id'][:8]}"  # by its hash: its name is in the layout
    if status["status"] != "completed":
        going = f"{status['progress_pct']} %, {status['stage'].replace('_', ' ')}"
        note = status["error_message"] or ("" if status["status"] == "cancelled" else going)
        return Card(known.layout_id, known.status, known.created_at, title=site, note=note)
    if "layout.geojson" not in status["artifacts"]:
        return Card(known.layout_id, known.status, known.created_at, title=site, note="no layout in it")
    if status["artifacts"]["layout.geojson"]["bytes"] > LARGEST_DRAWN:
        figures = (
            ("Capacity, AC", f"{status['total_capacity_kw'] / 1000:,.1f} MW"),
            ("Assets", f"{status['asset_count']:,}"),
        )
        return Card(
            known.layout_id,
            known.status,
            known.created_at,
            status["site_id"][:32],
            "",
            figures,
            note="too large for a picture",
        )
    layout = json.loads(artifact(client, status, "layout.geojson"))
    about = layout["pacifico"]
    headline = dict(panel.headline(about["metrics"], about["target_capacity_kw"]))
    boundary: Mapping[str, Any] = next(
        (f["properties"] for f in layout["features"] if f["properties"]["kind"] == "boundary"), {}
    )
    return Card(
        known.layout_id,
        known.status,
        known.created_at,
        title=str(boundary.get("name") or site),
        design=f"{spoken(about['profile'])}, {spoken(about['strategy']).lower()}",
        figures=tuple((name, headline[name]) for name in _FIRST if headline.get(name, "0.0 MW") != "0.0 MW"),
        picture=thumbnail(layout),
    )


def artifact(client: JobClient, status: Mapping[str, Any], name: str) -> bytes:
    """One file of a report, checked against its hash.

    Raises
    ------
    NotFoundError
        The report has no such file.
    OutsideServiceError
        The store failed, or gave another file.
    """
    address = client.presign_download(status["layout_id"], name)
    try:
        with urlopen(address, timeout=60) as reply:  # noqa: S310 (an address that the store itself gave)
            content: bytes = reply.read()
    except (URLError, OSError) as error:
        raise OutsideServiceError(f"{name} of layout {status['layout_id']} can't be read: {error}") from None
    if hashlib.sha256(content).hexdigest() != status["artifacts"][name]["sha256"]:
        raise OutsideServiceError(f"{name} of layout {status['layout_id']} is not the file that the job made")
    return content
