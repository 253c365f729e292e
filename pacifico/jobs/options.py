"""What a submission's options ask for: the options themselves, the columns of a CSV, and the request made of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from pacifico.jobs.client import JobClient
    from pacifico.jobs.request import JobRequest

    Reader = Callable[[Path], bytes]

PROFILES = ("solar_farm", "gas_bess", "wind_hybrid", "hybrid", "bess")
STRATEGIES = ("balanced", "density", "low_earthwork", "clustered")
NAMED_DEMS = ("3dep", "3dep-30", "glo30", "sample")
#: Column of a CSV -> option; the rest of a row's options are the command line's.
_COLUMNS = ("boundary", "dem", "capacity_kw", "profile", "strategy", "resolution_m", "setback_m", "max_road_grade_pct")
_MORE_COLUMNS = ("entry", "exclusions", "spec", "dem_units", "layer", "no_terrain", "layout_id")
_FILES = (".kml", ".kmz", ".geojson", ".json", ".zip", ".shp", ".gpkg")


def add_design(parser: argparse.ArgumentParser) -> None:
    """Add the options of a layout's design."""
    design = parser.add_argument_group("design")
    design.add_argument(
        "--dem", metavar="DEM", help="a GeoTIFF, an allowed https or s3 address, or " + ", ".join(NAMED_DEMS)
    )
    design.add_argument("--dem-units", choices=("m", "ft"), help="of the heights, where the file does not say")
    design.add_argument("--layer", metavar="NAME", help="layer of the boundary file, where it has several")
    design.add_argument("--profile", choices=PROFILES, default="solar_farm", help="what to build (solar_farm)")
    design.add_argument("--strategy", choices=STRATEGIES, default="balanced", help="what to win at (balanced)")
    design.add_argument(
        "--capacity-kw", type=float, metavar="N", help="target, AC (bess: storage power); without it: all that fits"
    )
    design.add_argument("--resolution-m", type=float, metavar="N", help="cell, 1 to 30 m (the DEM's own)")
    design.add_argument("--entry", metavar="LON,LAT", help="site entry (the file's, else the cheapest)")
    design.add_argument("--exclusions", type=Path, metavar="FILE", help="ground that must stay free")
    design.add_argument("--setback-m", type=float, metavar="N", help="of assets from the boundary")
    design.add_argument("--max-road-grade-pct", type=float, metavar="N", help="steepest road")
    design.add_argument("--no-terrain", action="store_true", help="level ground: then no --dem")
    design.add_argument("--spec", type=Path, metavar="FILE.toml", help="rules of the catalog to override")


def request_of(client: JobClient, given: dict[str, Any], reader: Reader | None) -> JobRequest:
    """Upload what the options name, and make the request that says so.

    Raises
    ------
    InputError
        The options contradict each other, name no such file, or are out of range.
    """
    as_read = reader(given["boundary"]) if reader else None
    dem, level = given["dem"], bool(given["no_terrain"])
    if level and dem:
        raise InputError("--no-terrain means level ground: leave --dem out, or leave --no-terrain out")
    if not level and not dem:
        raise InputError("no elevation model given: add --dem, or --no-terrain for level ground")
    if dem and dem not in NAMED_DEMS and "://" not in dem and not dem.startswith("upload:"):
        dem = client.upload_file(dem)
    parameters: dict[str, Any] = {
        name: given[name]
        for name in ("dem_units", "layer", "setback_m", "max_road_grade_pct")
        if given[name] is not None
    }
    if given["entry"] is not None:
        parameters["entry"] = _lonlat(given["entry"])
    if given["exclusions"] is not None:
        parameters["exclusions"] = client.upload_file(given["exclusions"])
    if given["spec"] is not None:
        parameters["spec"] = _toml(given["spec"])
    fields: dict[str, Any] = {
        "dem": dem or None,
        "use_terrain": not level,
        "dem_resolution_m": given["resolution_m"],
        "target_capacity_kw": given["capacity_kw"],
        "generation_profile": given["profile"],
        "strategy": given["strategy"],
        "parameters": parameters,
    }
    if given.get("layout_id"):
        fields["layout_id"] = given["layout_id"]
    # A site is uploaded last of all: what the options got wrong leaves nothing behind.
    client.request("unnamed", **fields)
    return client.request(client.upload_site(given["boundary"], as_read=as_read), **fields)


def rows_of(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Give one set of options for each boundary file of a folder, or each row of a CSV.

    Raises
    ------
    InputError
        There is none, or the CSV can't be read, has an unknown column or no number where one is needed.
    """
    source: Path = arguments.source
    given = {**vars(arguments), "layout_id": None}
    if source.is_dir():
        found = sorted(path for path in source.iterdir() if path.suffix.lower() in _FILES)
        rows = [{**given, "boundary": path} for path in found]
    else:
        rows = _csv(source, given)
    if not rows:
        raise InputError(f"{source} names no boundary; files of {', '.join(_FILES)} are taken, or a CSV with rows")
    return rows


def _csv(source: Path, given: dict[str, Any]) -> list[dict[str, Any]]:
    import csv  # noqa: PLC0415

    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            table = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{source} can't be read as a folder or CSV: {error}") from None
    rows = []
    for number, line in enumerate(table, start=2):
        if unknown := set(line) - {*_COLUMNS, *_MORE_COLUMNS}:
            named = ", ".join(sorted(str(name) for name in unknown))
            raise InputError(
                f"{source}: columns {named} are unknown; there are: {', '.join((*_COLUMNS, *_MORE_COLUMNS))}"
            )
        row = dict(given)
        for name, text in line.items():
            if text:
                row[name] = _value(name, text.strip(), source, number)
        if not line.get("boundary"):
            raise InputError(f"{source}, line {number}: the column 'boundary' is empty")
        rows.append(row)
    return rows


def _value(name: str, text: str, source: Path, number: int) -> Any:
    if name in ("boundary", "exclusions", "spec"):
        return source.parent / text
    if name == "dem" and text not in NAMED_DEMS and "://" not in text and not text.startswith("upload:"):
        return str(source.parent / text)
    if name == "no_terrain":
        return text.lower() in ("1", "true", "yes")
    if name in ("capacity_kw", "resolution_m", "setback_m", "max_road_grade_pct"):
        try:
            return float(text)
        except ValueError:
            raise InputError(f"{source}, line {number}: {name} is {text!r}; a number is needed") from None
    return text


def _lonlat(text: str) -> list[float]:
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--entry {text!r} is not LON,LAT; give degrees, such as -93.68,41.95") from None
    return [lon, lat]


def _toml(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415

    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"--spec {path} can't be read as TOML: {error}") from None
