"""Type of a zone by its properties or name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast, get_args

from pacifico.site.features import clean_name
from pacifico.site.model import ZoneType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.site.features import Feature

PLAIN_TYPES = ("hard", "buffered", "cost")
"""Zone types that say how a zone counts."""
USE_TYPES = tuple(t for t in get_args(ZoneType) if t not in PLAIN_TYPES)
"""Zone types that say what is there."""
HALF_WIDTH_M: Mapping[ZoneType, float] = {
    "water": 10.0,
    "road": 5.0,
    "railway": 15.0,
    "pipeline": 7.5,
    "line": 15.0,
    "gap": 5.0,
    "wetland": 15.0,
    "habitat": 15.0,
    "substation": 5.0,
}
"""Ground kept free on each side of a drawn line that states no buffer [m]; engineering judgement."""
LINE_HALF_WIDTH_M = ((100.0, 12.0), (161.0, 15.0), (287.0, 20.0), (400.0, 23.0), (600.0, 30.0))
"""Half the corridor of a transmission line, for voltages below each limit: (limit [kV], half width [m]). Usual widths of
rights of way in the United States: 100 ft at 138 kV, 150 ft at 345 kV, 200 ft at 500 kV."""
WIDEST_LINE_HALF_WIDTH_M = 35.0
"""Half the corridor of lines above these voltages [m]."""

_VOLTAGE = re.compile(r"(\d+(?:[.,]\d+)?)\s*kv\b", re.IGNORECASE)
_POI = re.compile(
    r"\bpoi\b|\bpoints?\s+of\s+(interconnection|connection)\b|\b(grid|inter)[\s_-]*connection\b", re.IGNORECASE
)
_SUBSTATION = re.compile(
    r"(the\s+)?((existing|utility|grid|transmission|distribution|\d+([.,]\d+)?\s*kv)\s+)*(sub-?station|switch(ing)?\s*(yard|station))s?"
    r"(\s*\(?(existing|[\d.,]+\s*kv)\)?)*",
    re.IGNORECASE,
)
_NEVER_BY_NAME = re.compile(
    r"\b(wet\s?lands?|marsh(es)?|swamps?|bogs?|fens?|habitats?|nest(s|ing)?|species|flood\w*)\b", re.IGNORECASE
)
"""Names of ground that is crossed only where the file says so."""
# railway comes before road: the first match decides
_NAMES: tuple[tuple[ZoneType, re.Pattern[str]], ...] = (
    ("line", re.compile(r"\b(transmission|power|overhead|electric)[\s_-]*lines?\b|\b\d+([.,]\d+)?\s*kv\b", re.IGNORECASE)),
    ("pipeline", re.compile(r"\bpipe[\s_-]*lines?\b|\b(gas|water|oil)[\s_-]*mains?\b", re.IGNORECASE)),
    ("railway", re.compile(r"\brail(way|road)?s?\b", re.IGNORECASE)),
    ("water", re.compile(r"\b(creeks?|streams?|rivers?|brooks?|ditch(es)?|canals?|drains?|drainage|bayous?|sloughs?|arroyos?|water(way|course)s?)\b", re.IGNORECASE)),
    ("road", re.compile(r"\b(roads?|streets?|highways?|freeways?|motorways?)\b", re.IGNORECASE)),
)  # fmt: skip

_ROAD_WORDS = re.compile(
    r"\b(roads?|rd|streets?|st|lanes?|ln|drives?|dr|ways?|avenues?|ave|tracks?|trails?|paths?|drive\s?ways?|access|highways?|hwy|routes?)\b",
    re.IGNORECASE,
)


def stated_type(feature: Feature) -> ZoneType | None:
    """Zone type that `zone_type` or `role` states."""
    for key in ("zone_type", "role"):
        text = _text(feature, key)
        if text in get_args(ZoneType):
            return cast("ZoneType", text)
    return None


def use_by_name(name: str) -> ZoneType | None:
    """Zone type that a name means, such as water."""
    if _NEVER_BY_NAME.search(name):
        return None
    return next((kind for kind, pattern in _NAMES if pattern.search(name)), None)


def may_be_road(name: str) -> bool:
    """Whether a name says road, such as 'Creek Road', or nothing that a road is not."""
    if _ROAD_WORDS.search(name.replace("_", " ")):
        return True
    return use_by_name(name) in {None, "road"} and not _NEVER_BY_NAME.search(name) and not is_substation_name(name)


def is_poi(feature: Feature) -> bool:
    """Whether a point is a grid connection.

    A point of interconnection, or a substation drawn as a point.
    """
    role = _text(feature, "role")
    if role:
        return role in {"poi", "substation"}
    name = feature.name.replace("_", " ")
    return bool(_POI.search(name)) or is_substation_name(name)


def is_substation_name(name: str) -> bool:
    """Whether a name is that of a substation."""
    return bool(_SUBSTATION.fullmatch(name.replace("_", " ").strip()))


def half_width_m(kind: ZoneType, feature: Feature) -> float:
    """Usual half width of a drawn line [m].

    Half of `width_m` where the feature states it; transmission lines by their voltage.
    """
    width = stated_width_m(feature)
    if width is not None:
        return width / 2
    kv = voltage_kv(feature)
    if kind != "line" or kv is None:
        return HALF_WIDTH_M[kind]
    return next((half for limit, half in LINE_HALF_WIDTH_M if kv < limit), WIDEST_LINE_HALF_WIDTH_M)


def stated_width_m(feature: Feature) -> float | None:
    """Width that `width_m` states for a drawn line [m]; None where it is no usable number."""
    width = feature.properties.get("width_m")
    if isinstance(width, int | float) and not isinstance(width, bool) and 0 < width < 1000:
        return float(width)
    return None


def voltage_kv(feature: Feature) -> float | None:
    """Voltage that a line's properties or name state [kV]."""
    for key in ("voltage_kv", "voltage"):
        value = feature.properties.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return float(value) / (1000.0 if value > 2000 else 1.0)
        if isinstance(value, str) and (found := _VOLTAGE.search(value)):
            return float(found.group(1).replace(",", "."))
    found = _VOLTAGE.search(feature.name)
    return float(found.group(1).replace(",", ".")) if found else None


def is_existing_road(feature: Feature, kind: ZoneType) -> bool:
    """Whether a feature is an existing road that the plant may use."""
    return kind == "road" and (_text(feature, "role") == "road" or states(feature, "existing"))


def states(feature: Feature, key: str) -> bool:
    """Whether a property of a feature says true."""
    return str(feature.properties.get(key)).lower() == "true"


def stated_crossable(feature: Feature) -> bool | None:
    """Whether a feature states that it may be crossed."""
    value = feature.properties.get("crossable")
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in {"true", "yes", "1"} else False if word in {"false", "no", "0"} else None
    return bool(value) if isinstance(value, bool | int) else None


def _text(feature: Feature, key: str) -> str:
    """Text of a property in lower case."""
    value = feature.properties.get(key)
    return clean_name(value).lower() if isinstance(value, str) else ""
