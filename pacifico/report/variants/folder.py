"""Folder of a comparison: layouts, CSV, JSON and an offline page."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.report.variants.measure import EQUAL, MEASURES, Best, Measure
from pacifico.run import manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from pacifico.report.variants.result import Variants

SCHEMA, SCHEMA_VERSION = "pacifico-variants", 1
COMPARISON, TABLE, PAGE = "comparison.json", "comparison.csv", "index.html"
_HERE = Path(__file__).parent


def check(out_dir: Path) -> None:
    """Refuse a folder that can't be written or must not be replaced.

    Raises
    ------
    InputError
        It is a file, holds something other than a comparison, or its place is not writable.
    """
    place = out_dir.absolute()
    if os.path.lexists(place) and (place.is_symlink() or not place.is_dir()):
        raise InputError(f"{out_dir} is there and is not a folder: name another with --out")
    if place.is_dir() and any(place.iterdir()) and not _ours(place):
        raise InputError(f"{out_dir} is not empty and holds no comparison that pacifico wrote: name another folder")
    parent = next(p for p in place.parents if p.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)):
        raise InputError(f"nothing can be written in {parent}; check its permissions, or give another --out")


def _ours(folder: Path) -> bool:
    """Whether a folder holds nothing but a comparison."""
    try:
        content = json.loads((folder / COMPARISON).read_text(encoding="utf-8"))
        known = set(content["files"]) if content.get("schema") == SCHEMA else set()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return all(path.name in known for path in folder.iterdir())


def write(variants: Variants, out_dir: str | Path, *, reports: Sequence[str] = ()) -> Path:
    """Write a comparison; the same variants give the same bytes.

    Parameters
    ----------
    variants : Variants
        Variants to write.
    out_dir : str or Path
        Folder to write, complete or not at all.
    reports : sequence of str
        Strategies whose folder holds a full report, which is kept.

    Returns
    -------
    Path
        The page in it.

    Raises
    ------
    InputError
        As `check` does.
    """
    out = Path(out_dir)
    check(out)
    staged = stage(out)
    try:
        fill(variants, staged, reports=reports)
        place(staged, out)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return out / PAGE


def stage(out: Path) -> Path:
    """Make a hidden folder beside the one to write."""
    parent = out.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        staged = parent / f".{out.name}.{secrets.token_hex(4)}.part"
        staged.mkdir()
    except OSError as error:
        raise InputError(f"no folder can be made in {parent} ({error.strerror}): give another --out") from None
    return staged


def fill(variants: Variants, folder: Path, *, reports: Sequence[str] = ()) -> None:
    """Write the comparison, and the layouts that are not yet there."""
    for name, plan in variants.plans.items():
        own = folder / name
        own.mkdir(exist_ok=True)
        if name not in reports:
            plan.write(own / "layout.geojson")
    (folder / TABLE).write_text(_csv(variants), encoding="utf-8", newline="")
    (folder / PAGE).write_text(page(variants, reports=reports), encoding="utf-8")
    (folder / COMPARISON).write_text(
        json.dumps(summary(variants), indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )


def place(staged: Path, out: Path) -> None:
    """Move a filled folder to its name, replacing an older comparison."""
    check(out)
    old = staged.with_suffix(".old")
    if out.exists():
        out.rename(old)
    try:
        staged.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    if old.exists():
        shutil.rmtree(old)


def summary(variants: Variants) -> dict[str, Any]:
    """Content of comparison.json, without clock and paths."""
    plan = next(iter(variants.plans.values()))
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "site": plan.site.name,
        "profile": plan.profile,
        "target_capacity_kw": variants.target_capacity_kw,
        "dem": dict(plan.dem),
        "variants": {n: {**row, "shortfall": variants.plans[n].shortfall} for n, row in variants.rows.items()},
        "compared": list(variants.compared),
        "best": [
            {"measure": b.measure, "strategy": b.strategy, "value": b.value, "margin_pct": b.margin_pct, "note": b.note}
            for b in variants.best
        ],
        "front": list(variants.front),
        "dominated": {name: list(by) for name, by in variants.dominated.items() if by},
        "failures": [{"strategy": f.strategy, "error": f.error, "message": f.message} for f in variants.failures],
        "files": [*variants.plans, TABLE, COMPARISON, PAGE],
    }


def _csv(variants: Variants) -> str:
    """Content of comparison.csv."""
    keys = list(dict.fromkeys(k for row in variants.rows.values() for k in row))
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\r\n")
    out.writerow(["strategy", *keys, "on_front", "shortfall"])
    for name, row in variants.rows.items():
        front = "yes" if name in variants.front else "no"
        out.writerow(
            [name, *("" if row.get(k) is None else row[k] for k in keys), front, variants.plans[name].shortfall]
        )
    for failure in variants.failures:
        out.writerow([failure.strategy, *("" for _ in keys), "no", failure.message])
    return text.getvalue()


def page(variants: Variants, *, reports: Sequence[str] = ()) -> str:
    """Comparison as a page that loads nothing from elsewhere."""
    import jinja2  # noqa: PLC0415 (only the page needs it)

    plan = next(iter(variants.plans.values()))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string((_HERE / "page.html").read_text(encoding="utf-8"))
    style = (Path(manifest.__file__).with_name("static") / "page.css").read_text(encoding="utf-8")
    target = variants.target_capacity_kw
    asked = f"{shown(target, _PLACED)} MW asked for" if target is not None else "as much as fits"
    return template.render(
        title=plan.site.name,
        style=style,
        about=f"{plan.profile.replace('_', ' ')} · {asked} · {plan.site.area_ha:,.1f} ha · working CRS {plan.site.crs.name}",
        names=list(variants.plans),
        rows=[_shown_row(m, variants) for m in MEASURES if any(m.key in r for r in variants.rows.values())],
        front=variants.front,
        reports=reports,
        best=[_shown_best(b) for b in variants.best],
        compared=comparison_lines(variants),
        dominated=dominated_lines(variants),
        failures=variants.failures,
        notes=notes(variants),
        front_png=_png(variants.front_figure()),
        maps_png=_png(variants.maps_figure()),
    )


_PLACED = MEASURES[0]
_BY_KEY = {m.key: m for m in MEASURES}


def label(key: str) -> str:
    """Short name of a measure."""
    return _BY_KEY[key].label.partition(":")[0].lower()


def shown(value: float | None, measure: Measure) -> str:
    """Value as the table shows it."""
    return "–" if value is None else f"{value * measure.scale:,.{measure.digits}f}"


def comparison_lines(variants: Variants) -> str:
    """Sentence that names the variants compared."""
    compared = [n.replace("_", " ") for n in variants.compared]
    left_out = [n.replace("_", " ") for n in variants.rows if n not in variants.compared]
    if not left_out:
        return f"All place the same within {EQUAL:.0%}."
    remedy = (
        "" if variants.target_capacity_kw is not None else "; ask for a capacity that all can place to compare them"
    )
    return (
        f"Compared at equal placed capacity (within {EQUAL:.0%}): {', '.join(compared)}; "
        f"{', '.join(left_out)} {'places' if len(left_out) == 1 else 'place'} less{remedy}."
    )


def dominated_lines(variants: Variants) -> list[str]:
    """One line for each dominated variant, with those that dominate it."""
    return [
        f"{name.replace('_', ' ')} is dominated by {' and '.join(b.replace('_', ' ') for b in by)}: as much placed, "
        "with no more road and earthwork and no less density."
        for name, by in variants.dominated.items()
        if by
    ]


def notes(variants: Variants) -> list[tuple[str, str]]:
    """Warnings with their variant; '' for those that all share."""
    each = {name: plan.warnings for name, plan in variants.plans.items()}
    shared = [w for w in next(iter(each.values())) if all(w in own for own in each.values())]
    found = [("", w) for w in dict.fromkeys(shared)]
    return found + [(name, w) for name, own in each.items() for w in dict.fromkeys(own) if w not in shared]


def _shown_row(measure: Measure, variants: Variants) -> dict[str, Any]:
    """Row of the page's table."""
    winner = next((b.strategy for b in variants.best if b.measure == measure.key), None)
    cells = [
        {"text": shown(row.get(measure.key), measure), "win": name == winner} for name, row in variants.rows.items()
    ]
    return {"label": measure.label, "unit": measure.unit, "cells": cells}


def _shown_best(best: Best) -> dict[str, str]:
    """Winner of a measure as the page shows it."""
    return {
        "label": _BY_KEY[best.measure].label,
        "who": best.strategy.replace("_", " ") if best.strategy else f"none: {best.note}",
        "margin": f"{best.margin_pct:.1f} %" if best.margin_pct is not None else "",
    }


def _png(figure: Figure) -> str:
    """Figure as PNG in base64."""
    png = io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})
    return base64.b64encode(png.getvalue()).decode()
