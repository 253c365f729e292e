"""Notebook of one explorer that fills the window, for `pacifico open`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.output_files import atomic_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pacifico.explorer.map import Explorer

MARK = "pacifico_app"
"""Member of a notebook's metadata that says that `pacifico open` wrote it."""
MOST_BYTES = 16 << 20
"""Size above which a notebook is not read to find out who wrote it [bytes]."""
_BARS_PX = 96
"""Height of what JupyterLab shows around a notebook in its simple interface [pixels]."""


@dataclass(frozen=True)
class AppSource:
    """Site, ground and design that the explorer starts with."""

    boundary: str | None
    """Path of the boundary file, or `sample`; None for a page on which one is dropped."""
    dem: str | None
    """As for `open_dem`; None for level ground, without a boundary for all sources."""
    reading: Mapping[str, Any] = field(default_factory=dict)
    """Keywords of `read_site`."""
    ground: Mapping[str, Any] = field(default_factory=dict)
    """Keywords of `open_dem`, or of `level_ground`."""
    exclusions: tuple[str, ...] = ()
    """Files and addresses of ground to keep free."""
    exclusion_buffer_m: float | None = None
    """Distance around exclusions that state none of their own [m]."""
    design: Mapping[str, Any] = field(default_factory=dict)
    """Keywords of `explore`."""
    roads: str | None = None
    """File of existing roads."""


def write_app_notebook(path: Path, source: AppSource, *, hint: bool = True) -> Path:
    """Write a notebook that shows one explorer over the whole window.

    Parameters
    ----------
    path : Path
        Notebook to write; one that `pacifico open` wrote before is replaced.
    source : AppSource
        What the explorer starts with.
    hint : bool
        Whether a line says how to run the cell; programs that run it by themselves need none.

    Returns
    -------
    Path
        The notebook.

    Raises
    ------
    InputError
        Another notebook is in its place, or it can't be written.
    """
    if path.exists() and not _is_ours(path):
        raise InputError(f"{path} is another notebook; give --out with a folder of its own")
    from nbformat import v4  # noqa: PLC0415 (only here)

    head = v4.new_markdown_cell("Where no map is below, run the cell (Shift+Enter).", id="start")  # type: ignore[no-untyped-call]
    hidden = {"jupyter": {"source_hidden": True}}
    cell = v4.new_code_cell(code(source, app=not hint), id="explorer", metadata=hidden)  # type: ignore[no-untyped-call]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, MARK: True}
    notebook = v4.new_notebook(cells=[head, cell] if hint else [cell], metadata=about)  # type: ignore[no-untyped-call]
    text = json.dumps(notebook, indent=1, ensure_ascii=True, sort_keys=True) + "\n"
    with atomic_files(path) as (part,):
        part.write_text(text, encoding="utf-8")
    return path


def code(source: AppSource, *, app: bool = False) -> str:
    """Python of the notebook's cell; every value is a literal.

    Parameters
    ----------
    source : AppSource
        What the explorer starts with.
    app : bool
        Whether people see the page alone: files have links, and visits without a boundary are kept apart.
    """
    if source.boundary is None:
        elevations = "" if source.dem is None else f"[{source.dem!r}], "
        return (
            "from pacifico.explorer.start import start_page\n\n"
            f"start_page({elevations}apart={app!r}{_more(source.design)})"
        )
    lines = [
        "import pacifico",
        "from pacifico.explorer.app import fill_window",
        "",
        f"site = pacifico.read_site({_call(source.boundary, **source.reading)})",
    ]
    if source.exclusions:
        lines.insert(2, "from pacifico.site.combine import with_combined")
        lines.append(f"site = with_combined(site, {list(source.exclusions)!r}, buffer_m={source.exclusion_buffer_m!r})")
    if source.roads is not None:
        lines.insert(2, "from pacifico.site.exclusions import with_roads")
        lines.append(f"site = with_roads(site, {source.roads!r})")
    if source.dem is None:
        lines.insert(2, "from pacifico.terrain.dem import level_ground")
        lines.append(f"dem = level_ground(site{_more(source.ground)})")
    else:
        lines.append(f"dem = pacifico.open_dem(site, {source.dem!r}{_more(source.ground)})")
    fill = "fill_window(explorer, downloads=True)" if app else "fill_window(explorer)"
    lines += [f"explorer = pacifico.explore(site, dem{_more(source.design)})", fill]
    return "\n".join(lines)


def fill_window(explorer: Explorer, *, downloads: bool = False) -> Explorer:
    """Make map and panel as high as the browser's window, and return the explorer.

    Parameters
    ----------
    explorer : Explorer
        Explorer that fills the window.
    downloads : bool
        Whether written files have links to download them.

    Examples
    --------
    >>> fill_window(pacifico.explore(site, dem))  # doctest: +SKIP
    """
    for part in explorer.widget.children:
        part.layout.height = f"max(420px, calc(100vh - {_BARS_PX}px))"
    if downloads:
        explorer.outputs.downloads = True
    return explorer


def _call(first: str, **more: Any) -> str:
    """Arguments of a call as Python literals."""
    return f"{first!r}{_more(more)}"


def _more(keywords: Mapping[str, Any]) -> str:
    """Keyword arguments as Python literals, without those that are None."""
    return "".join(f", {name}={value!r}" for name, value in keywords.items() if value is not None)


def _is_ours(path: Path) -> bool:
    """Whether `pacifico open` wrote a notebook."""
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return False
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    about = content.get("metadata") if isinstance(content, dict) else None
    return isinstance(about, dict) and about.get(MARK) is True
