"""Rule packs: what a jurisdiction or a model code asks of a layout, as data with a source on each rule."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pacifico.errors import InputError
from pacifico.layout.criteria.asset_types import ASSET_KINDS

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
"""What every layout is looked at for; a topic that no rule of a pack is about is 'not covered'."""
OF_ASSETS = ("boundary setback", "dwelling setback", "road setback", "spacing", "slope", "height", "noise")
"""Topics that a rule covers for the asset types that it names, not for others."""
LENGTHS = {"m": 1.0, "ft": 0.3048}
AREAS = {"ha": 1.0, "acres": 0.40468564224}
HEIGHTS = "heights"
"""Unit of a distance in multiples of the asset's own height."""
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
"""What can be measured, and in which units a limit may be given."""
MOST = {"slope", "height", "road_grade", "dead_end"}
"""Checks whose limit is the most allowed; of the others it is the least."""
_NEEDS_ASSETS = ("distance_to_boundary", "distance_to_zone", "distance_to_assets", "slope", "height")
_WORDS = {
    "id",
    "topic",
    "check",
    "assets",
    "others",
    "zone",
    "from",
    "limit",
    "unit",
    "section",
    "says",
    "why",
    "source",
}
_LARGEST = 1e6


@dataclass(frozen=True)
class Source:
    """Where a rule is written."""

    title: str
    section: str
    url: str
    date: str
    """Of the text, or when it was read."""


@dataclass(frozen=True)
class Rule:
    """One rule of a pack."""

    rule_id: str
    topic: str
    check: str
    says: str
    """In our words."""
    source: Source
    limit: float = 0.0
    unit: str = ""
    assets: tuple[str, ...] = ()
    """Types that it is about."""
    others: tuple[str, ...] = ()
    """Types to keep a distance from."""
    zone: tuple[str, ...] = ()
    """Words of which one stands in the name of the zones to keep a distance from."""
    centre: bool = False
    """Whether distances are measured from the asset's middle, not its footprint."""
    why: str = ""
    """Why it can't be evaluated on a layout."""


@dataclass(frozen=True)
class Pack:
    """Rules of one jurisdiction or code."""

    name: str
    title: str
    jurisdiction: str
    verified: bool
    """Whether its values were read in the text that it cites."""
    note: str
    rules: tuple[Rule, ...]


def shipped_packs() -> list[str]:
    """Names of the packs that come with the package."""
    folder = resources.files("pacifico.analysis").joinpath("packs")
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))


def read_pack(name: str | Path | Mapping[str, Any]) -> Pack:
    """Pack by the name of a shipped one, from a TOML file, or from such a file's content.

    Raises
    ------
    InputError
        There is none, or a rule of it is not well formed: one line names file, rule, value, limit and remedy.
    """
    if isinstance(name, Mapping):
        return _pack("given", name)
    said = str(name)
    if said in shipped_packs():
        text = resources.files("pacifico.analysis").joinpath("packs", f"{said}.toml").read_text(encoding="utf-8")
        return _pack(said, tomllib.loads(text))
    path = Path(name)
    if path.suffix != ".toml":
        raise InputError(
            f"rules pack {said!r} is unknown; give one of {', '.join(shipped_packs())}, or a file that ends with .toml"
        )
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(
            f"rules pack {path.name}: {reason}; give a TOML file with [pack] and [[rule]] tables"
        ) from error
    return _pack(path.name, content)


def _pack(name: str, content: Mapping[str, Any]) -> Pack:
    head, spec = content.get("pack"), content.get("rule")
    if not isinstance(head, dict) or not isinstance(spec, list) or not spec or set(content) - {"pack", "rule"}:
        raise InputError(f"rules pack {name}: it needs one [pack] table, at least one [[rule]], and nothing else")
    unknown = set(head) - {"title", "jurisdiction", "verified", "note", "source"}
    if unknown:
        raise InputError(
            f"rules pack {name}: [pack] has {min(unknown)!r}; it knows title, jurisdiction, verified, note, source"
        )
    for word in ("title", "jurisdiction"):
        _text(name, "[pack]", head, word)
    if not isinstance(head.get("verified"), bool):
        raise InputError(
            f"rules pack {name}: [pack] verified = {head.get('verified')!r}; say true where the values were read in the "
            "text that is cited, else false"
        )
    made = tuple(_rule(name, n, r, head.get("source")) for n, r in enumerate(spec, 1))
    ids = [r.rule_id for r in made]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise InputError(f"rules pack {name}: two rules have id {twice[0]!r}; give each its own")
    return Pack(name, head["title"], head["jurisdiction"], head["verified"], str(head.get("note", "")), made)


