"""The OpenAPI document and a page that shows it, without anything from elsewhere."""

from __future__ import annotations

from pacifico.server.api.openapi import document
from pacifico.server.http.handler import ApiHandler
from pacifico.server.http.operations import operation
from pacifico.server.models.queries import NoQuery


class DocumentHandler(ApiHandler):
    """The OpenAPI document."""

    @operation(summary="This document.", tag="health", query=NoQuery)
    async def get(self) -> None:
        """Answer with the document."""
        self.query(NoQuery)
        self.reply({**document(), "servers": [{"url": f"{self.base_url}pacifico/api"}]})
