"""Sliders of catalog values: slope limit, ground coverage, DC/AC ratio and storage energy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log10
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from pacifico.explorer.state.overrides import storage_hours, storage_power_kw
from pacifico.layout.criteria.request import MAIN_ASSET
from pacifico.layout.criteria.spec import catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pacifico.explorer.state.overrides import Overrides
    from pacifico.layout.criteria.design import Design
    from pacifico.layout.criteria.spec import Spec

MOST_MWH = 1e5
"""Largest storage energy of the slider [MWh]: the largest target for 20 h."""


@dataclass(frozen=True)
class Limit:
    """Catalog value with a slider."""

    section: str
    rule: str
    label: str
    step: float
    digits: int


_SLOPES = tuple(Limit(kind, "slope_limit_deg", "Slope limit, °", 0.5, 1) for kind in dict.fromkeys(MAIN_ASSET.values()))
_GCR = {mounting: Limit("solar", f"{mounting}_gcr", "GCR", 0.01, 2) for mounting in ("tracker", "fixed")}
_DC_AC = Limit("solar", "dc_ac_ratio", "DC/AC", 0.05, 2)
LIMITS = (*_SLOPES, *_GCR.values(), _DC_AC)
"""All values with a slider; a profile shows those that mean something for it."""


def limits_of(profile: str, spec: Spec) -> tuple[Limit, ...]:
    """Values that mean something for a profile: no ground cover without arrays.

    Parameters
    ----------
    profile : str
        Kind of plant.
    spec : Spec
        Mounting, and the share of wind.
    """
    slope = tuple(limit for limit in _SLOPES if limit.section == MAIN_ASSET[profile])  # type: ignore[index]
    only_wind = profile == "wind_hybrid" and spec.number("wind_hybrid", "wind_share") == 1.0
    if MAIN_ASSET[profile] != "solar_array" or only_wind:  # type: ignore[index]
        return slope
    return (*slope, _GCR[spec.choice("solar", "mounting")], _DC_AC)


class LimitControls:
    """Sliders of catalog values.

    Parameters
    ----------
    spec : Spec
        Values that the sliders start with.
    look : mapping
        Keywords of each slider.
    on_change : callable
        Called when a slider has moved.

    Attributes
    ----------
    widget : VBox
        Sliders of the profile that is shown.
    """

    def __init__(self, spec: Spec, look: Mapping[str, Any], on_change: Callable[[], None]) -> None:
        self._spec, self._on_change = spec, on_change
        self._updating = False
        self._storage_mwh: float | None = None
        self.sliders = {limit: self._slider(limit, look) for limit in LIMITS}
        self.storage_mwh = widgets.FloatLogSlider(
            description="Storage, MWh", value=1.0, min=-1, max=log10(MOST_MWH), step=0.01, readout_format=",.1f", **look
        )
        self.widget = widgets.VBox([], layout=widgets.Layout(overflow="hidden"))
        for slider in self.sliders.values():
            slider.observe(self._changed, names="value")
        self.storage_mwh.observe(self._storage_changed, names="value")

    def show(self, design: Design) -> None:
        """Show the sliders of a design's profile, and its storage energy."""
        shown = [self.sliders[limit] for limit in limits_of(design.profile, self._spec)]
        power_kw = storage_power_kw(design, self._spec)
        if power_kw:
            shown.append(self.storage_mwh)
            if self._storage_mwh is None:
                self._set(self.storage_mwh, storage_hours(self._spec) * power_kw / 1000)
        if tuple(shown) != self.widget.children:
            self.widget.children = tuple(shown)

    def overrides(self, before: Overrides) -> Overrides:
        """Overrides with the values of the sliders; others stay."""
        made = replace(before, storage_mwh=self._storage_mwh)
        for limit, slider in self.sliders.items():
            value = round(slider.value, 6)
            own = None if value == self._start(limit) else value
            made = made.with_rule(limit.section, limit.rule, own)
        return made

    def set(self, overrides: Overrides) -> None:
        """Show the values of overrides, without a call of `on_change`."""
        for limit, slider in self.sliders.items():
            own = overrides.rule(limit.section, limit.rule)
            self._set(slider, self._start(limit) if own is None else own)
        self._storage_mwh = overrides.storage_mwh
        if overrides.storage_mwh is not None:
            self._set(self.storage_mwh, overrides.storage_mwh)

    def _start(self, limit: Limit) -> float:
        """Value that a slider starts with."""
        return round(self._spec.number(limit.section, limit.rule), 6)

    def _slider(self, limit: Limit, look: Mapping[str, Any]) -> widgets.FloatSlider:
        """Slider over the catalog's range of a value."""
        entry = catalog()[limit.section][limit.rule]
        return widgets.FloatSlider(
            description=limit.label, value=self._start(limit), min=entry["min"], max=entry["max"], step=limit.step,
            readout_format=f".{limit.digits}f", **look,
        )  # fmt: skip

    def _set(self, slider: widgets.FloatSlider | widgets.FloatLogSlider, value: float) -> None:
        """Show a value that the user didn't set."""
        self._updating = True
        try:
            slider.value = value
        finally:
            self._updating = False

    def _changed(self, _: object) -> None:
        """Pass on a change that the user made."""
        if not self._updating:
            self._on_change()

    def _storage_changed(self, change: dict[str, Any]) -> None:
        """Keep the storage energy that the user chose."""
        if not self._updating:
            self._storage_mwh = round(change["new"], 1)
            self._on_change()
