"""First picture of a layout: assets as first drafted, before roads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from pacifico.crs import geojson_geometries
from pacifico.explorer.engine.messages import FirstPicture
from pacifico.grid import Ground
from pacifico.layout.criteria.asset_types import spec_for_target
from pacifico.layout.criteria.request import requested_entry
from pacifico.layout.ground.buildable import make_field
from pacifico.layout.ground.channels import site_drainage
from pacifico.layout.layout_request import checked_request
from pacifico.layout.orientation.frame import frame_of
from pacifico.layout.orientation.ground import turned_dem
from pacifico.layout.placement.context import PlacementContext
from pacifico.layout.search.problem import DesignProblem

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.layout.criteria.design import Design
    from pacifico.site.model import Site, Zone


def first_picture(site: Site, dem: xr.DataArray, design: Design, exclusions: tuple[Zone, ...]) -> FirstPicture:
    """Draft in the most promising area, with full rows.

    It takes about a fifth of the time of a layout.

    Parameters
    ----------
    site : Site
        Site to lay out.
    dem : DataArray
        Its elevation model.
    design : Design
        Design to draft.
    exclusions : tuple of Zone
        Exclusions in addition to the site's.

    Raises
    ------
    InputError
        The design is refused.
    """
    given = request = checked_request(site, design, exclusions)
    where, frame = requested_entry(request.site, design.entry), frame_of(request.spec, dem)
    if frame is not None:
        request = request.turned(frame)
        dem, where = turned_dem(dem, frame, request.site), where and frame.input(where)
    heights, source_cell_m = Ground.finest_of(dem), float(dem.attrs.get("source_resolution_m", 0.0))
    field = make_field(
        request.site,
        Ground.of(dem),
        heights,
        setback_m=request.spec.number("site", "setback_m"),
        setbacks=request.spec.setbacks,
        source_cell_m=source_cell_m,
        drainage=site_drainage(request.site, heights, request.spec, source_cell_m),
    )
    solar_kw = request.capacities.solar_kw
    problem = DesignProblem(
        request.site,
        PlacementContext(field, spec_for_target(request.spec, solar_kw) if solar_kw else request.spec),
        request.capacities,
        where,
        request.profile,
        request.target_kw,
    )
    draft = problem.draft(request.strategy, problem.seed_areas(request.strategy, full_rows_only=True)[0])
    zones, arrays = given.site.exclusions, [shapely.box(*i.rect) for i in draft.items]
    if frame is not None:
        arrays = [frame.inverse.geometry(a) for a in arrays]
    shapes = [given.site.boundary, *(z.geometry for z in zones), *arrays]
    properties = [
        {"kind": "boundary", "name": site.name},
        *({"kind": "exclusion", "name": z.name} for z in zones),
        *({"kind": "asset", "asset_type": i.kind, "name": "first draft, before roads"} for i in draft.items),
    ]
    features = tuple(
        {"type": "Feature", "geometry": geometry, "properties": own}
        for geometry, own in zip(geojson_geometries(shapes, site.crs), properties, strict=True)
    )
    return FirstPicture(features, problem.capacity_of(draft.items), len(draft.items))
