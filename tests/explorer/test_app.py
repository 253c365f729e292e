"""The notebook of `pacifico open` holds one explorer, with every value as a literal."""

import ast
import json
from types import SimpleNamespace

import nbformat
import pytest

from pacifico.errors import InputError
from pacifico.explorer.app import AppSource, code, fill_window, write_app_notebook

HOSTILE = "a'); import os; os.system('x')\n#.kml"


def test_the_notebook_is_valid_and_replaced_by_the_next(tmp_path):
    path = tmp_path / "explore.ipynb"
    write_app_notebook(path, AppSource("sample", "sample"))
    nbformat.validate(nbformat.read(path, as_version=4))
    first = path.read_bytes()
    assert write_app_notebook(path, AppSource("sample", "sample")).read_bytes() == first
    write_app_notebook(path, AppSource("sample", "3dep"), hint=False)
    cells = json.loads(path.read_text())["cells"]
    assert [c["cell_type"] for c in cells] == ["code"]
    assert "3dep" in cells[0]["source"]


@pytest.mark.parametrize("content", ["{}", "no json", '{"metadata": {"pacifico_app": "yes"}}', "[1]"])
def test_another_notebook_is_kept(content, tmp_path):
    path = tmp_path / "explore.ipynb"
    path.write_text(content)
    with pytest.raises(InputError, match="is another notebook"):
        write_app_notebook(path, AppSource("sample", "sample"))
    assert path.read_text() == content


def test_every_value_is_a_literal():
    made = code(
        AppSource(HOSTILE, HOSTILE, {"layer": HOSTILE}, {"units": "ft"}, (HOSTILE,), 5.0, {"poi": (1.0, 2.0), "spec": {"grid": {"limit_kw": 1.0}}})
    )  # fmt: skip
    tree = ast.parse(made)
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    assert names == {"pacifico", "site", "with_combined", "dem", "explorer", "fill_window"}
    values = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    assert values.count(HOSTILE) == 4


def test_level_ground_needs_no_elevation():
    made = code(AppSource("sample", None, ground={"resolution_m": 10.0}))
    assert "dem = level_ground(site, resolution_m=10.0)" in made
    assert "open_dem" not in made


def test_values_that_are_not_given_are_left_out():
    assert "explore(site, dem, profile='bess')" in code(
        AppSource("sample", "sample", design={"profile": "bess", "spec": None})
    )


def test_map_and_panel_fill_the_window():
    import ipywidgets as widgets

    class Made:
        widget = widgets.HBox([widgets.VBox(), widgets.VBox()])
        outputs = SimpleNamespace(downloads=False)

    assert fill_window(Made) is Made
    assert {part.layout.height for part in Made.widget.children} == {"max(420px, calc(100vh - 96px))"}
    assert not Made.outputs.downloads
    assert fill_window(Made, downloads=True).outputs.downloads


def test_existing_roads_are_read_after_the_exclusions():
    made = code(AppSource("site.kml", "sample", exclusions=("pond.kml",), roads=HOSTILE))
    assert f"site = with_roads(site, {HOSTILE!r})" in made
    assert made.index("with_combined(site") < made.index("with_roads(site")
    ast.parse(made)


def test_without_a_boundary_a_page_takes_one():
    assert code(AppSource(None, None), app=True).endswith("start_page(apart=True)")
    made = code(AppSource(None, HOSTILE, design={"profile": "bess"}))
    assert made.endswith(f"start_page([{HOSTILE!r}], apart=False, profile='bess')")


def test_the_app_has_links_to_its_files():
    assert code(AppSource("sample", "sample"), app=True).endswith("fill_window(explorer, downloads=True)")
