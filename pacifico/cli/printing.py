"""Text that several commands print."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pacifico.layout.model.headline import Answer


def one_line(text: object) -> str:
    """Text on one line."""
    return " ".join(str(text).split())


def headline(answers: Iterable[Answer], metrics: Mapping[str, Any]) -> str:
    """Headline of a layout in lines of ASCII.

    Parameters
    ----------
    answers : iterable of Answer
        Headline of the layout.
    metrics : mapping
        Member `metrics` of its layout.geojson.
    """
    plant = (
        f"Plant: {metrics['asset_count']:,} assets on "
        f"{metrics['buildable_area_ha']:,.1f} of {metrics['site_area_ha']:,.1f} ha buildable; "
        f"{metrics['road_length_m'] / 1000:,.2f} km of road up to {metrics['max_road_grade_pct']:.1f} %"
    )
    # not every terminal has these letters
    return "\n".join([*(f"{a.label}: {a.text}" for a in answers), plant]).translate({ord("³"): "3", ord("–"): "-"})


def print_json(content: Mapping[str, Any]) -> None:
    """Print a result as JSON on standard output."""
    print(json.dumps(content, indent=1, ensure_ascii=False))


def print_notes(warnings: Iterable[str]) -> None:
    """Print warnings on standard error, one a line."""
    for warning in warnings:
        print(f"note: {warning}", file=sys.stderr)


def stage_line() -> Callable[[str, int, str], None] | None:
    """Callback that shows stages on a terminal; else None."""
    if not sys.stderr.isatty():
        return None

    def show(stage: str, percent: int, message: str) -> None:
        del stage
        end = "\r" if percent < 100 else "\n"
        print(f"\r\033[K{percent:3d} % {message}", end=end, file=sys.stderr, flush=True)

    return show


def compile_line() -> Callable[[float], None] | None:
    """Callback that shows the compilation on one line of a terminal; None where standard error is no terminal."""
    show = stage_line()
    if show is None:
        return None

    def draw(share: float) -> None:
        done = round(20 * share)
        show("compiling", round(100 * share), f"compiling, first run only [{'#' * done}{' ' * (20 - done)}]")

    return draw
