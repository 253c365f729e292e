"""Export layouts to other programs: Google Earth, spreadsheets, CAD, road design, GIS and paper.

`FORMATS` is the one list of formats. The command line, the help and the report read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Literal

from pacifico.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from pacifico.export.piles import PileSchedule
    from pacifico.layout.files.stored import StoredLayout

Option = Literal["ground", "stations_m", "piles"]


@dataclass(frozen=True)
class ExportFormat:
    """One export format and its writer."""

    purpose: str
    """What the format is for, in a few words."""
    writer: str
    """Function `module:name(layout, path, **options)`. It is imported when first used, because formats load large libraries."""
    options: frozenset[Option] = frozenset()
    """Options of `export` that the writer takes."""
    to_folder: bool = False
    """Whether the path may be a folder."""
    ending: str = ""
    """Ending of its files, where it isn't the name of the format."""
    report_path: str = ""
    """Path in a report folder, '.' for the folder itself; empty if a report does not hold the format."""


FORMATS: Mapping[str, ExportFormat] = {
    "kmz": ExportFormat(
        "Google Earth", "pacifico.export.kmz:write_kmz", frozenset({"piles"}), report_path="layout.kmz"
    ),
    "csv": ExportFormat(
        "spreadsheets",
        "pacifico.export.tables:export_tables",
        frozenset({"ground", "stations_m"}),
        to_folder=True,
        report_path=".",
    ),
    "dxf": ExportFormat("CAD", "pacifico.export.dxf:write_dxf", frozenset({"ground", "piles"})),
    "landxml": ExportFormat(
        "road design", "pacifico.export.landxml:write_landxml", frozenset({"ground"}), ending="xml"
    ),
    "gpkg": ExportFormat("GIS", "pacifico.export.gpkg:write_gpkg", frozenset({"piles"})),
    "parquet": ExportFormat("analysis", "pacifico.export.parquet:write_parquet"),
    "pdf": ExportFormat(
        "a drawn sheet", "pacifico.report.sheet:export_sheet", frozenset({"ground"}), report_path="site-plan.pdf"
    ),
}
"""Every export format, by its name. To add one, write its module and its test, and add a line here."""


def ending_of(fmt: str) -> str:
    """Ending of a format's file, without the dot."""
    return FORMATS[fmt].ending or fmt


__all__ = ["FORMATS", "ExportFormat", "ending_of", "export", "export_for_report"]


def export(
    layout: Mapping[str, Any] | StoredLayout,
    fmt: str,
    path: str | Path,
    *,
    ground: xr.DataArray | None = None,
    stations_m: float | None = None,
    piles: PileSchedule | None = None,
) -> tuple[Path, ...]:
    """Write a layout in another format.

    Parameters
    ----------
    layout : mapping or StoredLayout
        Content of a layout.geojson, as `Plan.to_geojson` or `read_layout` returns it, or a layout read from one.
    fmt : str
        One of `FORMATS`.
    path : str or Path
        File to write. For csv a folder, which gets assets.csv, roads.csv and cables.csv; or the file for the assets, with
        '-roads' and '-cables' in the names of the other two.
    ground : DataArray, optional
        DEM as `open_dem` returns it: contours on the pdf sheet and in the dxf, the ground's surface and profiles in
        landxml, heights at stations.
    stations_m : float, optional
        Distance between road stations [m]; csv then gets a table of stations too.
    piles : PileSchedule, optional
        Piles of the layout, from `pacifico.export.piles`: kmz, dxf and gpkg then get its rows and piles.

    Returns
    -------
    tuple of Path
        Files written.

    Raises
    ------
    InputError
        The format is unknown, does not take an option or lacks its package; the layout is invalid; or the path can't be
        written.

    Examples
    --------
    >>> export(plan.to_geojson(), "kmz", "site.kmz")  # doctest: +SKIP
    """
    if fmt not in FORMATS:
        raise InputError(f"the format {fmt!r} is unknown; use one of {', '.join(FORMATS)}")
    options = {"ground": ground, "stations_m": stations_m, "piles": piles}
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in FORMATS[fmt].options:
            takers = [f for f, known in FORMATS.items() if name in known.options]
            raise InputError(f"{fmt} takes no {name}; leave it out, or use {' or '.join(takers)}")
    written: Path | tuple[Path, ...] = resolve_name(FORMATS[fmt].writer)(layout, Path(path), **given)
    return written if isinstance(written, tuple) else (written,)


def export_for_report(
    layout: Mapping[str, Any] | StoredLayout, folder: str | Path = ".", *, ground: xr.DataArray | None = None
) -> tuple[Path, ...]:
    """Write the exports that every report folder holds.

    Parameters
    ----------
    layout : mapping or StoredLayout
        Content of a layout.geojson, or a layout read from one.
    folder : str or Path
        Report folder.
    ground : DataArray, optional
        DEM for contours on the drawn sheet.

    Returns
    -------
    tuple of Path
        Files written.
    """
    from pacifico.layout.files.stored import StoredLayout  # noqa: PLC0415 (the command line reads FORMATS without it)

    checked = StoredLayout.of(layout)  # once for all formats
    files: list[Path] = []
    for name, known in FORMATS.items():
        if known.report_path:
            used = ground if "ground" in known.options else None
            files += export(checked, name, Path(folder) / known.report_path, ground=used)
    return tuple(files)
