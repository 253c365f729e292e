"""Options of a submission, columns of a CSV, and their request."""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.cli.job_inputs import check_files
from pacifico.cli.options import add_row_azimuth, row_azimuth, source
from pacifico.cli.options import path as option_path
from pacifico.errors import InputError
from pacifico.escaping import as_path, for_terminal
from pacifico.vocabulary import BACKTRACKING, NAMED_DEMS, PROFILES, RACKINGS, STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.jobs.client import JobClient
    from pacifico.jobs.request import JobRequest

    Reader = Callable[[Path, str | None], bytes]
    Combiner = Callable[[Path, str | None, list[str], float | None], tuple[bytes | None, tuple[str, ...]]]
    """Takes boundary, layer, sources of exclusions and buffer [m]; returns one GeoJSON and warnings."""

#: Columns of a CSV, named as options; options without a column are the command line's.
_COLUMNS = ("boundary", "dem", "capacity_kw", "profile", "strategy", "resolution_m", "setback_m", "max_road_grade_pct")
_MORE_COLUMNS = (
    "entry", "exclusions", "exclusion_buffer_m", "edge_setback", "spec", "energy", "weather", "dem_units", "layer", "no_terrain",
    "layout_id", "poi", "racking", "backtracking", "row_azimuth", "roads",
)  # fmt: skip
_FILES = (".kml", ".kmz", ".geojson", ".json", ".zip", ".shp", ".gpkg")


def add_design(parser: argparse.ArgumentParser) -> None:
    """Add the options of a layout's design."""
    design = parser.add_argument_group("design")
    design.add_argument(
        "--dem",
        type=source,
        metavar="DEM",
        help="a GeoTIFF, an allowed https or s3 address, or " + ", ".join(NAMED_DEMS),
    )
    design.add_argument("--dem-units", choices=("m", "ft"), help="of the heights, where the file does not say")
    design.add_argument("--layer", metavar="NAME", help="layer of the boundary file, where it has several")
    design.add_argument("--profile", choices=PROFILES, default="solar_farm", help="what to build (solar_farm)")
    design.add_argument("--strategy", choices=STRATEGIES, default="balanced", help="objective to optimise (balanced)")
    design.add_argument(
        "--capacity-kw", type=float, metavar="N", help="target, AC (bess: storage power); without it: all that fits"
    )
    design.add_argument("--resolution-m", type=float, metavar="N", help="cell, 1 to 30 m (the DEM's own)")
    design.add_argument("--entry", metavar="LON,LAT", help="site entry (the file's, else the cheapest)")
    design.add_argument("--poi", metavar="LON,LAT", help="point of interconnection, which the substation stays near")
    design.add_argument(
        "--exclusions",
        type=source,
        action="append",
        metavar="FILE|URL",
        help="ground that must stay free: a file, an ArcGIS layer or an OGC API collection, fetched now and sent with the "
        "job; may be repeated",
    )
    design.add_argument(
        "--exclusion-buffer-m", type=float, metavar="N", help="around exclusions that state no buffer of their own"
    )
    design.add_argument("--roads", type=option_path, metavar="FILE", help="existing roads, sent with the job")
    design.add_argument("--setback-m", type=float, metavar="N", help="of assets from the boundary")
    design.add_argument(
        "--edge-setback",
        type=edge_setback,
        action="append",
        metavar="EDGES=N",
        help="from some edges alone: by side, number or the name of a line along them, such as north=30 or 2,3=50; may be "
        "repeated",
    )
    design.add_argument("--max-road-grade-pct", type=float, metavar="N", help="steepest road")
    design.add_argument("--racking", choices=RACKINGS, help="what solar rows stand on (straight_tracker)")
    design.add_argument("--backtracking", choices=BACKTRACKING, help="how trackers turn from shade (standard)")
    add_row_azimuth(design)
    design.add_argument("--no-terrain", action="store_true", help="level ground: then no --dem")
    design.add_argument(
        "--energy", action="store_true", help="a year of the solar part too: a clear sky, an upper bound"
    )
    design.add_argument("--weather", type=option_path, metavar="FILE", help="typical year for it, EPW or TMY3")
    design.add_argument("--spec", type=option_path, metavar="FILE.toml", help="rules of the catalog to override")


def edge_setback(text: str) -> dict[str, Any]:
    """Entry of `site.setbacks` from EDGES=METRES; the engine checks the names."""
    edges, _, metres = text.rpartition("=")
    named = [int(e) if e.isdecimal() else e for e in (part.strip() for part in edges.split(","))]
    try:
        far = float(metres)
    except ValueError:
        far = math.nan
    if not all(named) or not 0 <= far < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not EDGES=METRES; write it as north=30 or 2,3=50")
    return {"edges": named, "setback_m": far}


