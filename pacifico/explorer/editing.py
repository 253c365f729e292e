"""Editing tools on the explorer's map: they say what the user wants, the layout follows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import ipyleaflet as leaflet
import ipywidgets as widgets
import shapely

from pacifico import crs as crs_
from pacifico import legend
from pacifico.escaping import for_markup
from pacifico.explorer import panel
from pacifico.explorer.layers import display_name
from pacifico.explorer.state.document import EditStep
from pacifico.layout.editing.editor import asset_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.explorer.state.document import LonLat
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.plan import Plan

_HINT = "<b>Edit:</b> <i>click an asset, then drag its marker</i>"
_HANDLE = (
    "<svg width='18' height='18' viewBox='0 0 18 18' style='cursor:move'><path fill='#d00000' "
    "d='M9 1l3 3H6zM9 17l-3-3h6zM1 9l3-3v6zM17 9l-3 3V6zM8 4h2v10H8zM4 8h10v2H4z'/></svg>"
)
"""Marker at the asset's centre, smaller than most assets so that neighbours can be clicked."""
CLICK_PX = 3.0
"""Distance of a click from the asset that it selects: the outline is drawn that wide [pixels]."""
EQUATOR_M = 40_075_017.0
"""Length of the equator, which fills 256 pixels at zoom 0 [m]."""


class Editing:
    """Editing tools of one map.

    Attributes
    ----------
    selected : str
        Identifier of the selected asset; empty without one.
    refusal : str
        Why the last edit was refused; empty if it was made.
    widget : VBox
        The tools.
    """

    def __init__(self, view: leaflet.Map, on_step: Callable[[EditStep], None]) -> None:
        self._view = view
        self._on_step = on_step
        self._plan: Plan | None = None
        self._updating = False
        self.selected = ""
        self.refusal = ""

        icon = leaflet.DivIcon(html=_HANDLE, icon_size=[20, 20], icon_anchor=[10, 10], bg_pos=[0, 0])
        self.marker = leaflet.Marker(draggable=True, icon=icon, title="drag to move the asset", z_index_offset=1000)
        self.title = widgets.HTML(_HINT)
        self.error = widgets.HTML()
        self.turn = widgets.BoundedFloatText(
            description="Turned, °", min=-360, max=360, step=5, continuous_update=False,
            layout=widgets.Layout(width="190px"), style={"description_width": "70px"},
        )  # fmt: skip
        self.remove = widgets.Button(description="Remove", icon="trash", layout=widgets.Layout(width="110px"))
        self.kind = widgets.Dropdown(
            description="New",
            options=[(display_name(kind), kind) for kind in legend.ASSETS],
            layout=widgets.Layout(width="190px"),
            style={"description_width": "70px"},
        )
        self.add = widgets.ToggleButton(
            description="Add", icon="plus", tooltip="then click the place", layout=widgets.Layout(width="110px")
        )
        self.tools = widgets.HBox([self.turn, self.remove])
        self.widget = widgets.VBox(
            [self.title, self.error, self.tools, widgets.HBox([self.kind, self.add])],
            layout=widgets.Layout(
                border_top="1px solid #d5d9dc",
                border_bottom="1px solid #d5d9dc",
                margin="4px 0",
                padding="4px 0",
            ),
        )
        self.marker.observe(self._dragged, names="location")
        self.turn.observe(self._turned, names="value")
        self.remove.on_click(lambda _: self._remove())
        self._update()

    def show(self, plan: Plan | None, *, keep_selection: bool) -> None:
        """Edit another plan; None without one.

        Parameters
        ----------
        plan : Plan, optional
            Plan on the map.
        keep_selection : bool
            Whether its identifiers are those of the plan before.
        """
        before = set() if self._plan is None else {a.asset_id for a in self._plan.asset_list}
        now = set() if plan is None else {a.asset_id for a in plan.asset_list}
        self._plan = plan
        if not keep_selection:
            self.selected = ""
        elif len(new := now - before) == 1 and before:
            self.selected = next(iter(new))
        if self.selected not in now:
            self.selected = ""
        self._update()

    def refuse(self, reason: str) -> None:
        """Show why an edit was refused; empty for nothing."""
        self.refusal = reason
        self.error.value = panel.problem(reason) if reason else ""
        self._update()

    def clicked(self, lon: float, lat: float) -> None:
        """Add an asset at a place, or select the asset there."""
        if self._plan is None:
            return
        if self.add.value:
            self.add.value = False
            self._on_step(EditStep("add", self.kind.value, (lon, lat)))
            return
        point = shapely.Point(crs_.transformer(crs_.LONLAT, self._plan.crs).transform(lon, lat))
        near_m = CLICK_PX * EQUATOR_M * math.cos(math.radians(lat)) / (256 * 2**self._view.zoom)
        found = min(self._plan.asset_list, key=lambda a: a.footprint.distance(point), default=None)
        if found is not None and found.footprint.distance(point) > near_m:
            found = None
        self.selected = "" if found is None else found.asset_id
        self.refuse("")

    def _selected_asset(self) -> Asset | None:
        """Asset that is selected."""
        if self._plan is None or not self.selected:
            return None
        return asset_of(self._plan, self.selected)

    def _centre(self, asset: Asset) -> LonLat:
        """Centre of an asset [°]."""
        assert self._plan is not None  # noqa: S101 (an asset is of a plan)
        lon, lat = crs_.transformer(self._plan.crs, crs_.LONLAT).transform(*asset.item.centre)
        return float(lon), float(lat)

    def _remove(self) -> None:
        """Ask to remove the selected asset."""
        if (asset := self._selected_asset()) is not None:
            self._on_step(EditStep("remove", asset.item.kind, self._centre(asset), asset.asset_id))

    def _dragged(self, change: dict[str, Any]) -> None:
        """Ask to move the selected asset to the marker."""
        asset = self._selected_asset()
        if not self._updating and asset is not None:
            lat, lon = change["new"]
            self._on_step(EditStep("move", asset.item.kind, self._centre(asset), asset.asset_id, to=(lon, lat)))

    def _turned(self, change: dict[str, Any]) -> None:
        """Ask to rotate the selected asset."""
        asset = self._selected_asset()
        if not self._updating and asset is not None:
            self._on_step(
                EditStep("rotate", asset.item.kind, self._centre(asset), asset.asset_id, to_deg=change["new"])
            )

    def _update(self) -> None:
        """Bring tools and marker up to date with the plan."""
        self._updating = True
        try:
            asset = self._selected_asset()
            self.tools.layout.display = "flex" if asset is not None else "none"
            if asset is not None:
                lon, lat = self._centre(asset)
                self.turn.value = round(asset.item.rotation_deg, 3)
                self.marker.location = (lat, lon)
                self.title.value = f"<b>Edit: {for_markup(self.selected)}</b>"
                if self.marker not in self._view.layers:
                    self._view.add(self.marker)
            else:
                self.title.value = _HINT
                if self.marker in self._view.layers:
                    self._view.remove(self.marker)
        finally:
            self._updating = False
