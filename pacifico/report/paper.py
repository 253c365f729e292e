"""Frame, scale bar, north arrow and tables of the drawn sheet.

Places on paper are in millimetres from the lower left corner.
"""

from __future__ import annotations

import contextlib
import math
import textwrap
from typing import TYPE_CHECKING, Any

from fontTools import subset  # type: ignore[import-untyped]
from matplotlib.font_manager import findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle

from pacifico.escaping import single_line
from pacifico.report import mapframe as frame
from pacifico.report import marks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHEET_MM = (420.0, 297.0)
"""Width and height of A3 [mm]."""
FRAME_MM = (10.0, 8.0, 410.0, 289.0)
"""West, south, east, north of the frame [mm]."""
MAP_MM = (18.0, 16.0, 294.0, 281.0)
"""West, south, east, north of the map [mm]."""
COLUMN_MM = (306.0, 406.0)
"""Left and right end of the text column beside the map [mm]."""
BLOCK_MM = 62.0
"""Top of the title block [mm]."""
GREY, PALE = "#5d6764", "#9aa39e"
FONT = "DejaVu Sans"
COMPOSING = ("GDEF", "GPOS", "GSUB", "kern", "MATH", "name")
"""Tables of a font for composing text and naming the font; a PDF has placed its letters and needs none."""


def drawable(text: object, *, most: int = 200) -> str:
    """Text on one line, with boxes for characters the font lacks."""
    font = get_font(findfont(FONT))
    return "".join(c if font.get_char_index(ord(c)) else "□" for c in single_line(text, most=most))


@contextlib.contextmanager
def plain_fonts() -> Iterator[None]:
    """Embed fonts without tables for composing text.

    matplotlib leaves out letters that a PDF does not use, and the table of ligatures and kerning takes most of the time.
    It offers no setting, so the default of fontTools changes meanwhile.
    """
    options: Any = subset.Options
    usual = options._drop_tables_default  # noqa: SLF001 (no public name)
    options._drop_tables_default = [*usual, *COMPOSING]  # noqa: SLF001
    try:
        yield
    finally:
        options._drop_tables_default = usual  # noqa: SLF001


def scale_bar(ax: Axes, ratio: float) -> None:
    """Draw a scale bar in the lower left corner of the map."""
    mm = ratio / 1000
    x, y = ax.get_xlim()[0] + 8 * mm, ax.get_ylim()[0] + 8 * mm
    piece = marks.nice(17 * mm)
    unit, factor = ("km", 1e-3) if 4 * piece >= 2000 else ("m", 1.0)
    ax.add_patch(Rectangle((x - 4 * mm, y - 4 * mm), 4 * piece + 14 * mm, 13 * mm, fc="white", ec=PALE, lw=0.4, zorder=19))  # fmt: skip
    for k in range(4):
        fill = frame.INK if k % 2 == 0 else "white"
        ax.add_patch(Rectangle((x + k * piece, y), piece, 2 * mm, fc=fill, ec=frame.INK, lw=0.6, zorder=20))
    for k in (0, 1, 2, 4):
        text = f"{k * piece * factor:g}" + (f" {unit}" if k == 4 else "")
        ax.text(x + k * piece, y + 3 * mm, text, fontsize=6.5, ha="center", va="bottom", color=frame.INK, zorder=20)


def north_arrow(ax: Axes) -> None:
    """Draw an arrow to grid north in the upper right corner."""
    (low, high), top = ax.get_xlim(), ax.get_ylim()[1]
    mm = (high - low) / (MAP_MM[2] - MAP_MM[0])
    x, y = high - 13 * mm, top - 27 * mm
    ax.add_patch(Rectangle((x - 9 * mm, y - 7 * mm), 18 * mm, 30 * mm, fc="white", ec=PALE, lw=0.4, zorder=19))
    for side, fill in ((-1, "white"), (1, frame.INK)):
        corners = [(x, y + 14 * mm), (x, y + 3 * mm), (x + side * 4 * mm, y)]
        ax.add_patch(Polygon(corners, closed=True, fc=fill, ec=frame.INK, lw=0.7, joinstyle="miter", zorder=20))
    ax.text(x, y + 15 * mm, "N", fontsize=12, fontweight="bold", ha="center", va="bottom", color=frame.INK, zorder=20)
    ax.text(x, y - 5 * mm, "grid north", fontsize=5.5, ha="center", va="bottom", color=GREY, zorder=20)


