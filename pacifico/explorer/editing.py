"""Edits by hand on the explorer's map: click an asset, drag its marker, turn, remove or add; a refusal says why."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import ipyleaflet as leaflet
import ipywidgets as widgets

from pacifico import crs as crs_
from pacifico import legend
from pacifico.errors import EditRefused
from pacifico.explorer import panel
from pacifico.explorer.layers import spoken
from pacifico.layout.editing.editor import Editor, asset_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import xarray as xr

    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Zone

_HINT = "<b>Edit:</b> <i>click an asset, then drag its marker</i>"
_HANDLE = (
    "<svg width='18' height='18' viewBox='0 0 18 18' style='cursor:move'><path fill='#d00000' "
    "d='M9 1l3 3H6zM9 17l-3-3h6zM1 9l3-3v6zM17 9l-3 3V6zM8 4h2v10H8zM4 8h10v2H4z'/></svg>"
)
"""On the asset's middle, smaller than most assets: what stands beside can still be clicked."""


class Editing:
    """Tools for one map; every edit that holds is handed on as a plan.

    Attributes
    ----------
    selected : str
        Identifier of the asset that the tools work on; empty where none is selected.
    refusal : str
        Why the last edit was refused; empty where it holds.
    widget
        The tools.
    """

    def __init__(self, view: leaflet.Map, dem: xr.DataArray, *, on_plan: Callable[[Plan], None]) -> None:
        self._view = view
        self._dem = dem
        self._on_plan = on_plan
        self._plan: Plan | None = None
        self._editor: Editor | None = None
        self._settling = False
        self.selected = ""
        self.refusal = ""

        icon = leaflet.DivIcon(html=_HANDLE, icon_size=[20, 20], icon_anchor=[10, 10], bg_pos=[0, 0])
        self.marker = leaflet.Marker(draggable=True, icon=icon, title="drag to move the asset", z_index_offset=1000)
        self.said = widgets.HTML(_HINT)
        self.trouble = widgets.HTML()
        self.turn = widgets.BoundedFloatText(
            description="Turned, °", min=-360, max=360, step=5, continuous_update=False,
            layout=widgets.Layout(width="190px"), style={"description_width": "70px"},
        )  # fmt: skip
        self.remove = widgets.Button(description="Remove", icon="trash", layout=widgets.Layout(width="110px"))
        self.kind = widgets.Dropdown(
            description="New",
            options=[(spoken(kind), kind) for kind in legend.ASSETS],
            layout=widgets.Layout(width="190px"),
            style={"description_width": "70px"},
        )
        self.add = widgets.ToggleButton(
            description="Add", icon="plus", tooltip="then click the place", layout=widgets.Layout(width="110px")
        )
        self.undo = widgets.Button(description="Undo", icon="undo", layout=widgets.Layout(width="110px"))
        self.redo = widgets.Button(description="Redo", icon="repeat", layout=widgets.Layout(width="110px"))
        self.tools = widgets.HBox([self.turn, self.remove])
        self.widget = widgets.VBox(
            [
                self.said,
                self.trouble,
                self.tools,
                widgets.HBox([self.kind, self.add]),
                widgets.HBox([self.undo, self.redo]),
            ],
            layout=widgets.Layout(
                border_top="1px solid #d5d9dc",
                border_bottom="1px solid #d5d9dc",
                margin="4px 0",
                padding="4px 0",
                flex="0 0 auto",  # else the panel's flex box squeezes it to nothing
            ),
        )
        view.on_interaction(self._interaction)
        self.marker.observe(self._dragged, names="location")
        self.turn.observe(self._turned, names="value")
        self.remove.on_click(lambda _: self._edit(lambda editor: editor.remove(self.selected)))
        self.undo.on_click(lambda _: self._edit(Editor.undo))
        self.redo.on_click(lambda _: self._edit(Editor.redo))
        self._settle()

    @property
    def edited(self) -> bool:
        """Whether the plan on the map holds edits."""
        return self._editor is not None and self._editor.can_undo

    def open(self, plan: Plan | None) -> None:
        """Begin anew with a plan that was laid out; None where there is none."""
        self._plan, self._editor, self.selected = plan, None, ""
        self.add.value = False
        self._refuse("")
        self._settle()

    def clicked(self, lon: float, lat: float) -> None:
        """Add where that was asked for; else select what stands there, or nothing."""
        if self._plan is None:
            return
        if self.add.value:
            kind = self.kind.value
            known = {a.asset_id for a in self._plan.asset_list}
            self.add.value = False
            self._edit(lambda editor: editor.add(kind, at_lonlat=(lon, lat)))
            self.selected = next((a.asset_id for a in self._plan.asset_list if a.asset_id not in known), self.selected)
        else:
            asset = self._open_editor().asset_at(lonlat=(lon, lat))
            self.selected = asset.asset_id if asset is not None else ""
            self._refuse("")
        self._settle()

    def zones_changed(self, added: Sequence[Zone], removed: Sequence[str]) -> None:
        """Take drawn zones as edits: assets on them go, roads on them are led round."""

        def change(editor: Editor) -> Plan:
            plan = editor.plan
            standing = {zone.name for zone in plan.site.exclusions}  # one that was refused is drawn, and yet not there
            for name in standing.intersection(removed):
                plan = editor.remove_zone(name)
            for zone in added:
                plan = editor.add_zone(zone, assets="remove", roads="recompute")
            return plan

        self._edit(change)

    def _edit(self, change: Callable[[Editor], Plan]) -> None:
        """Make an edit; refused, the plan stays and the reason is said."""
        if self._plan is None:
            return
        editor = self._open_editor()
        before = editor.plan
        try:
            change(editor)
        except EditRefused as refused:
            self._refuse(str(refused))
        else:
            self._refuse("")
        if editor.plan is not before:
            self._plan = editor.plan
            if all(a.asset_id != self.selected for a in self._plan.asset_list):
                self.selected = ""
            self._on_plan(self._plan)
        self._settle()

    def _open_editor(self) -> Editor:
        if self._editor is None:
            assert self._plan is not None  # noqa: S101 (who calls has looked)
            self._editor = Editor(self._plan, self._dem)
        return self._editor

    def _refuse(self, reason: str) -> None:
        self.refusal = reason
        self.trouble.value = panel.trouble(reason) if reason else ""

    def _settle(self) -> None:
        """Bring the tools and the marker to where the plan is."""
        self._settling = True
        try:
            editor = self._editor
            self.undo.disabled = editor is None or not editor.can_undo
            self.redo.disabled = editor is None or not editor.can_redo
            self.tools.layout.display = "flex" if self.selected else "none"
            if self.selected and self._plan is not None:
                asset = asset_of(self._plan, self.selected)
                lon, lat = crs_.transformer(self._plan.crs, crs_.LONLAT).transform(*asset.item.centre)
                self.turn.value = round(asset.item.rotation_deg, 3)
                self.marker.location = (lat, lon)
                self.said.value = f"<b>Edit: {escape(self.selected)}</b>"
                if self.marker not in self._view.layers:
                    self._view.add(self.marker)
            else:
                self.said.value = _HINT
                if self.marker in self._view.layers:
                    self._view.remove(self.marker)
        finally:
            self._settling = False

    def _interaction(self, **event: Any) -> None:
        if event.get("type") == "click":
            lat, lon = event["coordinates"]
            self.clicked(lon, lat)

    def _dragged(self, change: dict[str, Any]) -> None:
        if not self._settling and self.selected:
            lat, lon = change["new"]
            self._edit(lambda editor: editor.move(self.selected, to_lonlat=(lon, lat)))

    def _turned(self, change: dict[str, Any]) -> None:
        if not self._settling and self.selected:
            self._edit(lambda editor: editor.rotate(self.selected, to_deg=change["new"]))
