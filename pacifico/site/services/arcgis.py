"""Fetch ArcGIS layers, with a proof that all features came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pacifico.errors import OutsideServiceError
from pacifico.site.features import MAX_FEATURES, Feature, clean_name
from pacifico.site.services import pages
from pacifico.site.services.addresses import display_url
from pacifico.site.services.fetch import BadRequestError
from pacifico.site.services.pages import Collection, ask, describe, named, split_address, without_filters

if TYPE_CHECKING:
    from pacifico.site.services.fetch import Answer, Fetcher
    from pacifico.site.services.pages import Bounds

IDS_AT_A_TIME = 100
"""Objects asked for by their ids at a time: longer addresses are refused by some servers."""


@dataclass(frozen=True)
class _Layer:
    """A layer, how to ask for it, and the limits it states."""

    url: str
    query: dict[str, str]
    page: int
    """Features asked for at a time."""
    states_limit: bool
    """Whether it states the most features that one answer holds."""
    object_id: str
    """Field of the object id, empty where it states none."""
    has_pages: bool
    """Whether it may support paging: False only where it says no."""


def fetch_arcgis(fetcher: Fetcher, url: str, bounds: Bounds) -> tuple[str, tuple[Feature, ...], tuple[str, ...]]:
    """Name, features and warnings of a layer near a box.

    Pages are read in the order of the object id. Where they do not prove that the layer is whole, the service's own count
    must equal what came, or all features are asked for by their object ids.

    Raises
    ------
    OutsideServiceError
        Where the service fails, or the features can't be shown to be all.
    """
    address, extra = split_address(url, r"/query/?$")
    about = describe(fetcher, address, {**without_filters(extra), "f": "json"})
    if about.get("type") in {"Group Layer", "Raster Layer", "Table"}:
        raise OutsideServiceError(
            f"{display_url(url)}: it is a {about['type']}, without features on a map; give a feature layer"
        )
    layer = _layer(address, extra, about, bounds, fetcher.settings.page_size)
    found = _collect(fetcher, layer)
    name = clean_name(str(about.get("name") or ""))
    display_field = str(about.get("displayField") or "").lower()
    return name, tuple(named(f, name, display_field) for f in found.features), tuple(found.warnings)


def _layer(address: str, extra: dict[str, str], about: dict[str, Any], bounds: Bounds, page_size: int) -> _Layer:
    """Layer with its query and the limits that its description states.

    Parameters
    ----------
    address : str
        Address of the layer.
    extra : dict
        The user's own parameters.
    about : dict
        Description of the layer; may be empty.
    bounds : (float, float, float, float)
        West, south, east, north [°].
    page_size : int
        Most features to ask for at a time.
    """
    limit = about.get("maxRecordCount")
    states_limit = type(limit) is int and limit > 0
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
    capable = about.get("advancedQueryCapabilities")
    says_no = isinstance(capable, dict) and capable.get("supportsPagination") is False
    page = min(page_size, limit) if type(limit) is int and states_limit else page_size
    return _Layer(address, query, page, states_limit, _object_id_field(about), not says_no)


def _object_id_field(about: dict[str, Any]) -> str:
    """Object id field in a layer's description, or empty."""
    stated = about.get("objectIdField")
    if isinstance(stated, str) and stated:
        return stated
    fields = about.get("fields")
    found = (
        [f.get("name") for f in fields if isinstance(f, dict) and f.get("type") == "esriFieldTypeOID"]
        if isinstance(fields, list)
        else []
    )
    return str(found[0]) if found and found[0] else ""


def _collect(fetcher: Fetcher, layer: _Layer) -> Collection:
    """All features of a layer, by pages or by object ids."""
    refusal: BadRequestError | None = None
    found = Collection(layer.url, layer.object_id)
    came = ""
    if layer.has_pages:
        try:
            reliable = _add_pages(fetcher, layer, found)
            count = _count(fetcher, layer)
            if reliable if count is None else len(found) >= count:
                return found
            came = f"{len(found):,} features came" + (f" of the {count:,} that it counts" if count is not None else "")
        except BadRequestError as error:
            # Perhaps it does not know the parameters of paging.
            refusal = error
    try:
        return _by_ids(fetcher, layer)
    except BadRequestError as error:
        if refusal is not None:
            raise refusal from None
        if not came:
            raise
        raise OutsideServiceError(
            f"{display_url(layer.url)}: {came}, its pages are not reliable, and it lists no object ids: nothing shows that they "
            "are all; download the layer and give the file"
        ) from error


