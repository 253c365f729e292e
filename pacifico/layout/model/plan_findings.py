"""What is found out about a plan: headline, bill, earthwork, land and levers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from pacifico.escaping import for_markup

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.bill import Bill
    from pacifico.layout.model.headline import Answer
    from pacifico.layout.model.land_use import LandUse
    from pacifico.layout.model.levers import Levers
    from pacifico.stages import OnStage
    from pacifico.vocabulary import Profile

_UPPER = {
    "bill": "pacifico.analysis.costs:bill",
    "headline": "pacifico.analysis.headline:headline_of",
    "cut_fill": "pacifico.layout.earthwork.cut_fill_raster:cut_fill",
    "write_cut_fill": "pacifico.layout.earthwork.cut_fill_raster:write_cut_fill",
    "rows": "pacifico.layout.racking.tables:rows_frame",
    "piles": "pacifico.layout.racking.tables:piles_frame",
    "write_piles": "pacifico.layout.racking.tables:write_piles",
    "land_use": "pacifico.analysis.land_use:land_use_of",
    "supply_curve": "pacifico.analysis.supply_curve:supply_curve_of",
    "levers": "pacifico.analysis.levers:solve_levers",
    "cell_reasons": "pacifico.analysis.cell_reasons:cell_reasons_of",
    "buildable_mask": "pacifico.analysis.cell_reasons:buildable_cells",
    "shadow_prices": "pacifico.analysis.levers:shadow_prices_of",
    "plot": "pacifico.report.figures:plot_plan",
}
"""Functions of higher rooms behind methods of Plan; loaded at the first call."""


def _upper(name: str) -> Any:
    """Load a function of a higher room."""
    return resolve_name(_UPPER[name])


class PlanFindings(ABC):
    """Findings of a plan, each computed by a higher room when it is asked for."""

    profile: Profile
    spec: Spec

    @property
    @abstractmethod
    def about(self) -> dict[str, Any]:
        """Member `pacifico` of layout.geojson, without the headline."""

    @cached_property
    def headline(self) -> tuple[Answer, ...]:
        """Capacity, cost, earthwork and the largest risks."""
        made: tuple[Answer, ...] = _upper("headline")(self)
        return made

    @property
    def rows(self) -> gpd.GeoDataFrame:
        """Table of tracker rows or fixed tables; heights are NaN before `pacifico.add_racking`."""
        frame: gpd.GeoDataFrame = _upper("rows")(self)
        return frame

    @property
    def piles(self) -> gpd.GeoDataFrame:
        """Table of piles, after `pacifico.add_racking`."""
        frame: gpd.GeoDataFrame = _upper("piles")(self)
        return frame

    def write_piles(self, path: str | Path) -> Path:
        """Write piles.csv, after `pacifico.add_racking`; equal plans give equal bytes.

        Parameters
        ----------
        path : str or Path
            File to write; an existing one is replaced as a whole.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            The plan has no racking yet.

        Examples
        --------
        >>> plan.write_piles("piles.csv")                                       # doctest: +SKIP
        """
        written: Path = _upper("write_piles")(self, path)
        return written

    def bill_of_quantities(self, *, spec: Spec | None = None) -> Bill:
        """Bill of quantities with costs.

        Parameters
        ----------
        spec : Spec, optional
            Unit costs; by default those of the plan's own spec.

        Returns
        -------
        Bill
            Lines with quantities, unit costs and intervals, and the total [USD].

        Examples
        --------
        >>> plan.bill_of_quantities().total                                     # doctest: +SKIP
        54900000.0
        """
        made: Bill = _upper("bill")(self, spec=spec)
        return made

    def supply_curve(self) -> pd.DataFrame:
        """Capacity in the order in which it is worth building, with its civil cost.

        Civil works are roads, earthwork with side slopes, crossings, cables and skids, at the prices of the bill. Each
        step adds arrays along a road, a turbine or a branch of them; the first holds what all share. The knee is the step
        farthest below the straight line from the first to the last: beyond it capacity becomes dearer.

        Returns
        -------
        DataFrame
            Columns `units`, `capacity_kw` and `civil_cost_usd` (both cumulative), `usd_per_kw` (marginal) and `is_knee`,
            one row for each step.

        Examples
        --------
        >>> plan.supply_curve()[["capacity_kw", "civil_cost_usd", "usd_per_kw"]]  # doctest: +SKIP
        >>> curve = plan.supply_curve()                                         # doctest: +SKIP
        >>> curve.loc[curve["is_knee"], "capacity_kw"]                          # doctest: +SKIP
        """
        curve: pd.DataFrame = _upper("supply_curve")(self)
        return curve

    def cut_fill(self, dem: xr.DataArray) -> xr.DataArray:
        """Design minus ground on the DEM's grid [m].

        Cut is negative, fill positive, other ground NaN.

        Parameters
        ----------
        dem : DataArray
            DEM that the plan was made on.

        Returns
        -------
        DataArray
            Heights on the grid of the DEM [m].

        Raises
        ------
        CRSMismatchError
            The DEM is in another CRS than the plan.

        Examples
        --------
        >>> float(plan.cut_fill(dem).min())                                     # doctest: +SKIP
        -2.8
        """
        raster: xr.DataArray = _upper("cut_fill")(self, dem)
        return raster

    def write_cut_fill(self, dem: xr.DataArray, path: str | Path) -> Path:
        """Write `cut_fill` as a GeoTIFF; equal plans give equal bytes.

        Parameters
        ----------
        dem : DataArray
            DEM that the plan was made on.
        path : str or Path
            File to write.

        Returns
        -------
        Path
            The file: a cloud-optimized GeoTIFF.

        Raises
        ------
        CRSMismatchError
            The DEM is in another CRS than the plan.

        Examples
        --------
        >>> plan.write_cut_fill(dem, "cut-fill.tif")                            # doctest: +SKIP
        """
        written: Path = _upper("write_cut_fill")(self, dem, path)
        return written

    def land_use(self, dem: xr.DataArray) -> LandUse:
        """Land of the site, from its area down to what is used.

        Parameters
        ----------
        dem : DataArray
            DEM that the plan was made on.

        Returns
        -------
        LandUse
            Parts with reason, area [ha] and ground; the areas sum to that of the site.

        Raises
        ------
        CRSMismatchError
            The DEM is in another CRS than the plan.

        Examples
        --------
        >>> plan.land_use(dem).to_frame()                                       # doctest: +SKIP
        >>> plan.land_use(dem).write("land-use.geojson")                        # doctest: +SKIP
        """
        found: LandUse = _upper("land_use")(self, dem)
        return found

    def cell_reasons(self, dem: xr.DataArray) -> xr.DataArray:
        """Reason of every cell of the DEM: used, left over, too steep and so on.

        Parameters
        ----------
        dem : DataArray
            DEM that the plan was made on.

        Returns
        -------
        DataArray
            Values of `pacifico.layout.model.Reason`, which the attributes `flag_values` and `flag_meanings` name.

        Raises
        ------
        CRSMismatchError
            The DEM is in another CRS than the plan.

        Examples
        --------
        >>> (plan.cell_reasons(dem) == Reason.TOO_STEEP).mean()                 # doctest: +SKIP
        """
        raster: xr.DataArray = _upper("cell_reasons")(self, dem)
        return raster

    def buildable_mask(self, dem: xr.DataArray) -> xr.DataArray:
        """Cells on which the main asset type may stand.

        Parameters
        ----------
        dem : DataArray
            DEM that the plan was made on.

        Returns
        -------
        DataArray
            True where setback, exclusions, elevation and slope allow it.

        Raises
        ------
        CRSMismatchError
            The DEM is in another CRS than the plan.

        Examples
        --------
        >>> int(plan.buildable_mask(dem).sum())                                 # doctest: +SKIP
        9276
        """
        raster: xr.DataArray = _upper("buildable_mask")(self, dem)
        return raster

    def levers(
        self, dem: xr.DataArray, *, entry: tuple[float, float] | None = None, on_stage: OnStage | None = None
    ) -> Levers:
        """What each limit costs, found by layouts and estimates.

        Setbacks, slope limits, road grade and the largest exclusions are relaxed one by one. Each takes about as long as
        the plan itself. Where more than six limits bind a solar farm that misses its target or has none, the three most
        promising ones have a layout, and so have limits of roads and skids. The rest are estimates (`estimated`): arrays
        that fit the ground, without roads, skids and substations, at the plan's cost per kW.

        Parameters
        ----------
        dem : DataArray
            DEM that the plan was made on.
        entry : (float, float), optional
            Longitude and latitude of the entry if one was requested [°].
        on_stage : callable, optional
            Called with name, percentage and message before each layout.

        Returns
        -------
        Levers
            Gain [kW] and additional cost [USD] of each, the largest gain first.

        Raises
        ------
        CRSMismatchError
            The DEM is in another CRS than the plan.

        Examples
        --------
        >>> plan.levers(dem).items[0].text                                      # doctest: +SKIP
        'slope limit of solar arrays 12° instead of 10°: +4.1 MW, +5.20 million USD'
        """
        found: Levers = _upper("levers")(self, dem, entry=entry, on_stage=on_stage)
        return found

    def shadow_prices(
        self, dem: xr.DataArray, *, entry: tuple[float, float] | None = None, on_stage: OnStage | None = None
    ) -> pd.DataFrame:
        """What each limit, exclusion and edge setback costs.

        Unlike `levers`, every exclusion and every setback of single edges is priced, and costs are without racking. Where
        many limits bind, most are estimates, as in `levers`. Limits that no ground of the site exceeds are not solved: they
        have no effect.

        Parameters
        ----------
        dem : DataArray
            DEM that the plan was made on.
        entry : (float, float), optional
            Longitude and latitude of the entry if one was requested [°].
        on_stage : callable, optional
            Called with name, percentage and message before each layout.

        Returns
        -------
        DataFrame
            Columns `label`, `land`, `gain_kw`, `more_usd`, `estimated` and `usd_per_kw` (of the capacity gained; NaN without
            a gain), indexed by the limit's name, the largest gain first.

        Raises
        ------
        CRSMismatchError
            The DEM is in another CRS than the plan.

        Examples
        --------
        >>> plan.shadow_prices(dem)[["label", "gain_kw", "more_usd"]]           # doctest: +SKIP
        """
        prices: pd.DataFrame = _upper("shadow_prices")(self, dem, entry=entry, on_stage=on_stage)
        return prices

    def plot(self, dem: xr.DataArray | None = None) -> Figure:
        """Draw the plan: assets, roads, cables, zones and boundary.

        Parameters
        ----------
        dem : DataArray, optional
            DEM to shade and contour the ground with.

        Returns
        -------
        Figure
            Matplotlib figure, which a notebook shows.

        Examples
        --------
        >>> plan.plot(dem).savefig("plan.png")                                  # doctest: +SKIP
        """
        figure: Figure = _upper("plot")(self, dem)
        return figure

    def _repr_html_(self) -> str:
        """Headline as a table, for notebooks."""
        rows = "".join(
            f"<tr><th style='text-align:left'>{for_markup(answer.label)}</th>"
            f"<td style='text-align:left{';color:#b3201f' if answer.alarm else ''}'>{for_markup(answer.text)}</td></tr>"
            for answer in self.headline
        )
        return f"<div>{for_markup(repr(self)[1:-1])}</div><table><tbody>{rows}</tbody></table>"
