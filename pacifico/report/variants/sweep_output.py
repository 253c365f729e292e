"""Table, figure and folder of a sweep."""

from __future__ import annotations

import base64
import csv
import io
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.report import mapframe as frame
from pacifico.report.variants import folder
from pacifico.run import manifest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pacifico.report.variants.sweep import Sweep, SweepPoint

NAMES = {"gcr": "ground coverage (GCR)", "dc_ac": "DC/AC ratio"}
"""What is swept, as people read it."""
COLUMNS = (
    ("value", "", 3, 1.0),
    ("capacity_kw", "AC [MW]", 2, 1e-3),
    ("capacity_dc_kw", "DC [MW]", 2, 1e-3),
    ("annual_mwh", "energy [GWh/a]", 2, 1e-3),
    ("row_shade_loss_share", "row shade [%]", 2, 100.0),
    ("grading_m3", "grading [m³]", 0, 1.0),
    ("earthwork_m3", "cut + fill [m³]", 0, 1.0),
    ("cost_usd", "cost [million USD]", 2, 1e-6),
    ("usd_per_mwh_year", "cost per MWh/a [USD]", 1, 1.0),
)
"""Key, heading, digits and factor of each column."""
KNEE = (
    "Knee: with energy and cost scaled from the cheapest layout (0) to the dearest (1), the layout whose energy is farthest "
    "above the straight line between them."
)


def cells(sweep: Sweep) -> list[list[str]]:
    """Table of a sweep as text, headings first; the last column marks the knee."""
    head = [*(heading or NAMES[sweep.swept] for _, heading, _, _ in COLUMNS), ""]
    return [head, *([*_shown(p), "knee" if p.value == sweep.knee else ""] for p in sweep.points)]


def _shown(point: SweepPoint) -> list[str]:
    """Values of a point as text."""
    return [f"{getattr(point, key) * scale:,.{digits}f}" for key, _, digits, scale in COLUMNS]


def summary(sweep: Sweep) -> dict[str, Any]:
    """Content of comparison.json of a sweep, without clock and paths."""
    plan = next(iter(sweep.plans.values()))
    return {
        "schema": folder.SCHEMA,
        "schema_version": folder.SCHEMA_VERSION,
        "site": plan.site.name,
        "profile": plan.profile,
        "strategy": plan.strategy,
        "target_capacity_kw": plan.target_capacity_kw,
        "swept": sweep.swept,
        "weather": sweep.weather,
        "clear_sky": sweep.clear_sky,
        "points": [
            {**{key: getattr(p, key) for key, *_ in COLUMNS}, "shortfall": sweep.plans[f"{p.value:g}"].shortfall}
            for p in sweep.points
        ],
        "knee": sweep.knee,
        "knee_rule": KNEE,
        "files": [*_folders(sweep), folder.TABLE, folder.COMPARISON, folder.PAGE],
    }


def _folders(sweep: Sweep) -> list[str]:
    """Folder of each layout."""
    return [f"{sweep.swept}-{name}" for name in sweep.plans]


def write_sweep(sweep: Sweep, out_dir: str | Path) -> Path:
    """Write a folder: each layout.geojson, comparison.csv and .json, and index.html.

    Parameters
    ----------
    sweep : Sweep
        Sweep to write; the same one gives the same bytes.
    out_dir : str or Path
        Folder to write, complete or not at all; an older comparison is replaced.

    Returns
    -------
    Path
        The page in it.

    Raises
    ------
    InputError
        The folder holds something else, or can't be written.

    Examples
    --------
    >>> write_sweep(sweep, "gcr-sweep")                                         # doctest: +SKIP
    """
    out = Path(out_dir)
    folder.check(out)
    staged = folder.stage(out)
    try:
        for name, plan in zip(_folders(sweep), sweep.plans.values(), strict=True):
            (staged / name).mkdir()
            plan.write(staged / name / "layout.geojson")
        content = summary(sweep)
        text = io.StringIO()
        rows = csv.DictWriter(text, list(content["points"][0]), lineterminator="\r\n")
        rows.writeheader()
        rows.writerows(content["points"])
        (staged / folder.TABLE).write_text(text.getvalue(), encoding="utf-8", newline="")
        (staged / folder.PAGE).write_text(page(sweep), encoding="utf-8")
        encoded = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        (staged / folder.COMPARISON).write_text(encoded + "\n", encoding="utf-8")
        folder.place(staged, out)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return out / folder.PAGE


