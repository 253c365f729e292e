"""Fuzz harness of rule packs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.mutators import mutate_toml
from fuzz.scaffold import Harness, written

from pacifico.analysis.rule_packs import read_pack

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = '[pack]\ntitle = "Code"\njurisdiction = "County"\nverified = false\nnote = "n"\nsource = {title = "t", url = "https://a.example", date = "2026-01-01"}\n'


def read(data: bytes) -> Iterator[str]:
    """Read a pack; yields the texts that a report shows."""
    pack = read_pack(written(data, "pack.toml"))
    yield from (pack.title, pack.jurisdiction)
    for rule in pack.rules:
        yield from (rule.rule_id, rule.topic, rule.check, rule.says)
        yield from (rule.source.title, rule.source.section, rule.source.url, rule.source.date)
        yield from (t for t in (pack.note, rule.why, rule.unit, *rule.assets, *rule.others, *rule.zone) if t)


def rule(number: int, **members: str) -> str:
    """Table of a rule."""
    lines = {"id": f'"r{number}"', "topic": '"slope"', "says": '"s"', "section": '"1"', **members}
    return "[[rule]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())


def seeds() -> dict[str, bytes]:
    """Packs with a rule of each kind of check."""
    slope = rule(1, check='"slope"', assets='["battery"]', limit="5", unit='"deg"')
    apart = rule(
        2, check='"distance_to_assets"', assets='["battery"]', others='["substation"]', limit="3.05", unit='"m"'
    )
    zone = rule(
        3,
        check='"distance_to_zone"',
        assets='["wind_turbine"]',
        zone='["house"]',
        limit="1.1",
        unit='"heights"',
        **{"from": '"centre"'},
    )
    none = rule(4, check='"none"', why='"not in a layout"', source='{title = "u", url = "v", date = "w"}')
    return {"one": (HEAD + slope).encode(), "all": (HEAD + slope + apart + zone + none).encode()}


HARNESS = Harness(
    read,
    seeds,
    mutate_toml,
    ("[[rule]]", "[pack]", '"""', "\\u0000", "\\u2028", "0x", "inf", "nan", "2026-01-01", "limit", "heights"),
)
