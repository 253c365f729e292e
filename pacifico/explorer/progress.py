"""Progress of jobs, with a bar, lines and cancel buttons."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from pacifico.errors import PacificoError
from pacifico.escaping import for_markup
from pacifico.explorer.artifacts import artifact
from pacifico.jobs.status import TERMINAL
from pacifico.report.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pacifico.jobs.client import JobClient

COLOURS = {
    "queued": "#7a7f87",
    "processing": "#0072b2",
    "completed": "#1a7f37",
    "failed": "#b3201f",
    "cancelled": "#8a4b00",
}
"""Colour of each job status."""
ANSWERS = {"capacity": "Capacity", "cost": "Cost", "earthwork": "Earthwork", "risks": "Largest risks"}
"""Answers of a headline by name, with their columns."""
METRICS_FILE = "metrics.json"
"""File of a report that holds the headline of its layout."""
MOST_LINES = 100
"""Jobs shown one by one."""
_READERS = 8
"""Statuses read at a time."""


class JobProgress:
    """Progress of jobs, live in a notebook.

    A thread reads the statuses until the last job has ended or `close` is called.

    Attributes
    ----------
    statuses : dict
        Last status read of each job, by layout_id.
    widget : VBox
        Shows itself as the last line of a cell.
    """

    def __init__(self, client: JobClient, jobs: Mapping[str, str] | Iterable[str], *, poll_s: float = 1.0) -> None:
        self._client = client
        self._labels = dict(jobs.items()) if hasattr(jobs, "items") else {layout_id: layout_id for layout_id in jobs}
        self._poll_s = poll_s
        self.statuses: dict[str, dict[str, Any]] = {}
        self._headlines: dict[str, dict[str, str]] = {}
        self._ended = threading.Event()
        self._wake = threading.Event()
        self._closed = False

        self.bar = widgets.IntProgress(min=0, max=100, layout=widgets.Layout(width="320px"))
        self.message = widgets.HTML()
        self.error = widgets.HTML()
        self.lines = widgets.HTML()
        self.job_menu = widgets.Dropdown(description="Job", layout=widgets.Layout(width="520px"))
        self.cancel_one = widgets.Button(description="Cancel", tooltip="end this job")
        self.cancel_all = widgets.Button(description="Cancel all", tooltip="end every job that has not ended")
        self.cancel_one.on_click(lambda _: self.cancel([self.job_menu.value] if self.job_menu.value else []))
        self.cancel_all.on_click(lambda _: self.cancel(self.open))
        self.controls = widgets.HBox([self.job_menu, self.cancel_one, self.cancel_all])
        self.widget = widgets.VBox(
            [widgets.HBox([self.bar, self.message]), self.error, self.lines, self.controls],
            layout=widgets.Layout(width="100%"),
        )
        self._show()
        self._thread = threading.Thread(target=self._poll, name="pacifico-job-progress", daemon=True)
        self._thread.start()

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415 (only in a notebook)

        display(self.widget)  # type: ignore[no-untyped-call]

    @property
    def open(self) -> list[str]:
        """Jobs that have not ended, by the statuses read so far."""
        return [i for i in self._labels if self.statuses.get(i, {}).get("status") not in TERMINAL]

    def cancel(self, layout_ids: Iterable[str]) -> None:
        """Cancel jobs; one that has ended stays as it is."""
        try:
            for layout_id in list(layout_ids):
                self._client.cancel(layout_id)
        except PacificoError as error:
            self._show_error(error)
        self._wake.set()

    def wait(self, timeout_s: float | None = None) -> Table:
        """Wait until every job has ended.

        Use it in runs without a person: buttons don't work while a cell runs.

        Raises
        ------
        TimeoutError
            A job has not ended in that time.
        """
        if not self._ended.wait(timeout_s):
            raise TimeoutError(f"{len(self.open)} of {len(self._labels)} jobs had not ended after {timeout_s:g} s")
        return self.outcome()

    def outcome(self) -> Table:
        """Table of the jobs' headlines so far."""
        bodies = [self.statuses.get(i, {}) for i in self._labels]
        with ThreadPoolExecutor(_READERS) as pool:
            headlines = list(pool.map(self._headline, bodies))
        return Table(
            ("Site and design", "Status", "", *ANSWERS.values()),
            tuple(result_row(*parts) for parts in zip(self._labels.values(), bodies, headlines, strict=True)),
            words=3 + len(ANSWERS),
            empty="No jobs.",
        )

    def _headline(self, body: Mapping[str, Any]) -> dict[str, str]:
        """Answers of a completed job's layout, by name."""
        if body.get("status") != "completed" or METRICS_FILE not in body["artifacts"]:
            return {}
        layout_id = body["layout_id"]
        if layout_id not in self._headlines:
            try:
                metrics = json.loads(artifact(self._client, body, METRICS_FILE))
            except PacificoError as error:
                self._show_error(error)
                return {}
            self._headlines[layout_id] = {a["name"]: a["text"] for a in metrics.get("headline", [])}
        return self._headlines[layout_id]

    def close(self) -> None:
        """Stop reading statuses; the jobs go on."""
        self._closed = True
        self._wake.set()
        self._thread.join()

    def _poll(self) -> None:
        """Read statuses until all jobs have ended."""
        with ThreadPoolExecutor(_READERS) as pool:
            while self.open and not self._closed:
                self._wake.clear()
                try:
                    for body in pool.map(self._client.status, self.open):
                        self.statuses[body["layout_id"]] = body
                    self.error.value = ""
                except PacificoError as error:
                    self._show_error(error)
                self._show()
                if self.open:
                    self._wake.wait(self._poll_s)
        if not self.open:
            self._ended.set()

    def _show_error(self, error: PacificoError) -> None:
        """Show an error of the store."""
        self.error.value = f"<span style='color:{COLOURS['failed']}'>{for_markup(str(error))}</span>"

    def _show(self) -> None:
        """Bring the widgets up to date with the statuses."""
        found = [self.statuses.get(i, {}) for i in self._labels]
        ended = sum(body.get("status") in TERMINAL for body in found)
        share = sum(100 if b.get("status") in TERMINAL else b.get("progress_pct", 0) for b in found)
        self.bar.value = share // len(found) if found else 100
        failed = any(b.get("status") in {"failed", "cancelled"} for b in found)
        self.bar.bar_style = "" if ended < len(found) else "warning" if failed else "success"
        counts = {state: sum(b.get("status") == state for b in found) for state in COLOURS}
        count_line = ", ".join(f"{n} {state}" for state, n in counts.items() if n) or "no jobs" * (not found)
        self.message.value = f"<b>{ended} of {len(found)} ended</b>&ensp;{count_line}"
        shown = list(self._labels.items())[:MOST_LINES]
        rows = "".join(_line(label, self.statuses.get(i, {})) for i, label in shown)
        more = len(self._labels) - len(shown)
        rest = f"<tr><td colspan='4'><i>and {more:,} more</i></td></tr>" if more else ""
        self.lines.value = f"<table style='line-height:1.5;border-spacing:14px 0'>{rows}{rest}</table>"
        left = [(self._labels[i], i) for i in self.open]
        if [value for _, value in left] != [value for _, value in self.job_menu.options]:
            selected = self.job_menu.value
            self.job_menu.options = left
            self.job_menu.value = selected if selected in self.open else next((value for _, value in left), None)
        self.controls.layout.display = "flex" if left else "none"


