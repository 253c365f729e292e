"""A session comes back as it was saved, or is refused whole."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Point, box

from pacifico.crs import utm
from pacifico.errors import InputError
from pacifico.explorer.state.document import Document, DrawnZone, EditStep
from pacifico.explorer.state.overrides import Overrides
from pacifico.explorer.state.session import MAX_BYTES, Session, parse_session, request_key, session_path, session_text
from pacifico.grid import Grid
from pacifico.layout.criteria.design import Design
from pacifico.site.model import Anchor, Site, Zone

KEY = "ab" * 32
DESIGN = Design(target_capacity_kw=20_000.0, setback_m=12.0, max_road_grade_pct=10.0, entry=(-84.2, 36.6))
DOCUMENT = Document(
    DESIGN,
    (
        DrawnZone("pond", box(-84.21, 36.6, -84.2, 36.61), 5.0),
        DrawnZone("track", box(-84.21, 36.6, -84.2, 36.6001), 0.0, "road", existing=True),
    ),
    (
        EditStep("move", "battery", (-84.2, 36.6), "battery-0001", to=(-84.201, 36.6)),
        EditStep("rotate", "battery", (-84.2, 36.6), "battery-0001", to_deg=30.0),
        EditStep("add", "solar_array", (-84.2, 36.6)),
    ),
    Overrides((("solar", "tracker_gcr", 0.4),), (("north", 30.0), ("County road", 40.0), (3, 5.0)), 80.0),
)


def altered(**members):
    return json.dumps({**json.loads(session_text(DOCUMENT, KEY)), **members}).encode()


def design_with(**members):
    return altered(design={**json.loads(session_text(DOCUMENT, KEY))["design"], **members})


def test_a_document_comes_back_as_it_was():
    assert parse_session(session_text(DOCUMENT, KEY), KEY) == DOCUMENT


def test_a_session_without_overrides_has_none():
    content = json.loads(session_text(DOCUMENT, KEY))
    del content["overrides"]
    assert parse_session(json.dumps(content).encode(), KEY).overrides == Overrides()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (altered(overrides={"rules": [["solar", "tracker_gcr", 9.0]]}), "must lie between"),
        (altered(overrides={"rules": [["solar", "albedo", 9.0]]}), "unknown rule solar.albedo"),
        (altered(overrides={"edge_setbacks": [["north", -1]]}), "overrides.edge_setbacks.0.1"),
        (altered(overrides={"edge_setbacks": [[True, 1]]}), "overrides.edge_setbacks.0.0"),
        (altered(overrides={"storage_mwh": 0}), "overrides.storage_mwh"),
        (b"{", "the file: "),
        (b"[]", "the file: "),
        (altered(more=1), "more: "),
        (altered(schema_version=2), "schema_version: "),
        (altered(request="x"), "request: "),
        (altered(request="cd" * 32), "another site, DEM or starting design"),
        (design_with(setback_m=-1), "design.setback_m: "),
        (design_with(profile="coal"), "design.profile: "),
        (design_with(spec={}), "design.spec: "),
        (design_with(entry=[1]), "design.entry"),
        (altered(zones=[{"name": "a", "area": {"type": "Point", "coordinates": [0, 0]}, "buffer_m": 0}]), "no valid polygon"),
        (altered(zones=[{"name": "a", "area": {"type": "Polygon", "coordinates": [[0]]}, "buffer_m": 0}]), "has no area"),
        (altered(zones=[{"name": "a", "area": {"type": "Polygon", "coordinates": [[[0, 0], [400, 0], [0, 9], [0, 0]]]}, "buffer_m": 0}]), "not in degrees"),
        (altered(edits=[{}] * 501), "edits: "),
        (b" " * (MAX_BYTES + 1), "bytes"),
        (session_text(DOCUMENT, KEY).replace(b"12.0", b"NaN"), "design.setback_m: "),
    ],
)  # fmt: skip
def test_anything_else_is_refused(text, message):
    with pytest.raises(InputError, match=r"session|zone") as refused:
        parse_session(text, KEY)
    assert message in str(refused.value)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines may be busy
@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_refused(text):
    with pytest.raises(InputError):
        parse_session(text, KEY)


def test_a_session_is_saved_and_found_again(tmp_path):
    session = Session(tmp_path / "a.session.json", KEY)
    assert session.load() is None
    session.save(DOCUMENT)
    assert session.load() == DOCUMENT
    assert [p.name for p in tmp_path.iterdir()] == ["a.session.json"]


def test_an_unreadable_session_is_kept(tmp_path):
    session = Session(tmp_path / "a.session.json", KEY)
    session.path.write_text("work of a newer version")
    with pytest.raises(InputError, match=r"kept as a\.session\.unread\.json"):
        session.load()
    assert (tmp_path / "a.session.unread.json").read_text() == "work of a newer version"
    assert session.load() is None


def test_without_a_path_nothing_is_kept():
    session = Session(None, KEY)
    session.save(DOCUMENT)
    assert session.load() is None
    assert session.name == ""


def test_a_session_that_is_too_large_is_not_written(tmp_path):
    session = Session(tmp_path / "a.session.json", KEY)
    with pytest.raises(InputError, match="501 edits"):
        session.save(Document(DESIGN, (), DOCUMENT.edits[:1] * 501))
    assert list(tmp_path.iterdir()) == []


def test_the_file_lies_beside_the_notebook(tmp_path):
    found = session_path("North <field>", KEY, {"JPY_SESSION_NAME": str(tmp_path / "plan.ipynb")})
    assert found == tmp_path / "plan-north-field-abababab.session.json"
    assert session_path("North", KEY, {}) is None
    assert session_path("North", KEY, {"JPY_SESSION_NAME": "console-1"}) is None


def test_each_request_has_its_own_session():
    crs = utm(-84.2, 36.6)
    site = Site("A", crs, box(750_000, 4_054_000, 750_300, 4_054_300))
    grid = Grid(crs, 749_900, 4_054_400, 10, 10, 50, 50)
    dem = grid.data_array(np.zeros((50, 50)), name="elevation", units="m", sha256="12")
    zone = Zone(box(750_000, 4_054_000, 750_010, 4_054_010), "pond")
    keys = {
        request_key(site, dem, (), Design()),
        request_key(site, dem, (zone,), Design()),
        request_key(site, dem, (), Design(profile="bess")),
        request_key(site, dem.assign_attrs(sha256="13"), (), Design()),
        request_key(site, dem + 1, (), Design()),
        request_key(replace(site, name="B"), dem, (), Design()),
        request_key(
            replace(site, anchors=(Anchor(Point(750_000, 4_054_000), "gate", is_entry=True),)), dem, (), Design()
        ),
    }
    assert len(keys) == 7
    assert request_key(site, dem, (), Design()) in keys
