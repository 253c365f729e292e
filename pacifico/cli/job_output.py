"""Output of `pacifico jobs`: lines, JSON and a progress bar."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pacifico.escaping import for_json, for_terminal, visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.errors import PacificoError

_BAR_WIDTH = 24


def status_line(body: dict[str, Any]) -> str:
    """One line about a job, from its status."""
    stalled = " (stalled)" if body["stalled"] else ""
    words = body["error_message"] or body["stage_message"] or body["stage"]
    return f"{body['layout_id']}  {body['status']:10}{stalled}  {body['progress_pct']:3} %  {words}"


def print_json(body: Any) -> None:
    """Print a JSON value on several lines."""
    print_line(for_json(body, indent=1, ascii_only=_ascii_only()), lines=True)


def print_json_line(body: Any) -> None:
    """Print a JSON value on one line."""
    print_line(for_json(body, ascii_only=_ascii_only()))


def print_line(text: str, *, lines: bool = False) -> None:
    """Print text; what a terminal would obey or can't show is escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    text = visible(text, keep="\n" if lines else "")
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _ascii_only() -> bool:
    """Whether stdout may refuse letters outside ASCII."""
    return (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"


def error_body(error: PacificoError) -> dict[str, Any]:
    """An error as JSON: code, message and exit status."""
    from pacifico.jobs.error_codes import error_code
    from pacifico.run.redact import redact

    body = {"code": error_code(error), "message": redact(" ".join(str(error).split())), "exit_status": error.exit_code}
    layout_id = getattr(error, "layout_id", None)
    return body if layout_id is None else {**body, "layout_id": layout_id}


def progress_bar(count: int, *, quiet: bool) -> Callable[[dict[str, Any]], None] | None:
    """Function that draws a progress bar on stderr; None outside a terminal."""
    if quiet or not sys.stderr.isatty():
        return None
    shown: dict[str, dict[str, Any]] = {}

    def draw(body: dict[str, Any]) -> None:
        shown[body["layout_id"]] = body
        ended = sum(b["status"] in ("completed", "failed", "cancelled") for b in shown.values())
        share = sum(
            100 if b["status"] != "processing" and b["status"] != "queued" else b["progress_pct"]
            for b in shown.values()
        )
        share //= count
        full = share * _BAR_WIDTH // 100
        words = for_terminal(body["stage"].replace("_", " ")) if count == 1 else f"{ended} of {count} ended"
        note = ", stalled" if body["stalled"] else ""
        sys.stderr.write(f"\r[{'#' * full}{'.' * (_BAR_WIDTH - full)}] {share:3} %  {words}{note}\033[K")
        sys.stderr.write("\n" if ended == count else "")
        sys.stderr.flush()

    return draw
