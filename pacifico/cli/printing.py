"""Text that several commands print."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from pacifico.escaping import for_json, for_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Self, TextIO

    from pacifico.layout.model.headline import Answer
    from pacifico.stages import OnStage


def one_line(text: object) -> str:
    """Text on one line, without control sequences."""
    return for_terminal(text)


def say(text: object, *, file: TextIO | None = None) -> None:
    """Print lines of text, with control sequences shown."""
    print(for_terminal(text, lines=True), file=file or sys.stdout)


def headline(answers: Iterable[Answer], metrics: Mapping[str, Any]) -> str:
    """Headline of a layout in lines of ASCII.

    Parameters
    ----------
    answers : iterable of Answer
        Headline of the layout.
    metrics : mapping
        Member `metrics` of its layout.geojson.
    """
    plant = (
        f"Plant: {metrics['asset_count']:,} assets on "
        f"{metrics['buildable_area_ha']:,.1f} of {metrics['site_area_ha']:,.1f} ha buildable; "
        f"{metrics['road_length_m'] / 1000:,.2f} km of road up to {metrics['max_road_grade_pct']:.1f} %"
    )
    # not every terminal has these letters
    return "\n".join([*(f"{a.label}: {a.text}" for a in answers), plant]).translate({ord("³"): "3", ord("–"): "-"})


def print_json(content: Mapping[str, Any]) -> None:
    """Print a result as JSON on standard output."""
    print(for_json(content, indent=1))


def print_bytes(content: bytes) -> None:
    """Write a file's content to standard output, whatever the encoding of the terminal."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def print_notes(warnings: Iterable[str]) -> None:
    """Print warnings on standard error, one a line."""
    for warning in warnings:
        print(f"note: {one_line(warning)}", file=sys.stderr)


class StageLine:
    """Progress on one line of a terminal: percentage, message and the seconds so far.

    It shows nothing where standard error is no terminal, or where the result is JSON. The line appears once the work takes
    longer than a moment, and is cleared at the end.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    watch : callable, optional
        Asked each second for the percentage and message of work that takes no callback; None while it is unknown.
    """

    def __init__(self, *, quiet: bool = False, watch: Callable[[], tuple[int, str] | None] | None = None) -> None:
        self._watch = watch
        self._shown = sys.stderr.isatty() and not quiet
        self._stage = (0, "starting")
        self._start = time.monotonic()
        self._ended = threading.Event()
        self._drawing = threading.Lock()
        self._timer = threading.Thread(target=self._tick, name="pacifico-progress", daemon=True)

    @property
    def on_stage(self) -> OnStage | None:
        """Callback for the work; None where nothing is shown."""
        return self._begin if self._shown else None

    @property
    def on_compile(self) -> Callable[[float], None] | None:
        """Callback for the share of kernels that are compiled; None where nothing is shown."""
        return self._compiled if self._shown else None

    def __enter__(self) -> Self:
        if self._shown:
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._ended.set()
            self._timer.join()
            with self._drawing:
                print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _begin(self, stage: str, percent: int, message: str) -> None:
        """Show a stage that begins."""
        del stage
        self._stage = (percent, message)
        self._draw()

    def _compiled(self, share: float) -> None:
        """Show how far the compilation is."""
        done = round(20 * share)
        self._begin("compiling", round(100 * share), f"compiling, first run only [{'#' * done}{'.' * (20 - done)}]")

    def _draw(self) -> None:
        percent, message = self._stage
        seconds = time.monotonic() - self._start
        with self._drawing:
            print(f"\r\033[K{percent:3d} % {one_line(message)} ({seconds:.0f} s)", end="", file=sys.stderr, flush=True)

    def _tick(self) -> None:
        """Show the seconds of a stage that takes long."""
        while not self._ended.wait(1.0):
            seen = self._watch() if self._watch is not None else None
            self._stage = seen or self._stage
            self._draw()
