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


def changed(folder, change):
    told = manifest.read(folder)
    change(told)
    (folder / "manifest.json").write_text(json.dumps(told))


@pytest.mark.parametrize("where", ["inputs", "outputs", "parameters", "link"])
def test_a_strangers_report_reads_nothing_outside_it(report, tmp_path, where):
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    digest = manifest.sha256_of(secret)
    folder = report("open('metrics.json', 'w').write('1')")
    if where == "link":
        (folder / "metrics.json").unlink()
        (folder / "metrics.json").symlink_to(secret)
    elif where == "parameters":
        changed(folder, lambda told: told["request"]["parameters"].update(exclusions=str(secret)))
    else:
        path = "../secret.json"
        entry = {"path": path, "sha256": digest, "bytes": 2}
        changed(folder, lambda told: told[where].update({path: entry} if where == "outputs" else {"size": entry}))
    with pytest.raises(InputError) as refused:
        reproduce(folder)
    assert "\n" not in str(refused.value)


def test_the_network_is_asked_for_before_anything_runs(report):
    folder = report("open('metrics.json', 'w').write(dem)", parameters={"dem": "3dep"}, parameters_cell="dem: str = ''")
    asked = []
    with pytest.raises(InputError, match="--allow-network"):
        reproduce(folder)
    with pytest.raises(InputError, match="--allow-network"):
        reproduce(folder, allow_network=lambda sources: asked.append(sources) or False)
    assert asked == [["3dep"]]
    assert reproduce(folder, allow_network=True).verdict == "identical"


def test_without_the_network_the_kernel_has_none(report):
    source = "import json, os\nopen('metrics.json', 'w').write(json.dumps(os.environ.get('https_proxy')))"
    found = reproduce(report(source), allow_network=lambda _: pytest.fail("nothing to ask"))
    assert found.verdict == "different"  # the first run had the network, the second had a proxy that nobody serves


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("inputs",), []), (("inputs",), {"a": "x"}), (("outputs",), {"a.json": {}}), (("request",), None), (("outcome",), "x"),
        (("request", "notebook"), 3), (("request", "parameters"), []), (("request", "timeout_s"), "x"), (("notebook",), {}),
        (("environment", "packages"), []),
    ],
)  # fmt: skip
def test_a_manifest_of_another_shape_is_refused_in_one_line(report, path, value):
    folder = report("x = 1")

    def change(told):
        *heads, last = path
        for head in heads:
            told = told[head]
        told[last] = value

    changed(folder, change)
    with pytest.raises(InputError, match="no whole manifest") as refused:
        reproduce(folder)
    assert "\n" not in str(refused.value)
