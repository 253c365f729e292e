"""Gallery of an owner's layouts, to filter, open and compare."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, time
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from pacifico.errors import PacificoError
from pacifico.explorer import panel
from pacifico.explorer.artifacts import artifact
from pacifico.explorer.cards import Card, cards
from pacifico.jobs.status import STATES
from pacifico.report.compare import Comparison, compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.jobs.client import JobClient

_REPORT_PX = 900
"""Height of an opened report [pixels]."""
_TABLES = (
    "<style>.pacifico-compared td, .pacifico-compared th {text-align: right; padding: 0 18px 0 0; line-height: 1.5}"
    ".pacifico-compared .word {text-align: left} .pacifico-compared table {margin-top: 10px}</style>"
)


class Gallery:
    """Cards of layouts, with an opened report or comparison below.

    Attributes
    ----------
    cards : list of Card
        Cards shown now.
    widget : VBox
        Shows itself as the last line of a cell.
    """

    def __init__(self, client: JobClient, *, limit: int = 24) -> None:
        self._client = client
        self._limit = limit
        self.cards: list[Card] = []
        self.selected: list[str] = []

        self.status = widgets.Dropdown(description="Status", options=["any", *STATES], value="any")
        self.since = widgets.DatePicker(description="Since")
        self.refresh = widgets.Button(description="Refresh", icon="refresh")
        self.more = widgets.Button(description="More")
        self.message = widgets.HTML()
        self.grid = widgets.GridBox(
            layout=widgets.Layout(grid_template_columns="repeat(auto-fill, 262px)", grid_gap="12px", width="100%")
        )
        self.detail = widgets.VBox(layout=widgets.Layout(width="100%"))
        self.widget = widgets.VBox(
            [widgets.HBox([self.status, self.since, self.refresh]), self.message, self.grid, self.more, self.detail],
            layout=widgets.Layout(width="100%"),
        )
        self.toggles: dict[str, widgets.ToggleButton] = {}
        self.status.observe(lambda _: self.reload(), names="value")
        self.since.observe(lambda _: self.reload(), names="value")
        self.refresh.on_click(lambda _: self.reload())
        self.more.on_click(lambda _: self._show_more())
        self.reload()

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415 (only in a notebook)

        display(self.widget)  # type: ignore[no-untyped-call]

    @property
    def _state(self) -> str | None:
        """Status to filter by; None for any."""
        return None if self.status.value == "any" else str(self.status.value)

    def reload(self) -> None:
        """Read the list again, with the filters."""
        day = self.since.value
        since = datetime.combine(day, time(), UTC) if day is not None else None
        try:
            rows = self._client.list(status=self._state, since=since, limit=self._limit + 1)
            self.cards = cards(self._client, rows[: self._limit])
        except PacificoError as error:
            self.cards, rows = [], []
            self.message.value = panel.problem(str(error))
        else:
            self.message.value = self._count_line(more=len(rows) > self._limit)
        self.more.layout.display = "" if len(rows) > self._limit else "none"
        self.selected = []
        self.toggles = {}
        self.grid.children = tuple(self._box(card) for card in self.cards)

    def open(self, layout_id: str) -> None:
        """Show a report below the cards, in a sandboxed frame."""
        page = artifact(self._client, self._client.status(layout_id), "report.html").decode("utf-8")
        self._show_detail(
            f"Report of {layout_id}",
            f"<iframe sandbox='allow-scripts' style='width:100%;height:{_REPORT_PX}px;border:1px solid #bbb' srcdoc=\"{escape(page)}\"></iframe>",
        )

    def compare(self, a: str, b: str) -> Comparison:
        """Compare two reports: parameters, metrics and geometry.

        Raises
        ------
        InputError
            One has no report, or its run failed before it had a layout.
        """
        with tempfile.TemporaryDirectory(prefix="pacifico-compare-") as folder:
            first, second = (self._client.fetch(i, Path(folder) / name) for i, name in ((a, "A"), (b, "B")))
            found = compare(first, second)
        by_id = {card.layout_id: card for card in self.cards}
        sides = "".join(
            f"<div style='width:250px'><b>{letter}</b>{by_id[i].html() if i in by_id else escape(i)}</div>"
            for letter, i in (("A", a), ("B", b))
        )
        tables = "".join(table._repr_html_() for table in found.tables().values())
        identical = "<p>Identical: same request, same figures, same geometry.</p>" if found.identical else ""
        self._show_detail(
            "Comparison",
            f"<div style='display:flex;gap:24px'>{sides}</div>{identical}<div class='pacifico-compared'>{_TABLES}{tables}</div>",
        )
        return found

    def _box(self, card: Card) -> widgets.VBox:
        """Card with its buttons."""
        parts: list[Any] = [widgets.HTML(card.html())]
        if card.status == "completed":
            opened = widgets.Button(description="Open", layout=widgets.Layout(width="110px"))
            opened.on_click(lambda _: self._show_refusal(lambda: self.open(card.layout_id)))
            toggle = widgets.ToggleButton(description="Compare", layout=widgets.Layout(width="110px"))
            toggle.observe(lambda change: self._select(card.layout_id, on=change["new"]), names="value")
            self.toggles[card.layout_id] = toggle
            parts.append(widgets.HBox([opened, toggle]))
        return widgets.VBox(
            parts,
            layout=widgets.Layout(border="1px solid #d5d9dc", padding="8px", justify_content="space-between"),
        )

    def _select(self, layout_id: str, *, on: bool) -> None:
        """Add a layout to the pair to compare, or remove it.

        A third one replaces the first.
        """
        self.selected = [i for i in self.selected if i != layout_id] + ([layout_id] if on else [])
        if len(self.selected) > 2:
            self.toggles[self.selected[0]].value = False  # the observer removes it
        elif len(self.selected) == 2:
            a, b = self.selected
            self._show_refusal(lambda: self.compare(a, b))

    def _show_refusal(self, act: Callable[[], object]) -> None:
        """Run an action; show its error below the cards."""
        try:
            act()
        except PacificoError as error:
            self._show_detail("", panel.problem(str(error)))

    def _show_detail(self, title: str, content: str) -> None:
        """Show content below the cards, with a button to close it."""
        close = widgets.Button(description="Close", icon="times", layout=widgets.Layout(width="90px"))
        close.on_click(lambda _: setattr(self.detail, "children", ()))
        header = widgets.HBox([close, widgets.HTML(f"<b>{escape(title)}</b>")])
        self.detail.children = (header, widgets.HTML(content, layout=widgets.Layout(width="100%")))

    def _show_more(self) -> None:
        """Show twice as many cards."""
        self._limit *= 2
        self.reload()

    def _count_line(self, *, more: bool) -> str:
        """Line that counts the cards, or says why there are none."""
        owner = escape(self._client.owner)
        if not self.cards:
            if self._state is not None or self.since.value is not None:
                return f"<i>{owner} has no such layouts.</i>"
            hint = "Submit some with <code>submit_jobs.ipynb</code> or <code>pacifico jobs submit</code>."
            return f"<i>{owner} has no layouts yet. {hint}</i>"
        return f"{'the newest ' if more else ''}{len(self.cards)} layouts of <b>{owner}</b>, newest first"
