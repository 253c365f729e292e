"""Text that several commands print."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def one_line(text: object) -> str:
    """Text on one line."""
    return " ".join(str(text).split())


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
    print(json.dumps(content, indent=1, ensure_ascii=False))


def print_bytes(content: bytes) -> None:
    """Write a file's content to standard output, whatever the encoding of the terminal."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def print_notes(warnings: Iterable[str]) -> None:
    """Print warnings on standard error, one a line."""
    for warning in warnings:
        print(f"note: {warning}", file=sys.stderr)


def stage_line() -> Callable[[str, int, str], None] | None:
    """Callback that shows stages on one line of a terminal; None where standard error is no terminal."""
    if not sys.stderr.isatty():
        return None

    def show(stage: str, percent: int, message: str) -> None:
        del stage
        end = "\r" if percent < 100 else "\n"
        print(f"\r\033[K{percent:3d} % {message}", end=end, file=sys.stderr, flush=True)

    return show
