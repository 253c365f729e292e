"""Whether the server, its store and its queue work."""

from __future__ import annotations

from pacifico._version import __version__
from pacifico.server.http.handler import ApiHandler
from pacifico.server.http.operations import operation
from pacifico.server.models.replies import Health


class LiveHandler(ApiHandler):
    """The server answers."""

    @operation(summary="Whether the server answers.", tag="health", reply=Health)
    async def get(self) -> None:
        """Answer."""
        self.reply(Health(status="live", version=__version__))


class ReadyHandler(ApiHandler):
    """Store and queue answer too."""

    @operation(summary="Whether store and queue can be reached.", tag="health", reply=Health, errors=(503,))
    async def get(self) -> None:
        """Ask store and queue."""
        await self.services.read((await self.jobs()).probe)
        self.reply(Health(status="ready", version=__version__))
