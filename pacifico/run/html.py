"""report.html: the executed notebook and a live map in one self-contained file."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from pacifico import legend
from pacifico.escaping import for_html_output, for_markup, for_script, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

OVERLAY = "application/vnd.pacifico.overlay+json"
"""MIME type of map overlays: {name, bounds: [[south, west], [north, east]], image}."""

_STATIC = Path(__file__).with_name("static")
_PICTURES = ("image/svg+xml", "image/png", "image/jpeg")


def write(report: Path, *, title: str) -> Path:
    """Write `report.html` from `report.ipynb` and, if present, `layout.geojson`."""
    notebook = nbformat.read(report / "report.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    layout_path = report / "layout.geojson"
    layout = json.loads(layout_path.read_text(encoding="utf-8")) if layout_path.is_file() else None
    page = report / "report.html"
    page.write_text(render(notebook, layout, title=title), encoding="utf-8")
    return page


def render(notebook: Any, layout: Mapping[str, Any] | None, *, title: str) -> str:
    """Render the page of an executed notebook.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Executed, version 4.
    layout : mapping or None
        A layout.geojson; without it the page has no map.
    title : str
        Used where the layout does not name its site.

    Returns
    -------
    str
        HTML that loads nothing: its policy forbids requests and foreign scripts.
    """
    from nbconvert.filters import ansi2html, highlight, markdown_mistune  # noqa: PLC0415 (late: the run's own modules import this one)

    cells = []
    code = highlight.Highlight2HTML()  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            cells.append({"kind": "text", "tags": tags, "body": markdown_mistune.markdown2html_mistune(cell.source)})
        elif cell.cell_type == "code":
            status = cell.metadata.get("papermill", {}).get("status", "")
            cells.append(
                {
                    "kind": "code",
                    "tags": tags,
                    "number": cell.execution_count or " ",
                    "status": status,
                    "source": code(cell.source) if cell.source.strip() else "",
                    "outputs": [o for output in cell.outputs if (o := _output(output, ansi2html))],
                }
            )
    scripts = [_static("leaflet.js"), _static("map.js")] if layout is not None else []
    data = {"layout": _with_visible_names(layout), "overlays": overlays(notebook), "legend": _legend()}
    return str(
        _template().render(
            title=_title(layout, title),
            cells=cells,
            layout=layout,
            data=for_script(data),
            scripts=scripts,
            styles=[_static("leaflet.css"), _static("page.css")],
            policy=_policy(scripts),
            licence=_static("leaflet-LICENSE.txt") if layout is not None else "",
            headline=layout.get("pacifico", {}).get("headline", []) if layout is not None else [],
            lead=_lead(layout) if layout is not None else [],
        )
    )


@functools.cache
def _template() -> Any:
    """Template of the page, compiled once."""
    import jinja2  # noqa: PLC0415 (late: the run's own modules import this one)

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(_static("page.html"))


def overlays(notebook: Any) -> list[dict[str, Any]]:
    """Map images among the notebook's outputs; only PNG data URIs are accepted."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            overlay = output.get("data", {}).get(OVERLAY)
            if overlay and str(overlay.get("image", "")).startswith("data:image/png;base64,"):
                found.append(overlay)
    return found


def _output(output: Any, ansi2html: Any) -> str | None:
    kind = output.output_type
    if kind == "stream":
        return f'<pre class="stream {for_markup(output.name)}">{for_html_output(output.text, ansi2html)}</pre>'
    if kind == "error":
        return f'<pre class="error">{for_html_output(chr(10).join(output.traceback), ansi2html)}</pre>'
    data = output.get("data", {})
    if OVERLAY in data:
        return None
    for mime in _PICTURES:
        if mime in data:
            content = data[mime]
            encoded = base64.b64encode(content.encode()).decode() if mime.endswith("xml") else "".join(content.split())
            alt = for_markup(data.get("text/plain", "figure"))
            return f'<img src="data:{mime};base64,{encoded}" alt="{alt}">'
    if "text/html" in data:
        return f'<div class="html">{data["text/html"]}</div>'
    if "text/markdown" in data:
        from nbconvert.filters import markdown_mistune  # noqa: PLC0415

        return str(markdown_mistune.markdown2html_mistune(data["text/markdown"]))
    return f"<pre>{for_markup(data['text/plain'])}</pre>" if "text/plain" in data else None


def _legend() -> dict[str, Any]:
    return {
        "assets": legend.ASSETS,
        "other_asset": legend.OTHER_ASSET,
        "roads": legend.ROADS,
        "boundary": legend.BOUNDARY,
        "buildable": legend.BUILDABLE,
        "exclusion": legend.EXCLUSION,
        "pad": legend.PAD,
        "road": legend.ROAD,
        "road_edge": legend.ROAD_EDGE,
        "cable": legend.CABLE,
        "crossing": legend.CROSSING,
        "fence": legend.FENCE,
        "entry": legend.ENTRY,
    }


def _policy(scripts: list[str]) -> str:
    """Content Security Policy: no requests, and only scripts with these hashes."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {hashes or chr(39) + 'none' + chr(39)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _title(layout: Mapping[str, Any] | None, title: str) -> str:
    for feature in (layout or {}).get("features", []):
        properties = feature.get("properties", {})
        if properties.get("kind") == "boundary" and properties.get("name"):
            return visible(properties["name"])
    return title.replace("_", " ")


def _with_visible_names(layout: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Layout for the map, with hidden characters shown."""
    if layout is None:
        return None
    features = [
        {**feature, "properties": {k: visible(v) if isinstance(v, str) else v for k, v in properties.items()}}
        for feature in layout.get("features", [])
        if isinstance(properties := feature.get("properties") or {}, dict)
    ]
    return {**layout, "features": features}


def _lead(layout: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Figures below the headline: label, number, unit."""
    metrics = layout.get("pacifico", {}).get("metrics", {})
    wanted = [
        ("Buildable", "buildable_area_ha", 1, "ha", 0),
        ("Assets", "asset_count", 1, "", 0),
        ("Roads", "road_length_m", 1e-3, "km", 2),
    ]
    lead = []
    for label, name, factor, unit, digits in wanted:
        value = metrics.get(name)
        if isinstance(value, int | float):
            lead.append((label, f"{value * factor:,.{digits}f}".replace(",", "\u202f"), unit))
    return lead


@functools.cache
def _static(name: str) -> str:
    text = (_STATIC / name).read_text(encoding="utf-8")
    return re.sub(r"</(script|style)", r"<\\/\1", text) if name.endswith((".js", ".css")) else text
