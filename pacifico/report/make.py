"""Make a report folder from a boundary and a DEM."""

from __future__ import annotations

import tempfile
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.compiling import compile_kernels
from pacifico.errors import InputError
from pacifico.escaping import decoded
from pacifico.layout.criteria.design import Design, DesignOptions, split_design
from pacifico.run import folder, manifest
from pacifico.run import kernel as kernels
from pacifico.run.execute import RunRequest, execute
from pacifico.stages import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from pacifico.run.outcome import Outcome
    from pacifico.site.combine import CombinedExclusions
    from pacifico.site.model import Site
    from pacifico.stages import OnStage
    from pacifico.terrain.heights import Units
    from pacifico.terrain.remote.settings import SourceSettings

NOTEBOOK = "layout_report"
"""Notebook that makes the report."""
PRELOAD = """
import pacifico.layout.generate as _a, pacifico.report.figures as _b, pacifico.report.overlay as _c, pacifico.report.profile as _d
import pacifico.layout.files.geojson as _e, pacifico.report.inputs as _f, pacifico.site.exclusions as _g, rasterio.warp as _h
import pacifico.report.sheet as _i, pacifico.export.kmz as _j, pacifico.export.tables as _k, pacifico.report.bill as _m
import pacifico.analysis.costs as _n, pacifico.analysis.levers as _o, pacifico.report.land as _p
import matplotlib.backends.backend_pdf as _l
del _a, _b, _c, _d, _e, _f, _g, _h, _i, _j, _k, _l, _m, _n, _o, _p
"""
"""Imports that the kernel runs while this process reads the boundary and the DEM."""


class ReportOptions(DesignOptions, total=False):
    """Keywords of a report: design, reading of inputs, and additions."""

    resolution_m: float | None
    """Cell size of the DEM [m], as for `open_dem`."""
    dem_units: Units | None
    """Unit of its heights, as for `open_dem`."""
    layer: str | None
    """Layer of the boundary file, as for `read_site`."""
    exclusion_buffer_m: float | None
    """Buffer of exclusions that state none [m]."""
    roads: str | Path | None
    """File of existing roads, as for `with_roads`."""
    rules: str | Path | None
    """Compliance rule pack, by name or file."""
    energy: bool
    """Add a year of solar energy; without `weather` for a clear sky, which is an upper bound. Needs pvlib."""
    levers: bool | None
    """Solve what each limit costs, a layout each; None: where a small plant misses its target."""
    weather: str | Path | None
    """Typical year for the energy, EPW or TMY3."""


@dataclass(frozen=True)
class _Sources:
    """Where a report's inputs come from, and how to read them."""

    boundary: str | Path
    dem: str | Path | None
    terrain: bool
    exclusions: tuple[str | Path, ...]
    settings: SourceSettings | None
    layer: str | None = None
    resolution_m: float | None = None
    dem_units: Units | None = None
    exclusion_buffer_m: float | None = None
    roads: str | Path | None = None
    rules: str | Path | None = None
    energy: bool = False
    levers: bool | None = None
    weather: str | Path | None = None


@dataclass(frozen=True)
class _Inputs:
    """Files for the notebook, and a record of the exclusions."""

    files: dict[str, Path]
    exclusions: list[dict[str, Any]]


