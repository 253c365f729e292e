"""`pacifico variants --gcr` and `--dc-ac`: layouts over a range of one rule."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from pacifico.cli import options
from pacifico.cli.printing import StageLine, one_line, say
from pacifico.errors import InputError
from pacifico.stages import part_of

if TYPE_CHECKING:
    from pacifico.report.variants.sweep import Sweep

MOST_STEPS = 1000
"""Steps of a range from which it is a slip of the pen."""


def add_sweep(parser: argparse.ArgumentParser) -> None:
    """Add the options of a sweep to a parser."""
    sweep = parser.add_argument_group("sweep of one rule, by the first of --strategies (balanced)")
    sweep.add_argument(
        "--gcr", type=steps, metavar="FROM:TO:STEP", help="compare ground coverage instead, such as 0.3:0.5:0.05"
    )
    sweep.add_argument(
        "--dc-ac", type=steps, metavar="FROM:TO:STEP", help="compare the DC/AC ratio instead, such as 1.1:1.5:0.1"
    )
    sweep.add_argument(
        "--weather",
        type=options.path,
        metavar="FILE",
        help="typical year of a sweep's energy, EPW or TMY3 (a clear sky)",
    )


def steps(text: str) -> tuple[float, ...]:
    """Values of FROM:TO:STEP, both ends included."""
    try:
        low, high, step = (float(part) for part in text.split(":"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not FROM:TO:STEP; write it as 0.3:0.5:0.05") from None
    if not (0 < low <= high < float("inf") and step > 0 and (high - low) / step < MOST_STEPS):
        raise argparse.ArgumentTypeError(f"{text!r} is no rising range; write it as 0.3:0.5:0.05")
    count = int((high - low) / step + 1e-6) + 1
    return tuple(round(low + k * step, 6) for k in range(count))


def is_sweep(arguments: argparse.Namespace) -> bool:
    """Whether a command asks for a sweep.

    Raises
    ------
    InputError
        Both ranges are given, or options that a sweep doesn't take.
    """
    if arguments.gcr is not None and arguments.dc_ac is not None:
        raise InputError("--gcr and --dc-ac are swept one at a time; leave one of them out")
    swept = arguments.gcr is not None or arguments.dc_ac is not None
    if swept and arguments.reports:
        raise InputError("--reports is for strategies; leave it out of a sweep")
    if arguments.weather is not None and not swept:
        raise InputError("--weather belongs to a sweep; add --gcr or --dc-ac, or leave it out")
    return swept


def run_sweep(arguments: argparse.Namespace, design: dict[str, Any]) -> int:
    """Lay out the site for each value, write the folder and print the table."""
    from pacifico.compiling import compile_kernels
    from pacifico.report.variants.sweep import sweep_design
    from pacifico.report.variants.sweep_output import write_sweep

    with StageLine(quiet=arguments.json) as line:
        site = options.site_of(arguments, part_of(line.on_stage, 0, 10))
        dem = options.dem_of(arguments, site, part_of(line.on_stage, 10, 25))
        compile_kernels(on_progress=line.on_compile)
        found = sweep_design(
            site,
            dem,
            "gcr" if arguments.gcr is not None else "dc_ac",
            arguments.gcr or arguments.dc_ac,
            weather=None if arguments.weather is None else str(arguments.weather),
            on_stage=part_of(line.on_stage, 25, 100),
            strategy=arguments.strategies[0],
            **design,
        )
    if arguments.out is not None:
        write_sweep(found, arguments.out)
    _print(found, arguments)
    return 1 if any(plan.shortfall for plan in found.plans.values()) else 0


def _print(found: Sweep, arguments: argparse.Namespace) -> None:
    from pacifico.report.variants import folder
    from pacifico.report.variants.sweep_output import KNEE, cells, summary

    if arguments.json:
        print(json.dumps({"out": str(arguments.out) if arguments.out else None, **summary(found)}, indent=1))
        return
    lines = cells(found)
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    say("\n".join("  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines))
    say(KNEE if found.knee is not None else "There is no knee.")
    say(f"weather: {found.weather}{', an upper bound' if found.clear_sky else ''}")
    say(f"written: {one_line(arguments.out / folder.PAGE)}")
