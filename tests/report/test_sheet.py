"""The drawn sheet: A3, to scale, the same bytes for the same layout."""

import copy
import hashlib
import json
import re

import matplotlib as mpl
import numpy as np
import pytest
import shapely
from pyproj import CRS

from pacifico.errors import CRSMismatchError, InputError
from pacifico.grid import Grid
from pacifico.layout.files.stored import StoredLayout
from pacifico.layout.generate import generate_layout
from pacifico.report.sheet import contour_ground, draw_sheet, export_sheet, write_sheet
from pacifico.report.sheet_map import map_ratio
from pacifico.site.model import Anchor, Site

UTM = CRS.from_epsg(32615)


X, Y = 500_000.0, 4_600_000.0


def ground(rise=0.02, crs=UTM):
    grid = Grid(crs, X - 100, Y + 500, 5.0, 5.0, 120, 130)
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    return grid.data_array(
        100 + rise * (x - X) + rise / 2 * (y - Y), name="elevation", units="m", source="made.tif", sha256="",
        resolution_m=5.0, source_resolution_m=5.0, units_assumed="metres", surface_model=False, nodata_share=0.0,
        warnings=(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def made():
    gate = Anchor(shapely.Point(X, Y + 100), "gate", is_entry=True)
    site = Site("Test ridge", UTM, shapely.box(X, Y, X + 420, Y + 380), (), (gate,))
    plan = generate_layout(site, ground(), profile="gas_bess", target_capacity_kw=20_000)
    return json.loads(json.dumps(plan.to_geojson()))


@pytest.fixture
def layout(made):
    return copy.deepcopy(made)


def texts(fig):
    return [t.get_text() for t in fig.findobj(mpl.text.Text) if t.get_text()]


def test_the_sheet_is_one_a3_page_of_vectors(layout, tmp_path):
    data = write_sheet(layout, ground(), tmp_path / "plan.pdf").read_bytes()
    box = [float(v) for v in re.search(rb"/MediaBox \[ ?([\d. ]+)\]", data).group(1).split()]
    np.testing.assert_allclose(np.array(box[2:]) / 72 * 25.4, [420, 297], atol=0.1)
    assert len(re.findall(rb"/Type /Page\b", data)) == 1
    assert b"/Subtype /Image" not in data
    assert b"/CreationDate" not in data
    assert b"/FontFile2" in data  # TrueType inside: text can be searched and copied


def test_settings_of_matplotlib_do_not_change_the_sheet(layout, tmp_path):
    first = write_sheet(layout, ground(), tmp_path / "a.pdf").read_bytes()
    with mpl.rc_context({"font.size": 20, "lines.linewidth": 9, "pdf.compression": 0, "axes.facecolor": "red"}):
        again = write_sheet(layout, ground(), tmp_path / "b.pdf").read_bytes()
    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(again).hexdigest()


def test_the_sheet_has_scale_legend_quantities_and_notes(layout):
    text = texts(draw_sheet(StoredLayout.of(layout), ground(), name="Test ridge"))
    assert "Test ridge" in text
    assert "N" in text
    assert "1:2,000 at A3" in text
    assert any(t.startswith("EPSG:32615") for t in text)
    assert "Contours every 0.5 m" in text
    assert "80 m" in text
    assert "Substation: 1" in text
    assert "Capacity, AC" in text
    assert "20.00 MW" in text
    assert any("not for construction" in t for t in text)


def test_kinds_of_zones_have_their_own_legend(layout):
    zone = {"name": "z", "buffer_m": 0.0, "cost_multiplier": 1.0}
    shape = layout["features"][0]["geometry"]
    for text in ({"zone_type": "hard"}, {"zone_type": "buffered", "buffer_m": 8.0}, {"zone_type": "cost"}):
        properties = {"kind": "exclusion", **zone, **text}
        layout["features"].append({"type": "Feature", "geometry": shape, "properties": properties})
    text = texts(draw_sheet(StoredLayout.of(layout), None, name="x"))
    assert [t for t in text if t in {"Exclusion", "Its setback", "Costly to cross"}] == [
        "Exclusion",
        "Its setback",
        "Costly to cross",
    ]


def test_without_relief_there_are_no_contours(layout):
    stored = StoredLayout.of(layout)
    for dem in (None, ground(rise=0.0)):
        assert not [t for t in texts(draw_sheet(stored, dem, name="x")) if "Contours" in t]


def test_ground_with_gaps_has_contours(layout):
    dem = ground()
    dem.values[:60] = np.nan
    assert [t for t in texts(draw_sheet(StoredLayout.of(layout), dem, name="x")) if "Contours" in t]


def test_the_map_is_to_scale(layout):
    stored = StoredLayout.of(layout)
    fig = draw_sheet(stored, None, name="x")
    ax = fig.axes[0]
    mm = ax.get_position().width * fig.get_size_inches()[0] * 25.4
    low, high = ax.get_xlim()
    assert (high - low) * 1000 / mm == pytest.approx(map_ratio(stored.boundary))
    low, high = ax.get_ylim()
    mm = ax.get_position().height * fig.get_size_inches()[1] * 25.4
    assert (high - low) * 1000 / mm == pytest.approx(map_ratio(stored.boundary))


def test_hostile_names_are_drawn_as_text_or_boxes(layout, tmp_path):
    name = "$\\frac{x}$ <script> ../../etc \u6771\u0000\u202e" + "y" * 200
    for feature in layout["features"]:
        for key in ("name", "asset_id", "road_id", "pad_id"):
            if key in feature["properties"]:
                feature["properties"][key] = name
    layout["pacifico"]["warnings"] = [name] * 60
    layout["pacifico"]["dem"]["source"] = name
    data = write_sheet(layout, ground(), tmp_path / "plan.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    text = texts(draw_sheet(StoredLayout.of(layout), None, name=name))
    assert any("$\\frac{x}$" in t for t in text)
    assert any(t.startswith("... and ") for t in text)


def test_ground_in_another_crs_is_refused(layout, tmp_path):
    with pytest.raises(CRSMismatchError, match="zone 14N"):
        write_sheet(layout, ground(crs=CRS.from_epsg(32614)), tmp_path / "plan.pdf")
    assert list(tmp_path.iterdir()) == []


def test_an_invalid_layout_is_refused(layout, tmp_path):
    layout["pacifico"]["metrics"].pop("road_length_m")
    with pytest.raises(InputError, match="metrics"):
        write_sheet(layout, None, tmp_path / "plan.pdf")


def test_ground_off_the_site_is_refused(layout):
    with pytest.raises(InputError):
        contour_ground(layout, "sample")


def test_the_export_registry_writes_the_same_sheet(layout, tmp_path):
    sheet = write_sheet(layout, ground(), tmp_path / "a.pdf").read_bytes()
    assert export_sheet(layout, tmp_path / "b.pdf", ground=ground()).read_bytes() == sheet
