"""STAC catalog of stored reports: JSON files beside them that QGIS and STAC browsers open.

References
----------
SpatioTemporal Asset Catalog specification 1.1.0, 2024. https://stacspec.org
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from pacifico.errors import InputError
from pacifico.escaping import single_line
from pacifico.output_files import atomic_files
from pacifico.report.catalog.gallery import gallery_page
from pacifico.report.catalog.reports import FILES, read_entries

if TYPE_CHECKING:
    from pacifico.report.catalog.reports import CatalogEntry

CATALOG, ITEM, GALLERY = "catalog.json", "stac-item.json", "index.html"
"""Files of a catalog: in the folder, in each report's folder, and the page of cards."""


def write_catalog(folder: str | Path, *, title: str = "Site layouts") -> tuple[Path, ...]:
    """Write a STAC catalog and a page of cards beside stored reports.

    Links are relative: the folder can be moved, or copied to a bucket or web server, as it is. Reports without a layout
    are on the page alone.

    Parameters
    ----------
    folder : str or Path
        Folder that holds report folders.
    title : str
        Title of the catalog.

    Returns
    -------
    tuple of Path
        catalog.json, index.html, and a stac-item.json in each report's folder. The same reports give the same bytes.

    Raises
    ------
    InputError
        The folder holds no reports or can't be written, or pystac is not installed.

    Examples
    --------
    >>> write_catalog("reports")  # doctest: +SKIP
    """
    try:
        pystac: Any = importlib.import_module("pystac")  # an extra
    except ImportError:
        raise InputError("a STAC catalog needs pystac, which is not installed; pip install 'pacifico[stac]'") from None
    root = Path(folder)
    entries = read_entries(root)
    listed = [e for e in entries if e.boundary is not None and e.made is not None]
    named = single_line(title, most=120) or "Site layouts"
    catalog = pystac.Catalog(
        id="site-layouts", description="Reports of site layouts made by pacifico.", title=named,
        catalog_type=pystac.CatalogType.SELF_CONTAINED,
    )  # fmt: skip
    catalog.set_self_href(str(root / CATALOG))
    items = {root / entry.name / ITEM: _item(pystac, entry) for entry in listed}
    for path, item in items.items():
        catalog.add_item(item, title=item.properties["title"])
        item.set_self_href(str(path))
    content = {path: _json(item) for path, item in items.items()}
    content[root / GALLERY] = gallery_page(entries, title=named)
    content[root / CATALOG] = _json(catalog)
    with atomic_files(*content) as parts:
        for part, text in zip(parts, content.values(), strict=True):
            part.write_text(text, encoding="utf-8", newline="")
    return tuple(content)


def _item(pystac: Any, entry: CatalogEntry) -> Any:
    """STAC item of a report with a layout."""
    area = entry.boundary
    title = f"{entry.title or entry.name}: {entry.design}"
    properties = {
        "title": title,
        "description": "\n".join(f"{answer.label}: {answer.text}" for answer in entry.answers),
        "pacifico:status": entry.status,
        "pacifico:crs": entry.crs,
        **{f"pacifico:{name}": value for name, value in entry.figures},
    }
    item = pystac.Item(
        id=entry.name,
        geometry=json.loads(shapely.to_geojson(area)),
        bbox=[round(v, 8) for v in area.bounds] if area is not None else None,
        datetime=entry.made,
        properties=properties,
    )
    for name in entry.files:
        words, media, role = FILES[name]
        item.add_asset(name, pystac.Asset(href=f"./{name}", title=words, media_type=media, roles=[role]))
    return item


def _json(thing: Any) -> str:
    """Text of a catalog or item, with relative links."""
    return json.dumps(thing.to_dict(include_self_link=False), indent=2, ensure_ascii=False) + "\n"
