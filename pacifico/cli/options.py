"""Options that several commands share."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.vocabulary import BACKTRACKING, NAMED_DEMS, PROFILES, RACKINGS, STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from pacifico.site.model import Site
    from pacifico.stages import OnStage
    from pacifico.terrain.remote.settings import SourceSettings

RULES = {
    "max_marginal_usd_per_kw": ("economics", "max_marginal_usd_per_kw"),
    "max_grading_usd_per_kw": ("economics", "max_grading_usd_per_kw"),
    "grid_limit_kw": ("grid", "limit_kw"),
    "row_azimuth": ("solar", "row_azimuth_deg"),
}
"""Options that override one rule of the spec, with its section and name."""
DEM_HELP = f"path or URL of any raster GDAL reads, or {', '.join(NAMED_DEMS)}"


def add_diagnostics(parser: argparse.ArgumentParser) -> None:
    """Add the options that help to find a fault."""
    group = parser.add_argument_group("diagnostics")
    group.add_argument("--debug", action="store_true", help="print the traceback of an error")
    group.add_argument("--verbose", action="store_true", help="print log records on standard error")
    group.add_argument("--log-file", type=path, metavar="FILE", help="write log records and tracebacks to a file")


def path(text: str) -> Path:
    """Path of an option; a leading ~ is the home folder, also in quotes."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~name of no user of this machine is a file name like any other
        if text.split("/", 1)[0] == "~":  # a user without HOME
            raise argparse.ArgumentTypeError(
                f"{text!r} names a home folder that is not known; give the whole path"
            ) from None
        return Path(text)


def source(text: str) -> str:
    """File, address or name of an option; a leading ~ is the home folder, also in quotes."""
    return str(path(text)) if text.startswith("~") else text


def require_out(arguments: argparse.Namespace) -> None:
    """Refuse a command without any output.

    Raises
    ------
    InputError
        Neither --out nor --json is given.
    """
    if arguments.out is None and not arguments.json:
        raise InputError("no output given: add --out, or --json for the figures alone")


def is_stdout(out: Path | None) -> bool:
    """Whether --out names standard output."""
    return out is not None and str(out) == "-"


def add_ground(parser: argparse.ArgumentParser, *, boundary: bool = True) -> None:
    """Add the boundary, the DEM and how to read them; without `boundary` for commands that can go without one."""
    parser.add_argument(
        "boundary",
        type=source,
        nargs=None if boundary else "?",
        metavar="BOUNDARY",
        help="KML, KMZ, GeoJSON, GeoPackage or zipped shapefile, or its address",
    )
    parser.add_argument("--dem", type=source, metavar="DEM", help=DEM_HELP)
    parser.add_argument("--dem-units", choices=("m", "ft"), help="unit of the heights; overrides what the file says")
    parser.add_argument(
        "--resolution-m", type=number, metavar="N", help="cell (the DEM's own, held between 1 and 30 m)"
    )
    parser.add_argument("--layer", metavar="NAME", help="layer of the boundary file, where it has several")


def add_design(parser: argparse.ArgumentParser, *, strategy: bool = True, boundary: bool = True) -> None:
    """Add ground and design options; without `strategy` or `boundary` for commands that need none."""
    add_ground(parser, boundary=boundary)
    design = parser.add_argument_group("design")
    design.add_argument("--profile", choices=PROFILES, default="solar_farm", help="what to build (solar_farm)")
    if strategy:
        design.add_argument(
            "--strategy", choices=STRATEGIES, default="balanced", help="objective to optimise (balanced)"
        )
    design.add_argument(
        "--capacity-kw", type=number, metavar="N", help="target, AC (bess: storage power); without it: all that fits"
    )
    design.add_argument("--entry", type=lonlat, metavar="LON,LAT", help="site entry (the file's, else the cheapest)")
    design.add_argument(
        "--poi", metavar="LON,LAT|FILE", help="point of interconnection, which the substation stays near (the file's)"
    )
    add_exclusions(design)
    add_roads(design)
    design.add_argument(
        "--edge-setback",
        type=edge_setback,
        action="append",
        metavar="EDGES=N",
        help="from some edges alone: north, east, south, west, their numbers, clockwise from the northernmost corner, or "
        "the name of a line in the boundary file that runs along them; such as north=30, 2,3=50 or 'County road=40'; "
        "may be repeated",
    )
    design.add_argument("--max-road-grade-pct", type=number, metavar="N", help="steepest road (10)")
    design.add_argument(
        "--max-marginal-usd-per-kw",
        type=number,
        metavar="N",
        help="leave out arrays and branches whose road, cable, earthwork and skid cost more (0: no limit)",
    )
    design.add_argument(
        "--max-grading-usd-per-kw",
        type=number,
        metavar="N",
        help="leave out arrays under whose rows cut and fill cost more (0: no limit)",
    )
    design.add_argument(
        "--grid-limit-kw",
        type=number,
        metavar="N",
        help="most that the grid takes; the target is no more (0: no limit)",
    )
    design.add_argument(
        "--racking",
        choices=RACKINGS,
        help="what solar rows stand on; fixed_tilt also sets the mounting (straight_tracker)",
    )
    add_backtracking(design)
    add_row_azimuth(design)
    design.add_argument("--no-terrain", action="store_true", help="level ground: then no --dem")
    design.add_argument("--spec", type=path, metavar="FILE.toml", help="TOML file that overrides values of the catalog")


