"""Rehearse a notebook in the fork server, so that every job finds its code loaded.

Imports alone leave much for the first use: compiled kernels to load, fonts, colour maps, coordinate databases, classes of
matplotlib. The fork server runs the report's own cells once on the sample site, in its scratch folder, and forks after it.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import io
import sys
from pathlib import Path
from typing import Any

from pacifico import compiling
from pacifico.run import html, notebooks

#: Notebooks to rehearse, with parameters that make them run fast.
REHEARSED: dict[str, dict[str, Any]] = {
    "layout_report": {"boundary": "sample", "dem": "sample", "target_capacity_kw": 20_000.0}
}
#: New objects between two garbage collections of a job. Python's own 700 would let collections take a twentieth of its time, and 50,000
#: still 0.1 s of a report of the sample, which frees 55,000 objects (4 MB) by them.
_OBJECTS_PER_COLLECTION = 200_000
_COLD = "worker: kernels are not compiled, so jobs start slowly; run `pacifico demo` once with this cache of numba"


def rehearse_all() -> None:
    """Run all rehearsals, then keep what they loaded out of garbage collection.

    A collection in a fork would touch, and so copy, all of the server's memory; the rare ones that remain look at new objects
    only. Nothing is rehearsed where kernels would first have to be compiled, which would keep the first job waiting.
    """
    if REHEARSED and not compiling.is_compiled():
        print(_COLD, file=sys.stderr)  # noqa: T201 (the worker's stderr)
        return
    for name, parameters in REHEARSED.items():
        rehearse(name, parameters)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_PER_COLLECTION, *gc.get_threshold()[1:])


def rehearse(name: str, parameters: dict[str, Any]) -> None:
    """Run the code cells of a shipped notebook in this process, in the working folder, and render its page."""
    import nbformat  # noqa: PLC0415 (0.3 s, at the server's start)

    notebook = nbformat.read(notebooks.find(name).path, as_version=4)  # type: ignore[no-untyped-call]
    Path("inputs").mkdir(exist_ok=True)
    names: dict[str, Any] = {"__name__": "__rehearsal__", "display": _show}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in notebook.cells:
            if cell.cell_type == "code":
                _run(cell.source, names)
                if "parameters" in cell.metadata.get("tags", []):
                    names.update(parameters)
    html.render(notebook, None, title=name)  # keeps the HTML of cells, which is the same in every run


def _run(source: str, names: dict[str, Any]) -> None:
    """Run a cell as a notebook does: its last expression is shown."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<rehearsal>", "exec"), names)  # noqa: S102 (our own notebook)
    if isinstance(last, ast.Expr):
        _show(eval(compile(ast.Expression(last.value), "<rehearsal>", "eval"), names))  # noqa: S307


def _show(value: Any) -> None:
    """Draw a value as the notebook would."""
    for method in ("_repr_mimebundle_", "_repr_png_", "_repr_html_"):
        if hasattr(value, method):
            getattr(value, method)()
