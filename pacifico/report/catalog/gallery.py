"""Page of cards of stored reports: one file beside them, without scripts and network."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from pacifico.report.catalog.reports import PAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2

    from pacifico.report.catalog.reports import CatalogEntry


def gallery_page(entries: Sequence[CatalogEntry], *, title: str = "Site layouts") -> str:
    """Page of cards, one for each report.

    Parameters
    ----------
    entries : sequence of CatalogEntry
        Reports in the order of the page.
    title : str
        Heading of the page.
    """
    rows = [
        {
            "entry": e,
            "heading": e.title or e.name,
            "made": e.made.strftime("%Y-%m-%d %H:%M UTC") if e.made else "",
            "href": f"{quote(e.name)}/{PAGE}" if PAGE in e.files else "",
        }
        for e in entries
    ]
    return _template().render(rows=rows, title=title)


@cache
def _template() -> jinja2.Template:
    """Template of the page, which escapes every text."""
    import jinja2  # noqa: PLC0415 (only this page needs it)

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("pacifico.report.catalog", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return made.get_template("gallery.html")
