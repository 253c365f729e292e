"""Fetch OGC API collections, with a proof that all features came."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from pacifico.errors import OutsideServiceError
from pacifico.site.features import Feature, clean_name
from pacifico.site.services import pages
from pacifico.site.services.addresses import display_url
from pacifico.site.services.pages import Collection, ask, describe, named, page_members, split_address, without_filters

if TYPE_CHECKING:
    from pacifico.site.services.fetch import Answer, Fetcher
    from pacifico.site.services.pages import Bounds

_CRS84 = ("CRS84", "CRS84h", "OGC:CRS84")


def fetch_ogc(fetcher: Fetcher, url: str, bounds: Bounds) -> tuple[str, tuple[Feature, ...], tuple[str, ...]]:
    """Name, features and warnings of a collection near a box.

    Raises
    ------
    OutsideServiceError
        Where the service fails, or the features can't be shown to be all.
    """
    collection, extra = split_address(url, r"/items/?$")
    about = describe(fetcher, collection, {**without_filters(extra), "f": "json"})
    name = clean_name(str(about.get("title") or about.get("id") or ""))
    query = {
        **extra,
        "bbox": ",".join(f"{v:.7f}" for v in bounds),
        "limit": str(fetcher.settings.page_size),
        "f": "json",
    }
    found = Collection(url)
    _add_pages(fetcher, f"{collection}/items", query, found)
    return name, tuple(named(f, name) for f in found.features), tuple(found.warnings)


def _add_pages(fetcher: Fetcher, url: str, query: dict[str, str], found: Collection) -> None:
    """Add all pages to a collection, by their links to the next.

    Parameters
    ----------
    fetcher : Fetcher
        Asks.
    url : str
        Address of the items.
    query : dict
        Parameters of the first page.
    found : Collection
        Gets the pages.

    Raises
    ------
    OutsideServiceError
        Where pages repeat, lead to another server, or do not add up to the whole.
    """
    answer = ask(fetcher, url, query)
    seen = {answer.url}
    matched: int | None = None
    for _ in range(pages.MAX_PAGES):
        _require_crs84(answer, url)
        _require_returned(answer, url)
        page = found.add(answer)
        stated = answer.document.get("numberMatched")
        matched = stated if type(stated) is int else matched
        link = next_link(answer)
        if link is None:
            is_full = page.total >= fetcher.settings.page_size
            if matched is None and is_full and not _ends_here(fetcher, url, query, found):
                raise OutsideServiceError(
                    f"{display_url(url)}: it gives {len(found):,} features, as many as asked for, and no link to a next page or "
                    "total: nothing shows that they are all; download the layer and give the file"
                )
            break
        if urlsplit(link)[:2] != urlsplit(url)[:2]:
            raise OutsideServiceError(
                f"{display_url(url)}: its next page is at {display_url(link)}, another server; give that layer's own address"
            )
        if link in seen or (page.total and not page.new):
            raise OutsideServiceError(
                f"{display_url(url)}: its pages repeat, they lead in a circle; download the layer and give the file"
            )
        seen.add(link)
        answer = ask(fetcher, link, {})
    else:
        raise OutsideServiceError(
            f"{display_url(url)}: more than {pages.MAX_PAGES:,} pages; cut the layer down, and give the file"
        )
    if matched is not None and matched > len(found) + found.repeats_without_id:
        raise OutsideServiceError(
            f"{display_url(url)}: it counts {matched:,} features near the site and gives {len(found):,}; download the layer and "
            "give the file"
        )


def _ends_here(fetcher: Fetcher, url: str, query: dict[str, str], found: Collection) -> bool:
    """Whether the service has nothing after the features that came.

    Parameters
    ----------
    fetcher : Fetcher
        Asks, with an offset.
    url : str
        Address of the items.
    query : dict
        Parameters of the first page.
    found : Collection
        Features that came.
    """
    try:
        answer = ask(fetcher, url, {**query, "offset": str(len(found))})
    except OutsideServiceError:
        return False
    return not page_members(answer)


def _require_crs84(answer: Answer, url: str) -> None:
    """Refuse coordinates in another CRS than longitude and latitude."""
    crs = answer.headers.get("Content-Crs") or answer.headers.get("content-crs") or "CRS84"
    if not crs.strip("<> ").endswith(_CRS84):
        raise OutsideServiceError(
            f"{display_url(url)}: it gives coordinates in {clean_name(crs)}, not the longitude and latitude it was asked for; "
            "download the layer and give the file"
        )


def _require_returned(answer: Answer, url: str) -> None:
    """Refuse a page that holds fewer features than it states."""
    stated, came = answer.document.get("numberReturned"), len(page_members(answer))
    if type(stated) is int and stated > came:
        raise OutsideServiceError(
            f"{display_url(url)}: a page states {stated:,} features and holds {came:,}; try again later, or download the layer "
            "and give the file"
        )


def next_link(answer: Answer) -> str | None:
    """Address of the next page, None on the last.

    A service behind a gateway may write http where it is asked over https: of the same host, https is meant.
    """
    links = answer.document.get("links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("rel") == "next" and isinstance(link.get("href"), str):
            target = str(urljoin(answer.url, link["href"]))
            here, there = urlsplit(answer.url), urlsplit(target)
            if here.netloc == there.netloc and (here.scheme, there.scheme) == ("https", "http"):
                target = there._replace(scheme="https").geturl()
            return target
    return None
