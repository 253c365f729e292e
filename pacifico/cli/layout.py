"""."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from pacifico.cli import options as args_
from pacifico.cli.printing import _headline

if TYPE_CHECKING:
    import argparse

    from pacifico.layout.model.plan import Plan


def _layout(arguments: argparse.Namespace) -> int:
    from pacifico.layout.generate import generate_layout

    args_.writable_file(arguments.out)
    if arguments.cut_fill is not None:
        args_.writable_file(arguments.cut_fill)
    design = args_.design_of(arguments)
    site = args_.site_of(arguments)
    dem = args_.dem_of(arguments, site)
    plan = generate_layout(site, dem, **design)
    plan.write(arguments.out)
    if arguments.cut_fill is not None:
        plan.write_cut_fill(dem, arguments.cut_fill)
    _say(plan, arguments)
    return 1 if plan.shortfall else 0


def _say(plan: Plan, arguments: argparse.Namespace) -> None:
    if arguments.json:
        unplaced = [{"asset_type": u.kind, "count": u.count, "reason": u.reason} for u in plan.unplaced]
        said = {
            "out": str(arguments.out),
            "metrics": dict(plan.metrics),
            "warnings": list(plan.warnings),
            "unplaced": unplaced,
        }
        print(json.dumps(said, indent=1))
    else:
        print(_headline(plan.metrics))
        print(f"written: {arguments.out}")
        for warning in plan.warnings:
            print(f"note: {warning}", file=sys.stderr)
