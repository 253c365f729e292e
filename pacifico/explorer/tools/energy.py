"""Energy of a year among the numbers of the panel, computed aside."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import ipywidgets as widgets

from pacifico.escaping import for_markup
from pacifico.explorer.engine.lanes import Ticket

if TYPE_CHECKING:
    from pacifico.analysis.energy import Energy
    from pacifico.errors import PacificoError
    from pacifico.explorer.engine.lanes import Engine
    from pacifico.explorer.engine.messages import Terrain
    from pacifico.layout.model.plan import Plan

NEEDS = "needs pvlib: pip install 'pacifico[energy]'"


class EnergyNote:
    """Line with the energy of the plan on the map; empty without solar arrays.

    Attributes
    ----------
    widget : HTML
        The line.
    """

    def __init__(self, engine: Engine, terrain: Terrain) -> None:
        self._engine, self._terrain = engine, terrain
        self._key = object()
        self._plan: Plan | None = None
        self.widget = widgets.HTML()

    def show(self, plan: Plan | None) -> None:
        """Compute the energy of another plan.

        A plan under way is not cancelled: its process may be loading libraries. The newest plan follows it.
        """
        self._plan = plan
        if plan is None or not any(a.item.kind == "solar_array" for a in plan.asset_list):
            self.widget.value = ""
        elif importlib.util.find_spec("pvlib") is None:
            self.widget.value = _line(NEEDS)
        else:
            self.widget.value = _line("…")
            if not self._engine.busy(self._key):
                self._start(plan)

    def wait(self) -> None:
        """Wait for the energy of the plan on the map."""
        self._engine.wait(lambda: not self._engine.busy(self._key))

    def _start(self, plan: Plan) -> None:
        def finished(year: Energy | None) -> None:
            self._finished(plan, words_of(year))

        def failed(error: PacificoError) -> None:
            self._finished(plan, str(error))

        self._engine.submit(Ticket(self._key, self._terrain, "energy", (plan,), finished, failed), "aside")

    def _finished(self, plan: Plan, words: str) -> None:
        """Show the energy if the plan is still on the map; otherwise compute that of the newer one."""
        if plan is self._plan:
            self.widget.value = _line(words)
        else:
            self.show(self._plan)


def words_of(year: Energy | None) -> str:
    """Energy of a year in words."""
    if year is None:
        return "no solar array"
    bound = "at most, under a clear sky" if year.clear_sky else year.weather
    return f"{year.annual_mwh:,.0f} MWh a year {bound}; {year.specific_yield_kwh_per_kwdc:,.0f} kWh/kWdc"


def _line(words: str) -> str:
    """Line of the panel."""
    return (
        "<div style='line-height:1.4'><span style='color:#666'>Energy</span>&ensp;"
        f"<b style='font-weight:600'>{for_markup(words)}</b></div>"
    )