def _rule(pack: str, number: int, said: Any, source: Any) -> Rule:
    where = f"rule {number}"
    if not isinstance(said, dict):
        raise InputError(f"rules pack {pack}: {where} is no table; write [[rule]] and its lines below it")
    where = f"rule {_text(pack, where, said, 'id')!r}"
    unknown = set(said) - _WORDS
    if unknown:
        raise InputError(f"rules pack {pack}: {where} has {min(unknown)!r}; it knows {', '.join(sorted(_WORDS))}")
    check, topic = _text(pack, where, said, "check"), _text(pack, where, said, "topic")
    if check not in CHECKS:
        raise InputError(f"rules pack {pack}: {where} check = {check!r}; choose from {', '.join(CHECKS)}")
    limit, unit = 0.0, ""
    if check == "none":
        _text(pack, where, said, "why")
    else:
        limit, unit = _limit(pack, where, said, CHECKS[check])
    assets, others, zone = (_words(pack, where, said, word) for word in ("assets", "others", "zone"))
    for kind in (*assets, *others):
        if kind not in ASSET_KINDS:
            raise InputError(
                f"rules pack {pack}: {where} names asset type {kind!r}; choose from {', '.join(ASSET_KINDS)}"
            )
    for word, needed in (
        ("assets", check in _NEEDS_ASSETS),
        ("others", check == "distance_to_assets"),
        ("zone", check == "distance_to_zone"),
    ):
        if needed and not said.get(word):
            raise InputError(
                f"rules pack {pack}: {where} has no {word}, check {check!r} needs it; give a list of words"
            )
    if said.get("from", "footprint") not in ("footprint", "centre"):
        raise InputError(f"rules pack {pack}: {where} from = {said['from']!r}; choose footprint or centre")
    cited = said.get("source", source)
    if not isinstance(cited, dict):
        raise InputError(
            f"rules pack {pack}: {where} has no source; give one to it or to [pack], with title, url and date"
        )
    return Rule(
        said["id"],
        topic,
        check,
        _text(pack, where, said, "says"),
        Source(
            _text(pack, f"the source of {where}", cited, "title"),
            _text(pack, where, said, "section"),
            _text(pack, f"the source of {where}", cited, "url"),
            _text(pack, f"the source of {where}", cited, "date"),
        ),
        limit,
        unit,
        assets,
        others,
        tuple(w.lower() for w in zone),
        said.get("from") == "centre",
        str(said.get("why", "")),
    )


def _text(pack: str, where: str, said: Mapping[str, Any], word: str) -> str:
    value = said.get(word)
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise InputError(f"rules pack {pack}: {where} {word} = {value!r}; give it one line of text")
    return value


def _words(pack: str, where: str, said: Mapping[str, Any], word: str) -> tuple[str, ...]:
    value = said.get(word, [])
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise InputError(f"rules pack {pack}: {where} {word} = {value!r}; give a list of words")
    return tuple(value)


def _limit(pack: str, where: str, said: Mapping[str, Any], units: tuple[str, ...]) -> tuple[float, str]:
    limit, unit = said.get("limit"), said.get("unit")
    if unit not in units:
        raise InputError(f"rules pack {pack}: {where} unit = {unit!r}; choose from {', '.join(units)}")
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 <= limit <= _LARGEST:
        raise InputError(f"rules pack {pack}: {where} limit = {limit!r}; give a number from 0 to {_LARGEST:g}")
    return float(limit), str(unit)
