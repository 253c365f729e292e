"""Static picture of the map, for a notebook that is only read."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from pacifico.escaping import for_markup

if TYPE_CHECKING:
    from pacifico.layout.model.headline import Answer

_EMPTY = "<p></p>"


def static_picture(svg: str, name: str, headline: tuple[Answer, ...]) -> str:
    """Folded HTML with the headline and a picture of a layout.

    Parameters
    ----------
    svg : str
        Picture, from `thumbnail`.
    name : str
        Name of the site.
    headline : tuple of Answer
        Answers of the plan.
    """
    rows = "".join(f"<tr><td>{for_markup(a.label)}</td><td>{for_markup(a.text)}</td></tr>" for a in headline)
    encoded = base64.b64encode(svg.encode()).decode("ascii")
    return (
        f"<details><summary>Static picture of {for_markup(name)}, for readers without a running notebook</summary>"
        f"<table>{rows}</table><img src='data:image/svg+xml;base64,{encoded}' alt='Layout of {for_markup(name)}'></details>"
    )


class PictureOutput:
    """Output below the map that follows the layout."""

    def __init__(self) -> None:
        self._html = _EMPTY
        self._handle: Any = None

    def display(self) -> None:
        """Show the picture in the cell that runs."""
        from IPython.display import HTML, display  # noqa: PLC0415 (only in a notebook)

        self._handle = display(HTML(self._html), display_id=True)  # type: ignore[no-untyped-call]

    def show(self, html: str) -> None:
        """Show another picture."""
        self._html = html or _EMPTY
        if self._handle is not None:
            from IPython.display import HTML  # noqa: PLC0415

            self._handle.update(HTML(self._html))  # type: ignore[no-untyped-call]
