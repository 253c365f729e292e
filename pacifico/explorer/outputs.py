"""Save, Report, Export, Pin and Compare."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from pacifico.errors import InputError
from pacifico.escaping import for_markup
from pacifico.explorer import panel
from pacifico.explorer.engine.lanes import Ticket
from pacifico.explorer.tools.downloads import links_of
from pacifico.export import FORMATS, ending_of
from pacifico.layout.files.stored import StoredLayout
from pacifico.report.compare import compare_layouts

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.errors import PacificoError
    from pacifico.explorer.engine.lanes import Engine
    from pacifico.explorer.engine.messages import Outcome, Terrain

_TABLES = (
    "<style>.pacifico-compared td, .pacifico-compared th {text-align: right; padding: 0 12px 0 0; line-height: 1.4}"
    ".pacifico-compared .word {text-align: left} .pacifico-compared {overflow-x: auto}</style>"
)
_NOTHING = "there is no layout to write; change the design until one is found"


class Outputs:
    """Buttons that write the plan on the map, or compare it with a pinned one.

    Parameters
    ----------
    engine : Engine
        Processes that write files.
    terrain : Terrain
        Site and DEM of the map.
    current : callable
        Returns the layout on the map; None while one is under way, and without one.

    Attributes
    ----------
    downloads : bool
        Whether written files have links: for people who don't see the folder.
    """

    def __init__(self, engine: Engine, terrain: Terrain, current: Callable[[], Outcome | None]) -> None:
        self._engine, self._terrain, self._current = engine, terrain, current
        self._key = object()
        self.pinned: Outcome | None = None
        self.downloads = False
        name = re.sub(r"[^\w.-]+", "-", terrain.site.name).strip("-.")[:60] or "site"
        self.name = widgets.Text(
            description="File name",
            value=name,
            style={"description_width": "70px"},
            layout=widgets.Layout(width="auto"),
        )
        self.format = widgets.Dropdown(
            description="Format",
            options=[(f"{fmt}: {known.purpose}", fmt) for fmt, known in FORMATS.items()],
            style={"description_width": "70px"},
            layout=widgets.Layout(width="auto"),
        )
        self.save = _button("Save", "save", "Write layout.geojson with all edits")
        self.report = _button("Report", "file-text-o", "Write a report folder of the plan on the map, edits included")
        self.export = _button("Export", "download", "Write the plan in the chosen format")
        self.pin = _button("Pin as A", "thumb-tack", "Keep this layout to compare others with")
        self.compare = _button("Compare", "exchange", "Compare the pinned layout with the one on the map")
        self.compare.disabled = True
        self.message = widgets.HTML()
        self.comparison = widgets.HTML()
        self.widget = widgets.VBox(
            [
                self.name,
                widgets.HBox([self.save, self.report]),
                self.format,
                widgets.HBox([self.export]),
                widgets.HBox([self.pin, self.compare]),
                self.message,
                self.comparison,
            ]
        )
        self.save.on_click(lambda _: self._with_plan(self._save))
        self.report.on_click(lambda _: self._with_plan(self._report))
        self.export.on_click(lambda _: self._with_plan(self._export))
        self.pin.on_click(lambda _: self._with_plan(self._pin))
        self.compare.on_click(lambda _: self._with_plan(self._compare))

    def wait(self) -> None:
        """Wait for the files that are being written."""
        self._engine.wait(lambda: not self._engine.busy(self._key))

    def _with_plan(self, act: Callable[[Outcome], None]) -> None:
        """Act on the layout on the map, or say that there is none."""
        outcome = self._current()
        if outcome is None:
            self.message.value = panel.problem(_NOTHING)
            return
        try:
            act(outcome)
        except (InputError, OSError) as error:
            self._failed(error)

    def _path(self, ending: str) -> Path:
        """Path beside the notebook, from the name in the field.

        Raises
        ------
        InputError
            The name is empty, or leads to another folder.
        """
        name = self.name.value.strip()
        if not name or name != Path(name).name or name.startswith("."):
            raise InputError(f"{name[:60]!r} is no file name; give one without a folder, such as 'north-field'")
        return Path.cwd() / f"{name}{ending}"

    def _save(self, outcome: Outcome) -> None:
        self._written((str(outcome.plan.write(self._path(".layout.geojson"))),))

    def _report(self, outcome: Outcome) -> None:
        self._start("report", (outcome.plan, str(self._path("-report"))), "writing the report")

    def _export(self, outcome: Outcome) -> None:
        fmt = self.format.value
        path = self._path("-tables" if FORMATS[fmt].to_folder else f".{ending_of(fmt)}")
        self._start("export", (outcome.plan, (fmt, str(path))), f"writing {path.name}")

    def _pin(self, outcome: Outcome) -> None:
        self.pinned = outcome
        self.compare.disabled = False
        self.message.value = "pinned as A; change the design or edit, then compare"

    def _compare(self, outcome: Outcome) -> None:
        """Show how the layout on the map differs from the pinned one."""
        assert self.pinned is not None  # noqa: S101 (the button is disabled before)
        found = compare_layouts(StoredLayout.of(dict(self.pinned.layout)), StoredLayout.of(dict(outcome.layout)))
        tables = "".join(table._repr_html_() for table in found.tables().values())
        answers = "".join(
            f"<tr><td class=word>{for_markup(a.label)}</td><td class=word>{for_markup(a.text)}</td><td class=word>{for_markup(b.text)}</td></tr>"
            for a, b in zip(self.pinned.plan.headline, outcome.plan.headline, strict=True)
        )
        head = "<tr><th></th><th class=word>A, pinned</th><th class=word>B, on the map</th></tr>"
        same = "<p>The layouts are the same.</p>" if found.identical else ""
        self.comparison.value = f"{_TABLES}<div class='pacifico-compared'>{same}<table>{head}{answers}</table>{'' if same else tables}</div>"

    def _start(self, task: str, arguments: tuple[Any, ...], words: str) -> None:
        """Write files in the process aside.

        Parameters
        ----------
        task : str
            Name of the task.
        arguments : tuple
            Its arguments after the key of the site.
        words : str
            What is done, for people.
        """
        self._show(f"{words} …")
        ticket = Ticket(
            self._key, self._terrain, task, arguments, self._written, self._failed,
            lambda _stage, _percent, message: self._show(f"{message} …"),
        )  # fmt: skip
        self._engine.submit(ticket, "aside")

    def _show(self, text: str) -> None:
        self.message.value = f"<i>{for_markup(text)}</i>"

    def _written(self, files: tuple[str, ...]) -> None:
        """Name the files that were written, or link them."""
        if self.downloads:
            self.message.value = f"<div style='line-height:1.6;overflow-wrap:anywhere'>{links_of(files)}</div>"
            return
        names = ", ".join(for_markup(_beside(Path(path))) for path in files)
        self.message.value = f"<div style='line-height:1.35;overflow-wrap:anywhere'>written: {names}</div>"

    def _failed(self, error: PacificoError | OSError) -> None:
        self.message.value = panel.problem(str(error))


def _beside(path: Path) -> str:
    """Path as seen from the notebook's folder."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _button(words: str, icon: str, tooltip: str) -> widgets.Button:
    """Button of half the panel's width."""
    return widgets.Button(description=words, icon=icon, tooltip=tooltip, layout=widgets.Layout(width="110px"))
