"""Combine the pages of a layer, each feature once."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from pacifico.crs import LONLAT
from pacifico.errors import OutsideServiceError
from pacifico.site.esri import is_esri, read_esri
from pacifico.site.features import MAX_FEATURES, NAME_KEYS, Feature, clean_name, to_lonlat
from pacifico.site.geojson import read_collection
from pacifico.site.services.addresses import display_url
from pacifico.site.services.fetch import TRANSIENT, Answer, BadRequestError, Fetcher, NotFoundError, TransientError

MAX_PAGES = 500
"""Most pages of a layer."""
# Parameters that pacifico sets itself: another value would change what comes back.
_OWN_PARAMETERS = frozenset({
    "f", "geometry", "geometrytype", "insr", "outsr", "spatialrel", "returngeometry", "outfields", "resultoffset",
    "resultrecordcount", "orderbyfields", "objectids", "returnidsonly", "returncountonly", "bbox", "limit", "offset", "crs",
    "bbox-crs",
})  # fmt: skip
_NEEDS_TOKEN = frozenset({401, 403, 498, 499})
"""ArcGIS error codes of layers that are not public."""

if TYPE_CHECKING:
    Bounds = tuple[float, float, float, float]
    """West, south, east, north [°]."""


class PageCount(NamedTuple):
    """Features on a page, and how many of them are new."""

    total: int
    new: int


@dataclass
class Collection:
    """Features of all pages of a layer, each once.

    Features are told apart by the property `key`, or by their whole content where it is empty. Equal ones on one page are
    different features: some layers hold duplicates, and views may repeat an object id.
    """

    url: str
    key: str = ""
    features: list[Feature] = field(default_factory=list)
    warnings: dict[str, None] = field(default_factory=dict)
    repeats_without_id: int = 0
    """Features left out as repeats of an earlier page that may be duplicates: they carry no id."""
    _seen: set[tuple[str, int]] = field(default_factory=set)

    def __len__(self) -> int:
        """Number of different features, those without geometry included."""
        return len(self._seen)

    def add(self, answer: Answer) -> PageCount:
        """Add a page.

        Raises
        ------
        OutsideServiceError
            Where it holds no list of features, or all pages together hold too many.
        SiteError, CRSMismatchError
            Where a feature can't be read.
        """
        members = page_members(answer)
        new = []
        on_page: Counter[str] = Counter()
        for member in members:
            identity, has_id = self._identity(member)
            on_page[identity] += 1
            if (identity, on_page[identity]) not in self._seen:
                self._seen.add((identity, on_page[identity]))
                new.append(member)
            elif not has_id:
                self.repeats_without_id += 1
        if len(self._seen) > MAX_FEATURES:
            raise OutsideServiceError(
                f"{display_url(self.url)}: more than {MAX_FEATURES:,} features near the site, the limit; cut the layer down"
            )
        document = {**answer.document, "features": new}
        reading = read_esri(document, default_crs=LONLAT) if is_esri(answer.document) else read_collection(document)
        self.warnings |= dict.fromkeys(reading.warnings)
        self.features += [f for layer in reading.layers for f in to_lonlat(layer).features]
        return PageCount(len(members), len(new))

    def _identity(self, member: Any) -> tuple[str, bool]:
        """Text that tells a feature from others, and whether it has an id."""
        if self.key and isinstance(member, dict):
            properties = member.get("attributes", member.get("properties"))
            if isinstance(properties, dict) and isinstance(properties.get(self.key), int | str):
                return str(properties[self.key]), True
        return json.dumps(member, sort_keys=True), isinstance(member, dict) and member.get("id") is not None


def page_members(answer: Answer) -> list[Any]:
    """Features of a page, as the JSON holds them.

    Raises
    ------
    OutsideServiceError
        Where it holds no list of features.
    """
    members = answer.document.get("features")
    if not isinstance(members, list):
        raise OutsideServiceError(
            f"{display_url(answer.url)}: it gives no features (a list is expected); check that this is the address of a layer"
        )
    return members


def ask(fetcher: Fetcher, url: str, query: dict[str, str]) -> Answer:
    """Answer of a service; an error inside it is raised.

    Raises
    ------
    OutsideServiceError
        Where the answer is an error.
    """
    for attempt in range(fetcher.settings.retries + 1):
        answer = fetcher.get(url, query)
        error = answer.document.get("error")
        if error is None:
            return answer
        code = error.get("code") if isinstance(error, dict) else None
        texts = [str(error.get("message") or "")] if isinstance(error, dict) else [str(error)]
        details = error.get("details") if isinstance(error, dict) else None
        texts += [str(d) for d in details] if isinstance(details, list) else []
        message = clean_name(": ".join(dict.fromkeys(t for t in texts if t)))[:200] or "no reason given"
        if code not in TRANSIENT:
            remedy = (
                "it needs a token: add token=... to the address"
                if code in _NEEDS_TOKEN
                else "check the address and the layer"
            )
            kind = BadRequestError if code == 400 else OutsideServiceError
            raise kind(
                f"{display_url(url)}: it answers error {code}: {message}; {remedy}, or download it and give the file"
            )
        fetcher.pause_or_give_up(TransientError(f"it answers error {code}: {message}"), attempt, url)
    raise AssertionError  # the last attempt gives up


def describe(fetcher: Fetcher, url: str, query: dict[str, str]) -> dict[str, Any]:
    """Description of a layer, empty where the service has none."""
    try:
        return ask(fetcher, url, query).document
    except NotFoundError:
        return {}


def named(feature: Feature, layer: str, display_field: str = "") -> Feature:
    """Feature with its own name, its display field's, or the layer's."""
    for key in (*NAME_KEYS, display_field):
        value = feature.properties.get(key)
        if isinstance(value, str) and value.strip():
            return replace(feature, name=clean_name(value))
        if isinstance(value, float) and not math.isnan(value):
            return replace(feature, name=f"{value:g}")
    return replace(feature, name=layer)


def split_address(url: str, tail: str) -> tuple[str, dict[str, str]]:
    """Address of a layer, and the user's own parameters."""
    parts = urlsplit(url)
    path = re.sub(tail, "", parts.path, flags=re.IGNORECASE).rstrip("/")
    extra = {k: v for k, v in parse_qsl(parts.query, keep_blank_values=True) if k.lower() not in _OWN_PARAMETERS}
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), extra


def without_filters(extra: dict[str, str]) -> dict[str, str]:
    """The user's parameters without filters, for a layer's description."""
    return {k: v for k, v in extra.items() if k.lower() not in {"where", "filter", "filter-lang"}}
