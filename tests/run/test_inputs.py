"""Copies of inputs, and files that a notebook keeps in their place."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.run import inputs


@pytest.fixture
def staged(tmp_path):
    path = tmp_path / "staged"
    path.mkdir()
    return path


def test_inputs_are_copied_under_their_names(tmp_path, staged):
    (tmp_path / "site.kml").write_text("k")
    given = {"boundary": tmp_path / "site.kml", "exclusions": tmp_path / "site.kml"}
    named = inputs.names(given)
    assert named == {"boundary": "site.kml", "exclusions": "exclusions-site.kml"}
    described = inputs.copy(given, named, staged)
    assert described["boundary"]["path"] == "inputs/site.kml"
    assert (staged / "inputs/exclusions-site.kml").read_text() == "k"


def test_a_name_that_the_locale_can_not_decode_is_that_of_the_parameter(tmp_path, staged):
    # such a name comes from bytes that are no text; the file system of the test may take no such bytes
    path = tmp_path / "caf\udce9.kml"
    try:
        path.write_text("k")
    except OSError:
        pytest.skip("file names of this system are UTF-8")
    named = inputs.names({"boundary": path})
    assert named == {"boundary": "boundary.kml"}
    assert inputs.copy({"boundary": path}, named, staged)["boundary"]["path"] == "inputs/boundary.kml"


def test_an_absent_input_is_refused(tmp_path):
    with pytest.raises(InputError, match="boundary: there is no file"):
        inputs.names({"boundary": tmp_path / "none"})


def test_a_file_that_the_run_kept_stands_for_its_parameter(tmp_path, staged):
    (tmp_path / "site.kml").write_text("k")
    named = {"boundary": "site.kml"}
    described = inputs.copy({"boundary": tmp_path / "site.kml"}, named, staged)
    (staged / "inputs" / "dem.tif").write_text("window")
    settled = inputs.settle(described, {"dem": "3dep", "boundary": "inputs/site.kml"}, staged)
    assert settled["boundary"] == described["boundary"]
    assert (settled["dem"]["given"], settled["dem"]["kept_by_run"]) == ("3dep", True)
