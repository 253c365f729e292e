"""Editing tools on the explorer's map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipyleaflet as leaflet
import ipywidgets as widgets

from pacifico import crs as crs_
from pacifico import legend
from pacifico.errors import EditRefused
from pacifico.escaping import for_markup
from pacifico.explorer import panel
from pacifico.explorer.layers import display_name
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
"""Marker at the asset's centre, smaller than most assets so that neighbours can be clicked."""


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

    def __init__(self, view: leaflet.Map, dem: xr.DataArray, *, on_plan: Callable[[Plan], None]) -> None:
        self._view = view
        self._dem = dem
        self._on_plan = on_plan
        self._plan: Plan | None = None
        self._editor: Editor | None = None
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
        self.undo = widgets.Button(description="Undo", icon="undo", layout=widgets.Layout(width="110px"))
        self.redo = widgets.Button(description="Redo", icon="repeat", layout=widgets.Layout(width="110px"))
        self.tools = widgets.HBox([self.turn, self.remove])
        self.widget = widgets.VBox(
            [
                self.title,
                self.error,
                self.tools,
                widgets.HBox([self.kind, self.add]),
                widgets.HBox([self.undo, self.redo]),
            ],
            layout=widgets.Layout(
                border_top="1px solid #d5d9dc",
                border_bottom="1px solid #d5d9dc",
                margin="4px 0",
                padding="4px 0",
                flex="0 0 auto",  # otherwise the panel shrinks it to nothing
            ),
        )
        view.on_interaction(self._clicked)
        self.marker.observe(self._dragged, names="location")
        self.turn.observe(self._turned, names="value")
        self.remove.on_click(lambda _: self._edit(lambda editor: editor.remove(self.selected)))
        self.undo.on_click(lambda _: self._edit(Editor.undo))
        self.redo.on_click(lambda _: self._edit(Editor.redo))
        self._update()

    @property
    def edited(self) -> bool:
        """Whether the plan on the map has been edited."""
        return self._editor is not None and self._editor.can_undo

    def open(self, plan: Plan | None) -> None:
        """Start with a new plan; None without one."""
        self._plan, self._editor, self.selected = plan, None, ""
        self.add.value = False
        self._refuse("")
        self._update()

    def clicked(self, lon: float, lat: float) -> None:
        """Add an asset at a place, or select the asset there."""
        if self._plan is None:
            return
        if self.add.value:
            kind = self.kind.value
            before = {a.asset_id for a in self._plan.asset_list}
            self.add.value = False
            self._edit(lambda editor: editor.add(kind, at_lonlat=(lon, lat)))
            self.selected = next((a.asset_id for a in self._plan.asset_list if a.asset_id not in before), self.selected)
        else:
            asset = self._open_editor().asset_at(lonlat=(lon, lat))
            self.selected = asset.asset_id if asset is not None else ""
            self._refuse("")
        self._update()

    def zones_changed(self, added: Sequence[Zone], removed: Sequence[str]) -> None:
        """Apply drawn zones as edits: remove assets, lead roads around."""

        def change(editor: Editor) -> Plan:
            plan = editor.plan
            present = {zone.name for zone in plan.site.exclusions}  # a refused zone is drawn but not in the plan
            for name in present.intersection(removed):
                plan = editor.remove_zone(name)
            for zone in added:
                plan = editor.add_zone(zone, assets="remove", roads="recompute")
            return plan

        self._edit(change)

    def _edit(self, change: Callable[[Editor], Plan]) -> None:
        """Make an edit, or show why it is refused."""
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
        self._update()

    def _open_editor(self) -> Editor:
        """Editor of the plan on the map."""
        if self._editor is None:
            assert self._plan is not None  # noqa: S101 (callers check it)
            self._editor = Editor(self._plan, self._dem)
        return self._editor

    def _refuse(self, reason: str) -> None:
        """Show why an edit was refused; empty for nothing."""
        self.refusal = reason
        self.error.value = panel.problem(reason) if reason else ""

    def _update(self) -> None:
        """Bring tools and marker up to date with the plan."""
        self._updating = True
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
                self.title.value = f"<b>Edit: {for_markup(self.selected)}</b>"
                if self.marker not in self._view.layers:
                    self._view.add(self.marker)
            else:
                self.title.value = _HINT
                if self.marker in self._view.layers:
                    self._view.remove(self.marker)
        finally:
            self._updating = False

    def _clicked(self, **event: Any) -> None:
        """Handle an event of the map."""
        if event.get("type") == "click":
            lat, lon = event["coordinates"]
            self.clicked(lon, lat)

    def _dragged(self, change: dict[str, Any]) -> None:
        """Move the selected asset to the marker."""
        if not self._updating and self.selected:
            lat, lon = change["new"]
            self._edit(lambda editor: editor.move(self.selected, to_lonlat=(lon, lat)))

    def _turned(self, change: dict[str, Any]) -> None:
        """Rotate the selected asset."""
        if not self._updating and self.selected:
            self._edit(lambda editor: editor.rotate(self.selected, to_deg=change["new"]))
