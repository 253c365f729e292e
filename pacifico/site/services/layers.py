"""Fetch the features of a web layer near a site."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pacifico.errors import InputError, OutsideServiceError, PacificoError
from pacifico.site.features import Feature, clean_name
from pacifico.site.services.addresses import display_url
from pacifico.site.services.arcgis import fetch_arcgis
from pacifico.site.services.fetch import Fetcher, FetchSettings
from pacifico.site.services.ogc_features import fetch_ogc

if TYPE_CHECKING:
    from pacifico.site.services.pages import Bounds

_ARCGIS = re.compile(r"/(?:FeatureServer|MapServer)/\d+(?:/query)?/?$", re.IGNORECASE)
_ARCGIS_SERVICE = re.compile(r"/(?:FeatureServer|MapServer)/?$", re.IGNORECASE)
_OGC = re.compile(r"/collections/[^/]+(?:/items)?/?$", re.IGNORECASE)


@dataclass(frozen=True)
class ServiceLayer:
    """Features of a layer near a site."""

    url: str
    """Without secrets."""
    name: str
    """Name of the layer in the service."""
    features: tuple[Feature, ...]
    """In longitude and latitude."""
    warnings: tuple[str, ...] = ()


def protocol(url: str) -> Literal["arcgis", "ogc"]:
    """Protocol of an address, by its form.

    Raises
    ------
    InputError
        For an address of neither form.
    """
    try:
        path = urlsplit(url).path
    except ValueError as error:
        raise InputError(f"{clean_name(url)[:160]} is not a web address ({error}); check it") from None
    if _ARCGIS.search(path):
        return "arcgis"
    if _OGC.search(path):
        return "ogc"
    if _ARCGIS_SERVICE.search(path):
        raise InputError(
            f"{display_url(url)} is a service, not a layer of it; add the layer's number, such as {path.rstrip('/')}/0"
        )
    raise InputError(
        f"{display_url(url)} is not a layer of a known service; give an ArcGIS layer (.../FeatureServer/0), an OGC API "
        "collection (.../collections/NAME/items), or download the file and give its path"
    )


def fetch_layer(url: str, bounds: Bounds, *, settings: FetchSettings | None = None) -> ServiceLayer:
    """Features of a layer that meet a box, all of them.

    Parameters
    ----------
    url : str
        ArcGIS layer (``.../FeatureServer/0``, MapServer too) or OGC API Features collection (``.../collections/x/items``);
        a query in it (`where`, `filter`, `token`) is passed on.
    bounds : (float, float, float, float)
        West, south, east, north [°].
    settings : FetchSettings, optional
        Limits on time, tries and size.

    Returns
    -------
    ServiceLayer
        Its features, in longitude and latitude.

    Raises
    ------
    InputError
        For an address of neither form.
    OutsideServiceError
        Where the service fails, refuses, gives what can't be read, or can't be shown to have given everything.

    References
    ----------
    Esri, ArcGIS REST API, Query (Feature Service/Layer); OGC 17-069r4, OGC API - Features - Part 1: Core.
    """
    kind = protocol(url)
    fetcher = Fetcher(settings or FetchSettings())
    try:
        name, features, warnings = (fetch_arcgis if kind == "arcgis" else fetch_ogc)(fetcher, url, bounds)
    except OutsideServiceError:
        raise
    except PacificoError as error:
        # A fault in the answer of a service is not the user's.
        raise OutsideServiceError(f"{display_url(url)}: {error}") from None
    return ServiceLayer(display_url(url), name, features, warnings)
