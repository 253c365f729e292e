"""."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from pacifico.cli import options as args_
from pacifico.cli.printing import _headline

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

DEMO_KW = 60_000.0
"""Target of the demo: most of what the sample site carries."""

FAILED = {"request": 2, "service": 3}
"""Exit status of a failed run by whose fault it was; what was lost, or ran out of time or memory, counts as a service."""


def _demo(arguments: argparse.Namespace) -> int:
    return _make_report(arguments.out, "sample", "sample", target_capacity_kw=DEMO_KW)


def _report(arguments: argparse.Namespace) -> int:
    return _make_report(
        arguments.out,
        arguments.boundary,
        args_.dem_source(arguments),
        terrain=not arguments.no_terrain,
        resolution_m=arguments.resolution_m,
        dem_units=arguments.dem_units,
        layer=arguments.layer,
        rules=arguments.rules,
        energy=arguments.energy,
        weather=arguments.weather,
        **args_.exclusions_of(arguments),
        **args_.design_of(arguments),
    )


def _make_report(out: Path, boundary: str | Path, dem: str | None, **design: Any) -> int:
    """Run the notebook, say the headline and where the report is; a failed run has a report too."""
    from pacifico.report.make import make_report

    args_.writable_folder(out, replaced=True)
    outcome = make_report(boundary, dem, out, settings=args_.source_settings(), on_stage=_progress(), **design)
    if outcome.status != "completed":
        print(f"pacifico: {_one_line_of(outcome.error_message)}; the report up to there is in {out}", file=sys.stderr)
        return FAILED.get(outcome.error_kind or "", 3)
    layout = json.loads((out / "layout.geojson").read_text(encoding="utf-8"))["pacifico"]
    shortfall = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["shortfall"]
    print(_headline(layout["metrics"]))
    print(f"report: {(out / 'report.html').resolve()}")
    for warning in layout["warnings"]:
        print(f"note: {warning}", file=sys.stderr)
    return 1 if shortfall else 0


def _one_line_of(message: str | None) -> str:
    return " ".join((message or "the run was lost").split())


def _progress() -> Callable[[str, int, str], None] | None:
    """Stages on one line of a terminal; nothing where nobody watches."""
    if not sys.stderr.isatty():
        return None

    def say(stage: str, percent: int, message: str) -> None:
        del stage
        end = "\r" if percent < 100 else "\n"
        print(f"\r\033[K{percent:3d} % {message}", end=end, file=sys.stderr, flush=True)

    return say


def _reproduce(arguments: argparse.Namespace) -> int:
    from pacifico.run.reproduce import reproduce

    again = reproduce(arguments.report, on_stage=_progress())
    print(again)
    return 0 if again.verdict in ("identical", "equivalent") else 1


def _compare(arguments: argparse.Namespace) -> int:
    from pacifico.report.compare import compare

    print(compare(arguments.a, arguments.b))
    return 0
