"""Role of a feature, and the rules that an exclusion states."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from pacifico.errors import SiteError
from pacifico.site.features import Feature, clean_name, quoted
from pacifico.site.zone_types import (
    PLAIN_TYPES,
    USE_TYPES,
    is_substation_name,
    may_be_road,
    stated_crossable,
    stated_type,
    use_by_name,
)

if TYPE_CHECKING:
    from pacifico.site.features import Reading
    from pacifico.site.model import ZoneType

Role = Literal["parcel", "exclusion", "boundary", "other"]

MAX_BUFFER_M = 10_000.0
"""Widest buffer of an exclusion [m]."""
MAX_COST = 1000.0
"""Highest cost multiplier [-]."""
ZONE_TYPES = (*PLAIN_TYPES, *USE_TYPES)

# 'exclusive' (an option, a right) and 'excluding' (a boundary, less something) mean the opposite. Words that name ground
# but not its use (wetland, constraint) are left out: a parcel may bear them.
_EXCLUSION = re.compile(
    r"exclu(?!siv|ding)|\b(no|non|do not|don't)[\s_-]*build|\bkeep[\s_-]*out\b|\bno[\s_-]*go\b", re.IGNORECASE
)
_PLAIN_EXCLUSION = re.compile(
    r"(exclusions?|excluded|no[\s_-]*build|keep[\s_-]*out|no[\s_-]*go)([\s_-]*(zone|area)s?)?", re.IGNORECASE
)
_BOUNDARY = re.compile(r"boundar|perimeter", re.IGNORECASE)
_ENTRY = re.compile(r"\b(entry|entries|entrances?|gates?|access)\b", re.IGNORECASE)
_NO_ENTRY = re.compile(r"\b(no|without)\b", re.IGNORECASE)
_SEPARATORS = re.compile(r"[_\W\d]+")
_DERIVED_KINDS = frozenset({"buildable", "asset", "pad", "road", "cable", "crossing", "fence"})
_OTHER_ROLES = frozenset({"parcel", "boundary", "entry", "poi"})
_OWN_KINDS = _DERIVED_KINDS | {"boundary", "exclusion", "entry", "anchor", "line"}


@dataclass(frozen=True)
class ZoneRules:
    """Rules that an exclusion states; None where it states none."""

    zone_type: ZoneType | None = None
    buffer_m: float | None = None
    cost_multiplier: float | None = None
    use: ZoneType | None = None
    """What is there by the name, such as water for a creek."""
    crossable: bool | None = None
    """Whether roads and cables may cross it; None: as its type says."""

    @property
    def effective_type(self) -> ZoneType:
        """Stated zone type, or the one that buffer and cost imply.

        A multiplier means 'cost'; else what is there by its name; else a buffer 'buffered', else 'hard'.
        """
        if self.zone_type is not None and self.zone_type != "buffered":
            return self.zone_type
        if (self.cost_multiplier or 1.0) > 1 and self.zone_type is None:
            return "cost"
        return self.use or self.zone_type or ("buffered" if self.buffer_m else "hard")


def is_own(reading: Reading) -> bool:
    """Whether pacifico wrote a file, so that its properties are ours.

    True where the file carries our member, or every feature has one of our kinds and one is the boundary: that is what is
    left of a layout after another program saved it.
    """
    if reading.marked:
        return True
    kinds = {_text(f, "kind").lower() for layer in reading.layers for f in layer.features}
    return "boundary" in kinds and kinds <= _OWN_KINDS


def feature_role(feature: Feature, layer: str = "", *, own: bool = False) -> Role:
    """Role of a feature, from its properties, name, folders or layer.

    The nearest statement wins: properties, then name, folders from the inside, layer.

    Parameters
    ----------
    feature : Feature
        The feature; its name and folders count in every file.
    layer : str
        Name of its layer.
    own : bool
        Whether pacifico wrote the file. In other files a column `kind`, `type` or `zone_type` may mean anything: there it
        counts only where its whole text is 'exclusion' (or no-build, keep-out, no-go) or, for a zone_type, hard, buffered
        or cost.

    Returns
    -------
    {'parcel', 'exclusion', 'boundary', 'other'}
        'exclusion' where a property, the name, a folder or the layer says exclusion, no-build, keep-out or no-go, where
        `role` or `zone_type` says what is there, such as water, and for polygons named as a substation.
        'boundary' is a parcel that is named so. 'other' is a derived part of a layout, such as a pad.
    """
    kind = _text(feature, "kind").lower()
    if own and kind in _DERIVED_KINDS:
        return "other"
    if kind == "boundary":
        return "boundary"
    zone_type, text = _text(feature, "zone_type"), _text(feature, "type")
    role = _text(feature, "role").lower()
    if role in {"parcel", "boundary"}:
        return "boundary" if role == "boundary" else "parcel"
    if role == "exclusion" or (stated_type(feature) and not feature.points):
        return "exclusion"
    if feature.polygons and not kind and is_substation_name(feature.name):
        return "exclusion"
    if feature.lines and not feature.polygons and kind != "line" and use_by_name(feature.name):
        return "exclusion"
    if zone_type.lower() in ZONE_TYPES or any(map(_PLAIN_EXCLUSION.fullmatch, (kind, zone_type, text))):
        return "exclusion"
    for statement in (kind, zone_type, text, feature.name) if own else (feature.name,):
        if _EXCLUSION.search(statement):
            return "exclusion"
        if _BOUNDARY.search(statement):
            return "boundary"
    for label in (*feature.labels, layer):
        # A folder 'Boundary and exclusions' decides nothing.
        if _EXCLUSION.search(label) and not _BOUNDARY.search(label):
            return "exclusion"
    return "parcel"


def is_no_road(feature: Feature) -> bool:
    """Whether a shape in a file of roads states that it is something else.

    Its role, kind or zone_type says so, or its name, such as that of a creek. The role 'road' settles it.
    """
    role, kind = _text(feature, "role").lower(), _text(feature, "kind").lower()
    stated = stated_type(feature)
    if role == "road" or stated == "road":
        return False
    if stated in USE_TYPES or role in _OTHER_ROLES or kind in _OWN_KINDS - {"road", "line"}:
        return True
    if any(_PLAIN_EXCLUSION.fullmatch(_text(feature, key)) for key in ("kind", "zone_type", "type", "role")):
        return True
    return not (may_be_road(role) and may_be_road(feature.name))


def is_entry(feature: Feature) -> bool:
    """Whether a point is an entry, by its kind or name."""
    if "entry" in (_text(feature, "kind").lower(), _text(feature, "role").lower()):
        return True
    words = _SEPARATORS.sub(" ", feature.name)
    return bool(_ENTRY.search(words)) and not _NO_ENTRY.search(words)


def foreign_zone_type(feature: Feature) -> str:
    """Value of a foreign zone_type column; empty without one."""
    text = _text(feature, "zone_type")
    return "" if text.lower() in ZONE_TYPES or _PLAIN_EXCLUSION.fullmatch(text) else text


def zone_rules(feature: Feature, *, own: bool = False) -> ZoneRules:
    """Zone type, buffer and cost multiplier that an exclusion states.

    Parameters
    ----------
    feature : Feature
        The exclusion.
    own : bool
        Whether pacifico wrote the file: then an unknown zone_type is refused. In other files it is someone else's column
        and is ignored.

    Raises
    ------
    SiteError
        Where a rule is not a number or out of its range.
    """
    buffer_m = _number(feature, "buffer_m", low=0.0, high=MAX_BUFFER_M, unit=" m")
    cost = _number(feature, "cost_multiplier", low=1.0, high=MAX_COST, unit="")
    text = _text(feature, "zone_type").lower()
    use, crossable = use_by_name(feature.name), stated_crossable(feature)
    if feature.polygons and is_substation_name(feature.name):
        use = "substation"
    if stated := stated_type(feature):
        return ZoneRules(stated, buffer_m, cost, None if own else use, crossable)
    if own and foreign_zone_type(feature):
        raise SiteError(
            f"zone_type {quoted(text)} of {quoted(feature.name)} is not known; write hard, buffered or cost, or leave it out"
        )
    return ZoneRules(None, buffer_m, cost, use, crossable)


def lenient_zone_rules(feature: Feature) -> ZoneRules:
    """Rules of a service's feature; values out of range are ignored."""

    def number(key: str, low: float, high: float) -> float | None:
        value = feature.properties.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            return None
        return float(value)

    text = _text(feature, "zone_type").lower()
    return ZoneRules(
        cast("ZoneType", text) if text in ZONE_TYPES else None,
        number("buffer_m", 0.0, MAX_BUFFER_M),
        number("cost_multiplier", 1.0, MAX_COST),
    )


def _text(feature: Feature, key: str) -> str:
    value = feature.properties.get(key)
    return clean_name(value) if isinstance(value, str) else ""


def _number(feature: Feature, key: str, *, low: float, high: float, unit: str) -> float | None:
    """Number that a property states, None where it is empty.

    Parameters
    ----------
    feature : Feature
        The exclusion.
    key : str
        Name of the property; a shapefile's columns keep its first ten characters.
    low, high : float
        Range, ends included.
    unit : str
        Unit with a leading space, for the message.
    """
    value = feature.properties.get(key, feature.properties.get(key[:10]))
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if math.isnan(number) and isinstance(value, float):
        return None  # the empty cell of a numeric column
    if not low <= number <= high:
        raise SiteError(
            f"{key} {quoted(str(value)[:200])} of {quoted(feature.name)} is not a number from {low:g} to {high:g}{unit}; correct it"
        )
    return number
