"""Year of each array as a GeoDataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd

    from pacifico.analysis.energy import Energy
    from pacifico.layout.model.plan import Plan


def shade_frame(plan: Plan, year: Energy) -> gpd.GeoDataFrame:
    """Loss to row shade and relative yield of each array.

    Parameters
    ----------
    plan : Plan
        Plan with its arrays.
    year : Energy
        Its year, computed with rows in space.

    Returns
    -------
    GeoDataFrame
        Columns `array`, `row_shade_loss_share` and `relative_yield` [-], and footprints in the working CRS.

    Examples
    --------
    >>> shade_frame(plan, year).plot("row_shade_loss_share", legend=True)       # doctest: +SKIP
    """
    import geopandas as gpd  # noqa: PLC0415 (1 s)

    footprints = {a.asset_id: a.footprint for a in plan.asset_list}
    columns = {
        "array": [a.array_id for a in year.arrays],
        "row_shade_loss_share": [a.row_shade_loss_share for a in year.arrays],
        "relative_yield": [a.relative_yield for a in year.arrays],
    }
    return gpd.GeoDataFrame(columns, geometry=[footprints[a.array_id] for a in year.arrays], crs=plan.crs)
