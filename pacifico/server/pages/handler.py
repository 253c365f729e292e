"""The base of all pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tornado.httputil import url_concat

from pacifico.errors import InputError
from pacifico.server.http.handler import ApiHandler
from pacifico.server.http.problems import HttpError
from pacifico.server.pages.rendering import render

if TYPE_CHECKING:
    from pacifico.errors import PacificoError

#: Pages run no inline script and load nothing from elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
HTML = "text/html; charset=utf-8"

#: Files that pages load; no other name is opened.
STATIC = {"pages.css": "text/css; charset=utf-8", "pages.js": "text/javascript; charset=utf-8"}
_FOLDER = Path(__file__).with_name("static")


class PageHandler(ApiHandler):
    """Answers with HTML, errors too; who is not logged in is sent to the login page."""

    media = HTML

    @property
    def content_security_policy(self) -> str:
        """Policy of the page."""
        return POLICY

    async def _admit(self) -> None:
        if not self.current_user and self.request.method in ("GET", "HEAD"):
            login = self.settings.get("login_url")
            if login:
                self.redirect(url_concat(login, {"next": self.request.uri or ""}))
                return
        await super()._admit()

    def page(self, template: str, *, status: int = 200, **values: Any) -> None:
        """Answer with a page.

        Parameters
        ----------
        template : str
            Name of the template.
        status : int
            Status of the answer.
        **values : Any
            What the template shows.
        """
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "same-origin")
        self.media = HTML
        base = f"{self.base_url}pacifico"
        self.finish(render(template, base=base, owner=self.owner, xsrf=self.xsrf_token.decode(), **values))

    def _write_problem(self, error: PacificoError) -> None:
        if self._headers_written:
            super()._write_problem(error)
            return
        found = self.problem_of(error)
        if isinstance(error, HttpError):
            for name, value in error.headers.items():
                self.set_header(name, value)
        self.page("problem.html", status=found.status, problem=found)


class FormHandler(PageHandler):
    """Takes a form of a page, with the XSRF token in it."""

    form: dict[str, str]

    def check_xsrf_cookie(self) -> None:
        """Check the token once the form has arrived: it is a field of it."""
        if self._received:
            super().check_xsrf_cookie()

    def read_form(self) -> dict[str, str]:
        """Fields of the form, after checking its token.

        Raises
        ------
        InputError
            The form can't be read.
        """
        try:
            fields = dict(parse_qsl(bytes(self.body.data).decode("ascii"), max_num_fields=20, strict_parsing=False))
        except (ValueError, UnicodeDecodeError):
            raise InputError("the form can't be read; use the buttons of the page") from None
        if "_xsrf" in fields:
            self.request.arguments["_xsrf"] = [fields.pop("_xsrf").encode()]
        self.check_xsrf_cookie()
        return fields


def static_file(name: str) -> bytes:
    """Content of a file that pages load."""
    return (_FOLDER / name).read_bytes()