def make_report(
    boundary: str | Path,
    dem: str | Path | None,
    out_dir: str | Path,
    *,
    terrain: bool = True,
    exclusions: str | Path | Sequence[str | Path] | None = None,
    timeout_s: float | None = None,
    settings: SourceSettings | None = None,
    on_stage: OnStage | None = None,
    on_compile: Callable[[float], None] | None = None,
    **options: Unpack[ReportOptions],
) -> Outcome:
    """Run the report notebook for a site and write its folder.

    All inputs are read here first, so that a fault in them is reported at once. The notebook gets copies of them.

    Parameters
    ----------
    boundary, dem : str or Path
        As for `read_site` and `open_dem`; `dem` is None if `terrain` is False.
    out_dir : str or Path
        Report folder; an existing report is replaced.
    terrain : bool
        False for level ground.
    exclusions : str, Path or sequence of them, optional
        Files and addresses of layers, as for `combine_exclusions`; fetched layers are kept with the report.
    timeout_s : float, optional
        Time limit of the run [s].
    settings : SourceSettings, optional
        Addresses of the named sources and the cache; the public ones by default.
    on_stage, on_compile : callable, optional
        Called with name, percentage and message as each stage begins; on a first run, with the share of kernels compiled [0-1].
    **options
        See `ReportOptions`: the design as for `generate_layout`, and how to read the inputs.

    Returns
    -------
    Outcome
        Completed, or failed: `error_name` and `error_message` then say why, as the report does.

    Raises
    ------
    InputError, OutsideServiceError
        The boundary, the DEM or the folder can't be used, or a source failed. Nothing was written.

    Examples
    --------
    >>> make_report("site.kml", "dem.tif", "report", target_capacity_kw=50_000)  # doctest: +SKIP
    """
    design, reading = split_design(options)
    sources = _Sources(boundary, dem, terrain, _several(exclusions), settings, **reading)
    folder.check(Path(out_dir).absolute())
    pack = _pack(sources.rules)
    with tempfile.TemporaryDirectory(prefix="pacifico-report-") as scratch:
        kernel, inputs = _start(Path(scratch), sources, on_stage, on_compile)
        parameters, notes = _parameters(sources, design, pack, inputs), _notes(dem, inputs)
        request = RunRequest(NOTEBOOK, parameters, inputs.files, Path(out_dir), timeout_s=timeout_s, notes=notes)
        return _execute(request, kernel, on_stage)


def _several(exclusions: str | Path | Sequence[str | Path] | None) -> tuple[str | Path, ...]:
    """Files of exclusions, given as one, several or none."""
    if exclusions is None:
        return ()
    return (exclusions,) if isinstance(exclusions, str | Path) else tuple(exclusions)


def _execute(request: RunRequest, kernel: Any, on_stage: OnStage | None) -> Outcome:
    """Run the notebook in a started kernel."""
    try:
        return execute(request, on_stage=on_stage, kernel=kernel)
    except InputError:
        kernels.stop(kernel)  # the run was refused before it began, so the kernel can still be used
        raise


def _start(
    scratch: Path, sources: _Sources, on_stage: OnStage | None, on_compile: Callable[[float], None] | None
) -> tuple[Any, _Inputs]:
    """Start the kernel; read the inputs and compile while it loads its modules.

    Parameters
    ----------
    scratch : Path
        Folder for the kernel.
    sources : _Sources
        Inputs to read.
    on_stage : callable, optional
        Called as each stage begins.
    on_compile : callable, optional
        Called with the share of compiled kernels.
    """
    begin(on_stage, "reading_inputs", 0, "reading the boundary and the DEM")
    kernel = kernels.start(scratch)
    loading = threading.Thread(target=_preload, args=(kernel,), name="pacifico-preload")
    loading.start()
    try:
        inputs = _read_inputs(sources, scratch)
        compile_kernels(on_progress=on_compile)
        from pacifico.run import engine, html  # noqa: F401, PLC0415 (papermill and nbconvert: 2 s, while the kernel loads)
    except BaseException:
        kernels.kill(kernel)
        loading.join()
        kernels.stop(kernel)
        raise
    loading.join()
    return kernel, inputs


def _preload(kernel: Any) -> None:
    """Import modules in the kernel ahead of the notebook."""
    from pacifico.errors import OutsideServiceError  # noqa: PLC0415

    try:
        kernels.warm(kernel, PRELOAD)
    except OutsideServiceError:
        return  # the notebook's own imports will fail and say why


def _parameters(
    sources: _Sources, design: Design, pack: str | dict[str, Any] | None, inputs: _Inputs
) -> dict[str, Any]:
    """Parameters of the notebook.

    Parameters
    ----------
    sources : _Sources
        How the inputs are read.
    design : Design
        Design to lay out.
    pack : str or dict, optional
        Compliance rule pack.
    inputs : _Inputs
        Input files, whose paths the run adds itself.
    """
    return {
        "terrain": sources.terrain,
        "resolution_m": sources.resolution_m,
        "dem_units": sources.dem_units,
        "layer": sources.layer,
        "profile": design.profile,
        "strategy": design.strategy,
        "target_capacity_kw": design.target_capacity_kw,
        "entry": list(design.entry) if design.entry is not None else None,
        "poi": list(design.poi) if design.poi is not None else None,
        "setback_m": design.setback_m,
        "max_road_grade_pct": design.max_road_grade_pct,
        "spec": {section: dict(own) for section, own in design.spec.items()} if design.spec else None,
        "rules": pack,
        "energy": sources.energy,
        "levers": sources.levers,
        **({} if "dem" in inputs.files else {"dem": None}),
    }


