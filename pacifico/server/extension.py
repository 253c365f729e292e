"""Load the extension into a Jupyter Server."""

from __future__ import annotations

import atexit
import os
import weakref
from typing import TYPE_CHECKING, Any

from jupyter_server.utils import url_path_join

from pacifico.errors import PacificoError
from pacifico.jobs import settings as job_settings
from pacifico.server import settings as server_settings
from pacifico.server.api.documents import DocumentHandler
from pacifico.server.api.routes import PREFIX, ROUTES
from pacifico.server.http.handler import SETTING, NotFoundHandler
from pacifico.server.pages.review import PAGES
from pacifico.server.services import Services

if TYPE_CHECKING:
    from tornado.web import Application


def load(application: Application, base_url: str) -> Services:
    """Add the routes to a web application.

    Raises
    ------
    InputError
        A setting is out of its range.
    """
    services = Services(job_settings.from_environment(), server_settings.from_environment())
    application.settings[SETTING] = services
    routes: list[Any] = [(url_path_join(base_url, route.pattern), route.handler) for route in ROUTES]
    routes += [(url_path_join(base_url, pattern), handler) for pattern, handler in PAGES]
    routes += [
        (url_path_join(base_url, PREFIX, "openapi.json"), DocumentHandler),
        (url_path_join(base_url, PREFIX, ".*"), NotFoundHandler),
    ]
    application.add_handlers(".*$", routes)
    atexit.register(_close, weakref.ref(services))
    return services


def _load_jupyter_server_extension(server_app: Any) -> None:
    """Load the extension; Jupyter Server calls this."""
    try:
        services = load(server_app.web_app, server_app.base_url)
    except PacificoError as error:
        server_app.log.error("pacifico.server is off: %s", error)  # noqa: TRY400 (the user's setting, no bug)
        return
    server_app.log.info(
        "pacifico.server: %s, store %s", url_path_join(server_app.base_url, PREFIX), services.settings.store
    )


async def _start_jupyter_server_extension(server_app: Any) -> None:
    """Go on with layouts that a stopped server left queued; Jupyter Server calls this once it runs."""
    services: Services | None = server_app.web_app.settings.get(SETTING)
    if services is not None:
        services.resume(os.environ.get("JUPYTERHUB_USER") or services.settings.owner)


def _close(reference: weakref.ref[Services]) -> None:
    services = reference()
    if services is not None:
        services.close()
