"""`pacifico report`: boundary and DEM in, report folder out."""

from __future__ import annotations

import tempfile
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.run import folder, manifest
from pacifico.run import kernel as kernels
from pacifico.run.execute import RunRequest, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pacifico.run.outcome import Outcome
    from pacifico.terrain.heights import Units
    from pacifico.terrain.remote import SourceSettings

NOTEBOOK = "layout_report"
# Loaded in the kernel while the boundary and the DEM are read here.
WARM = """
import pacifico.layout.generate as _a, pacifico.report.figures as _b, pacifico.report.overlay as _c, pacifico.report.profile as _d
import pacifico.layout.files.geojson as _e, pacifico.report.inputs as _f, pacifico.site.exclusions as _g, rasterio.warp as _h
import pacifico.report.sheet as _i, pacifico.export.kmz as _j, pacifico.export.tables as _k, pacifico.report.bill as _m
import pacifico.analysis.costs as _n
import matplotlib.backends.backend_pdf as _l
del _a, _b, _c, _d, _e, _f, _g, _h, _i, _j, _k, _l, _m, _n
"""


def make_report(
    boundary: str | Path,
    dem: str | Path | None,
    out_dir: str | Path,
    *,
    terrain: bool = True,
    resolution_m: float | None = None,
    dem_units: Units | None = None,
    layer: str | None = None,
    profile: str = "solar_farm",
    strategy: str = "balanced",
    target_capacity_kw: float | None = None,
    entry: Sequence[float] | None = None,
    exclusions: str | Path | Sequence[str | Path] | None = None,
    exclusion_buffer_m: float | None = None,
    setback_m: float | None = None,
    max_road_grade_pct: float | None = None,
    spec: Mapping[str, Mapping[str, Any]] | None = None,
    rules: str | Path | None = None,
    energy: bool = False,
    weather: str | Path | None = None,
    timeout_s: float | None = None,
    settings: SourceSettings | None = None,
    on_stage: Callable[[str, int, str], None] | None = None,
) -> Outcome:
    """Execute the layout report for a site and write its folder.

    Site and DEM are read here first, with this process's access to files and networks: what is wrong with them is said at
    once. The notebook is given copies of the boundary, the exclusions and the DEM's window, and needs neither.

    Parameters
    ----------
    boundary, dem : str or Path
        As for `read_site` and `open_dem`; `dem` None with `terrain` False.
    out_dir : str or Path
        Report folder; one that holds a report already is replaced.
    terrain : bool
        False for level ground.
    resolution_m, dem_units, layer
        As for `open_dem` and `read_site`.
    profile, strategy, target_capacity_kw, entry, setback_m, max_road_grade_pct, spec
        As for `generate_layout`.
    exclusions : str, Path or sequence of them, optional
        Ground that must stay free: files and addresses of layers, as for `gather_exclusions`. What was fetched is kept as an
        input of the report.
    exclusion_buffer_m : float, optional
        Around exclusions that state no buffer of their own [m].
    rules : str or Path, optional
        Rule pack to hold the layout against, by name or file.
    energy : bool
        Tell a year of the solar part, too: without `weather` under a clear sky, an upper bound. Needs pvlib.
    weather : str or Path, optional
        Typical year for it, EPW or TMY3.
    timeout_s : float, optional
        Limit of the run [s].
    settings : SourceSettings, optional
        Where the named sources are, and the cache; the public ones by default.
    on_stage : callable, optional
        Called with name, percentage and message as each stage begins.

    Returns
    -------
    Outcome
        Completed, or failed: then its `error_name` and `error_message` say why, and so does the report.

    Raises
    ------
    InputError, OutsideServiceError
        Before anything was written: boundary, DEM or folder can't be used, or a source failed.
    """
    out = Path(out_dir)
    folder.check(out.absolute())
    pack = None if rules is None else _pack(rules)
    with tempfile.TemporaryDirectory(prefix="pacifico-report-") as scratch:
        kernel = kernels.start(Path(scratch))
        warming = threading.Thread(target=_warm, args=(kernel,), name="pacifico-warm")
        warming.start()
        try:
            sources = [exclusions] if isinstance(exclusions, str | Path) else list(exclusions or ())
            inputs, told = _inputs(
                Path(scratch),
                boundary,
                dem,
                sources,
                exclusion_buffer_m,
                layer,
                resolution_m,
                dem_units,
                settings,
                terrain=terrain,
            )
            if energy or weather:
                inputs |= _weather(weather, inputs["boundary"], layer)
            from pacifico.run import engine, html  # noqa: F401, PLC0415 (papermill and nbconvert: 2 s, while it warms)
        except BaseException:
            kernels.kill(kernel)
            warming.join()
            kernels.stop(kernel)
            raise
        warming.join()
        request = RunRequest(
            notebook=NOTEBOOK,
            parameters={
                "terrain": terrain,
                "resolution_m": resolution_m,
                "dem_units": dem_units,
                "layer": layer,
                "profile": profile,
                "strategy": strategy,
                "target_capacity_kw": target_capacity_kw,
                "entry": list(entry) if entry is not None else None,
                "setback_m": setback_m,
                "max_road_grade_pct": max_road_grade_pct,
                "spec": {s: dict(own) for s, own in spec.items()} if spec else None,
                "rules": pack,
                "energy": energy,
                **({} if "dem" in inputs else {"dem": None}),
            },
            inputs=inputs,
            out_dir=out,
            timeout_s=timeout_s,
            notes={"dem": None if dem is None else Path(str(dem)).name, **({"exclusions": told} if told else {})},
        )
        try:
            return execute(request, on_stage=on_stage, kernel=kernel)
        except InputError:
            kernels.stop(kernel)  # refused before it began: the kernel is still ours
            raise


