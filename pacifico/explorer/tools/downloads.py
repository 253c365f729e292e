"""Links to download written files, for people who don't see the server's folder."""

from __future__ import annotations

import base64
import io
import mimetypes
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from pacifico.escaping import for_markup

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LINK_BYTES = 60_000_000
"""Largest file behind a link [bytes]: the page holds it whole, a third larger."""
SHOWN = (".html", ".pdf")
"""Endings of files that have links of their own beside the archive of all."""


def links_of(files: Iterable[str]) -> str:
    """Links to files as HTML: one file alone, or an archive of all and its pages and sheets.

    The links hold the files themselves, so that only this page can read them.

    Parameters
    ----------
    files : iterable of str
        Paths of written files, of one folder.
    """
    paths = [Path(file) for file in files]
    if len(paths) == 1:
        return _link(paths[0].name, paths[0].read_bytes())
    single = [path for path in paths if path.suffix in SHOWN]
    links = [_link(path.name, path.read_bytes()) for path in single]
    return "<br>".join([*links, _link(f"{paths[0].parent.name}.zip", _archive(paths))])


def _archive(paths: list[Path]) -> bytes:
    """Zip archive of files of one folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            archive.write(
                path, path.relative_to(paths[0].parent) if path.is_relative_to(paths[0].parent) else path.name
            )
    return buffer.getvalue()


def _link(name: str, content: bytes) -> str:
    """Link to a file; a line where it is too large."""
    size = f"{len(content) / 1e6:,.1f} MB" if len(content) >= 1e5 else f"{len(content) / 1e3:,.1f} kB"
    if len(content) > MOST_LINK_BYTES:
        return f"{for_markup(name)} has {size}: too large for a link, it stays in the folder"
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    data = base64.b64encode(content).decode("ascii")
    return f'<a style="color:#0b57d0;text-decoration:underline" download="{for_markup(name)}" href="data:{kind};base64,{data}">Download {for_markup(name)} ({size})</a>'
