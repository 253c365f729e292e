"""Text that several commands print."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pacifico.escaping import for_json, for_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TextIO

    from pacifico.layout.model.headline import Answer


def one_line(text: object) -> str:
    """Text on one line, without control sequences."""
    return for_terminal(text)


def say(text: object, *, file: TextIO | None = None) -> None:
    """Print lines of text, with control sequences shown."""
    print(for_terminal(text, lines=True), file=file or sys.stdout)


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
    print(for_json(content, indent=1))


def print_notes(warnings: Iterable[str]) -> None:
    """Print warnings on standard error, one a line."""
    for warning in warnings:
        print(f"note: {one_line(warning)}", file=sys.stderr)


def stage_line() -> Callable[[str, int, str], None] | None:
    """Callback that shows stages on a terminal; else None."""
    if not sys.stderr.isatty():
        return None

    def show(stage: str, percent: int, message: str) -> None:
        del stage
        end = "\r" if percent < 100 else "\n"
        print(f"\r\033[K{percent:3d} % {one_line(message)}", end=end, file=sys.stderr, flush=True)

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
