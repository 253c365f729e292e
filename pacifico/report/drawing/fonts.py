"""Fonts of a PDF, cut to their letters in less time.

matplotlib leaves out letters that a PDF does not use. To find the others, fontTools reads tables for composing text and the
names of all letters: most of its time, for what a PDF never needs, because its letters are placed already.
"""

from __future__ import annotations

import contextlib
import functools
import io
import struct
from typing import TYPE_CHECKING, Any

from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fontTools.ttLib.sfnt import SFNTReader, SFNTWriter  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPOSING = ("GDEF", "GPOS", "GSUB", "kern", "MATH", "name")
"""Tables of a font for composing text and naming the font."""
_NO_NAMES = struct.pack(">I", 0x00030000)
"""Version of the table `post` without names of letters."""
_POST_HEADER = 32
"""Length of that table [bytes]."""


@contextlib.contextmanager
def plain_fonts() -> Iterator[None]:
    """Read fonts without what a PDF never needs.

    matplotlib offers no setting, so the function by which it reads a font changes meanwhile.
    """
    usual = subset.load_font

    def load_plain(path: Any, options: Any, **how: Any) -> Any:
        plain = plain_font(str(path)) if options.font_number <= 0 else None
        if plain is None:
            return usual(path, options, **how)
        font = TTFont(
            io.BytesIO(plain), recalcBBoxes=options.recalc_bounds, recalcTimestamp=options.recalc_timestamp, lazy=True
        )
        font.setGlyphOrder([f"glyph{k:05d}" for k in range(font["maxp"].numGlyphs)])
        return font

    subset.load_font = load_plain
    try:
        yield
    finally:
        subset.load_font = usual


@functools.cache
def plain_font(path: str) -> bytes | None:
    """Font file without tables for composing and names; None unless it is TrueType."""
    with open(path, "rb") as file:  # noqa: PTH123 (a reader wants a stream)
        if file.read(4) != b"\0\1\0\0":
            return None
        file.seek(0)
        reader = SFNTReader(file)
        tables = {tag: reader[tag] for tag in reader.tables if tag not in COMPOSING}
    if "glyf" not in tables:
        return None
    if "post" in tables:
        tables["post"] = _NO_NAMES + tables["post"][4:_POST_HEADER]
    out = io.BytesIO()
    writer = SFNTWriter(out, len(tables))
    for tag, data in tables.items():
        writer[tag] = data
    writer.close()
    return out.getvalue()
