"""Text that several commands print."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pacifico.escaping import for_json, for_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TextIO


def one_line(text: object) -> str:
    """Text on one line, without control sequences."""
    return for_terminal(text)


def say(text: object, *, file: TextIO | None = None) -> None:
    """Print lines of text, with control sequences shown."""
    print(for_terminal(text, lines=True), file=file or sys.stdout)


def headline(metrics: Mapping[str, Any]) -> str:
    """Metrics of a layout in one sentence."""
    storage = f", {metrics['storage_kwh'] / 1000:,.0f} MWh storage" if metrics["storage_kwh"] else ""
    return (
        f"{metrics['total_capacity_kw'] / 1000:,.1f} MW AC{storage} in {metrics['asset_count']:,} assets on "
        f"{metrics['buildable_area_ha']:,.1f} of {metrics['site_area_ha']:,.1f} ha buildable; "
        f"{metrics['road_length_m'] / 1000:,.2f} km of road up to {metrics['max_road_grade_pct']:.1f} %; "
        f"cut {metrics['cut_volume_m3']:,.0f} m3, fill {metrics['fill_volume_m3']:,.0f} m3"
    )


def print_json(content: Mapping[str, Any]) -> None:
    """Print a result as JSON on standard output."""
    print(for_json(content, indent=1))


def print_notes(warnings: Iterable[str]) -> None:
    """Print warnings on standard error, one a line."""
    for warning in warnings:
        print(f"note: {one_line(warning)}", file=sys.stderr)


def stage_line() -> Callable[[str, int, str], None] | None:
    """Callback that shows stages on one line of a terminal; None where standard error is no terminal."""
    if not sys.stderr.isatty():
        return None

    def show(stage: str, percent: int, message: str) -> None:
        del stage
        end = "\r" if percent < 100 else "\n"
        print(f"\r\033[K{percent:3d} % {one_line(message)}", end=end, file=sys.stderr, flush=True)

    return show
