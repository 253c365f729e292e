"""What the processes compute, called here in this one."""

from __future__ import annotations

import hashlib
import json

import pytest

from pacifico.errors import EditRefused, InputError
from pacifico.jobs.store.base import NotFoundError
from pacifico.server.work.tasks import TASKS
from pacifico.terrain.sources import sample_site_path


def quiet(stage, message):
    """Ignore stages."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Report folder of a small layout, and the arguments that made it."""
    out = tmp_path_factory.mktemp("made") / "report"
    given = {"boundary": str(sample_site_path()), "dem": "sample", "terrain": True, "profile": "solar_farm",
             "strategy": "balanced", "target_capacity_kw": 1000}  # fmt: skip
    TASKS["generate"]({**given, "out": str(out)}, quiet)
    return out, given


def test_a_report_without_a_notebook(made):
    out, _ = made
    assert {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()} == {
        "inputs/boundary.kml", "inputs/dem.tif", "layout.geojson", "metrics.json"
    }  # fmt: skip
    assert json.loads((out / "metrics.json").read_text())["shortfall"] == ""


def edit(made, tmp_path, edits, **more):
    out, given = made
    own = {"boundary": str(out / "inputs/boundary.kml"), "dem": str(out / "inputs/dem.tif")}
    sha256 = hashlib.sha256((out / "layout.geojson").read_bytes()).hexdigest()
    target = tmp_path / "edited.geojson"
    return TASKS["edit"]({**given, **own, "sha256": sha256, "edits": edits, "out": str(target), **more}, quiet), target


def test_the_kept_inputs_make_the_same_layout_again(made, tmp_path):
    _, target = edit(made, tmp_path, [])
    assert target.read_bytes() == (made[0] / "layout.geojson").read_bytes()


def test_edits_are_applied_in_turn(made, tmp_path):
    found, target = edit(
        made, tmp_path, [{"op": "roads"}, {"op": "asset", "asset_id": "substation-0001", "rotation_deg": 0.0}]
    )
    assert found["edit"]["kind"] == "rotate"
    assert len(json.loads(target.read_text())["pacifico"]["edits"]) == 2


def test_edits_that_can_not_be(made, tmp_path):
    with pytest.raises(InputError, match="another version"):
        edit(made, tmp_path, [], sha256="0" * 64)
    with pytest.raises(NotFoundError, match="no asset 'none-1'"):
        edit(made, tmp_path, [{"op": "asset", "asset_id": "none-1", "rotation_deg": 0.0}])
    with pytest.raises(EditRefused, match="another side of the earth"):
        edit(made, tmp_path, [{"op": "asset", "asset_id": "substation-0001", "to": [0, 0]}])
    with pytest.raises(InputError, match="is no place"):
        edit(made, tmp_path, [{"op": "asset", "asset_id": "substation-0001", "to": ["a", 1]}])


def test_pictures_comparisons_and_responses(made, tmp_path):
    path = str(made[0] / "layout.geojson")
    drawn = TASKS["picture"]({"layout": path}, quiet)
    assert drawn["svg"].startswith("<svg")
    assert TASKS["compare"]({"a": path, "b": path}, quiet)["identical"]
    out = tmp_path / "response.json"
    TASKS["assemble"]({"layout": path, "out": str(out), "head": {"layout_id": "x"}}, quiet)
    body = json.loads(out.read_text())
    assert body["geojson"] == json.loads((made[0] / "layout.geojson").read_text())
    assert len(body["assets"]) == body["metrics"]["asset_count"]


def test_a_pack_is_a_name_and_no_path(made):
    with pytest.raises(InputError, match="unknown"):
        TASKS["compliance"]({"layout": str(made[0] / "layout.geojson"), "pack": "/etc/passwd"}, quiet)
