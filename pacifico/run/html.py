"""report.html: the executed notebook and a live map in one self-contained file."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from pacifico import legend
from pacifico.escaping import for_html_output, for_markup, for_script, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

OVERLAY = "application/vnd.pacifico.overlay+json"
"""MIME type of map overlays: {name, bounds: [[south, west], [north, east]], image}."""

LAND = "application/vnd.pacifico.land+json"
"""MIME type of ground by reason: GeoJSON features with key, name and colour, which the page's map lights up."""
RELIEF = "application/vnd.pacifico.relief+json"
"""MIME type of heights, which the page shows in 3D."""
PRINT_MAP = "print-map"
"""Tag of the cell whose picture stands for the map on paper."""
NOTHING = 'class="nothing"'
"""Mark of an output that says why a section is empty."""

_STATIC = Path(__file__).with_name("static")
_MOST_SOURCES = 256
"""Most cells whose HTML is kept: those of all shipped notebooks, which are the same in every run."""
_COLOUR = re.compile(r"#[0-9a-f]{6}")
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
    cells = _cells(notebook)
    picture: list[str] = next((c["outputs"] for c in cells if PRINT_MAP in c["tags"] and layout is not None), [])
    intro = _intro(cells) if layout is not None else ""
    parts, missing = _parts([c for c in cells if "run-failed" not in c["tags"]], moved=picture)
    ground = _relief(notebook) if layout is not None else None
    scripts = [_static("leaflet.js"), _static("map.js")] if layout is not None else []
    scripts += [_static("relief.js")] if ground is not None else []
    data = {
        "layout": _with_visible_names(layout),
        "overlays": overlays(notebook),
        "legend": _legend(),
        "land": _land(notebook),
        "relief": ground,
    }
    return str(
        _template().render(
            title=_title(layout, title),
            failures=[c["body"] for c in cells if "run-failed" in c["tags"]],
            intro=intro,
            parts=parts,
            missing=missing,
            picture=picture,
            layout=layout,
            relief=ground is not None,
            data=for_script(data),
            scripts=scripts,
            styles=[_static("leaflet.css"), _static("page.css")],
            policy=_policy(scripts),
            licence=_static("leaflet-LICENSE.txt") if layout is not None else "",
            headline=layout.get("pacifico", {}).get("headline", []) if layout is not None else [],
            lead=_lead(layout) if layout is not None else [],
        )
    )


def _cells(notebook: Any) -> list[dict[str, Any]]:
    """Cells of a notebook as HTML: kind, tags, and body or source, status and outputs."""
    from nbconvert.filters import ansi2html  # noqa: PLC0415 (late: the run's own modules import this one)

    cells: list[dict[str, Any]] = []
    heading = ""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            body = _markdown(cell.source)
            heading = _heading(body) or heading
            cells.append({"kind": "text", "tags": tags, "body": body})
        elif cell.cell_type == "code":
            cells.append(
                {
                    "kind": "code",
                    "tags": tags,
                    "status": cell.metadata.get("papermill", {}).get("status", ""),
                    "source": _code(cell.source) if cell.source.strip() else "",
                    "outputs": [o for output in cell.outputs if (o := _output(output, ansi2html, heading))],
                }
            )
    return cells


@functools.lru_cache(_MOST_SOURCES)
def _markdown(source: str) -> str:
    """HTML of a text cell."""
    from nbconvert.filters import markdown_mistune  # noqa: PLC0415 (late, as above)

    return str(markdown_mistune.markdown2html_mistune(source))


@functools.lru_cache(_MOST_SOURCES)
def _code(source: str) -> str:
    """HTML of a code cell, with colours."""
    from nbconvert.filters import highlight  # noqa: PLC0415 (late, as above)

    coloured = highlight.Highlight2HTML()  # type: ignore[no-untyped-call]
    return str(coloured(source))


def _parts(
    cells: list[dict[str, Any]], *, moved: list[str]
) -> tuple[list[list[dict[str, Any]]], list[tuple[str, str]]]:
    """Parts of the page, each from one heading to the next, and headings of those without content.

    Parameters
    ----------
    cells : list of dict
        Cells of the page.
    moved : list of str
        Outputs that the page shows elsewhere.
    """
    parts: list[list[dict[str, Any]]] = [[]]
    for cell in cells:
        if cell["kind"] == "text" and "<h2" in cell["body"]:
            parts.append([])
        parts[-1].append({**cell, "outputs": []} if moved and cell.get("outputs") is moved else cell)
    kept, missing = [], []
    for part in parts:
        outputs = [output for cell in part for output in cell.get("outputs", [])]
        broken = any(cell.get("status") in ("failed", "pending") for cell in part)
        if outputs and all(NOTHING in output for output in outputs) and not broken:
            missing.append((_heading(part[0]["body"]), " ".join(_plain(output) for output in outputs)))
        elif any(cell.get("body") or cell.get("source") or cell.get("outputs") for cell in part):
            kept.append(part)
    return kept, missing


def _intro(cells: list[dict[str, Any]]) -> str:
    """Take the text below the title out of the first cell.

    The page begins with the result.
    """
    first = next(iter(cells), None)
    if first is None or first["kind"] != "text" or "<h1" not in first["body"]:
        return ""
    _, _, text = first["body"].partition("</h1>")
    first["body"] = ""
    return str(text).strip()


def _heading(body: str) -> str:
    """Text of the first heading in HTML; empty without one."""
    found = re.search(r"<h([1-6])[^>]*>(.*?)</h\1>", body, re.DOTALL)
    return _plain(found[2]).removesuffix("¶") if found else ""


def _plain(markup: str) -> str:
    """Text of HTML without its tags."""
    return unescape(re.sub(r"<[^>]*>", "", markup)).strip()


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


def _relief(notebook: Any) -> dict[str, Any] | None:
    """Heights for the 3D view among the notebook's outputs."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found = output.get("data", {}).get(RELIEF)
            if isinstance(found, dict) and isinstance(found.get("heights"), str):
                return found
    return None


def _land(notebook: Any) -> list[dict[str, Any]]:
    """Ground by reason among the notebook's outputs."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found = output.get("data", {}).get(LAND)
            if found:
                return [f for f in found["features"] if _COLOUR.fullmatch(str(f["properties"].get("colour", "")))]
    return []


def _output(output: Any, ansi2html: Any, heading: str) -> str | None:
    """Output of a cell as HTML; None where the page shows it in another way.

    Parameters
    ----------
    output : NotebookNode
        Output of a code cell.
    ansi2html : callable
        Turns terminal colours into HTML.
    heading : str
        Heading above it, which describes a picture.
    """
    kind = output.output_type
    if kind == "stream":
        return f'<pre class="stream {for_markup(output.name)}">{for_html_output(output.text, ansi2html)}</pre>'
    if kind == "error":
        return f'<pre class="error">{for_html_output(chr(10).join(output.traceback), ansi2html)}</pre>'
    data = output.get("data", {})
    if OVERLAY in data or LAND in data:
        return None
    for mime in _PICTURES:
        if mime in data:
            content = data[mime]
            encoded = base64.b64encode(content.encode()).decode() if mime.endswith("xml") else "".join(content.split())
            alt = for_markup(f"Figure: {heading}" if heading else "Figure")
            return f'<img src="data:{mime};base64,{encoded}" alt="{alt}">'
    if "text/html" in data:
        return f'<div class="html" tabindex="0">{data["text/html"]}</div>'
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