def _weather(weather: str | Path | None, boundary: Path, layer: str | None) -> dict[str, Path]:
    """Weather file as an input; that it can be used, and that pvlib is there, is seen before the run."""
    from pacifico.analysis.weather import read_weather, require_pvlib  # noqa: PLC0415
    from pacifico.crs import LONLAT, transformer  # noqa: PLC0415 (here and below: only where energy is asked for)
    from pacifico.report.inputs import site_of  # noqa: PLC0415

    require_pvlib()
    if weather is None:
        return {}
    site = site_of(str(boundary), layer=layer)
    middle = site.boundary.centroid
    lon, lat = transformer(site.crs, LONLAT).transform(middle.x, middle.y)
    read_weather(weather, lat=lat, lon=lon)
    return {"weather": Path(weather)}


def _pack(rules: str | Path) -> str | dict[str, Any]:
    from pacifico.report.rules_table import checked_pack  # noqa: PLC0415 (only where rules are asked for)

    return checked_pack(rules)


def _warm(kernel: Any) -> None:
    """Import ahead; where that fails the notebook's own imports will say it better."""
    from pacifico.errors import OutsideServiceError  # noqa: PLC0415

    try:
        kernels.warm(kernel, WARM)
    except OutsideServiceError:
        return


def _inputs(
    scratch: Path,
    boundary: str | Path,
    dem: str | Path | None,
    exclusions: Sequence[str | Path],
    buffer_m: float | None,
    layer: str | None,
    resolution_m: float | None,
    units: Units | None,
    settings: SourceSettings | None,
    *,
    terrain: bool,
) -> tuple[dict[str, Path], list[dict[str, Any]]]:
    """Files for the notebook, read once here so that what is wrong with them comes out first; and what exclusions were."""
    from pacifico.report.inputs import ground_of, site_of  # noqa: PLC0415 (1 s, while the kernel boots)
    from pacifico.site.exclusions import read_exclusions  # noqa: PLC0415
    from pacifico.site.gather import gather_exclusions  # noqa: PLC0415
    from pacifico.terrain.sources import SAMPLE, sample_site_path  # noqa: PLC0415

    site = site_of(str(boundary), layer=layer)
    inputs = {"boundary": sample_site_path() if str(boundary) == SAMPLE else _one_file(Path(boundary), scratch)}
    told: list[dict[str, Any]] = []
    if exclusions:
        gathered = gather_exclusions(exclusions, site, scratch, buffer_m=buffer_m)
        told = [{**s, "fetched": manifest.moment()} if "url" in s else s for s in gathered.sources]
        told[0] |= {"warnings": list(gathered.warnings)} if gathered.warnings else {}
        if gathered.path is not None:
            read_exclusions(gathered.path, site)
            inputs["exclusions"] = _one_file(gathered.path, scratch)
    kept = scratch / "window"
    kept.mkdir()
    ground_of(
        site,
        None if dem is None else str(dem),
        terrain=terrain,
        resolution_m=resolution_m,
        units=units,
        keep_in=kept,
        settings=settings,
    )
    if terrain:
        inputs["dem"] = kept / "dem.tif"
    return inputs, told


def _one_file(path: Path, scratch: Path) -> Path:
    """Boundary as one file: a bare .shp is packed with the files beside it."""
    if path.suffix.lower() != ".shp":
        return path
    packed = scratch / f"{path.stem}.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for beside in sorted(path.parent.glob(f"{path.stem}.*")):
            if beside.suffix.lower() in {".shp", ".shx", ".dbf", ".prj", ".cpg"}:
                archive.writestr(zipfile.ZipInfo(beside.name), beside.read_bytes())
    if not packed.is_file():
        raise InputError(f"{path} can't be packed: make a zip of the shapefile's parts")
    return packed
