r"""Escaping of outside text, for each medium that shows it.

All escaping has its home here. Names of sites, zones and files, and messages of errors, come from strangers. Control characters could move a terminal's
cursor or end a line of a log, direction marks could show a text as another, and markup or formulas could run. They are shown
as visible escapes, such as `\x1b`, and never passed on.
"""

from __future__ import annotations

import html
import json
import os
import re
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike

#: Format characters that writing needs: Persian, Indic scripts and emoji join or part letters with them.
_JOINERS = "\u200c\u200d"
_SHOWN = re.compile(r"[ -~]*")
#: Characters with which a spreadsheet starts a formula, the full-width ones included.
_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Surrogates that are no byte of an argument."""
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
#: Largest number of characters in a cell or value.
LONGEST_TEXT = 4000


def visible(text: object, *, keep: str = "") -> str:
    r"""Text with hidden characters as visible escapes.

    Hidden are control, direction and format characters, and unpaired surrogates.

    Parameters
    ----------
    text : object
        Anything with a string form.
    keep : str
        Control characters that stay, such as the line feed.

    Examples
    --------
    >>> visible("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    plain = str(text)
    if _SHOWN.fullmatch(plain):
        return plain
    return "".join(c if c in keep or not _is_hidden(c) else _escape(c) for c in plain)


def for_terminal(text: object, *, lines: bool = False) -> str:
    """Text for a terminal or log, by default on one line."""
    if lines:
        return visible(str(text).replace("\r\n", "\n"), keep="\n")
    return visible(" ".join(str(text).split()))


def for_markup(text: object) -> str:
    """Text for HTML, SVG and XML, also within quoted attributes."""
    return html.escape(visible(text, keep="\t\n"), quote=True)


def for_html_output(text: str, to_html: Any) -> str:
    """Output of a cell as HTML, with its colours.

    Parameters
    ----------
    text : str
        Text as a program wrote it.
    to_html : callable
        Turns text with colours into HTML.
    """
    parts = _COLOUR.split(text.replace("\r\n", "\n"))
    return str(to_html("".join(p if k % 2 else visible(p, keep="\t\n") for k, p in enumerate(parts))))


def for_markdown_block(text: object) -> str:
    """Text as an indented code block of Markdown."""
    shown = visible(str(text).replace("\r\n", "\n"), keep="\n")
    return "\n".join(f"    {line}" for line in shown.split("\n"))


def for_script(data: Any) -> str:
    """JSON that is safe inside a script element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def for_json(data: Any, *, indent: int | None = None, ascii_only: bool = False) -> str:
    """JSON for a terminal, with hidden characters escaped."""
    text = json.dumps(data, ensure_ascii=ascii_only, indent=indent)
    if _SHOWN.fullmatch(text):
        return text
    return "".join(_json_escape(c) if c != "\n" and _is_hidden(c) else c for c in text)


def for_csv(value: Any) -> str:
    """Value as a CSV cell, never a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = single_line(", ".join(map(str, value)) if isinstance(value, list) else value, most=LONGEST_TEXT)
    return f"'{text}" if text.startswith(_FORMULA) else text


def for_gdal(path: str | PathLike[str]) -> str:
    """Name of a file in UTF-8, as GDAL takes it.

    GDAL reads UTF-8 whatever the locale, and finds no file whose name is no UTF-8. Python keeps the bytes of a name that the
    locale can't decode as surrogates, which GDAL's bindings refuse.
    """
    return os.fsencode(path).decode("utf-8", "replace")


def decoded(text: str) -> str:
    """Text of an argument or file name, whatever the locale.

    Python keeps bytes that the locale can't decode as surrogates. They are read as UTF-8 here: no file in UTF-8 takes
    surrogates. What is no UTF-8 becomes U+FFFD.
    """
    return _NO_BYTE.sub("\ufffd", text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def as_path(text: str) -> str:
    """Path that a file in UTF-8 names, as the system takes it in this locale; the reverse of `decoded`."""
    return os.fsdecode(text.encode("utf-8"))


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


def _is_hidden(character: str) -> bool:
    """Whether a character only changes what others show."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in _JOINERS


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[k]:02x}{units[k + 1]:02x}" for k in range(0, len(units), 2))
