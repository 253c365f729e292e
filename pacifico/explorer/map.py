"""Map of a site and its layout, with sliders to change it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import ipywidgets as widgets

from pacifico.errors import InputError
from pacifico.escaping import for_markup
from pacifico.explorer import panel
from pacifico.explorer.controls import ROOT, SLIDER_NAMES, WIDE, DesignControls
from pacifico.explorer.editing import Editing
from pacifico.explorer.engine.lanes import shared_engine
from pacifico.explorer.engine.messages import LayoutRequest, Terrain
from pacifico.explorer.mapview import STALE, STYLES, SiteMap, folded, side_by_side, site_only
from pacifico.explorer.outputs import Outputs
from pacifico.explorer.picture import PictureOutput, static_picture
from pacifico.explorer.places import Places
from pacifico.explorer.run import Callbacks, LayoutRun
from pacifico.explorer.state.document import Document
from pacifico.explorer.state.history import History
from pacifico.explorer.state.newest import Newest
from pacifico.explorer.state.session import Session, request_key, session_path
from pacifico.explorer.tools.buttons import Actions, PanelButtons
from pacifico.explorer.tools.edges import EdgeSetbacks
from pacifico.explorer.tools.energy import EnergyNote
from pacifico.explorer.tools.offers import Offers
from pacifico.explorer.tools.racking import RowsAndGrading
from pacifico.explorer.why import WhyNotMore
from pacifico.explorer.zones import Zones
from pacifico.layout.criteria.design import Design, DesignOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import xarray as xr

    from pacifico.errors import PacificoError
    from pacifico.explorer.engine.messages import FirstPicture, Offer, Outcome
    from pacifico.explorer.state.document import EditStep
    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Site, Zone

MOST_OUTCOMES = 24
"""Most layouts that are kept, so that undo shows them at once."""


def explore(
    site: Site,
    dem: xr.DataArray,
    *,
    exclusions: Sequence[Zone] = (),
    height_px: int = 640,
    **design: Unpack[DesignOptions],
) -> Explorer:
    """Show a site in JupyterLab with a layout that sliders change.

    Layouts are computed in processes of their own, so that other cells run meanwhile. Nothing is read from the network until a
    background is switched on.

    Parameters
    ----------
    site : Site
        As `read_site` returns it.
    dem : DataArray
        As `open_dem` returns it.
    exclusions : sequence of Zone
        Ground that must stay free. Polygons drawn on the map are exclusions too.
    height_px : int
        Height of the map [pixels].
    **design
        As for `generate_layout`, where the sliders start: `profile`, `strategy`, `target_capacity_kw`, `setback_m`,
        `max_road_grade_pct`, `entry`, `poi` and `spec`.

    Returns
    -------
    Explorer
        Shows itself as the last line of a cell; `explorer.plan` is the layout on the map.

    Raises
    ------
    InputError
        A choice or value of the design is invalid.

    Examples
    --------
    >>> explorer = explore(site, dem, profile="bess", target_capacity_kw=50_000)  # doctest: +SKIP
    """
    return Explorer(site, dem, exclusions=exclusions, height_px=height_px, **design)


class Explorer:
    """Map and panel of one site. Parameters are those of `explore`.

    Attributes
    ----------
    map : Map
        The ipyleaflet map.
    widget : HBox
        Map and panel.
    """

    def __init__(
        self,
        site: Site,
        dem: xr.DataArray,
        *,
        exclusions: Sequence[Zone] = (),
        height_px: int = 640,
        **design: Unpack[DesignOptions],
    ) -> None:
        start = Design(**design)
        self.site = site
        self.dem = dem
        self._plan: Plan | None = None
        self._error = ""
        self._given = tuple(exclusions)
        self._spec = start.spec
        self._outcomes: Newest[Document, Outcome] = Newest(MOST_OUTCOMES)
        self._shown: tuple[Document, Outcome] | None = None
        self._attempt: Document | None = None
        self._picture = PictureOutput()

        self.controls = DesignControls(start, self.update)
        self._history = History(Document(self.controls.design(of=start)))
        key = request_key(site, dem, self._given, start)
        self._session = Session(session_path(site.name, key), key)
        terrain = Terrain(key, site, dem)
        shared_engine().warm(terrain)  # the processes load while the map is made
        self._make_parts(terrain, height_px)
        self._make_panel()
        self.widget = self._arrange(height_px)
        self.widget.add_class(ROOT)
        self._restore()
        self._apply()

    def _make_parts(self, terrain: Terrain, height_px: int) -> None:
        """Make the map and its tools."""
        callbacks = Callbacks(self._pictured, self._finished, self._failed, self._stopped)
        self.run = LayoutRun(terrain, callbacks)
        self._view = SiteMap(self.site, self.dem, height_px)
        self.map, self.details, self.background = self._view.view, self._view.details, self._view.background
        self.zones = Zones(self.site, lambda zones: self._change(self.document.with_zones(zones)))
        self.drawing = self.zones.drawing
        self.map.add(self.drawing)
        self.editing = Editing(self.map, self._edit)
        self.places = Places(self.map, self.dem, self._change_design, self._view.fit)
        self.edges = EdgeSetbacks(
            self.map, self.site, WIDE, lambda *edge: self._change(self.document.with_edge_setback(*edge))
        )
        self.offers = Offers(self.run.engine, terrain, self._take)
        self.energy = EnergyNote(self.run.engine, terrain)
        self.racking = RowsAndGrading(self.map, self.run.engine, terrain)
        self.why = WhyNotMore(self.map, self.run.engine, terrain)
        self.outputs = Outputs(self.run.engine, terrain, self._current)
        self.map.on_interaction(self._interaction)

    def _make_panel(self) -> None:
        """Make what the panel shows besides the tools."""
        controls = self.controls
        self.profile, self.strategy, self.fill_site = controls.profile, controls.strategy, controls.fill_site
        self.capacity_mw, self.setback_m = controls.capacity_mw, controls.setback_m
        self.max_road_grade_pct = controls.max_road_grade_pct
        self.status, self.notice, self.figures = widgets.HTML(), widgets.HTML(), widgets.HTML()
        actions = Actions(
            lambda: self._step(self._history.undo), lambda: self._step(self._history.redo), self._apply, self._forget
        )
        self.buttons = PanelButtons(actions)
        self.undo, self.redo, self.resume = self.buttons.undo, self.buttons.redo, self.buttons.resume
        self.forget = self.buttons.forget

    def _ipython_display_(self) -> None:
        from IPython.display import Javascript, display  # noqa: PLC0415 (only in a notebook)

        display(self.widget)  # type: ignore[no-untyped-call]
        self._picture.display()
        display(Javascript(SLIDER_NAMES))  # type: ignore[no-untyped-call]

    @property
    def document(self) -> Document:
        """What the user has asked for: design, zones and edits."""
        return self._history.present

    @property
    def plan(self) -> Plan | None:
        """Layout on the map, waiting for the one under way; None without one."""
        self.wait()
        return self._plan

    @property
    def error(self) -> str:
        """Why there is no layout, in one line; empty if there is one, or it was stopped."""
        self.wait()
        return self._error

    def wait(self) -> None:
        """Wait until the layout under way is on the map."""
        self.run.wait()

    def drawn(self) -> tuple[Zone, ...]:
        """Exclusions drawn or typed on the map, in the working CRS."""
        return tuple(zone.zone(self.site.crs) for zone in self.document.zones)

    def request(self) -> dict[str, Any]:
        """Keywords of `generate_layout` that the controls stand for."""
        return {**vars(self.document.request_design(self._spec)), "exclusions": (*self._given, *self.drawn())}

    def update(self) -> None:
        """Lay out again if the controls differ from the layout shown."""
        document = self.document
        overrides = self.controls.limits.overrides(document.overrides)
        self._change(document.with_design(self.controls.design(of=document.design)).with_overrides(overrides))

    def _change_design(self, change: Callable[[Design], Design]) -> None:
        """Change the design."""
        self._change(self.document.with_design(change(self.document.design)))

    def _edit(self, step: EditStep) -> None:
        """Make an edit; the layout's process says whether a limit refuses it."""
        self._change(self.document.with_edit(step), is_edit=True)

    def _take(self, offer: Offer) -> None:
        """Make the edits of an offer, as one change."""
        changed = self.document.with_edits(offer.edits, offer.rule)
        self.controls.set(changed.design, changed.overrides)
        self._change(changed, is_edit=offer.rule is None)

    def _change(self, document: Document, *, is_edit: bool = False) -> None:
        """Make a document the present one, and show its layout."""
        if self._history.push(document):
            self._attempt = document if is_edit else None
            self._apply()

    def _step(self, go: Callable[[], Document]) -> None:
        """Undo or redo."""
        go()
        self._attempt = None
        self.controls.set(self.document.design, self.document.overrides)
        self._apply()

    def _restore(self) -> None:
        """Continue the session of an earlier kernel."""
        try:
            found = self._session.load()
        except InputError as error:
            self.notice.value = panel.problem(str(error))
            return
        if found is not None and self._history.push(found):
            self.controls.set(found.design, found.overrides)
            self.notice.value = panel.continued(self._session.name, len(found.zones), len(found.edits))

    def _apply(self) -> None:
        """Show the layout of the document, from memory or from the engine."""
        document = self.document
        self.buttons.show_history(can_undo=self._history.can_undo, can_redo=self._history.can_redo)
        self.zones.set(document.zones)
        self.places.show(document.design)
        self.edges.show(document.overrides, document.design.setback_m or 0.0)
        self.editing.refuse("")
        self.offers.clear()
        try:
            self._session.save(document)
        except InputError as error:
            self.notice.value = panel.problem(str(error))
        known = self._outcomes.get(document)
        if known is not None:
            self.run.cancel()
            self._show(document, known)
            return
        try:
            design = document.request_design(self._spec)
        except InputError as error:
            self.run.cancel()
            self._failed(error)
            return
        request = LayoutRequest(design, (*self._given, *self.drawn()), document.edits)
        before = self._shown[0] if self._shown is not None else None
        only_edits = before is not None and replace(before, edits=()) == replace(document, edits=())
        self._show_stale(stale=before is not None)
        if before is None and self._plan is None and not self._error:
            self._view.draw(site_only(self.site, request.exclusions))
        self.run.start(request, picture=not only_edits)

    def _show_stale(self, *, stale: bool) -> None:
        """Mark map and figures as those of the layout before, or as they are."""
        self._view.show_stale(stale=stale)
        (self.figures.add_class if stale else self.figures.remove_class)(STALE)
        self.racking.show_stale(stale=stale)
        self.status.value = panel.STALE_FIGURES if stale else ""

    def _pictured(self, picture: FirstPicture) -> None:
        """Show the first draft of the layout under way."""
        self._view.draw({"features": list(picture.features)}, partial=True)
        self._view.show_stale(stale=False)
        self.status.value = panel.first_draft(picture, keeps_figures=bool(self.figures.value))

    def _finished(self, outcome: Outcome) -> None:
        """Show a layout; an edit that it refuses is taken back."""
        document = self.document
        last = len(document.edits) - 1
        refused = outcome.refused[-1] if outcome.refused else None
        if document == self._attempt and refused is not None and refused.position == last:
            refused_step, document = document.edits[-1], self._history.drop()
            self._attempt = None
            self._outcomes.keep(document, self._outcomes.get(document, replace(outcome, refused=outcome.refused[:-1])))
            self._apply()
            self.editing.refuse(refused.reason)
            self.offers.find(outcome.plan, refused_step)
            return
        self._outcomes.keep(document, outcome)
        self._show(document, outcome)

    def _show(self, document: Document, outcome: Outcome) -> None:
        """Show a layout on the map and its figures beside it."""
        before = self._shown[0] if self._shown is not None else None
        same = before is not None and replace(before, edits=()) == replace(document, edits=())
        self._shown = document, outcome
        self._plan, self._error = outcome.plan, ""
        self._show_stale(stale=False)
        self.status.value = panel.refused_edits([(r.words, r.reason) for r in outcome.refused])
        self.buttons.show_refused(refused=bool(outcome.refused))
        self.figures.value = panel.summary(outcome.layout["pacifico"])
        self._view.draw(outcome.layout)
        self.editing.show(outcome.plan, keep_selection=same)
        for part in (self.why, self.energy, self.racking):
            part.show(outcome.plan)
        self._picture.show(static_picture(outcome.picture, self.site.name, outcome.plan.headline))

    def _failed(self, error: PacificoError) -> None:
        """Show why there is no layout."""
        self._shown, self._plan, self._error = None, None, str(error)
        self._show_stale(stale=False)
        self.status.value, self.figures.value = panel.failure(self._error), ""
        self.buttons.show_refused(refused=False)
        self.editing.show(None, keep_selection=False)
        for part in (self.why, self.energy, self.racking):
            part.show(None)
        self._view.draw(site_only(self.site, (*self._given, *self.drawn())))
        self._picture.show("")

    def _stopped(self) -> None:
        """Show the layout before, as stale."""
        self.resume.layout.display = ""
        if self._shown is not None:
            self._view.draw(self._shown[1].layout)
            self._show_stale(stale=True)
        self.status.value = panel.STOPPED if self._shown is not None else "<b>Stopped.</b>"

    def _forget(self) -> None:
        """Drop the edits that the layout on the map refuses."""
        if self._current() is not None and self._shown is not None:
            refused = frozenset(r.position for r in self._shown[1].refused)
            self._change(self.document.without_edits(refused))

    def _current(self) -> Outcome | None:
        """Layout on the map; None while one is under way, and without one."""
        if self._shown is None or self.run.busy or self._shown[0] != self.document:
            return None
        return self._shown[1]

    def _interaction(self, **event: Any) -> None:
        """Handle a click or a movement of the pointer on the map."""
        if event.get("type") not in ("click", "mousemove"):
            return
        lat, lon = event["coordinates"]
        if event["type"] == "mousemove":
            self.places.moved(lon, lat)
        elif not self.places.clicked(lon, lat):
            self.editing.clicked(lon, lat)

    def _arrange(self, height_px: int) -> widgets.HBox:
        """Map with the panel beside it, or below it where there is no room."""
        title = widgets.HTML(f"{STYLES}<b style='font-size:15px'>{for_markup(self.site.name)}</b>")
        parts = [
            title,
            self.notice,
            *self.controls.all,
            self.edges.widget,
            self.background,
            self.buttons.row,
            self.run.widget,
            self.status,
            self.forget,
            self.editing.widget,
            self.offers.widget,
            self.figures,
            self.energy.widget,
            self.racking.widget,
            folded(
                {
                    "Type a zone": self.zones.widget,
                    "Places": self.places.widget,
                    "Save, report, compare": self.outputs.widget,
                }
            ),
            self.why.widget,
        ]
        return side_by_side(self.map, parts, height_px)