def _line(label: str, body: Mapping[str, Any]) -> str:
    """Job as a row of HTML."""
    state = body.get("status", "queued")
    share, colour = body.get("progress_pct", 0), COLOURS[state]
    words = body.get("error_message") or body.get("stage_message") or str(body.get("stage", "")).replace("_", " ")
    if state == "completed":
        words = f"{body['total_capacity_kw'] / 1000:,.1f} MW" if body.get("total_capacity_kw") else ""
    if body.get("stalled"):
        words = f"no sign of life for a while; {words}"
    bar = (
        f"<div style='width:120px;height:8px;background:#e3e6e8;border-radius:4px'>"
        f"<div style='width:{share}%;height:8px;background:{colour};border-radius:4px'></div></div>"
    )
    cells = (for_markup(label), f"<span style='color:{colour}'>{state}</span>", bar, for_markup(words))
    return "<tr>" + "".join(f"<td style='text-align:left'>{cell}</td>" for cell in cells) + "</tr>"


def result_row(label: str, body: Mapping[str, Any], headline: Mapping[str, str]) -> tuple[str, ...]:
    """Job as a row of the results."""
    cells = (headline.get(name, "–") for name in ANSWERS)
    return (label, str(body.get("status", "unknown")), str(body.get("error_message") or ""), *cells)