def box(fig: Figure, west: float, south: float, east: float, north: float, *, linewidth: float) -> None:
    """Draw a frame between two corners [mm].

    Parameters
    ----------
    fig : Figure
        Sheet.
    west, south, east, north : float
        Edges [mm].
    linewidth : float
        Width of the line [pt].
    """
    wide, tall = SHEET_MM
    fig.add_artist(
        Rectangle((west / wide, south / tall), (east - west) / wide, (north - south) / tall, fill=False, ec=frame.INK, lw=linewidth)
    )  # fmt: skip


def rule(fig: Figure, y: float) -> None:
    """Draw a thin line across the text column."""
    wide, tall = SHEET_MM
    fig.add_artist(Line2D([COLUMN_MM[0] / wide, COLUMN_MM[1] / wide], [y / tall, y / tall], color=PALE, lw=0.3))


def write(fig: Figure, x: float, y: float, text: str, **look: Any) -> None:
    """Write text at a place on the sheet.

    Parameters
    ----------
    fig : Figure
        Sheet.
    x, y : float
        Left and top of the text [mm].
    text : str
        Text, without markup.
    **look
        Properties of matplotlib's `Text`.
    """
    look = {"fontsize": 6.8, "color": frame.INK, "va": "top", **look}
    fig.text(x / SHEET_MM[0], y / SHEET_MM[1], text, parse_math=False, **look)


def write_legend(fig: Figure, handles: Sequence[Any], y: float) -> float:
    """Write the legend; return the height of its lower end [mm]."""
    write(fig, COLUMN_MM[0], y, "Legend", fontsize=8.5, fontweight="bold")
    fig.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=(COLUMN_MM[0] / SHEET_MM[0], (y - 5) / SHEET_MM[1]),
        borderaxespad=0.0,
        borderpad=0.0,
        frameon=False,
        fontsize=6.8,
        ncols=2,
        columnspacing=1.5,
        labelspacing=0.7,
        handlelength=2.4,
    )
    return y - 5 - 4.2 * math.ceil(len(handles) / 2) - 4


def write_rows(
    fig: Figure, title: str, head: Sequence[str], rows: Sequence[Sequence[str]], y: float, ends: Sequence[float]
) -> float:
    """Write a table; return the height of its lower end [mm].

    Parameters
    ----------
    fig : Figure
        Sheet.
    title : str
        Heading.
    head : sequence of str
        Column headings; empty for none.
    rows : sequence of sequences of str
        Cells. The first column is aligned left, the others right.
    y : float
        Height of the upper end [mm].
    ends : sequence of float
        Where each column is aligned, from the left of the text column [mm].
    """
    write(fig, COLUMN_MM[0], y, title, fontsize=8.5, fontweight="bold")
    y -= 5
    lines: list[tuple[Sequence[str], str]] = [*([(head, GREY)] if head else []), *((row, frame.INK) for row in rows)]
    for row, colour in lines:
        for k, (cell, end) in enumerate(zip(row, ends, strict=True)):
            write(fig, COLUMN_MM[0] + end, y, cell, fontsize=6.6, ha="right" if k else "left", color=colour)
        rule(fig, y - 3.2)
        y -= 4.1
    return y - 3


def wrapped(text: str, width: int, most: int) -> list[str]:
    """Text in at most so many lines, cut at the end."""
    return textwrap.wrap(drawable(text), width, max_lines=most, placeholder=" …")
