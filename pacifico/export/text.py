"""Text from outside made safe for a line of an output file."""

from __future__ import annotations

import unicodedata


def single_line(text: object, *, most: int = 200) -> str:
    """Text on one line, without control characters, cut to a length.

    Formatting characters (category Cf, such as direction marks) are dropped. Unprintable ones become spaces.

    Parameters
    ----------
    text : object
        Anything with a string form.
    most : int
        Largest number of characters; a longer text ends with an ellipsis.
    """
    spaced = "".join(c if c.isprintable() else " " for c in str(text) if unicodedata.category(c) != "Cf")
    line = " ".join(spaced.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