def request_of(
    client: JobClient, given: dict[str, Any], reader: Reader | None, combiner: Combiner | None = None
) -> JobRequest:
    """Upload the files that the options name, and make the request.

    Parameters
    ----------
    client : JobClient
        Whose request.
    given : dict
        Options by name.
    reader : callable or None
        Reads a boundary file as GeoJSON.
    combiner : callable or None
        Makes one file of exclusions.

    Raises
    ------
    InputError
        The options contradict each other, name no such file, or are out of range.
    """
    check_design(given)
    as_read = reader(given["boundary"], given["layer"]) if reader else None
    if reader:
        check_files(given)
    dem, level = given["dem"], bool(given["no_terrain"])
    if level and dem:
        raise InputError("--no-terrain means level ground: leave --dem out, or leave --no-terrain out")
    if not level and not dem:
        raise InputError("no elevation model given: add --dem, or --no-terrain for level ground")
    if dem and dem not in NAMED_DEMS and "://" not in dem and not dem.startswith("upload:"):
        dem = client.upload_file(dem)
    parameters = _parameters(client, given, combiner)
    fields: dict[str, Any] = {
        "dem": dem or None,
        "use_terrain": not level,
        "dem_resolution_m": given["resolution_m"],
        "target_capacity_kw": given["capacity_kw"],
        "generation_profile": given["profile"],
        "strategy": given["strategy"],
        "parameters": parameters,
    }
    if given.get("layout_id") is not None:
        fields["layout_id"] = given["layout_id"]
    # The site is uploaded last: wrong options leave no site behind.
    client.request("unnamed", **fields)
    # one file is one site, whichever layer a job takes, so the GeoJSON of a single layer is not kept beside it
    kept = None if given["layer"] else as_read
    return client.request(client.upload_site(given["boundary"], as_read=kept), **fields)


def check_design(given: dict[str, Any]) -> None:
    """Refuse a design that no layout could have, before anything is uploaded.

    Raises
    ------
    InputError
        A choice is unknown, or a value or a rule is out of range.
    """
    from pacifico.layout.criteria.request import requested_spec

    if given["dem_units"] not in (None, "m", "ft"):
        raise InputError(f"--dem-units is {given['dem_units'][:40]!r}; give m or ft")
    buffer_m = given["exclusion_buffer_m"]
    if buffer_m is not None and not 0 <= buffer_m < math.inf:
        raise InputError(f"--exclusion-buffer-m is {buffer_m:g}; give 0 m or more")
    requested_spec(
        given["profile"],
        given["strategy"],
        given["capacity_kw"],
        given["setback_m"],
        given["max_road_grade_pct"],
        _spec(given),
    )


def _spec(given: dict[str, Any]) -> dict[str, Any]:
    """Rules that the options override."""
    from pacifico.layout.criteria.racking import with_racking
    from pacifico.layout.criteria.spec import make_spec, read_spec

    spec = dict(read_spec(given["spec"])) if given["spec"] is not None else {}
    racking = given.get("racking")
    if racking is not None and racking not in RACKINGS:
        raise InputError(f"racking {racking[:40]!r} is unknown; choose from {', '.join(RACKINGS)}")
    if racking is not None:
        spec = with_racking(spec, racking)
    backtracking = given.get("backtracking")
    if backtracking is not None and backtracking not in BACKTRACKING:
        raise InputError(f"backtracking {backtracking[:40]!r} is unknown; choose from {', '.join(BACKTRACKING)}")
    if backtracking is not None:
        make_spec(spec)  # refuses unknown sections
        spec = {**spec, "energy": {**spec.get("energy", {}), "backtracking": backtracking}}
    if given.get("row_azimuth") is not None:
        make_spec(spec)  # refuses unknown sections
        spec = {**spec, "solar": {**spec.get("solar", {}), "row_azimuth_deg": given["row_azimuth"]}}
    return _with_setbacks(spec, given["edge_setback"]) if given["edge_setback"] else spec


def _parameters(client: JobClient, given: dict[str, Any], combiner: Combiner | None) -> dict[str, Any]:
    """Parameters of the notebook, their files uploaded."""
    parameters: dict[str, Any] = {
        name: given[name]
        for name in ("dem_units", "layer", "setback_m", "max_road_grade_pct")
        if given[name] is not None
    }
    for name in ("entry", "poi"):
        if given[name] is not None:
            parameters[name] = _lonlat(name, given[name])
    if given["energy"]:
        parameters["energy"] = True
    for name in ("weather", "roads"):
        if given.get(name) is not None:
            parameters[name] = client.upload_file(given[name])
    if spec := _spec(given):
        parameters["spec"] = spec
    if given["exclusion_buffer_m"] is not None and not given["exclusions"]:
        raise InputError("--exclusion-buffer-m widens what --exclusions gives: add --exclusions, or leave it out")
    if given["exclusions"] and (upload := _exclusions(client, given, combiner)):
        parameters["exclusions"] = upload
    return parameters