def page(sweep: Sweep) -> str:
    """Sweep as a page that loads nothing from elsewhere."""
    import jinja2  # noqa: PLC0415 (only the page needs it)

    plan = next(iter(sweep.plans.values()))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(Path(__file__).with_name("sweep.html").read_text(encoding="utf-8"))
    style = (Path(manifest.__file__).with_name("static") / "page.css").read_text(encoding="utf-8")
    png = io.BytesIO()
    sweep_figure(sweep).savefig(png, format="png", metadata={"Software": None})
    head, *rows = cells(sweep)
    return template.render(
        title=plan.site.name,
        style=style,
        swept=NAMES[sweep.swept],
        head=head,
        rows=list(zip(_folders(sweep), rows, strict=True)),
        knee=KNEE
        if sweep.knee is not None
        else "There is no knee: energy rises evenly with cost, or there are too few layouts.",
        weather=f"Weather: {sweep.weather}" + (", an upper bound." if sweep.clear_sky else "."),
        png=base64.b64encode(png.getvalue()).decode(),
    )


def sweep_figure(sweep: Sweep) -> Figure:
    """Capacity and energy, grading, and cost over the swept value, the knee marked."""
    fig = frame.Picture(figsize=(frame.WIDTH_IN, 3.6), dpi=frame.DPI, facecolor="white")
    panels = (
        ("Energy and capacity", (("annual_mwh", "energy [GWh/a]", 1e-3, "#0072b2"),), ("capacity_kw", "AC [MW]", 1e-3, "#666666")),
        ("Earthwork", (("grading_m3", "under arrays", 1e-3, "#c0560b"), ("earthwork_m3", "all cut + fill", 1e-3, "#3d3427")), None),
        ("Cost of a MWh each year", (("usd_per_mwh_year", "USD per MWh/a", 1.0, "#009e73"),), ("cost_usd", "cost [million USD]", 1e-6, "#666666")),
    )  # fmt: skip
    x = [p.value for p in sweep.points]
    for k, (title, lines, second) in enumerate(panels):
        ax = fig.add_axes((0.06 + 0.335 * k, 0.2, 0.205, 0.62))
        for line in lines:
            _draw(ax, sweep, line)
        ax.set_ylabel(lines[0][1] if len(lines) == 1 else "[1,000 m³]", fontsize=8.5)
        if len(lines) > 1:
            ax.legend(fontsize=7.5, frameon=False)
        if second is not None:
            other = ax.twinx()
            _draw(other, sweep, second, dashed=True)
            other.set_ylabel(second[1], fontsize=8.5, color=second[3])
            other.tick_params(labelsize=8)
        if sweep.knee is not None:  # last, so that the scale is that of the values
            ax.axvline(sweep.knee, color="#d4006a", lw=1.2, ls=":")
        ax.set_title(title, fontsize=10, loc="left", color=frame.INK)
        ax.set_xlabel(NAMES[sweep.swept], fontsize=8.5)
        ax.set_xticks(x if len(x) <= 6 else x[:: (len(x) + 5) // 6])
        ax.tick_params(labelsize=8)
    note = "dotted: knee" if sweep.knee is not None else "no knee"
    fig.text(0.008, 0.025, f"Dashed lines: right-hand scale; {note}.", fontsize=7.8, color="#5d6764", va="center")
    return fig


def _draw(ax: Axes, sweep: Sweep, line: tuple[str, str, float, str], *, dashed: bool = False) -> None:
    """Draw one quantity over the swept value; `line` is its key, name, factor and colour."""
    key, name, scale, colour = line
    values = [getattr(p, key) * scale for p in sweep.points]
    ax.plot(
        [p.value for p in sweep.points],
        values,
        marker="o",
        ms=4,
        color=colour,
        lw=1.6,
        ls="--" if dashed else "-",
        label=name,
    )
    shown = [v for drawn in ax.lines for v in np.asarray(drawn.get_ydata(), dtype=np.float64).tolist()]
    ax.set_ylim(0.0, 1.08 * max(*shown, 1e-9))
