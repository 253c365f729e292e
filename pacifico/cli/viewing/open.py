"""`pacifico open`: the explorer of a site in a browser, without writing Python."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pacifico.cli import options
from pacifico.cli.printing import one_line, say
from pacifico.cli.viewing.lab import show_in_lab
from pacifico.errors import InputError, OutsideServiceError
from pacifico.output_files import writable_folder

if TYPE_CHECKING:
    import argparse

    from pacifico.explorer.app import AppSource

SCREENS = ("lab", "app")
"""Programs that show the explorer: JupyterLab, and Voila, which runs the notebook at once and shows the map alone."""
NEED_BOUNDARY = (
    "layer",
    "exclusions",
    "exclusion_buffer_m",
    "entry",
    "poi",
    "edge_setback",
    "dem_units",
    "resolution_m",
)
"""Options that say something about one site."""
_NEEDED = {"lab": ("lab", ("jupyterlab", "ipyleaflet")), "app": ("app", ("voila", "ipyleaflet"))}
"""Extra and packages that each program needs."""


def add_open_command(commands: Any) -> None:
    """Add `open` to the commands of a parser."""
    opened = commands.add_parser(
        "open",
        help="the explorer of a site in a browser: JupyterLab, or Voila with --with app; without BOUNDARY a page takes one",
    )
    options.add_design(opened, boundary=False)
    opened.add_argument(
        "--out",
        type=options.path,
        metavar="DIR",
        help="folder for the notebook, its session and exports (explore-NAME)",
    )
    opened.add_argument(
        "--with", dest="screen", choices=SCREENS, default="lab", help="lab: JupyterLab; app: Voila, the map alone (lab)"
    )
    opened.add_argument("--no-browser", action="store_true", help="print the address; open no browser")
    opened.add_argument("--write-only", action="store_true", help="write the notebook, start nothing")
    opened.set_defaults(run=run_open)


def run_open(arguments: argparse.Namespace) -> int:
    """Write the notebook of a site, and start the program that shows it until it is interrupted."""
    from pacifico.explorer.app import write_app_notebook

    _require(arguments.screen)
    source = source_of(arguments)
    name = "sites"
    if source.boundary is not None:
        site = options.site_of(arguments)  # refuses a boundary that can't be read, before anything starts
        name = re.sub(r"[^\w.-]+", "-", site.name).strip("-.")[:60] or "site"
    out: Path = arguments.out or Path(f"explore-{name}")
    writable_folder(out)
    out.mkdir(parents=True, exist_ok=True)
    notebook = write_app_notebook(out / "explore.ipynb", source, hint=arguments.screen == "lab")
    say(f"written: {one_line(notebook)}")
    if arguments.write_only:
        return 0
    browser = not arguments.no_browser
    command = command_of(arguments.screen, notebook, browser=browser)
    if arguments.screen == "lab":
        ended = show_in_lab(command, notebook, browser=browser)
    else:
        ended = subprocess.run(command, check=False).returncode
    if ended:
        raise OutsideServiceError(f"{command[2]} ended with status {ended}; its messages are above")
    return 0


def source_of(arguments: argparse.Namespace) -> AppSource:
    """What the explorer starts with, with whole paths: the notebook is in another folder."""
    from pacifico.data import SAMPLE
    from pacifico.explorer.app import AppSource
    from pacifico.vocabulary import NAMED_DEMS

    if arguments.boundary is None:
        return _page_source(arguments)
    dem = options.dem_source(arguments)
    if dem is not None and dem not in NAMED_DEMS:
        dem = _whole(dem)
    units = {} if dem is None else {"units": arguments.dem_units}
    return AppSource(
        boundary=SAMPLE if str(arguments.boundary) == SAMPLE else _whole(str(arguments.boundary)),
        dem=dem,
        reading={"layer": arguments.layer},
        ground={"resolution_m": arguments.resolution_m or (10.0 if dem is None else None), **units},
        exclusions=tuple(map(_whole, options.exclusions_of(arguments)["exclusions"] or ())),
        exclusion_buffer_m=arguments.exclusion_buffer_m,
        roads=None if arguments.roads is None else _whole(str(arguments.roads)),
        design=options.design_of(arguments),
    )


def _page_source(arguments: argparse.Namespace) -> AppSource:
    """What the page starts with, on which a boundary is dropped.

    Raises
    ------
    InputError
        An option needs a boundary.
    """
    from pacifico.explorer.app import AppSource
    from pacifico.explorer.start.page import LEVEL
    from pacifico.vocabulary import NAMED_DEMS

    for option in NEED_BOUNDARY:
        if getattr(arguments, option) is not None:
            raise InputError(f"--{option.replace('_', '-')} needs a boundary: give BOUNDARY, or leave it out")
    dem = None if arguments.dem is None and not arguments.no_terrain else options.dem_source(arguments)
    if arguments.no_terrain:
        dem = LEVEL
    elif dem is not None and dem not in NAMED_DEMS:
        dem = _whole(dem)
    return AppSource(boundary=None, dem=dem, design=options.design_of(arguments))


def command_of(screen: str, notebook: Path, *, browser: bool) -> list[str]:
    """Command that shows a notebook on this machine alone.

    Parameters
    ----------
    screen : str
        One of `SCREENS`.
    notebook : Path
        The notebook.
    browser : bool
        Whether the program opens a browser; JupyterLab opens none, because the cell runs first.
    """
    from pacifico.explorer.start.uploads import MOST_MESSAGE_BYTES

    quiet = [] if browser and screen == "app" else ["--no-browser"]
    settings = {"websocket_max_message_size": MOST_MESSAGE_BYTES}  # an upload is one message
    folder = str(notebook.parent.absolute())
    if screen == "app":
        start = [sys.executable, "-m", "voila", str(notebook.absolute()), "--Voila.ip=127.0.0.1"]
        return [*start, f"--Voila.tornado_settings={settings}", *quiet]
    page = f"/doc/tree/{quote(notebook.name)}"  # the simple interface: the notebook alone
    start = [sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={folder}"]
    return [*start, f"--LabApp.default_url={page}", f"--ServerApp.tornado_settings={settings}", *quiet]


def _whole(path: str) -> str:
    """Whole path of a file; addresses stay."""
    return str(Path(path).absolute()) if Path(path).exists() else path


def _require(screen: str) -> None:
    """Refuse a program that isn't installed."""
    extra, packages = _NEEDED[screen]
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise InputError(f"this needs {package}, which is not installed; pip install 'pacifico[{extra}]'")
