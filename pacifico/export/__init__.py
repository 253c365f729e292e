"""Layouts for other programs: Google Earth, spreadsheets, GIS and CAD. The drawn sheet is `pacifico.report.sheet`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pacifico.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

Format = Literal["kmz", "csv", "dxf", "gpkg"]
FORMATS: tuple[Format, ...] = ("kmz", "csv", "dxf", "gpkg")

__all__ = ["FORMATS", "Format", "export"]


def export(layout: Mapping[str, Any], fmt: Format, path: str | Path) -> tuple[Path, ...]:
    """Write a layout in another format.

    Parameters
    ----------
    layout : mapping
        Content of a layout.geojson, as `Plan.to_geojson` gives or `read_layout` reads it.
    fmt : {'kmz', 'csv', 'dxf', 'gpkg'}
        Format.
    path : str or Path
        File to write. For csv a folder, which gets assets.csv, roads.csv and cables.csv; or a file for the assets, and roads
        and cables go beside it with '-roads' and '-cables' in the name.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    InputError
        It is no layout, the format is unknown or needs a package that is absent, or the path can't be written.
    """
    path = Path(path)
    if fmt == "kmz":
        from pacifico.export.kmz import write_kmz  # noqa: PLC0415 (each format pays for itself)

        return (write_kmz(layout, path),)
    if fmt == "csv":
        from pacifico.export.tables import write_csv  # noqa: PLC0415

        if path.is_dir():
            return write_csv(layout, path / "assets.csv", path / "roads.csv", path / "cables.csv")
        beside = (path.with_name(f"{path.stem}-{what}{path.suffix}") for what in ("roads", "cables"))
        return write_csv(layout, path, *beside)
    if fmt == "dxf":
        from pacifico.export.dxf import write_dxf  # noqa: PLC0415

        return (write_dxf(layout, path),)
    if fmt == "gpkg":
        from pacifico.export.gpkg import write_gpkg  # noqa: PLC0415

        return (write_gpkg(layout, path),)
    raise InputError(f"the format {fmt!r} is unknown; use one of {', '.join(FORMATS)}")
