"""Rule packs: rules of a jurisdiction or code, with their sources.

A shipped pack is one TOML file in the folder ``packs``; its name is the file's.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pacifico.errors import InputError, is_plain_line
from pacifico.toml_file import read_toml
from pacifico.vocabulary import ASSET_KINDS

TOPICS = (
    "boundary setback",
    "dwelling setback",
    "road setback",
    "spacing",
    "slope",
    "height",
    "noise",
    "road grade",
    "road width",
    "road radius",
    "dead ends",
    "site area",
)
"""Topics checked for every layout; a topic without a rule in a pack is 'not covered'."""
OF_ASSETS = ("boundary setback", "dwelling setback", "road setback", "spacing", "slope", "height", "noise")
"""Topics that a rule covers only for the asset types that it names."""
LENGTHS = {"m": 1.0, "ft": 0.3048}
"""Units of length [m]."""
AREAS = {"ha": 1.0, "acres": 0.40468564224}
"""Units of area [ha]."""
HEIGHTS = "heights"
"""Unit of a distance as a multiple of the asset's own height."""
CHECKS: dict[str, tuple[str, ...]] = {
    "distance_to_boundary": (*LENGTHS, HEIGHTS),
    "distance_to_zone": (*LENGTHS, HEIGHTS),
    "distance_to_assets": (*LENGTHS, HEIGHTS),
    "slope": ("deg", "%"),
    "height": tuple(LENGTHS),
    "road_grade": ("%",),
    "road_width": tuple(LENGTHS),
    "dead_end": tuple(LENGTHS),
    "site_area": tuple(AREAS),
    "none": (),
}
"""Checks, with the units in which a limit may be given."""
UPPER_LIMITS = {"slope", "height", "road_grade", "dead_end"}
"""Checks with an upper limit; all others have a lower limit."""
_NEEDS_ASSETS = ("distance_to_boundary", "distance_to_zone", "distance_to_assets", "slope", "height")
_RULE_KEYS = {
    "id", "topic", "check", "assets", "others", "zone", "from", "limit", "unit", "section", "says", "why", "source",
}  # fmt: skip
_PACK_KEYS = ("title", "jurisdiction", "verified", "note", "source")
_MAX_TEXT = 1000
"""Longest text of a rule or pack [characters]: what a line of a report's table can show."""
_MAX_LIMIT = 1e6
"""Larger limits are mistakes."""


@dataclass(frozen=True)
class Source:
    """Text that a rule is taken from."""

    title: str
    section: str
    url: str
    date: str
    """Date of the text, or of reading it."""


@dataclass(frozen=True)
class Rule:
    """Rule of a pack."""

    rule_id: str
    topic: str
    check: str
    says: str
    """The rule in plain words."""
    source: Source
    limit: float = 0.0
    unit: str = ""
    assets: tuple[str, ...] = ()
    """Asset types that it applies to."""
    others: tuple[str, ...] = ()
    """Asset types to keep a distance from."""
    zone: tuple[str, ...] = ()
    """Words in the names of zones to keep a distance from; one of them is enough."""
    centre: bool = False
    """Whether distances are measured from the asset's centre, not from its footprint."""
    why: str = ""
    """Why a layout can't be checked against it."""


@dataclass(frozen=True)
class Pack:
    """Rules of one jurisdiction or model code."""

    name: str
    title: str
    jurisdiction: str
    verified: bool
    """Whether its values were read in the cited text."""
    note: str
    rules: tuple[Rule, ...]


def shipped_packs() -> list[str]:
    """Names of the packs in the package."""
    folder = resources.files("pacifico.analysis").joinpath("packs")
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))


def read_pack(name: str | Path | Mapping[str, Any]) -> Pack:
    """Read a pack by name, from a TOML file or its content.

    Parameters
    ----------
    name : str, Path or mapping
        Name of a shipped pack, path of a TOML file, or its content.

    Raises
    ------
    InputError
        There is no such pack, or a rule of it is invalid: one line names the rule, the value and the remedy.

    Examples
    --------
    >>> read_pack("ifc-appendix-d").rules[0].limit
    10.0
    """
    if isinstance(name, Mapping):
        return _pack("given", name)
    given = str(name)
    if given in shipped_packs():
        text = resources.files("pacifico.analysis").joinpath("packs", f"{given}.toml").read_text(encoding="utf-8")
        return _pack(given, tomllib.loads(text))
    path = Path(name)
    if path.suffix != ".toml":
        raise InputError(
            f"rules pack {given!r} is unknown; give one of {', '.join(shipped_packs())}, or a file that ends with .toml"
        )
    content = read_toml(path, what="rules pack", remedy="give a TOML file with [pack] and [[rule]] tables")
    return _pack(path.name, content)


