"""What a process can do for the map: layouts, first pictures, levers and files."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pacifico.compiling import compile_kernels, is_compiled
from pacifico.explorer.engine.first_picture import first_picture
from pacifico.explorer.engine.messages import MOST_SITES, Outcome
from pacifico.explorer.engine.offers import offers_for
from pacifico.explorer.engine.replay import Replay
from pacifico.layout.generate import generate_layout
from pacifico.report.energy_table import solar_year
from pacifico.report.thumbnail import thumbnail
from pacifico.stages import begin, part_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from pacifico.analysis.energy import Energy
    from pacifico.explorer.engine.messages import FirstPicture, LayoutRequest, Offer, RackingView
    from pacifico.explorer.state.document import EditStep
    from pacifico.layout.criteria.design import Design
    from pacifico.layout.model.land_use import LandUse
    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Site
    from pacifico.stages import OnStage

MOST_LAYOUTS = 8
"""Most layouts without edits that a process keeps."""
PICTURE_PX = (560, 400)
"""Size of the static picture [pixels]."""


class Desk:
    """Sites and layouts that a process keeps, and its tasks by name."""

    def __init__(self) -> None:
        self._sites: OrderedDict[str, tuple[Site, xr.DataArray]] = OrderedDict()
        self._layouts: OrderedDict[tuple[Any, ...], Replay] = OrderedDict()

    def add_site(self, key: str, site: Site, dem: xr.DataArray) -> None:
        """Keep a site and its terrain."""
        self._sites[key] = (site, dem)
        if len(self._sites) > MOST_SITES:
            self._sites.popitem(last=False)

    def run(self, name: str, arguments: tuple[Any, ...], on_stage: OnStage | None) -> Any:
        """Run a task by name.

        Raises
        ------
        PacificoError
            The task refused its arguments.
        """
        tasks: dict[str, Callable[..., Any]] = {
            "layout": self.layout,
            "first_picture": self.first_picture,
            "land": self.land,
            "levers": self.levers,
            "energy": self.energy,
            "racking": self.racking,
            "offers": self.offers,
            "export": self.export,
            "report": self.report,
        }
        return tasks[name](*arguments, on_stage=on_stage)

    def layout(self, key: str, request: LayoutRequest, on_stage: OnStage | None = None) -> Outcome:
        """Lay out a site and make the edits again.

        Parameters
        ----------
        key : str
            Key of the site.
        request : LayoutRequest
            Layout and edits.
        on_stage : callable, optional
            Called as each stage begins.

        Raises
        ------
        InputError
            No layout can be made.
        """
        compile_kernels(
            on_progress=lambda share: begin(
                on_stage, "compiling", round(100 * share), "compiling the engine, once per install"
            )
        )
        site, dem = self._sites[key]
        known = (key, _hashable(request.design), request.exclusions)
        if known not in self._layouts:
            plan = generate_layout(
                site, dem, exclusions=request.exclusions, on_stage=part_of(on_stage, 0, 90), **vars(request.design)
            )
            self._layouts[known] = Replay(plan, dem)
            if len(self._layouts) > MOST_LAYOUTS:
                self._layouts.popitem(last=False)
        if request.edits:
            begin(on_stage, "replaying_edits", 90, "making the edits again")
        found = self._layouts[known].run(request.edits)
        content = found.plan.to_geojson()
        width_px, height_px = PICTURE_PX
        picture = thumbnail(content, width_px=width_px, height_px=height_px)
        return Outcome(found.plan, content, picture, found.refused)

    def first_picture(self, key: str, request: LayoutRequest, on_stage: OnStage | None = None) -> FirstPicture | None:
        """Assets before roads; None on a fresh install, where kernels are still being compiled."""
        del on_stage
        if not is_compiled():
            return None
        site, dem = self._sites[key]
        return first_picture(site, dem, request.design, request.exclusions)

    def land(self, key: str, plan: Plan, on_stage: OnStage | None = None) -> LandUse:
        """Measure the land of a plan by reason."""
        begin(on_stage, "measuring_land", 10, "measuring the land")
        return plan.land_use(self._sites[key][1])

    def levers(self, key: str, plan: Plan, on_stage: OnStage | None = None) -> tuple[str, ...]:
        """Solve the levers of a plan and return them in words."""
        _, dem = self._sites[key]
        return tuple(lever.text for lever in plan.levers(dem, on_stage=on_stage).items)

    def energy(self, key: str, plan: Plan, on_stage: OnStage | None = None) -> Energy | None:
        """Energy of a year under a clear sky; None without solar arrays."""
        del on_stage
        return solar_year(plan, self._sites[key][1], energy=True)

    def racking(self, key: str, plan: Plan, on_stage: OnStage | None = None) -> RackingView | None:
        """Rows and graded ground of a plan; None without solar arrays."""
        from pacifico.explorer.engine.racking_view import racking_view  # noqa: PLC0415 (1 s)

        begin(on_stage, "computing_rows", 10, "designing rows and piles")
        return racking_view(plan, self._sites[key][1])

    def offers(self, key: str, plan: Plan, step: EditStep, on_stage: OnStage | None = None) -> tuple[Offer, ...]:
        """Offers that help an edit which a plan refuses."""
        del on_stage
        return offers_for(plan, self._sites[key][1], step)

    def export(self, key: str, plan: Plan, target: tuple[str, str], on_stage: OnStage | None = None) -> tuple[str, ...]:
        """Write a plan in a format, to a path; return the files."""
        from pacifico.explorer.engine.files import write_export  # noqa: PLC0415 (1 s)

        begin(on_stage, "exporting", 10, "writing the export")
        return write_export(plan, self._sites[key][1], *target)

    def report(self, key: str, plan: Plan, folder: str, on_stage: OnStage | None = None) -> tuple[str, ...]:
        """Write the report of a plan, with its edits, to a folder; return the files."""
        from pacifico.explorer.engine.files import write_report  # noqa: PLC0415 (1 s)

        return write_report(plan, self._sites[key][1], folder, on_stage)


def _hashable(design: Design) -> tuple[Any, ...]:
    """Design as a key of a dictionary."""
    return (replace(design, spec=None), repr(design.spec))
