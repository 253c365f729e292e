"""Sliders and menus of a design."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from pacifico.explorer.layers import display_name
from pacifico.explorer.state.overrides import Overrides
from pacifico.explorer.tools.limits import LimitControls
from pacifico.layout.criteria.design import Design
from pacifico.layout.criteria.request import requested_spec
from pacifico.vocabulary import PROFILES, STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDE: dict[str, Any] = {"style": {"description_width": "100px"}, "layout": {"width": "auto"}}
"""Look of all controls."""
_FIRST_TARGET_KW = 20_000.0
"""Target that the slider shows where none is asked for [kW]."""


ROOT = "pacifico-explorer"
"""CSS class of the explorer."""
SLIDER_NAMES = f"""(() => {{
  const name = () => {{
    const handles = [...document.querySelectorAll(".{ROOT} .noUi-handle:not([aria-label])")];
    for (const handle of handles) {{
      const label = handle.closest(".widget-inline-hbox")?.querySelector(".widget-label");
      if (label) handle.setAttribute("aria-label", label.textContent);
    }}
    return handles.length > 0;
  }};
  const watch = new MutationObserver(() => name() && watch.disconnect());
  if (!name()) watch.observe(document.body, {{childList: true, subtree: true}});
}})();"""
"""Script that names the handles of sliders for screen readers, which ipywidgets leaves without names."""


class DesignControls:
    """Sliders and menus, at the values of a design.

    Parameters
    ----------
    start : Design
        Design to start with; its overrides of the catalog stay as they are.
    on_change : callable
        Called when the user has changed a value.
    """

    def __init__(self, start: Design, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._setting = False
        target_kw = start.target_capacity_kw
        spec = requested_spec(start.profile, start.strategy, target_kw, None, None, start.spec)
        setback = spec.number("site", "setback_m") if start.setback_m is None else start.setback_m
        grade = spec.number("road", "max_grade_pct") if start.max_road_grade_pct is None else start.max_road_grade_pct
        self.profile = widgets.Dropdown(description="Profile", options=_labelled(PROFILES), value=start.profile, **WIDE)
        self.strategy = widgets.Dropdown(
            description="Strategy", options=_labelled(STRATEGIES), value=start.strategy, **WIDE
        )
        self.fill_site = widgets.Checkbox(
            description="as much as fits", value=target_kw is None, indent=True, style=WIDE["style"]
        )
        self.capacity_mw = widgets.FloatLogSlider(
            description="Target, MW",
            value=(target_kw or _FIRST_TARGET_KW) / 1000,
            min=-1,
            max=log10(5000),
            step=0.02,
            readout_format=",.1f",
            **_slider(),
        )
        self.setback_m = widgets.FloatSlider(
            description="Setback, m", value=setback, min=0, max=max(200, setback), step=1, readout_format=".0f", **_slider()
        )  # fmt: skip
        self.max_road_grade_pct = widgets.FloatSlider(
            description="Road grade, %", value=grade, min=2, max=max(15, grade), step=0.5, readout_format=".1f", **_slider()
        )  # fmt: skip
        self.limits = LimitControls(spec, _slider(), self._passed_on)
        self.capacity_mw.disabled = self.fill_site.value
        self.limits.show(self.design(of=start))
        for control in self._own:
            control.observe(self._changed, names="value")

    @property
    def all(self) -> list[Any]:
        """All controls, in the order of the panel."""
        return [*self._own, self.limits.widget]

    @property
    def _own(self) -> list[Any]:
        """Controls of the design itself."""
        return [self.profile, self.strategy, self.fill_site, self.capacity_mw, self.setback_m, self.max_road_grade_pct]

    def design(self, *, of: Design) -> Design:
        """Design of the controls.

        Parameters
        ----------
        of : Design
            Design whose entry and point of interconnection it has.
        """
        return Design(
            profile=self.profile.value,
            strategy=self.strategy.value,
            target_capacity_kw=None if self.fill_site.value else float(round(self.capacity_mw.value * 1000)),
            setback_m=self.setback_m.value,
            max_road_grade_pct=self.max_road_grade_pct.value,
            entry=of.entry,
            poi=of.poi,
        )

    def set(self, design: Design, overrides: Overrides | None = None) -> None:
        """Show the values of a design and of overrides, without a call of `on_change`."""
        self._setting = True
        try:
            self.profile.value, self.strategy.value = design.profile, design.strategy
            self.fill_site.value = design.target_capacity_kw is None
            if design.target_capacity_kw is not None:
                self.capacity_mw.value = design.target_capacity_kw / 1000
            for slider, value in (
                (self.setback_m, design.setback_m),
                (self.max_road_grade_pct, design.max_road_grade_pct),
            ):
                if value is not None:
                    slider.max = max(slider.max, value)
                    slider.value = value
            self.capacity_mw.disabled = self.fill_site.value
            self.limits.set(overrides or Overrides())
            self.limits.show(design)
        finally:
            self._setting = False

    def _changed(self, _: object) -> None:
        """Pass on a change that the user made."""
        self.capacity_mw.disabled = self.fill_site.value
        if not self._setting:
            self.limits.show(self.design(of=Design()))
            self._on_change()

    def _passed_on(self) -> None:
        """Pass on a change of a limit."""
        if not self._setting:
            self._on_change()


def _labelled(choices: Sequence[str]) -> list[tuple[str, str]]:
    """Choices of a menu: name in words, and value."""
    return [(display_name(choice), choice) for choice in choices]


def _slider() -> dict[str, Any]:
    """Look of a slider, which acts when it is released."""
    return {"continuous_update": False, **WIDE}
