"""Layers of map services as features: ArcGIS feature services and OGC API Features, page by page."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urljoin, urlsplit, urlunsplit

from pacifico.errors import InputError, OutsideServiceError, PacificoError
from pacifico.site.esri import is_esri, read_esri
from pacifico.site.features import MAX_FEATURES, Feature, clean_name, in_lonlat
from pacifico.site.fetch import PASSING, Answer, Fetcher, FetchSettings, NotThereError, PassingError, shown
from pacifico.site.geojson import read_geojson

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PAGES = 500
IDS_AT_A_TIME = 100
"""Objects asked for by their number at a time, where a layer has no pages."""
_CRS84 = ("CRS84", "CRS84h", "OGC:CRS84")
_ARCGIS = re.compile(r"/(?:FeatureServer|MapServer)/\d+(?:/query)?/?$", re.IGNORECASE)
_ARCGIS_SERVICE = re.compile(r"/(?:FeatureServer|MapServer)/?$", re.IGNORECASE)
_OGC = re.compile(r"/collections/[^/]+(?:/items)?/?$", re.IGNORECASE)
_NAMES = ("name", "title", "label")
# Ours to give: another value would change what comes back.
_OURS = {"f", "geometry", "geometrytype", "insr", "outsr", "spatialrel", "returngeometry", "outfields", "resultoffset",
         "resultrecordcount", "orderbyfields", "objectids", "returnidsonly", "bbox", "limit", "offset", "crs", "bbox-crs"}  # fmt: skip

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Fetched:
    """Features of a layer near a site."""

    url: str
    """Without secrets."""
    name: str
    """Of the layer, as the service says."""
    features: tuple[Feature, ...]
    """In longitude and latitude."""
    warnings: tuple[str, ...] = ()


def is_url(text: str) -> bool:
    """Whether a source is a web address in place of a path."""
    return re.match(r"https?://", text, re.IGNORECASE) is not None


def kind_of(url: str) -> Literal["arcgis", "ogc"]:
    """Protocol that an address speaks, by its form.

    Raises
    ------
    InputError
        For an address of neither form.
    """
    try:
        path = urlsplit(url).path
    except ValueError as error:
        raise InputError(f"{clean_name(url)[:160]} is no web address ({error}); check it") from None
    if _ARCGIS.search(path):
        return "arcgis"
    if _OGC.search(path):
        return "ogc"
    if _ARCGIS_SERVICE.search(path):
        raise InputError(
            f"{shown(url)} is a service, not a layer of it; add the layer's number, such as {path.rstrip('/')}/0"
        )
    raise InputError(
        f"{shown(url)} is no layer that can be asked; give an ArcGIS layer (.../FeatureServer/0), an OGC API collection "
        "(.../collections/NAME/items), or download the file and give its path"
    )


def fetch_layer(url: str, bounds: Bounds, *, settings: FetchSettings | None = None) -> Fetched:
    """Features of a layer that meet a box.

    Parameters
    ----------
    url : str
        ArcGIS layer (``.../FeatureServer/0``, MapServer too) or OGC API Features collection (``.../collections/x/items``);
        a query in it (`where`, `filter`, `token`) is passed on.
    bounds : (float, float, float, float)
        West, south, east, north [°].
    settings : FetchSettings, optional
        Patience and limits.

    Raises
    ------
    InputError
        For an address that is none of these.
    OutsideServiceError
        Where the service fails, refuses, or says what can't be used.

    References
    ----------
    Esri, ArcGIS REST API, Query (Feature Service/Layer); OGC 17-069r4, OGC API - Features - Part 1: Core.
    """
    kind = kind_of(url)
    fetcher = Fetcher(settings or FetchSettings())
    try:
        return (_arcgis if kind == "arcgis" else _ogc)(fetcher, url, bounds)
    except OutsideServiceError:
        raise
    except PacificoError as error:
        # what a service gives is not the user's fault
        raise OutsideServiceError(f"{shown(url)}: {error}") from None


def _arcgis(fetcher: Fetcher, url: str, bounds: Bounds) -> Fetched:
    layer, extra = _parts(url, r"/query/?$")
    about = _about(fetcher, layer, {**_token(extra), "f": "json"})
    if about.get("type") in {"Group Layer", "Raster Layer", "Table"}:
        raise OutsideServiceError(
            f"{shown(url)}: it is a {about['type']}, without features on a map; give a feature layer"
        )
    number = about.get("maxRecordCount")
    page = min(fetcher.settings.page_size, number) if type(number) is int and number > 0 else fetcher.settings.page_size
    formats = str(about.get("supportedQueryFormats", "geojson")).lower()
    query = {
        "where": "1=1",
        **extra,
        "geometry": ",".join(f"{v:.7f}" for v in bounds),
        "geometryType": "esriGeometryEnvelope",
        "inSR": "4326",
        "spatialRel": "esriSpatialRelIntersects",
        "outFields": "*",
        "returnGeometry": "true",
        "outSR": "4326",
        "f": "geojson" if "geojson" in formats else "json",
    }
    name = clean_name(str(about.get("name") or ""))
    display = str(about.get("displayField") or "").lower()
    oid = _object_id_field(about)
    capable = about.get("advancedQueryCapabilities")
    pages = not (isinstance(capable, dict) and capable.get("supportsPagination") is False)
    found = _by_pages(fetcher, layer, query, page, oid) if pages else _by_ids(fetcher, layer, query)
    features, warnings = _gathered(found, url, key=oid.lower() if oid else None)
    return Fetched(shown(url), name, tuple(_named(f, name, display) for f in features), warnings)


def _object_id_field(about: dict[str, Any]) -> str:
    said = about.get("objectIdField")
    if isinstance(said, str) and said:
        return said
    fields = about.get("fields")
    found = (
        [f.get("name") for f in fields if isinstance(f, dict) and f.get("type") == "esriFieldTypeOID"]
        if isinstance(fields, list)
        else []
    )
    return str(found[0]) if found and found[0] else ""


def _by_pages(fetcher: Fetcher, layer: str, query: dict[str, str], page: int, oid: str) -> Iterator[Answer]:
    """Pages in the order of the object id, so that they neither overlap nor skip."""
    offset = 0
    order = {"orderByFields": oid} if oid else {}
    for _ in range(MAX_PAGES):
        answer = _ask(
            fetcher, f"{layer}/query", {**query, **order, "resultOffset": str(offset), "resultRecordCount": str(page)}
        )
        yield answer
        document = answer.document
        more = document.get("properties")
        if not (
            document.get("exceededTransferLimit") or (isinstance(more, dict) and more.get("exceededTransferLimit"))
        ):
            return
        # a page may be empty and yet not the last: the service filters after it has counted
        offset += len(_members(answer)) or page
    raise OutsideServiceError(f"{shown(layer)}: more than {MAX_PAGES:,} pages; cut the layer down, and give the file")


def _by_ids(fetcher: Fetcher, layer: str, query: dict[str, str]) -> Iterator[Answer]:
    """All by their object ids, for layers without pages."""
    listing = _ask(
        fetcher, f"{layer}/query", {**query, "f": "json", "returnIdsOnly": "true", "returnGeometry": "false"}
    )
    ids = listing.document.get("objectIds") or []
    if not isinstance(ids, list) or not all(type(i) is int for i in ids):
        raise OutsideServiceError(
            f"{shown(layer)}: its list of object ids is none; download the layer and give the file"
        )
    if len(ids) > MAX_FEATURES:
        raise OutsideServiceError(
            f"{shown(layer)}: {len(ids):,} features near the site, limit {MAX_FEATURES:,}; cut the layer down"
        )
    ids.sort()
    for start in range(0, len(ids), IDS_AT_A_TIME):
        some = ",".join(map(str, ids[start : start + IDS_AT_A_TIME]))
        yield _ask(fetcher, f"{layer}/query", {**query, "objectIds": some})


def _about(fetcher: Fetcher, url: str, query: dict[str, str]) -> dict[str, Any]:
    """What a service says of a layer; nothing where it says nothing: the query itself will tell."""
    try:
        return _ask(fetcher, url, query).document
    except NotThereError:
        return {}


def _ask(fetcher: Fetcher, url: str, query: dict[str, str]) -> Answer:
    """Answer without an error inside it; ArcGIS says its errors with status 200."""
    for attempt in range(fetcher.settings.retries + 1):
        answer = fetcher.get(url, query)
        error = answer.document.get("error")
        if error is None:
            return answer
        code = error.get("code") if isinstance(error, dict) else None
        said = [str(error.get("message") or "")] if isinstance(error, dict) else [str(error)]
        details = error.get("details") if isinstance(error, dict) else None
        said += [str(d) for d in details] if isinstance(details, list) else []
        words = clean_name(": ".join(dict.fromkeys(s for s in said if s)))[:200] or "no reason given"
        if code not in PASSING:
            remedy = (
                "it needs a token: add token=... to the address"
                if code in {498, 499, 403, 401}
                else "check the address and the layer"
            )
            raise OutsideServiceError(
                f"{shown(url)}: it answers error {code}: {words}; {remedy}, or download it and give the file"
            )
        fetcher.passed(PassingError(f"it answers error {code}: {words}"), attempt, url)
    raise AssertionError  # the last `passed` raises


def _ogc(fetcher: Fetcher, url: str, bounds: Bounds) -> Fetched:
    collection, extra = _parts(url, r"/items/?$")
    about = _about(fetcher, collection, {**_token(extra), "f": "json"})
    name = clean_name(str(about.get("title") or about.get("id") or ""))
    query = {
        **extra,
        "bbox": ",".join(f"{v:.7f}" for v in bounds),
        "limit": str(fetcher.settings.page_size),
        "f": "json",
    }
    features, warnings = _gathered(_linked(fetcher, f"{collection}/items", query), url, key=None)
    return Fetched(shown(url), name, tuple(_named(f, name, "") for f in features), warnings)


def _linked(fetcher: Fetcher, url: str, query: dict[str, str]) -> Iterator[Answer]:
    """Pages by their links to the next."""
    answer = _ask(fetcher, url, query)
    seen = {answer.url}
    for _ in range(MAX_PAGES):
        crs = answer.headers.get("Content-Crs") or answer.headers.get("content-crs") or "CRS84"
        if not crs.strip("<> ").endswith(_CRS84):
            raise OutsideServiceError(
                f"{shown(url)}: it gives coordinates in {clean_name(crs)}, not the longitude and latitude it was asked for; "
                "download the layer and give the file"
            )
        yield answer
        link = _next(answer)
        if link is None:
            return
        if urlsplit(link)[:2] != urlsplit(url)[:2]:
            raise OutsideServiceError(
                f"{shown(url)}: its next page is at {shown(link)}, another server; give that layer's own address"
            )
        if link in seen:
            raise OutsideServiceError(f"{shown(url)}: its pages lead in a circle; download the layer and give the file")
        seen.add(link)
        answer = _ask(fetcher, link, {})
    raise OutsideServiceError(f"{shown(url)}: more than {MAX_PAGES:,} pages; cut the layer down, and give the file")


def _next(answer: Answer) -> str | None:
    links = answer.document.get("links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("rel") == "next" and isinstance(link.get("href"), str):
            return str(urljoin(answer.url, link["href"]))
    return None


def _members(answer: Answer) -> list[Any]:
    members = answer.document.get("features")
    if not isinstance(members, list):
        raise OutsideServiceError(
            f"{shown(answer.url)}: it gives no features (a list is expected); check that this is the address of a layer"
        )
    return members


def _gathered(answers: Iterator[Answer], url: str, *, key: str | None) -> tuple[list[Feature], tuple[str, ...]]:
    """Features of all pages, each once where they have a key."""
    found: list[Feature] = []
    keys: set[object] = set()
    said: dict[str, None] = {}
    for answer in answers:
        _members(answer)
        reading = read_esri(answer.document) if is_esri(answer.document) else read_geojson(answer.data)
        said |= dict.fromkeys(reading.warnings)
        for layer in reading.layers:
            for feature in in_lonlat(layer).features:
                mark = feature.properties.get(key) if key else None
                if isinstance(mark, int | str):
                    if mark in keys:
                        continue
                    keys.add(mark)
                found.append(feature)
        if len(found) > MAX_FEATURES:
            raise OutsideServiceError(
                f"{shown(url)}: more than {MAX_FEATURES:,} features near the site, the limit; cut the layer down"
            )
    return found, tuple(said)


def _named(feature: Feature, layer: str, display: str) -> Feature:
    """Feature with a name: its own, that of the layer's display field, else the layer's."""
    for key in (*_NAMES, display):
        value = feature.properties.get(key)
        if isinstance(value, str) and value.strip():
            return replace(feature, name=clean_name(value))
        if isinstance(value, float) and not math.isnan(value):
            return replace(feature, name=f"{value:g}")
    return replace(feature, name=layer)


def _parts(url: str, tail: str) -> tuple[str, dict[str, str]]:
    """Address of a layer without its query verb, and what the user's query adds."""
    parts = urlsplit(url)
    path = re.sub(tail, "", parts.path, flags=re.IGNORECASE).rstrip("/")
    extra = {k: v for k, v in parse_qsl(parts.query, keep_blank_values=True) if k.lower() not in _OURS}
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), extra


def _token(extra: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in extra.items() if k.lower() not in {"where", "filter", "filter-lang"}}
