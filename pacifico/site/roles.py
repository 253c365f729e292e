"""What each feature is for: parcel, exclusion, anchor; and the rules an exclusion states."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Literal, cast

from pacifico.errors import SiteError
from pacifico.site.features import Feature, clean_name, quoted

if TYPE_CHECKING:
    from pacifico.site.model import ZoneType

Role = Literal["parcel", "exclusion", "boundary", "other"]

MAX_BUFFER_M = 10_000.0
MAX_COST = 1000.0

# 'exclusive' (an option, a right) and 'excluding' (a boundary, less something) say the opposite. Words that name ground
# without saying what is to become of it (wetland, constraint) stay out: a parcel may bear them.
_EXCLUSION = re.compile(
    r"exclu(?!siv|ding)|\b(no|non|do not|don't)[\s_-]*build|\bkeep[\s_-]*out\b|\bno[\s_-]*go\b", re.IGNORECASE
)
_BOUNDARY = re.compile(r"boundar|perimeter", re.IGNORECASE)
_ENTRY = re.compile(r"\b(entry|entries|entrances?|gates?|access)\b", re.IGNORECASE)
_NO_ENTRY = re.compile(r"\b(no|without)\b", re.IGNORECASE)
_SEPARATORS = re.compile(r"[_\W\d]+")
_ZONE_TYPES = ("hard", "buffered", "cost")
_KINDS_OF_LAYOUTS = frozenset({"buildable", "asset", "pad", "road", "cable"})


def role_of(feature: Feature, layer: str = "") -> Role:
    """Role of a feature; what is nearest to it decides: its properties, its name, its folders, then its layer.

    Returns
    -------
    {'parcel', 'exclusion', 'boundary', 'other'}
        'exclusion' where a property kind, type or zone_type, the name, a folder or the layer says exclusion, no-build,
        keep-out or no-go, or where zone_type is hard, buffered or cost. 'boundary' is a parcel that says so. 'other' is
        a derived part of a layout (buildable area, asset, pad), which is no input.
    """
    kind = _text(feature, "kind").lower()
    if kind in _KINDS_OF_LAYOUTS:
        return "other"
    if _text(feature, "zone_type").lower() in _ZONE_TYPES and kind != "boundary":
        return "exclusion"
    for said in (kind, _text(feature, "zone_type"), _text(feature, "type"), feature.name):
        if _EXCLUSION.search(said):
            return "exclusion"
        if _BOUNDARY.search(said):
            return "boundary"
    for label in (*feature.labels, layer):
        # A folder 'Boundary and exclusions' decides nothing.
        if _EXCLUSION.search(label) and not _BOUNDARY.search(label):
            return "exclusion"
    return "parcel"


def is_entry(feature: Feature) -> bool:
    """Whether a point is a way in: its kind is entry, or its name says entry, entrance, gate or access."""
    if _text(feature, "kind").lower() == "entry":
        return True
    words = _SEPARATORS.sub(" ", feature.name)
    return bool(_ENTRY.search(words)) and not _NO_ENTRY.search(words)


def zone_rules(feature: Feature) -> tuple[ZoneType, float, float]:
    """Zone type, buffer [m] and cost multiplier that an exclusion states.

    Without a zone type, a cost multiplier makes it 'cost', a buffer 'buffered', and neither 'hard'.

    Raises
    ------
    SiteError
        Where one is not of its kind or out of its range.
    """
    buffer_m = _number(feature, "buffer_m", default=0.0, low=0.0, high=MAX_BUFFER_M, unit=" m")
    cost = _number(feature, "cost_multiplier", default=1.0, low=1.0, high=MAX_COST, unit="")
    said = _text(feature, "zone_type").lower()
    if said in _ZONE_TYPES:
        return cast("ZoneType", said), buffer_m, cost
    if said and not _EXCLUSION.search(said):
        raise SiteError(
            f"zone_type {quoted(said)} of {quoted(feature.name)} is not known; write hard, buffered or cost, or leave it out"
        )
    return ("cost" if cost > 1 else "buffered" if buffer_m > 0 else "hard"), buffer_m, cost


def _text(feature: Feature, key: str) -> str:
    value = feature.properties.get(key)
    return clean_name(value) if isinstance(value, str) else ""


def _number(feature: Feature, key: str, *, default: float, low: float, high: float, unit: str) -> float:
    # A shapefile's column names end after ten characters.
    value = feature.properties.get(key, feature.properties.get(key[:10]))
    if value is None or (isinstance(value, str) and not value.strip()):
        return default
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if math.isnan(number) and isinstance(value, float):
        return default  # the empty cell of a numeric column
    if not low <= number <= high:
        raise SiteError(
            f"{key} {quoted(str(value)[:200])} of {quoted(feature.name)} is not a number from {low:g} to {high:g}{unit}; correct it"
        )
    return number
