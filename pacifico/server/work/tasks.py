"""Tasks of the pool's processes.

Files in, files out: no store, and no network but for elevation.


A task takes its arguments as JSON values and a callback for stages. Paths in arguments come from the server alone.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import EditRefused, InputError
from pacifico.frozen import thawed
from pacifico.jobs.store.base import NotFoundError

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Site

OnStage = Callable[[str, str], None]
Arguments = Mapping[str, Any]


def load() -> None:
    """Import what tasks need, ahead of the first one."""
    import pacifico.layout.editing.editor  # noqa: PLC0415
    import pacifico.report.inputs  # noqa: F401, PLC0415


def read_site(given: Arguments, on_stage: OnStage) -> dict[str, Any]:
    """Read a boundary file, write it as GeoJSON and return its facts."""
    from pacifico.site.written import site_geojson  # noqa: PLC0415

    on_stage("queued", "reading the boundary")
    site = _site(given)
    Path(given["out"]).write_bytes(site_geojson(site))
    west, south, east, north = _bounds(site)
    return {
        "name": site.name,
        "area_ha": round(site.area_ha, 4),
        "crs": ":".join(site.crs.to_authority() or (site.crs.name,)),
        "bounds": [west, south, east, north],
        "exclusions": len(site.exclusions),
        "warnings": list(site.warnings),
    }


def terrain(given: Arguments, on_stage: OnStage) -> dict[str, Any]:
    """Write the terrain folder of a site and return its summary."""
    from pacifico.layout.criteria.spec import make_spec  # noqa: PLC0415
    from pacifico.terrain.products import write_terrain  # noqa: PLC0415
    from pacifico.vocabulary import ASSET_KINDS  # noqa: PLC0415

    site = _site(given)
    on_stage("fetching_dem", "")
    heights = _ground(site, given)
    spec = make_spec()
    setback_m = given.get("setback_m")
    return write_terrain(
        site,
        heights,
        given["out"],
        slope_limits_deg={kind: spec.number(kind, "slope_limit_deg") for kind in ASSET_KINDS},
        setback_m=spec.number("site", "setback_m") if setback_m is None else setback_m,
        contour_interval_m=given.get("contour_interval_m"),
    )


def buildable(given: Arguments, on_stage: OnStage) -> dict[str, Any]:
    """Write the buildable ground of a site for a profile as GeoJSON and return its area."""
    from pacifico.crs import geojson_geometries  # noqa: PLC0415
    from pacifico.grid import Ground  # noqa: PLC0415
    from pacifico.layout.criteria.request import main_slope_limit, requested_spec  # noqa: PLC0415
    from pacifico.layout.ground.buildable import buildable_area, make_field  # noqa: PLC0415
    from pacifico.layout.ground.channels import site_drainage  # noqa: PLC0415
    from pacifico.terrain.drainage.flow import flow_cell_m  # noqa: PLC0415

    site = _site(given)
    on_stage("fetching_dem", "")
    heights = _ground(site, given)
    profile = given["profile"]
    spec = requested_spec(profile, "balanced", None, given.get("setback_m"), None, None)
    limit_deg = main_slope_limit(profile, spec)
    finest, source_cell_m = Ground.finest_of(heights), float(heights.attrs.get("source_resolution_m", 0.0))
    field = make_field(
        site,
        Ground.of(heights),
        finest,
        setback_m=spec.number("site", "setback_m"),
        source_cell_m=source_cell_m,
        drainage=site_drainage(site, finest, spec, flow_cell_m(heights)),
    )
    area = buildable_area(field, limit_deg)
    facts = {
        "profile": profile,
        "slope_limit_deg": limit_deg,
        "setback_m": spec.number("site", "setback_m"),
        "buildable_area_ha": round(float(area.area) / 1e4, 4),
        "site_area_ha": round(site.area_ha, 4),
    }
    shapes = [] if area.is_empty else geojson_geometries([area], site.crs)
    features = [{"type": "Feature", "geometry": g, "properties": {"kind": "buildable", **facts}} for g in shapes]
    Path(given["out"]).write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return facts


def generate(given: Arguments, on_stage: OnStage) -> dict[str, Any]:
    """Lay out a site, write its report folder without a notebook and return the metrics."""
    from pacifico.report.inputs import INPUTS  # noqa: PLC0415

    report = Path(given["out"])
    (report / INPUTS).mkdir(parents=True)
    plan, _ = _plan(given, on_stage, keep_in=report / INPUTS)
    on_stage("finalizing", "")
    plan.write(report / "layout.geojson")
    metrics = {**thawed(plan.metrics), "shortfall": plan.shortfall}
    (report / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    figures: dict[str, Any] = thawed(plan.metrics)
    return figures


def edit(given: Arguments, on_stage: OnStage) -> dict[str, Any]:
    """Make the plan again, apply edits in turn, write the layout and return its metrics."""
    import hashlib  # noqa: PLC0415

    from pacifico.layout.add_racking import add_racking  # noqa: PLC0415
    from pacifico.layout.editing.editor import Editor  # noqa: PLC0415
    from pacifico.layout.files.geojson import text  # noqa: PLC0415

    plan, heights = _plan(given, on_stage, keep_in=None)
    made = hashlib.sha256(text(plan.to_geojson()).encode()).hexdigest()
    if made != given["sha256"]:
        raise InputError(
            "the layout was made by another version of pacifico or on another platform, so it can't be edited here; "
            "generate it again"
        )
    editor = Editor(plan, heights)
    for entry in given["edits"]:
        _apply(editor, entry)
    edited = add_racking(editor.plan, heights)
    edited.write(given["out"])
    last = edited.edits[-1].properties(plan.crs) if edited.edits else None
    return {"metrics": thawed(edited.metrics), "shortfall": edited.shortfall, "edit": last}


def compliance(given: Arguments, on_stage: OnStage) -> dict[str, Any]:
    """Check a stored layout against a shipped rule pack."""
    from pacifico.analysis.compliance import as_data, evaluate  # noqa: PLC0415
    from pacifico.analysis.compliance_facts import facts_of_layout  # noqa: PLC0415
    from pacifico.analysis.rule_packs import read_pack, shipped_packs  # noqa: PLC0415
    from pacifico.layout.files.stored import read_layout  # noqa: PLC0415

    on_stage("finalizing", "")
    name = given["pack"]
    if name not in shipped_packs():  # a name could be a path
        raise InputError(f"rule pack {name!r} is unknown; there are: {', '.join(shipped_packs())}")
    pack = read_pack(name)
    return as_data(pack, evaluate(facts_of_layout(read_layout(given["layout"])), pack))


def export_layout(given: Arguments, on_stage: OnStage) -> dict[str, Any]:
    """Write a stored layout in another format; several files become one zip."""
    from pacifico.export import FORMATS, ending_of, export  # noqa: PLC0415
    from pacifico.layout.files.stored import read_layout  # noqa: PLC0415

    on_stage("finalizing", "")
    fmt, folder = given["format"], Path(given["out"])
    folder.mkdir()
    known = FORMATS.get(fmt)
    target = folder if known is None or known.to_folder else folder / f"layout.{ending_of(fmt)}"
    files = export(read_layout(given["layout"]), fmt, target)
    if len(files) == 1:
        return {"file": files[0].name}
    with zipfile.ZipFile(folder / f"layout-{fmt}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return {"file": f"layout-{fmt}.zip"}


def compare_reports(given: Arguments, on_stage: OnStage) -> dict[str, Any]:
    """Compare metrics and geometry of two stored layouts, as tables of text."""
    from pacifico.layout.files.stored import StoredLayout  # noqa: PLC0415
    from pacifico.report.compare import compare_layouts  # noqa: PLC0415

    on_stage("finalizing", "")
    found = compare_layouts(StoredLayout.read(given["a"]), StoredLayout.read(given["b"]))
    tables = {name: {"columns": t.columns, "rows": t.rows, "empty": t.empty} for name, t in found.tables().items()}
    return {"identical": found.identical, "tables": tables}


def picture(given: Arguments, on_stage: OnStage) -> dict[str, Any]:
    """Draw the thumbnail of a stored layout and return its name and design."""
    from pacifico.layout.files.stored import StoredLayout, read_layout  # noqa: PLC0415
    from pacifico.report.thumbnail import thumbnail  # noqa: PLC0415

    on_stage("finalizing", "")
    content = read_layout(given["layout"])
    about = content["pacifico"]
    return {
        "svg": thumbnail(content),
        "name": StoredLayout.of(content).name,
        "profile": about["profile"],
        "strategy": about["strategy"],
        "metrics": about["metrics"],
    }


def assemble(given: Arguments, on_stage: OnStage) -> dict[str, Any]:
    """Write the response of one layout: facts, assets and roads as rows, and the layout itself."""
    on_stage("finalizing", "")
    text = Path(given["layout"]).read_text(encoding="utf-8")
    content = json.loads(text)
    rows: dict[str, list[dict[str, Any]]] = {"asset": [], "road": []}
    for feature in content["features"]:
        properties = dict(feature["properties"])
        kind = properties.pop("kind")
        if kind in rows:
            rows[kind].append(properties)
    about = content["pacifico"]
    head = {
        **given["head"],
        "metrics": about["metrics"],
        "warnings": about["warnings"],
        "unplaced": about["unplaced"],
        "assets": rows["asset"],
        "roads": rows["road"],
    }
    with Path(given["out"]).open("w", encoding="utf-8") as out:
        out.write(json.dumps(head, ensure_ascii=False, allow_nan=False)[:-1] + ', "geojson": ')
        out.write(text.strip())
        out.write("}")
    return {}


TASKS: dict[str, Callable[[Arguments, OnStage], Any]] = {
    "read_site": read_site,
    "terrain": terrain,
    "buildable": buildable,
    "generate": generate,
    "edit": edit,
    "compliance": compliance,
    "export": export_layout,
    "compare": compare_reports,
    "picture": picture,
    "assemble": assemble,
}
"""Tasks by name. No other function can be called."""


def _site(given: Arguments) -> Site:
    """Site of a boundary file, with the exclusions and the existing roads of other files if there are any."""
    from pacifico.site.boundary import read_site as read  # noqa: PLC0415
    from pacifico.site.exclusions import load_exclusions, with_exclusions, with_roads  # noqa: PLC0415

    site = read(given["boundary"], layer=given.get("layer"))
    if given.get("exclusions"):
        site = with_exclusions(site, load_exclusions(given["exclusions"], site))
    if given.get("roads"):
        site = with_roads(site, given["roads"])
    return site


def _ground(site: Site, given: Arguments, keep_in: Path | None = None) -> xr.DataArray:
    """Elevation of a site as the request names it."""
    from pacifico.report.inputs import ground_of  # noqa: PLC0415
    from pacifico.terrain.remote.settings import SourceSettings  # noqa: PLC0415

    return ground_of(
        site,
        given["dem"],
        terrain=given["terrain"],
        resolution_m=given.get("resolution_m"),
        units=given.get("dem_units"),
        keep_in=keep_in,
        settings=SourceSettings.from_environment(
            {**os.environ, **({"PACIFICO_DEM_CACHE": given["dem_cache"]} if given.get("dem_cache") else {})}
        ),
    )


def _plan(given: Arguments, on_stage: OnStage, keep_in: Path | None) -> tuple[Plan, xr.DataArray]:
    """Plan of a request, and its ground.

    Parameters
    ----------
    given : mapping
        Files and design.
    on_stage : callable
        Called with each stage.
    keep_in : Path or None
        Folder that keeps copies of the inputs.
    """
    from pacifico.layout.add_racking import add_racking  # noqa: PLC0415
    from pacifico.layout.generate import generate_layout  # noqa: PLC0415

    on_stage("fetching_dem", "")
    if keep_in is not None:
        for name in ("boundary", "exclusions", "roads"):
            if given.get(name):
                source = Path(given[name])
                (keep_in / f"{name}{source.suffix}").write_bytes(source.read_bytes())
    bare = _site({**given, "exclusions": None, "roads": None})
    heights = _ground(bare, given, keep_in)
    on_stage("placing_assets", "")
    entry, poi = given.get("entry"), given.get("poi")
    plan = generate_layout(
        _site(given),
        heights,
        profile=given["profile"],
        strategy=given["strategy"],
        target_capacity_kw=given.get("target_capacity_kw"),
        entry=_lonlat(entry) if entry else None,
        poi=_lonlat(poi) if poi else None,
        setback_m=given.get("setback_m"),
        max_road_grade_pct=given.get("max_road_grade_pct"),
        spec=given.get("spec"),
    )
    return add_racking(plan, heights), heights


def _apply(editor: Any, entry: Mapping[str, Any]) -> None:
    """Apply one stored edit."""
    if entry["op"] == "roads":
        editor.recompute_roads()
        return
    if all(asset.asset_id != entry["asset_id"] for asset in editor.plan.asset_list):
        raise NotFoundError(f"the layout has no asset {entry['asset_id'][:60]!r}; its `assets` list those it has")
    if entry.get("to") is not None:
        editor.move(entry["asset_id"], to_lonlat=_place_near(editor.plan, entry["to"]))
    if entry.get("rotation_deg") is not None:
        editor.rotate(entry["asset_id"], to_deg=float(entry["rotation_deg"]))


def _place_near(plan: Plan, place: Any) -> tuple[float, float]:
    """Longitude and latitude [°] of a place that the plan's CRS reaches."""
    from pacifico.crs import LONLAT, transformer  # noqa: PLC0415

    lon, lat = _lonlat(place)
    if not all(map(math.isfinite, transformer(LONLAT, plan.crs).transform(lon, lat))):
        raise EditRefused(f"the place {lon:g},{lat:g} is on another side of the earth; give one on the site")
    return lon, lat


def _lonlat(place: Any) -> tuple[float, float]:
    """Longitude and latitude [°] of a pair of numbers."""
    numbers = [p for p in place if isinstance(p, int | float)] if isinstance(place, list) else []
    if len(numbers) != 2:
        raise InputError(f"{str(place)[:60]} is no place; give [longitude, latitude]")
    return float(numbers[0]), float(numbers[1])


def _bounds(site: Site) -> tuple[float, ...]:
    """West, south, east and north of a site [°]."""
    from pacifico.crs import LONLAT, reproject  # noqa: PLC0415

    return tuple(round(float(v), 6) for v in reproject(site.boundary, site.crs, LONLAT).bounds)
