"""`pacifico rules`: check a stored layout against a rule pack."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pacifico.cli import options
from pacifico.cli.printing import print_json, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.analysis.compliance import Finding
    from pacifico.analysis.rule_packs import Pack


def add_rules_command(commands: Any) -> None:
    """Add `rules` to the commands of a parser."""
    parser = commands.add_parser(
        "rules", help="check a stored layout against the rules of a jurisdiction or model code"
    )
    parser.add_argument("layout", type=options.path, metavar="LAYOUT", help="layout.geojson")
    parser.add_argument(
        "--pack",
        type=options.source,
        required=True,
        metavar="NAME|FILE.toml",
        help="name of a shipped pack, or a file of your own",
    )
    parser.add_argument(
        "--height",
        type=_height,
        action="append",
        default=[],
        metavar="TYPE=M",
        help="height of an asset type above ground, such as wind_turbine=190 (a stored layout has none); may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=run_rules)


def _height(text: str) -> tuple[str, float]:
    from pacifico.vocabulary import ASSET_KINDS

    kind, _, metres = text.partition("=")
    try:
        value = float(metres)
    except ValueError:
        value = -1.0
    if kind not in ASSET_KINDS or not 0 < value < 1000:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a height; write TYPE=METRES, such as wind_turbine=190, with a type of {', '.join(ASSET_KINDS)}"
        )
    return kind, value


def run_rules(arguments: argparse.Namespace) -> int:
    """Print each rule with its status; 1 where a rule fails, or none passes."""
    from pacifico.analysis.compliance import as_data, counts, evaluate
    from pacifico.analysis.compliance_facts import facts_of_layout
    from pacifico.analysis.rule_packs import read_pack
    from pacifico.layout.files.stored import read_layout

    pack = read_pack(arguments.pack)
    facts = facts_of_layout(read_layout(arguments.layout), heights_m=dict(arguments.height))
    findings = evaluate(facts, pack)
    seen = counts(findings)
    if arguments.json:
        print_json(as_data(pack, findings))
    else:
        _say(pack, findings)
    # a pack of which no rule could be evaluated proves nothing: that is no pass
    return 0 if seen["pass"] and not seen["fail"] else 1


def _say(pack: Pack, findings: Sequence[Finding]) -> None:
    from pacifico.analysis.compliance import counts, in_words

    say(f"{pack.title}{'' if pack.verified else ' (values not verified)'}")
    if pack.note:
        say(pack.note)
    for f in findings:
        say(f"{f.status:14s} {in_words(f)}")
    print(", ".join(f"{n} {status}" for status, n in counts(findings).items()))
