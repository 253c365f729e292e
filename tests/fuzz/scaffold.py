"""One check for all fuzz harnesses: read bytes, and allow only errors that are one clear line.

A harness calls a public reader. A reader may accept the bytes or refuse them with an error of pacifico's. Anything else is
a crash: another exception, a warning of Python, a message or name that is not one short line, over 10 s, over 1.5 GB.
"""

from __future__ import annotations

import importlib
import resource
import sys
import tempfile
import time
import unicodedata
import warnings
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pacifico.errors import InternalError, PacificoError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Mapping

HERE = Path(__file__).parent
MOST_SECONDS = 10.0
MOST_BYTES = 1_500_000_000
MOST_CHARACTERS = 1500
"""Longest message: some ten lines of a terminal."""
NAMES = (
    "kml", "kmz", "geojson", "shapefile", "raster_window", "request", "status", "site_record", "layout", "spec", "rule_pack",
)  # fmt: skip
"""Harnesses, in the order in which they run."""


class BreachError(AssertionError):
    """A reader broke its promise."""


@dataclass(frozen=True)
class Harness:
    """Reader of bytes with the inputs to start from."""

    read: Callable[[bytes], Iterable[str]]
    """Reads the bytes, and returns the texts of the result that people see."""
    seeds: Callable[[], Mapping[str, bytes]]
    """Small valid inputs, built by code."""
    mutate: Callable[[bytes, random.Random, Callable[[bytes], bytes]], bytes] | None = None
    """Changes an input by its structure: from the input, a source of chance and a mutator of bytes."""
    words: tuple[str, ...] = field(default=())
    """Words of the format, for the mutator of bytes."""


def load(name: str) -> Harness:
    """Harness by its name."""
    harness: Harness = importlib.import_module(f"fuzz.harnesses.{name}").HARNESS
    return harness


def inputs(name: str) -> list[Path]:
    """Inputs of a harness that are kept: corpus and former crashes."""
    return sorted(p for folder in ("corpus", "crashes") for p in (HERE / folder / name).glob("*") if p.is_file())


def check(harness: Harness, data: bytes) -> bool:
    """Read an input; returns whether it was accepted.

    Raises
    ------
    BreachError
        The reader let another exception pass, or a text is not one short line.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            texts = list(harness.read(data))
        except InternalError as error:
            raise BreachError(f"internal error: {error}") from error
        except PacificoError as error:
            try:
                require_one_line(str(error))
            except BreachError as breach:
                raise breach from error
            return False
        except Exception as error:
            raise BreachError(f"{type(error).__name__}: {str(error)[:200]}") from error
    for text in texts:
        require_one_line(text)
    return True


def check_within_limits(harness: Harness, data: bytes) -> bool:
    """As `check`, with the limits of time (of the processor: the machine may be busy) and memory."""
    before, start = peak_bytes(), time.process_time()
    accepted = check(harness, data)
    if (seconds := time.process_time() - start) > MOST_SECONDS:
        raise BreachError(f"took {seconds:.1f} s, limit {MOST_SECONDS:.0f} s")
    if (grown := peak_bytes() - before) > MOST_BYTES:
        raise BreachError(f"took {grown / 1e6:.0f} MB, limit {MOST_BYTES / 1e6:.0f} MB")
    return accepted


def require_one_line(text: str) -> None:
    """Refuse a text that is empty, long, or holds characters that break a line or a terminal."""
    bad = sorted({f"U+{ord(c):04X}" for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")})
    if bad:
        raise BreachError(f"not one line, it holds {', '.join(bad[:5])}: {text[:200]!r}")
    if not text.strip() or len(text) > MOST_CHARACTERS:
        raise BreachError(f"{len(text)} characters, 1 to {MOST_CHARACTERS} are allowed: {text[:200]!r}")


def peak_bytes() -> int:
    """Largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@cache
def scratch() -> Path:
    """Folder for readers that take a path, in memory where the machine has such a folder; deleted at the end."""
    shared = Path("/dev/shm")
    folder = tempfile.TemporaryDirectory(prefix="pacifico-fuzz-", dir=shared if shared.is_dir() else None)
    _KEPT_OPEN.append(folder)
    return Path(folder.name)


_KEPT_OPEN: list[tempfile.TemporaryDirectory[str]] = []


def written(data: bytes, name: str) -> Path:
    """File in the scratch folder with these bytes."""
    path = scratch() / name
    path.write_bytes(data)
    return path
