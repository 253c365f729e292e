"""Sphinx configuration: `make docs` builds docs/_build/html, offline, with warnings as errors."""

from importlib.metadata import version as installed_version
from pathlib import Path

from pacifico.cli.main import make_parser

project = "pacifico"
author = "the pacifico developers"
copyright = author  # noqa: A001 (Sphinx's name)
version = release = installed_version("pacifico")

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"  # pages of the gallery are run by each build
nb_execution_raise_on_error = True
nb_execution_timeout = 900  # [s] for one cell: a first build compiles kernels, perhaps on a busy machine
nb_merge_streams = True
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = "pacifico"
html_static_path = []
html_show_copyright = False
html_theme_options = {
    "navigation_with_keys": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "use_edit_page_button": False,
}


def write_help(folder: Path) -> None:
    """Write the help of all commands, which the page of the command line includes."""
    parser = make_parser()
    (commands,) = (action.choices for action in vars(parser)["_actions"] if isinstance(action.choices, dict))
    texts = [f"$ pacifico {name} --help\n{command.format_help()}" for name, command in commands.items()]
    folder.mkdir(exist_ok=True)
    (folder / "command-line.txt").write_text("\n".join(texts), encoding="utf-8")


write_help(Path(__file__).parent / "_build")
