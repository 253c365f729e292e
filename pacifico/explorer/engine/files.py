"""Files of the plan on the map, edits included."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat import v4

from pacifico.errors import InputError
from pacifico.export import FORMATS, export, export_for_report
from pacifico.export.piles import schedule_of
from pacifico.layout.add_racking import add_racking
from pacifico.layout.files.stored import StoredLayout
from pacifico.output_files import atomic_files
from pacifico.report import figures, land, overlay, tables
from pacifico.report.bill import bill_table, write_costs
from pacifico.run.html import PRINT_MAP, render
from pacifico.stages import begin

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.layout.model.plan import Plan
    from pacifico.stages import OnStage


def write_export(plan: Plan, dem: xr.DataArray, fmt: str, path: str) -> tuple[str, ...]:
    """Write a plan in a format and return the files.

    Parameters
    ----------
    plan : Plan
        Plan to write.
    dem : DataArray
        Elevation model, for formats with contours or heights.
    fmt : str
        Format of `pacifico.export.FORMATS`.
    path : str
        File to write; for csv a folder, which is made.

    Raises
    ------
    InputError
        The path can't be written, or the format lacks its package.
    """
    known = FORMATS[fmt]
    if known.to_folder:
        _make_folder(Path(path))
    ground = dem if "ground" in known.options else None
    piles = schedule_of(plan) if "piles" in known.options and plan.racking is not None else None
    return tuple(str(f) for f in export(plan.to_geojson(), fmt, path, ground=ground, piles=piles))


def write_report(plan: Plan, dem: xr.DataArray, folder: str, on_stage: OnStage | None) -> tuple[str, ...]:
    """Write report.html, layout.geojson, costs and exports of a plan to a folder; return the files.

    The page is that of the report, with the plan as it is: the report notebook would lay out the site again, without the edits.

    Parameters
    ----------
    plan : Plan
        Plan to report.
    dem : DataArray
        Elevation model.
    folder : str
        Folder of the report, which is made.
    on_stage : callable, optional
        Called as each stage begins.

    Raises
    ------
    InputError
        The folder can't be written.
    """
    report = Path(folder)
    _make_folder(report)
    begin(on_stage, "computing_rows", 10, "designing rows and piles")
    whole = add_racking(plan, dem)
    layout = whole.to_geojson()
    begin(on_stage, "drawing_report", 40, "drawing the report")
    page = report_page(whole, dem)
    begin(on_stage, "exporting", 70, "writing the files")
    with atomic_files(report / "report.html") as (part,):
        part.write_text(page, encoding="utf-8")
    written = [report / "report.html", whole.write(report / "layout.geojson")]
    written.append(write_costs(whole.bill_of_quantities(), report / "costs.csv"))
    written += export_for_report(layout, report, ground=dem)
    return tuple(str(path) for path in written)


def report_page(plan: Plan, dem: xr.DataArray) -> str:
    """Page of a plan: headline and map, land, costs, risks, assets and edits."""
    layout = plan.to_geojson()
    stored = StoredLayout.of(layout)
    ground_use = plan.land_use(dem)
    parts: list[tuple[str, list[Any]]] = [
        ("Map", [_Picture(figures.layout_figure(stored, dem)), overlay.hillshade_overlay(dem)]),
        ("Why not more", [land.LandLayer(ground_use), land.LandTable(ground_use, None)]),
        ("Costs", [bill_table(plan.bill_of_quantities())]),
        ("Risks", [tables.risks(stored), tables.warnings(stored), tables.unplaced(stored)]),
        ("Assets", [tables.assets_by_type(stored)]),
        ("Edits", [_edits(layout["pacifico"].get("edits", []))]),
    ]
    title = plan.site.name or "Site"
    cells = [v4.new_markdown_cell("# Site layout report\n\nThe plan as it was on the map, edits included.")]  # type: ignore[no-untyped-call]
    for heading, shown in parts:
        cells.append(v4.new_markdown_cell(f"## {heading}"))  # type: ignore[no-untyped-call]
        cell = v4.new_code_cell("", outputs=[_output(each) for each in shown])  # type: ignore[no-untyped-call]
        cell.metadata["tags"] = [PRINT_MAP] if heading == "Map" else []
        cells.append(cell)
    return render(v4.new_notebook(cells=cells), layout, title=title)  # type: ignore[no-untyped-call]


class _Picture:
    """Figure as an output."""

    def __init__(self, figure: Any) -> None:
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=110, bbox_inches="tight")
        self._png = base64.b64encode(file.getvalue()).decode("ascii")

    def _repr_mimebundle_(self) -> dict[str, str]:
        return {"image/png": self._png, "text/plain": "figure"}


def _output(shown: Any) -> Any:
    """Output of a cell that shows an object."""
    bundle = shown._repr_mimebundle_() if hasattr(shown, "_repr_mimebundle_") else {"text/html": shown._repr_html_()}
    return v4.new_output("display_data", data=bundle)  # type: ignore[no-untyped-call]


def _edits(edits: list[dict[str, Any]]) -> tables.Table:
    """Table of the edits since the layout was made."""
    rows = tuple(
        (str(n), e["kind"].replace("_", " "), e["asset_id"] or e["zone"] or "", e["note"])
        for n, e in enumerate(edits, 1)
    )
    return tables.Table(("No.", "Edit", "Of", "Consequences"), rows, words=4, empty="The layout was not edited.")


def _make_folder(folder: Path) -> None:
    """Make a folder whose parent exists.

    Raises
    ------
    InputError
        It can't be made.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {folder} can't be made: {error.strerror}; choose another one") from None
