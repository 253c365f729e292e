"""All routes of the API: the one list that handlers and document are made from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pacifico.server.api.catalog import CatalogHandler, PacksHandler, ProfilesHandler
from pacifico.server.api.edits import AssetHandler, EarthworkHandler, RoadsHandler
from pacifico.server.api.events import EventsHandler
from pacifico.server.api.files import ComplianceHandler, ExportHandler, FileHandler
from pacifico.server.api.generate import GenerateHandler, VariantsHandler
from pacifico.server.api.health import LiveHandler, ReadyHandler
from pacifico.server.api.layouts import CancelHandler, LayoutHandler, LayoutsHandler, RedriveHandler, StatusHandler
from pacifico.server.api.sites import (
    ExclusionsHandler,
    SiteHandler,
    SitesHandler,
    SiteUploadHandler,
    UploadedHandler,
    UploadHandler,
)
from pacifico.server.api.terrain import BuildableHandler, ContoursHandler, SlopeClassesHandler, TerrainHandler

if TYPE_CHECKING:
    from pacifico.server.http.handler import ApiHandler

PREFIX = "pacifico/api"

#: Patterns of the parameters of addresses. What does not match is no route: 404.
PARAMETERS = {
    "layout_id": "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    "site_id": "[^/]{1,200}",
    "sha256": "[0-9a-f]{64}",
    "asset_id": "[a-z][a-z_]{0,39}-[0-9]{1,9}",
    "format": "[a-z0-9]{1,20}",
    "name": ".{1,500}",
}


@dataclass(frozen=True)
class Route:
    """One address and its handler."""

    path: str
    """Below the prefix, with parameters in braces."""
    handler: type[ApiHandler]

    @property
    def pattern(self) -> str:
        """Regular expression of the address, below the server's base."""
        parts = re.split(r"\{(\w+)\}", self.path)
        named = [re.escape(part) if k % 2 == 0 else f"({PARAMETERS[part]})" for k, part in enumerate(parts)]
        return f"{PREFIX}{''.join(named)}"


ROUTES = (
    Route("/health", LiveHandler),
    Route("/health/live", LiveHandler),
    Route("/health/ready", ReadyHandler),
    Route("/sites/upload", SiteUploadHandler),
    Route("/uploads", UploadHandler),
    Route("/uploads/{sha256}", UploadedHandler),
    Route("/sites", SitesHandler),
    Route("/sites/{site_id}", SiteHandler),
    Route("/sites/{site_id}/exclusions", ExclusionsHandler),
    Route("/sites/{site_id}/terrain", TerrainHandler),
    Route("/sites/{site_id}/contours", ContoursHandler),
    Route("/sites/{site_id}/slope-classes", SlopeClassesHandler),
    Route("/sites/{site_id}/buildable", BuildableHandler),
    Route("/layouts/generate", GenerateHandler),
    Route("/layouts/generate-variants", VariantsHandler),
    Route("/layouts", LayoutsHandler),
    Route("/layouts/{layout_id}", LayoutHandler),
    Route("/layouts/{layout_id}/status", StatusHandler),
    Route("/layouts/{layout_id}/events", EventsHandler),
    Route("/layouts/{layout_id}/cancel", CancelHandler),
    Route("/layouts/{layout_id}/redrive", RedriveHandler),
    Route("/layouts/{layout_id}/assets/{asset_id}", AssetHandler),
    Route("/layouts/{layout_id}/roads/recompute", RoadsHandler),
    Route("/layouts/{layout_id}/earthwork/recompute", EarthworkHandler),
    Route("/layouts/{layout_id}/export/{format}", ExportHandler),
    Route("/layouts/{layout_id}/compliance", ComplianceHandler),
    Route("/layouts/{layout_id}/files/{name}", FileHandler),
    Route("/profiles", ProfilesHandler),
    Route("/catalog", CatalogHandler),
    Route("/rule-packs", PacksHandler),
)
