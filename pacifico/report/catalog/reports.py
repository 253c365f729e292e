"""Stored reports of a folder, read as what others may have written."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import shapely

from pacifico.analysis.headline import stored_headline
from pacifico.errors import InputError
from pacifico.escaping import single_line
from pacifico.layout.files.stored import StoredLayout, read_layout
from pacifico.report.thumbnail import thumbnail
from pacifico.run import manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from pacifico.layout.model.headline import Answer

LAYOUT = "layout.geojson"
PAGE = "report.html"
LARGEST_LAYOUT = 200_000_000
"""Size of layout.geojson above which it isn't read [bytes]."""
MOST_REPORTS = 5000
"""Largest number of reports of a catalog: more make a page that no browser shows."""
FIGURES = (
    "total_capacity_kw", "total_capacity_dc_kw", "storage_kwh", "asset_count", "road_length_m", "cut_volume_m3", "fill_volume_m3",
    "site_area_ha", "buildable_area_ha",
)  # fmt: skip
"""Metrics of a layout that its entry repeats."""
FILES: Mapping[str, tuple[str, str, str]] = {
    PAGE: ("Report", "text/html", "overview"),
    LAYOUT: ("Layout", "application/geo+json", "data"),
    "land-use.geojson": ("Land by reason", "application/geo+json", "data"),
    "layout.kmz": ("Layout for Google Earth", "application/vnd.google-earth.kmz", "data"),
    "cut-fill.tif": ("Cut and fill", "image/tiff; application=geotiff", "data"),
    "site-plan.pdf": ("Drawn sheet", "application/pdf", "overview"),
    "assets.csv": ("Assets", "text/csv", "data"),
    "roads.csv": ("Roads", "text/csv", "data"),
    "cables.csv": ("Cables", "text/csv", "data"),
    "costs.csv": ("Costs", "text/csv", "data"),
    "piles.csv": ("Piles", "text/csv", "data"),
    "metrics.json": ("Metrics", "application/json", "metadata"),
    "manifest.json": ("Manifest", "application/json", "metadata"),
}
"""Files of a report that a catalog links: title, media type and role. Others are left out, whoever wrote them."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class CatalogEntry:
    """One stored report."""

    name: str
    """Name of its folder."""
    status: str = "unreadable"
    """Outcome of its run, such as completed or failed; unreadable without a manifest that can be trusted."""
    made: datetime | None = None
    """When its run ended."""
    title: str = ""
    """Name of the site."""
    design: str = ""
    """Profile and strategy in words."""
    note: str = ""
    """Why it has no layout; empty with one."""
    answers: tuple[Answer, ...] = ()
    """Headline of the layout."""
    figures: tuple[tuple[str, float], ...] = ()
    """Metrics by name."""
    boundary: BaseGeometry | None = None
    """Boundary of the site in longitude and latitude [°]; None without a layout."""
    crs: str = ""
    """Working CRS of the layout."""
    picture: str = ""
    """Small map as SVG."""
    files: tuple[str, ...] = ()
    """Files that a catalog links, of `FILES`."""


def read_entries(folder: Path) -> list[CatalogEntry]:
    """Read the reports in the folders of a folder, newest first.

    A report that can't be read gives an entry that says why. Symbolic links are not followed.

    Parameters
    ----------
    folder : Path
        Folder that holds report folders.

    Raises
    ------
    InputError
        The folder holds no reports, or more than 5000.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; name one that holds report folders")
    try:
        found = sorted(
            p for p in folder.iterdir() if not p.is_symlink() and p.is_dir() and (p / manifest.NAME).is_file()
        )
    except OSError as error:
        raise InputError(f"{folder} can't be read ({error.strerror}); check its permissions") from None
    if not found:
        raise InputError(f"{folder} holds no report folders; name a folder of folders that `pacifico report` wrote")
    if len(found) > MOST_REPORTS:
        raise InputError(f"{folder} holds {len(found)} reports, more than {MOST_REPORTS}; divide them among folders")
    entries = [_entry(report) for report in found]
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(entries, key=lambda e: e.made or oldest, reverse=True)


def _entry(report: Path) -> CatalogEntry:
    """Entry of a report folder."""
    if not _NAME.fullmatch(report.name):
        shown = single_line(report.name, most=60)
        return CatalogEntry(shown, note="the folder's name has other characters than letters, digits, '.', '-' and '_'")
    entry = CatalogEntry(report.name)
    try:
        recorded = manifest.read_whole(report)
        outcome = recorded["outcome"]
        entry = replace(
            entry,
            status=single_line(outcome["status"], most=20),
            made=_moment(recorded.get("finished")),
            files=_files(report),
        )
        if LAYOUT not in entry.files:
            why = outcome.get("error_message") or "it has no layout"
            return replace(entry, note=single_line(why, most=300))
        return _with_layout(entry, report / LAYOUT)
    except InputError as error:
        return replace(entry, note=single_line(error, most=300))


def _with_layout(entry: CatalogEntry, path: Path) -> CatalogEntry:
    """Entry with what its layout says.

    Raises
    ------
    InputError
        The layout is too large, or invalid.
    """
    if (size := path.stat().st_size) > LARGEST_LAYOUT:
        raise InputError(f"{LAYOUT} has {size / 1e6:,.0f} MB; at most {LARGEST_LAYOUT / 1e6:,.0f} MB are read")
    content = read_layout(path)
    layout = StoredLayout.of(content)
    about = layout.about
    return replace(
        entry,
        title=single_line(layout.name, most=120),
        design=f"{about['profile'].replace('_', ' ')}, {about['strategy'].replace('_', ' ')}",
        answers=stored_headline(about),
        figures=tuple((name, float(about["metrics"][name])) for name in FIGURES if name in about["metrics"]),
        boundary=shapely.union_all([f.lonlat for f in layout.of_kind("boundary")]),
        crs=str(about["crs"]),
        picture=thumbnail(content),
    )


def _files(report: Path) -> tuple[str, ...]:
    """Known files of a report that are plain files in it."""
    return tuple(name for name in FILES if not (report / name).is_symlink() and (report / name).is_file())


def _moment(given: Any) -> datetime | None:
    """Time of an ISO 8601 text; None if it is none."""
    try:
        at = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
