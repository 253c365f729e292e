"""`pacifico rules`: a stored layout held against a rule pack."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.analysis.compliance import Finding
    from pacifico.analysis.rule_packs import Pack


def add_rules_command(commands: Any) -> None:
    """Add `rules` to a parser's commands."""
    spec = commands.add_parser("rules", help="a stored layout against the rules of a jurisdiction or model code")
    spec.add_argument("layout", type=Path, metavar="LAYOUT", help="layout.geojson")
    spec.add_argument("--pack", required=True, metavar="NAME|FILE.toml", help="a pack that ships, or one of your own")
    spec.add_argument(
        "--height",
        type=_height,
        action="append",
        default=[],
        metavar="TYPE=M",
        help="height of an asset type above ground, such as wind_turbine=190 (a stored layout has none); may be repeated",
    )
    spec.add_argument("--json", action="store_true", help="print the findings as JSON")
    spec.set_defaults(run=_rules)


def _height(text: str) -> tuple[str, float]:
    from pacifico.layout.criteria.asset_types import ASSET_KINDS

    kind, _, metres = text.partition("=")
    try:
        value = float(metres)
    except ValueError:
        value = -1.0
    if kind not in ASSET_KINDS or not 0 < value < 1000:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no height; write TYPE=METRES, such as wind_turbine=190, with a type of {', '.join(ASSET_KINDS)}"
        )
    return kind, value


def _rules(arguments: argparse.Namespace) -> int:
    from pacifico.analysis.compliance import as_data, counts, evaluate
    from pacifico.analysis.compliance_facts import facts_of_layout
    from pacifico.analysis.rule_packs import read_pack
    from pacifico.layout.files.stored import read_layout

    pack = read_pack(arguments.pack)
    facts = facts_of_layout(read_layout(arguments.layout), heights_m=dict(arguments.height))
    findings = evaluate(facts, pack)
    seen = counts(findings)
    if arguments.json:
        print(json.dumps(as_data(pack, findings), indent=1, ensure_ascii=False))
    else:
        _say(pack, findings)
    # nothing passes for want of a rule: without one rule that was evaluated and kept there is nothing to say yes to
    return 0 if seen["pass"] and not seen["fail"] else 1


def _say(pack: Pack, findings: Sequence[Finding]) -> None:
    from pacifico.analysis.compliance import counts, in_words

    print(f"{pack.title}{'' if pack.verified else ' (values not verified)'}")
    if pack.note:
        print(pack.note)
    for f in findings:
        print(f"{f.status:14s} {in_words(f)}")
    print(", ".join(f"{n} {status}" for status, n in counts(findings).items()))