@dataclass(frozen=True)
class _Reader:
    """Table of a pack's file, read with checks."""

    pack: str
    """Name of the pack, for messages."""
    where: str
    """Name of the table, for messages."""
    table: Mapping[str, Any]

    def error(self, problem: str) -> InputError:
        """Error with the place of the problem."""
        return InputError(f"rules pack {self.pack}: {self.where} {problem}")

    def check_keys(self, allowed: Iterable[str]) -> None:
        """Refuse unknown keys."""
        unknown = set(self.table) - set(allowed)
        if unknown:
            raise self.error(f"has {min(unknown)!r}; it knows {', '.join(allowed)}")

    def text(self, key: str) -> str:
        """One line of text."""
        value = self.table.get(key)
        if not isinstance(value, str) or not is_plain_line(value) or len(value) > _MAX_TEXT:
            raise self.error(f"{key} = {value!r}; give it one line of text")
        return value

    def optional_text(self, key: str) -> str:
        """One line of text; empty where it is absent."""
        return self.text(key) if key in self.table else ""

    def words(self, key: str) -> tuple[str, ...]:
        """List of words; empty where it is absent."""
        value = self.table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) and is_plain_line(v) for v in value):
            raise self.error(f"{key} = {value!r}; give a list of words")
        return tuple(value)

    def limit(self, units: tuple[str, ...]) -> tuple[float, str]:
        """Limit and its unit."""
        limit, unit = self.table.get("limit"), self.table.get("unit")
        if unit not in units:
            raise self.error(f"unit = {unit!r}; choose from {', '.join(units)}")
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 <= limit <= _MAX_LIMIT:
            raise self.error(f"limit = {limit!r}; give a number from 0 to {_MAX_LIMIT:g}")
        return float(limit), str(unit)

    def source(self, common: Any) -> Source:
        """Source of a rule: its own, else that of the pack."""
        cited = self.table.get("source", common)
        if not isinstance(cited, dict):
            raise self.error("has no source; give one to it or to [pack], with title, url and date")
        read = _Reader(self.pack, f"the source of {self.where}", cited)
        return Source(read.text("title"), self.text("section"), read.text("url"), read.text("date"))


def _pack(name: str, content: Mapping[str, Any]) -> Pack:
    """Pack from the content of its file."""
    head, rules = content.get("pack"), content.get("rule")
    if not isinstance(head, dict) or not isinstance(rules, list) or not rules or set(content) - {"pack", "rule"}:
        raise InputError(f"rules pack {name}: it needs one [pack] table, at least one [[rule]], and nothing else")
    read = _Reader(name, "[pack]", head)
    read.check_keys(_PACK_KEYS)
    title, jurisdiction = read.text("title"), read.text("jurisdiction")
    verified = head.get("verified")
    if not isinstance(verified, bool):
        raise read.error(f"verified = {verified!r}; give true where the values were read in the cited text, else false")
    made = tuple(_rule(name, n, r, head.get("source")) for n, r in enumerate(rules, 1))
    counts = Counter(r.rule_id for r in made)
    twice = sorted(i for i, n in counts.items() if n > 1)
    if twice:
        raise InputError(f"rules pack {name}: two rules have id {twice[0]!r}; give each its own")
    return Pack(name, title, jurisdiction, verified, read.optional_text("note"), made)


def _rule(pack: str, number: int, table: Any, source: Any) -> Rule:
    """Rule from its table.

    Parameters
    ----------
    pack : str
        Name of the pack, for messages.
    number : int
        Position of the rule, from 1.
    table : Any
        Content of ``[[rule]]``.
    source : Any
        Source of the pack, for rules without their own.
    """
    if not isinstance(table, dict):
        raise InputError(f"rules pack {pack}: rule {number} is no table; write [[rule]] and its lines below it")
    rule_id = _Reader(pack, f"rule {number}", table).text("id")
    read = _Reader(pack, f"rule {rule_id!r}", table)
    read.check_keys(sorted(_RULE_KEYS))
    check, topic = read.text("check"), read.text("topic")
    if check not in CHECKS:
        raise read.error(f"check = {check!r}; choose from {', '.join(CHECKS)}")
    limit, unit = (0.0, "") if check == "none" else read.limit(CHECKS[check])
    if check == "none":
        read.text("why")
    assets, others, zone = (read.words(key) for key in ("assets", "others", "zone"))
    for kind in (*assets, *others):
        if kind not in ASSET_KINDS:
            raise read.error(f"names asset type {kind!r}; choose from {', '.join(ASSET_KINDS)}")
    _check_subjects(read, check)
    if table.get("from", "footprint") not in ("footprint", "centre"):
        raise read.error(f"from = {table['from']!r}; choose footprint or centre")
    cited = read.source(source)
    return Rule(
        rule_id,
        topic,
        check,
        read.text("says"),
        cited,
        limit,
        unit,
        assets,
        others,
        tuple(word.lower() for word in zone),
        table.get("from") == "centre",
        read.optional_text("why"),
    )


def _check_subjects(read: _Reader, check: str) -> None:
    """Refuse a rule without the subjects that its check needs."""
    needed = {
        "assets": check in _NEEDS_ASSETS,
        "others": check == "distance_to_assets",
        "zone": check == "distance_to_zone",
    }
    for key, is_needed in needed.items():
        if is_needed and not read.table.get(key):
            raise read.error(f"has no {key}, check {check!r} needs it; give a list of words")