def add_backtracking(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add how trackers turn."""
    parser.add_argument(
        "--backtracking",
        choices=BACKTRACKING,
        help="how trackers turn from shade: as on level ground, or as the heights of their neighbours ask for (standard)",
    )


def with_backtracking(
    overrides: Mapping[str, Mapping[str, Any]], backtracking: str | None
) -> Mapping[str, Mapping[str, Any]]:
    """Overrides of a spec with a backtracking, where one is given."""
    if backtracking is None:
        return overrides
    return {**overrides, "energy": {**overrides.get("energy", {}), "backtracking": backtracking}}


def add_row_azimuth(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add the direction of solar rows."""
    parser.add_argument(
        "--row-azimuth",
        type=row_azimuth,
        metavar="DEG",
        help="direction of solar rows, -90 to 90, clockwise from grid north; the whole layout turns with it: tracker tubes "
        "run along it; fixed tables run across it and face along it, to the equator's side (0: tubes north to south, tables "
        "east to west)",
    )


def row_azimuth(text: str) -> float:
    """Direction of solar rows [°]."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of degrees; give -90 to 90") from None
    if not -90 <= value <= 90:
        same = f"{(value + 90) % 180 - 90:g} for the same rows" if abs(value) < float("inf") else "0 for north to south"
        raise argparse.ArgumentTypeError(f"{text}° is outside -90 to 90; give {same}")
    return value


def add_roads(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add the existing roads."""
    parser.add_argument(
        "--roads",
        type=path,
        metavar="FILE",
        help="existing roads in or beside the site, as lines: site roads run along them at the price of an upgrade",
    )


def add_exclusions(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add exclusions, their buffer and the setback."""
    parser.add_argument(
        "--exclusions",
        type=source,
        action="append",
        metavar="FILE|URL",
        help="ground to keep free: a file, an ArcGIS layer (.../FeatureServer/0) or an OGC API collection "
        "(.../collections/x/items); may be repeated",
    )
    parser.add_argument(
        "--exclusion-buffer-m", type=number, metavar="N", help="around exclusions that state no buffer of their own"
    )
    parser.add_argument("--setback-m", type=number, metavar="N", help="of assets from the boundary (10)")


def number(text: str) -> float:
    """Number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is out of range; give a number of 0 or more")
    return value


def lonlat(text: str) -> tuple[float, float]:
    """Longitude and latitude [°]; the engine checks their range."""
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not LON,LAT; give degrees, such as -93.68,41.95") from None
    return lon, lat


def poi_of(text: str | None) -> tuple[float, float] | None:
    """Point of interconnection, as LON,LAT or from a file."""
    if text is None:
        return None
    try:
        return lonlat(text)
    except argparse.ArgumentTypeError:
        pass
    file = path(text)
    if not file.exists():
        raise InputError(f"--poi {text!r} is neither LON,LAT nor a file; give degrees, such as -93.68,41.95, or a file")
    from pacifico.site.poi import read_poi

    return read_poi(file)


def edge_setback(text: str) -> dict[str, Any]:
    """Entry of `site.setbacks`, from EDGES=METRES."""
    edges, _, metres = text.rpartition("=")
    named = [int(e) if e.isdecimal() else e for e in (part.strip() for part in edges.split(","))]
    if not metres or not all(named):
        raise argparse.ArgumentTypeError(f"{text!r} is not EDGES=METRES; write it as north=30 or 2,3=50")
    return {"edges": named, "setback_m": number(metres)}


def design_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Design options as keywords of `generate_layout`, exclusions apart."""
    from pacifico.frozen import thawed
    from pacifico.layout.criteria.spec import make_spec, read_spec

    strategy = {"strategy": arguments.strategy} if "strategy" in arguments else {}
    spec = read_spec(arguments.spec) if arguments.spec else {}
    if arguments.edge_setback:
        make_spec(spec)  # refuses unknown sections
        own = spec.get("site", {})
        spec = {**spec, "site": {**own, "setbacks": [*own.get("setbacks", []), *arguments.edge_setback]}}
    for option, (section, rule) in RULES.items():
        if (value := getattr(arguments, option, None)) is not None:
            spec = thawed(make_spec(spec).with_rules(section, {rule: value}).overrides)
    if getattr(arguments, "racking", None) is not None:
        from pacifico.layout.criteria.racking import with_racking

        spec = with_racking(spec, arguments.racking)
    if getattr(arguments, "backtracking", None) is not None:
        make_spec(spec)  # refuses unknown sections
        spec = {s: dict(rules) for s, rules in with_backtracking(spec, arguments.backtracking).items()}
    return {
        "profile": arguments.profile,
        **strategy,
        "target_capacity_kw": arguments.capacity_kw,
        "setback_m": arguments.setback_m,
        "max_road_grade_pct": arguments.max_road_grade_pct,
        "entry": arguments.entry,
        "poi": poi_of(getattr(arguments, "poi", None)),
        "spec": spec or None,
    }


def dem_source(arguments: argparse.Namespace) -> str | None:
    """DEM asked for; None for level ground."""
    level = bool(getattr(arguments, "no_terrain", False))
    if level and arguments.dem:
        raise InputError("--no-terrain means level ground: leave --dem out, or leave --no-terrain out")
    if not level and not arguments.dem:
        raise InputError(
            "no elevation model given: add --dem with a file, 3dep, glo30 or sample, or --no-terrain for level ground"
        )
    return None if level else str(arguments.dem)


def site_of(arguments: argparse.Namespace, on_stage: OnStage | None = None) -> Site:
    """Site of the boundary given, with the exclusions given beside it."""
    from pacifico.site.boundary import read_site

    site = read_site(arguments.boundary, layer=arguments.layer)
    if "exclusions" in arguments and exclusions_of(arguments)["exclusions"]:
        from pacifico.site.combine import with_combined

        site = with_combined(site, arguments.exclusions, buffer_m=arguments.exclusion_buffer_m, on_stage=on_stage)
    if getattr(arguments, "roads", None) is not None:
        from pacifico.site.exclusions import with_roads

        site = with_roads(site, arguments.roads)
    return site


def exclusions_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Exclusions as keywords of `make_report`."""
    if arguments.exclusion_buffer_m is not None and not arguments.exclusions:
        raise InputError("--exclusion-buffer-m widens what --exclusions gives: add --exclusions, or leave it out")
    return {"exclusions": arguments.exclusions, "exclusion_buffer_m": arguments.exclusion_buffer_m}


def dem_of(arguments: argparse.Namespace, site: Site, on_stage: OnStage | None = None) -> xr.DataArray:
    """Ground under a site, as asked for."""
    from pacifico.terrain import dem as dem_

    source = dem_source(arguments)
    if source is None:
        return dem_.level_ground(site, resolution_m=arguments.resolution_m or 10.0)
    return dem_.open_dem(
        site,
        source,
        resolution_m=arguments.resolution_m,
        units=arguments.dem_units,
        settings=source_settings(),
        on_stage=on_stage,
    )


def source_settings() -> SourceSettings:
    """Where the named sources are, as the environment says."""
    from pacifico.terrain.remote.settings import SourceSettings

    return SourceSettings.from_environment(os.environ)
