"""Files that appear whole or not at all, and words fit to stand in them."""

from __future__ import annotations

import os
import secrets
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pacifico.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def whole(*paths: Path, suffix: str = "") -> Iterator[tuple[Path, ...]]:
    """Temporary names beside the files to write, moved to their names when the block ends well, else removed.

    Parameters
    ----------
    suffix : str
        Ending of the temporary names, for writers that go by it.

    Raises
    ------
    InputError
        A target is a folder, or its folder is missing.
    """
    for path in paths:
        if path.is_dir():
            raise InputError(f"{path} is a folder; give a file name to write")
        if not path.parent.is_dir():
            raise InputError(f"the folder {path.parent} does not exist; create it first, or name another file")
    mark = secrets.token_hex(4)
    parts = tuple(path.with_name(f".{path.name[:120]}.{mark}.part{suffix}") for path in paths)
    try:
        yield parts
        for part, path in zip(parts, paths, strict=True):
            os.replace(part, path)  # noqa: PTH105 (atomic, also onto an existing file)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def plain(text: object, *, most: int = 200) -> str:
    """Text on one line, without control and formatting characters and lone surrogates, cut to a length."""
    spaced = "".join(c if c.isprintable() else " " for c in str(text) if unicodedata.category(c) != "Cf")
    line = " ".join(spaced.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
