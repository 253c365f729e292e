import json

import pytest

from pacifico.errors import InputError
from pacifico.run import manifest, notebooks
from pacifico.run import reproduce as again
from pacifico.run.reproduce import differences, reproduce


@pytest.fixture
def report(template, execute, tmp_path, monkeypatch):
    """Maker of a report of a tiny notebook, which then is the shipped one of its name."""

    def make(*cells, **fields):
        made = template(*cells, parameters=fields.pop("parameters_cell", "size: int = 3"))
        monkeypatch.setattr(again.notebooks, "find", lambda _: made)
        monkeypatch.setattr("pacifico.run.execute.notebooks.find", lambda _: made)
        execute(made, **fields)
        return tmp_path / "report"

    return make


def test_the_same_bytes_are_identical(report):
    folder = report("open('metrics.json', 'w').write(str(size))", parameters={"size": 5})
    found = reproduce(folder)
    assert (found.verdict, dict(found.files)) == ("identical", {"metrics.json": "identical"})


def test_a_run_that_changes_is_different_and_says_where(report, tmp_path):
    (tmp_path / "count").write_text("1")
    folder = report(
        f"import json, pathlib\np = pathlib.Path({str(tmp_path / 'count')!r})\nn = int(p.read_text())\n"
        "p.write_text(str(n + 1))\nopen('metrics.json', 'w').write(json.dumps({'cut': {'pads': n}}))"
    )
    found = reproduce(folder)
    assert found.verdict == "different"
    assert "metrics.json: /cut/pads: 1 before, 2 now" in found.differences


@pytest.mark.parametrize(("wobble", "elsewhere", "verdict"), [(1e-9, True, "equivalent"), (1e-9, False, "different"), (1e-3, True, "different")])  # fmt: skip
def test_small_differences_are_equivalent_on_other_versions_alone(report, tmp_path, wobble, elsewhere, verdict):
    (tmp_path / "count").write_text("0")
    folder = report(
        f"import json, pathlib\np = pathlib.Path({str(tmp_path / 'count')!r})\nn = int(p.read_text())\n"
        f"p.write_text(str(n + 1))\nopen('metrics.json', 'w').write(json.dumps({{'cut': 1.0 + n * {wobble}}}))"
    )
    if elsewhere:
        told = manifest.read(folder)
        told["environment"]["packages"]["numpy"] = "1.0"
        (folder / "manifest.json").write_text(json.dumps(told))
    found = reproduce(folder)
    assert found.verdict == verdict
    assert any("numpy: 1.0 before" in d for d in found.differences) == elsewhere


def test_a_failure_that_comes_again_is_identical(report):
    assert reproduce(report("raise ValueError('no ground')")).verdict == "identical"


def test_outputs_changed_after_the_run_are_refused(report):
    folder = report("open('metrics.json', 'w').write('1')")
    (folder / "metrics.json").write_text("2")
    with pytest.raises(InputError, match="changed after the run"):
        reproduce(folder)


def test_a_folder_without_manifest_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no manifest"):
        reproduce(tmp_path)


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"schema": "other"}', '{"schema": "pacifico-report", "schema_version": 99}']
)
def test_other_manifests_are_refused(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError) as refused:
        reproduce(tmp_path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ({"x": 1.0}, {"x": 1.0 + 5e-7}, 0),
        ({"x": 1.0}, {"x": 1.0 + 5e-6}, 1),
        ({"x": 1e6}, {"x": 1e6 + 0.5}, 0),
        ({"coordinates": [-93.00000001, 42.0]}, {"coordinates": [-93.00000009, 42.0]}, 0),
        ({"coordinates": [-93.0, 42.0]}, {"coordinates": [-93.0000005, 42.0]}, 1),
        ({"x": True}, {"x": 1}, 1),
        ({"x": [1, 2]}, {"x": [1]}, 1),
        ({"x": 1}, {"y": 1}, 2),
        ({"x": "a"}, {"x": "b"}, 1),
        ({"x": None}, {"x": None}, 0),
    ],
)
def test_tolerances(a, b, found):
    assert len(list(differences(a, b))) == found


def test_shipped_templates_are_found_by_name():
    template = notebooks.find("layout_report")
    assert template.parameters["boundary"].required
    assert not template.parameters["dem"].required
    for name in ("../layout_report", "nothing", "", "layout_report.ipynb"):
        with pytest.raises(InputError, match="layout_report"):
            notebooks.find(name)