def _add_pages(fetcher: Fetcher, layer: _Layer, found: Collection) -> bool:
    """Add pages; True where they prove that the layer is whole.

    A short page without a flag for more is the last, where the layer states its limit or has used the flag before. A full
    page without the flag is followed by another question. Repeated or empty pages prove nothing.
    """
    offset, reliable, has_flagged = 0, True, False
    order = {"orderByFields": layer.object_id} if layer.object_id else {}
    for _ in range(pages.MAX_PAGES):
        place = {"resultOffset": str(offset), "resultRecordCount": str(layer.page)}
        try:
            answer = ask(fetcher, f"{layer.url}/query", {**layer.query, **order, **place})
        except BadRequestError:
            if not offset:
                raise
            return False
        page = found.add(answer)
        more = _has_more(answer)
        has_flagged |= more
        if page.total and not page.new:
            return False
        reliable &= page.new == page.total and not (more and page.total == 0)
        if not more and page.total < layer.page:
            knows_limit = layer.states_limit or has_flagged or offset > 0
            return reliable and knows_limit
        # An empty page may not be the last: the service filters after it has counted.
        offset += page.total or layer.page
    raise OutsideServiceError(
        f"{display_url(layer.url)}: more than {pages.MAX_PAGES:,} pages; cut the layer down, and give the file"
    )


def _has_more(answer: Answer) -> bool:
    """Whether a page says that more features follow."""
    properties = answer.document.get("properties")
    return bool(
        answer.document.get("exceededTransferLimit")
        or (isinstance(properties, dict) and properties.get("exceededTransferLimit"))
    )


def _count(fetcher: Fetcher, layer: _Layer) -> int | None:
    """Number of features that the service counts, or None."""
    query = {**layer.query, "f": "json", "returnCountOnly": "true", "returnGeometry": "false"}
    try:
        count = ask(fetcher, f"{layer.url}/query", query).document.get("count")
    except OutsideServiceError:
        return None
    return count if type(count) is int else None


def _by_ids(fetcher: Fetcher, layer: _Layer) -> Collection:
    """All features of a layer by their object ids.

    Raises
    ------
    BadRequestError
        Where the service lists no object ids.
    OutsideServiceError
        Where it does not give every object that it lists.
    """
    query = {**layer.query, "f": "json", "returnIdsOnly": "true", "returnGeometry": "false"}
    listing = ask(fetcher, f"{layer.url}/query", query).document
    listed = listing.get("objectIds", [] if "objectIdFieldName" in listing else None)
    if listed is None and "objectIds" in listing:
        listed = []
    if not isinstance(listed, list) or not all(type(i) is int for i in listed):
        raise BadRequestError(
            f"{display_url(layer.url)}: it gives no list of object ids; download the layer and give the file"
        )
    ids = sorted(set(listed))
    if len(ids) > MAX_FEATURES:
        raise OutsideServiceError(
            f"{display_url(layer.url)}: {len(ids):,} features near the site, limit {MAX_FEATURES:,}; cut the layer down"
        )
    found = Collection(layer.url, layer.object_id or str(listing.get("objectIdFieldName") or ""))
    step = min(IDS_AT_A_TIME, layer.page) if layer.states_limit else IDS_AT_A_TIME
    for start in range(0, len(ids), step):
        some = ids[start : start + step]
        answer = ask(fetcher, f"{layer.url}/query", {**layer.query, "objectIds": ",".join(map(str, some))})
        found.add(answer)
        if len(found) < start + len(some) or _has_more(answer):
            raise OutsideServiceError(
                f"{display_url(layer.url)}: it lists {len(ids):,} features near the site and does not give them all "
                f"({len(found):,} of the first {start + len(some):,} came); try again later, or download the layer and give the file"
            )
    return found