def _with_setbacks(spec: dict[str, Any], entries: list[dict[str, Any]]) -> dict[str, Any]:
    own = spec.get("site", {})
    said = own.get("setbacks", []) if isinstance(own, dict) else None
    if not isinstance(said, list):
        raise InputError(
            "--spec: site.setbacks is no list of a section [site]; correct it, or leave --edge-setback out"
        )
    return {**spec, "site": {**own, "setbacks": [*said, *entries]}}


def _exclusions(client: JobClient, given: dict[str, Any], combiner: Combiner | None) -> str | None:
    """Upload all exclusions as one file.

    None where services have none near the site.

    Services are read here and not by the job, which reads no addresses but a DEM's.
    """
    sources = [str(source) for source in given["exclusions"]]
    buffer_m = given["exclusion_buffer_m"]
    if len(sources) == 1 and "://" not in sources[0] and not buffer_m:
        return client.upload_file(sources[0])
    if combiner is None:
        raise InputError(
            "exclusions from addresses, from several files or with a buffer need the command pacifico jobs"
        )
    content, said = combiner(given["boundary"], given["layer"], sources, buffer_m)
    for line in said:
        print(f"note: {for_terminal(line)}", file=sys.stderr)
    if content is None:
        return None
    with tempfile.TemporaryDirectory(prefix="pacifico-exclusions-") as folder:
        path = Path(folder) / "exclusions.geojson"
        path.write_bytes(content)
        return client.upload_file(path)


def rows_of(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Options for each boundary of a folder or row of a CSV.

    Raises
    ------
    InputError
        There is none, or the CSV can't be read, has an unknown column or no number where one is needed.
    """
    source: Path = arguments.source
    given = {**vars(arguments), "layout_id": None}
    if source.is_dir():
        # names that begin with a dot are a desktop's: `._site.kml` is no boundary
        found = sorted(p for p in source.iterdir() if p.suffix.lower() in _FILES and not p.name.startswith("."))
        rows = [{**given, "boundary": path} for path in found]
    else:
        rows = _csv(source, given)
    if not rows:
        raise InputError(
            f"{source} names no boundary; give a folder with files of {', '.join(_FILES)}, or a CSV with rows"
        )
    return rows


def _csv(source: Path, given: dict[str, Any]) -> list[dict[str, Any]]:
    import csv

    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            table = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{source} can't be read as a folder or CSV: {error}") from None
    rows = []
    for number, written in enumerate(table, start=2):
        # options by their names, as the command line has them or as Python does
        line = {name and name.strip().lstrip("-").replace("-", "_"): text for name, text in written.items()}
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
    """Read a cell of the CSV as the value of its option.

    Parameters
    ----------
    name : str
        Column.
    text : str
        Content of the cell.
    source : Path
        CSV file.
    number : int
        Line, from 1.
    """
    if name in ("boundary", "spec", "weather", "roads"):
        return source.parent / as_path(text)
    if name == "exclusions":
        return [one if "://" in one else str(source.parent / as_path(one)) for one in _listed(text)]
    if name == "edge_setback":
        try:
            return [edge_setback(one) for one in _listed(text)]
        except argparse.ArgumentTypeError as error:
            raise InputError(f"{source}, line {number}: {error}") from None
    if name == "row_azimuth":
        try:
            return row_azimuth(text)
        except argparse.ArgumentTypeError as error:
            raise InputError(f"{source}, line {number}: {name} {error}") from None
    if name == "dem" and text not in NAMED_DEMS and "://" not in text and not text.startswith("upload:"):
        return str(source.parent / as_path(text))
    if name in ("no_terrain", "energy"):
        return text.lower() in ("1", "true", "yes")
    if name in ("capacity_kw", "resolution_m", "setback_m", "exclusion_buffer_m", "max_road_grade_pct"):
        try:
            return float(text)
        except ValueError:
            raise InputError(f"{source}, line {number}: {name} is {text!r}; a number is needed") from None
    return text


def _listed(text: str) -> list[str]:
    """Values of one column, separated by semicolons."""
    return [part.strip() for part in text.split(";") if part.strip()]


def _lonlat(name: str, text: str) -> list[float]:
    """Longitude and latitude of an option [°]."""
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        lon = lat = math.nan
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InputError(f"--{name} {text[:60]!r} is not LON,LAT; give degrees, such as -93.68,41.95")
    return [lon, lat]
