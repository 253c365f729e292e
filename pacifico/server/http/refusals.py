"""What to tell those whom Jupyter refuses."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pacifico.server.http.problems import HttpError

if TYPE_CHECKING:
    from jupyter_server.base.handlers import JupyterHandler
    from tornado import web


def unauthorized() -> HttpError:
    """Answer to who is not known."""
    return HttpError(401, "log in, or send the header Authorization with 'token T'", WWW_Authenticate="token")


def refusal_of(handler: JupyterHandler, error: web.HTTPError) -> HttpError:
    """Answer to an error that Jupyter raised before a request was admitted: what to do comes first."""
    if error.status_code == 404:  # Jupyter's answer to other origins
        origin = handler.request.headers.get("Origin", "")
        return HttpError(403, f"the origin {origin[:100]!r} is not allowed; name it in ServerApp.allow_origin")
    if error.status_code != 403:
        return HttpError(error.status_code, detail_of(error))
    if not handler.check_host():
        return HttpError(
            403,
            f"the host {handler.request.host[:100]!r} is not this server's; use its own address, or set ServerApp.allow_remote_access",
        )
    if not handler.current_user:
        return unauthorized()
    return HttpError(403, detail_of(error))


def detail_of(error: web.HTTPError) -> str:
    """Message of an error of tornado or Jupyter."""
    message = str(error.log_message or "")
    with contextlib.suppress(TypeError, ValueError):
        message = message % error.args if error.args else message
    if "xsrf" in message.lower():
        return (
            "the XSRF token is missing or wrong; send the cookie _xsrf as the header X-XSRFToken, or a token instead of cookies; "
            "on a page, load it again"
        )
    text = message or error.reason or {403: "this user is not allowed to do that"}.get(error.status_code, "")
    return unquote(str(text))[:300]