def _notes(dem: str | Path | None, inputs: _Inputs) -> dict[str, Any]:
    """Record of the DEM and the exclusions for the manifest."""
    exclusions = {"exclusions": inputs.exclusions} if inputs.exclusions else {}
    return {"dem": None if dem is None else decoded(Path(str(dem)).name), **exclusions}


def _pack(rules: str | Path | None) -> str | dict[str, Any] | None:
    """Compliance rule pack, checked; None without one."""
    if rules is None:
        return None
    from pacifico.report.rules_table import checked_pack  # noqa: PLC0415 (only if rules are asked for)

    return checked_pack(rules)


def _read_inputs(sources: _Sources, scratch: Path) -> _Inputs:
    """Read all inputs once, and keep what the notebook needs."""
    from pacifico.report.inputs import ground_of, local_boundary, site_of  # noqa: PLC0415 (1 s, while the kernel starts)
    from pacifico.terrain.sources import SAMPLE, sample_site_path  # noqa: PLC0415

    boundary = local_boundary(str(sources.boundary), scratch)
    site = site_of(str(boundary), layer=sources.layer)
    files = {"boundary": sample_site_path() if str(boundary) == SAMPLE else _one_file(Path(boundary), scratch)}
    combined = _combine(sources, site, scratch)
    if combined is not None and combined.path is not None:
        files["exclusions"] = _one_file(combined.path, scratch)
    if sources.roads is not None:
        from pacifico.site.exclusions import load_roads  # noqa: PLC0415 (only if roads are given)

        load_roads(sources.roads, site)
        files["roads"] = _one_file(Path(sources.roads), scratch)
    kept = scratch / "window"
    kept.mkdir()
    ground_of(
        site,
        None if sources.dem is None else str(sources.dem),
        terrain=sources.terrain,
        resolution_m=sources.resolution_m,
        units=sources.dem_units,
        keep_in=kept,
        settings=sources.settings,
    )
    if sources.terrain:
        files["dem"] = kept / "dem.tif"
    if sources.energy or sources.weather:
        files |= _read_weather(sources.weather, site)
    return _Inputs(files, [] if combined is None else _exclusion_notes(combined))


def _combine(sources: _Sources, site: Site, scratch: Path) -> CombinedExclusions | None:
    """Exclusions from their files and services, checked; None without any."""
    if not sources.exclusions:
        return None
    from pacifico.site.combine import combine_exclusions  # noqa: PLC0415
    from pacifico.site.exclusions import read_exclusions  # noqa: PLC0415 (only if exclusions are given)

    combined = combine_exclusions(sources.exclusions, site, scratch, buffer_m=sources.exclusion_buffer_m)
    if combined.path is not None:
        read_exclusions(combined.path, site)
    return combined


def _exclusion_notes(combined: CombinedExclusions) -> list[dict[str, Any]]:
    """Where the exclusions come from, when services were read, and warnings."""
    notes = [{**s, "fetched": manifest.moment()} if "url" in s else s for s in combined.sources]
    notes[0] |= {"warnings": list(combined.warnings)} if combined.warnings else {}
    return notes


def _read_weather(weather: str | Path | None, site: Site) -> dict[str, Path]:
    """Weather file as an input, checked before the run."""
    from pacifico.analysis.weather import read_weather, require_pvlib  # noqa: PLC0415 (only if energy is asked for)
    from pacifico.crs import LONLAT, transformer  # noqa: PLC0415

    require_pvlib()
    if weather is None:
        return {}
    middle = site.boundary.centroid
    lon, lat = transformer(site.crs, LONLAT).transform(middle.x, middle.y)
    read_weather(weather, lat=lat, lon=lon)
    return {"weather": Path(weather)}


def _one_file(path: Path, scratch: Path) -> Path:
    """One file for the boundary: a .shp is zipped with its sidecars."""
    if path.suffix.lower() != ".shp":
        return path
    packed = scratch / f"{path.stem}.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for sidecar in sorted(path.parent.glob(f"{path.stem}.*")):
            if sidecar.suffix.lower() in {".shp", ".shx", ".dbf", ".prj", ".cpg"}:
                archive.writestr(zipfile.ZipInfo(sidecar.name), sidecar.read_bytes())
    if not packed.is_file():
        raise InputError(f"{path} can't be packed: make a zip of the shapefile's parts")
    return packed
