"""Page on which a visitor drops a boundary and chooses the elevation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import ipywidgets as widgets

from pacifico.data import SAMPLE
from pacifico.errors import InputError, PacificoError
from pacifico.escaping import for_markup
from pacifico.explorer import panel
from pacifico.explorer.app import fill_window
from pacifico.explorer.controls import ROOT, SLIDER_NAMES, WIDE
from pacifico.explorer.map import Explorer
from pacifico.explorer.start import drop
from pacifico.explorer.start.uploads import SITE_ENDINGS, uploaded_dem, uploaded_site
from pacifico.explorer.start.visit import begin_visit
from pacifico.site.boundary import read_site
from pacifico.terrain.dem import level_ground, open_dem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from pacifico.layout.criteria.design import DesignOptions
    from pacifico.site.model import Site

FILE, LEVEL = "file", "level"
"""Elevation from an uploaded file, and level ground."""
ELEVATIONS = {
    "3dep": "USGS 3DEP, 10 m, United States (network)",
    "3dep-30": "USGS 3DEP, 30 m, United States (network)",
    "glo30": "Copernicus GLO-30, 30 m, the world (network)",
    SAMPLE: "terrain of the demo site",
    FILE: "a GeoTIFF of mine",
    LEVEL: "level ground: no terrain",
}
"""Elevations that the page offers, with their words."""
_LEVEL_M = 10.0
"""Cell of level ground [m]."""
_HELP = (
    "Drop a boundary file here (KML, KMZ, GeoJSON, GeoPackage or zipped shapefile) and choose the elevation. The layout follows; its report "
    "and site plan can be downloaded."
)
_APART = " Your files stay in a folder of this visit, which is removed when the page is closed."


def start_page(
    elevations: Sequence[str] = tuple(ELEVATIONS), *, apart: bool = False, **design: Unpack[DesignOptions]
) -> StartPage:
    """Page that takes a boundary and opens its explorer.

    Parameters
    ----------
    elevations : sequence of str
        Elevations to choose from: keys of `ELEVATIONS`, or paths and addresses as for `open_dem`.
    apart : bool
        Whether the visit has a folder of its own, which is removed when the kernel ends.
    **design
        As for `explore`.
    """
    return StartPage(elevations, apart=apart, **design)


class StartPage:
    """Start page; parameters are those of `start_page`.

    Attributes
    ----------
    widget : VBox
        The form, then the explorer.
    explorer : Explorer or None
        Explorer of the site that was opened last.
    """

    def __init__(
        self, elevations: Sequence[str] = tuple(ELEVATIONS), *, apart: bool = False, **design: Unpack[DesignOptions]
    ) -> None:
        self._folder = begin_visit() if apart else Path.cwd()
        self._design = design
        self.explorer: Explorer | None = None
        self.boundary = widgets.FileUpload(
            accept=",".join(SITE_ENDINGS), description="Boundary file", layout=widgets.Layout(width="auto")
        )
        self.sample = widgets.Button(description="Demo site", icon="map-o", layout=widgets.Layout(width="auto"))
        self._choices = tuple(elevations)
        options = [(ELEVATIONS.get(each) or _file_name(each), each) for each in elevations]
        self.elevation = widgets.Dropdown(description="Elevation", options=options, **WIDE)
        self.dem = widgets.FileUpload(accept=".tif,.tiff", description="GeoTIFF", layout=widgets.Layout(width="auto"))
        self.open = widgets.Button(
            description="Lay out", icon="play", button_style="primary", layout=widgets.Layout(width="auto")
        )
        self.message = widgets.HTML()
        self.another = widgets.Button(
            description="Another site", icon="arrow-left", layout=widgets.Layout(width="auto")
        )
        self._form = self._arrange(_HELP + (_APART if apart else ""))
        self.widget = widgets.VBox([self._form])
        self.widget.add_class(ROOT)
        self.elevation.observe(lambda _: self._show_choice(), names="value")
        self.dem.observe(lambda _: self._name_files(), names="value")
        self.boundary.observe(lambda _: self._name_files(), names="value")
        self.open.on_click(lambda _: self._open(self._uploaded))
        self.sample.on_click(lambda _: self._open(lambda: read_site(SAMPLE), elevation=SAMPLE))
        self.another.on_click(lambda _: self._back())
        self._show_choice()

    def _ipython_display_(self) -> None:
        from IPython.display import Javascript, display  # noqa: PLC0415 (only in a notebook)

        display(self.widget)  # type: ignore[no-untyped-call]
        display(Javascript(SLIDER_NAMES + drop.SCRIPT))  # type: ignore[no-untyped-call]

    def _arrange(self, help_text: str) -> widgets.VBox:
        """Form in the middle of the page."""
        title = widgets.HTML(f"{drop.STYLES}<h1 style='font-size:22px;margin:0'>Lay out a site</h1>")
        words = widgets.HTML(f"<p style='line-height:1.5;margin:4px 0'>{for_markup(help_text)}</p>")
        form = widgets.VBox(
            [
                title,
                words,
                widgets.HBox([self.boundary, self.sample]),
                self.elevation,
                self.dem,
                self.open,
                self.message,
            ],
            layout=widgets.Layout(max_width="560px", width="100%", margin="6vh auto", padding="24px"),
        )
        form.add_class(drop.ZONE)
        self.boundary.add_class(drop.SITE)
        self.dem.add_class(drop.ELEVATION)
        return form

    def _show_choice(self) -> None:
        """Show the upload of elevation where it is chosen."""
        self.dem.layout.display = "" if self.elevation.value == FILE else "none"

    def _name_files(self) -> None:
        """Name the files that were dropped; an elevation is chosen by its file."""
        names = ", ".join(for_markup(each["name"]) for each in (*self.boundary.value, *self.dem.value))
        self.message.value = f"<i>{names}</i>" if names else ""
        if self.dem.value and FILE in self._choices:
            self.elevation.value = FILE

    def _open(self, read: Any, elevation: str | None = None) -> None:
        """Read a site and its elevation, and show the explorer.

        Parameters
        ----------
        read : callable
            Returns the site.
        elevation : str, optional
            Elevation instead of the chosen one.
        """
        self.open.disabled = self.sample.disabled = True
        self.message.value = "<i>reading the boundary and its elevation …</i>"
        try:
            site = read()
            explorer = Explorer(site, self._elevation(site, elevation or self.elevation.value), **self._design)
        except PacificoError as error:
            self.message.value = panel.problem(str(error))
            return
        finally:
            self.open.disabled = self.sample.disabled = False
        self.message.value = ""
        self.explorer = fill_window(explorer, downloads=True)
        self.widget.children = (self.another, explorer.widget)

    def _back(self) -> None:
        """Show the form again; a layout under way is stopped."""
        if self.explorer is not None:
            self.explorer.run.cancel()
        self.widget.children = (self._form,)

    def _uploaded(self) -> Site:
        """Site of the dropped file.

        Raises
        ------
        InputError
            There is none, or it holds no site.
        """
        if not self.boundary.value:
            raise InputError("no boundary yet: drop a file on the button, or choose one")
        file = self.boundary.value[0]
        return uploaded_site(file["name"], bytes(file["content"]))

    def _elevation(self, site: Site, source: str) -> xr.DataArray:
        """Elevation of a site from a source of the menu.

        Raises
        ------
        PacificoError
            It can't be read, or doesn't cover the site.
        """
        if source == LEVEL:
            return level_ground(site, resolution_m=_LEVEL_M)
        if source != FILE:
            return open_dem(site, source)
        if not self.dem.value:
            raise InputError("no elevation yet: drop a GeoTIFF, or choose another source")
        return uploaded_dem(site, bytes(self.dem.value[0]["content"]), self._folder)


def _file_name(source: str) -> str:
    """Name of a raster for the menu."""
    return source.replace("\\", "/").rpartition("/")[2]
