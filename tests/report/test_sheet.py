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
from pacifico.report.paper import MAP_MM, drawable
from pacifico.report.sheet import RATIOS, contour_ground, draw_sheet, map_ratio, write_sheet
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


def test_the_sheet_is_a3_of_one_page_and_all_vectors(layout, tmp_path):
    data = write_sheet(layout, ground(), tmp_path / "plan.pdf").read_bytes()
    box = [float(v) for v in re.search(rb"/MediaBox \[ ?([\d. ]+)\]", data).group(1).split()]
    np.testing.assert_allclose(np.array(box[2:]) / 72 * 25.4, [420, 297], atol=0.1)
    assert len(re.findall(rb"/Type /Page\b", data)) == 1
    assert b"/Subtype /Image" not in data
    assert b"/CreationDate" not in data
    assert b"/FontFile2" in data  # TrueType inside: text can be searched and copied


def test_same_layout_same_bytes_whatever_the_readers_settings(layout, tmp_path):
    first = write_sheet(layout, ground(), tmp_path / "a.pdf").read_bytes()
    with mpl.rc_context({"font.size": 20, "lines.linewidth": 9, "pdf.compression": 0, "axes.facecolor": "red"}):
        again = write_sheet(layout, ground(), tmp_path / "b.pdf").read_bytes()
    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(again).hexdigest()


def test_it_says_what_an_engineer_asks_for(layout):
    said = texts(draw_sheet(StoredLayout.of(layout), ground(), name="Test ridge"))
    assert "Test ridge" in said
    assert "N" in said
    assert "1:2,000 at A3" in said
    assert any(t.startswith("EPSG:32615") for t in said)
    assert "Contours every 0.5 m" in said
    assert "80 m" in said
    assert "Substation: 1" in said
    assert "Capacity, AC" in said
    assert "20.00 MW" in said
    assert any("not for construction" in t for t in said)


def test_zones_are_told_apart(layout):
    zone = {"name": "z", "buffer_m": 0.0, "cost_multiplier": 1.0}
    shape = layout["features"][0]["geometry"]
    for said in ({"zone_type": "hard"}, {"zone_type": "buffered", "buffer_m": 8.0}, {"zone_type": "cost"}):
        properties = {"kind": "exclusion", **zone, **said}
        layout["features"].append({"type": "Feature", "geometry": shape, "properties": properties})
    said = texts(draw_sheet(StoredLayout.of(layout), None, name="x"))
    assert [t for t in said if t in {"Exclusion", "Its setback", "Dear to cross"}] == [
        "Exclusion",
        "Its setback",
        "Dear to cross",
    ]


def test_contours_only_where_the_ground_is_given_and_not_level(layout):
    stored = StoredLayout.of(layout)
    for dem in (None, ground(rise=0.0)):
        assert not [t for t in texts(draw_sheet(stored, dem, name="x")) if "Contours" in t]


def test_contours_of_ground_with_gaps(layout):
    dem = ground()
    dem.values[:60] = np.nan
    assert [t for t in texts(draw_sheet(StoredLayout.of(layout), dem, name="x")) if "Contours" in t]


@pytest.mark.parametrize(("width", "height"), [(10, 10), (420, 380), (3000, 500), (40_000, 39_000), (1, 60_000)])
def test_the_scale_is_usual_and_holds_the_site(width, height):
    ratio = map_ratio(shapely.box(0, 0, width, height))
    assert ratio / 10 ** np.floor(np.log10(ratio) + 1e-9) in [pytest.approx(r) for r in RATIOS]
    assert width <= ratio * (MAP_MM[2] - MAP_MM[0]) / 1000
    assert height <= ratio * (MAP_MM[3] - MAP_MM[1]) / 1000


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


def test_hostile_names_are_drawn_as_they_are_or_as_boxes(layout, tmp_path):
    name = "$\\frac{x}$ <script> ../../etc \u6771\u0000\u202e" + "y" * 200
    for feature in layout["features"]:
        for key in ("name", "asset_id", "road_id", "pad_id"):
            if key in feature["properties"]:
                feature["properties"][key] = name
    layout["pacifico"]["warnings"] = [name] * 60
    layout["pacifico"]["dem"]["source"] = name
    data = write_sheet(layout, ground(), tmp_path / "plan.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    said = texts(draw_sheet(StoredLayout.of(layout), None, name=name))
    assert any("$\\frac{x}$" in t for t in said)
    assert any(t.startswith("... and ") for t in said)
    assert drawable("a\u6771\u0000b") == "a□ b"


def test_ground_in_another_crs_is_refused(layout, tmp_path):
    with pytest.raises(CRSMismatchError, match="zone 14N"):
        write_sheet(layout, ground(crs=CRS.from_epsg(32614)), tmp_path / "plan.pdf")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_layout_is_refused(layout, tmp_path):
    layout["pacifico"]["metrics"].pop("road_length_m")
    with pytest.raises(InputError, match="metrics"):
        write_sheet(layout, None, tmp_path / "plan.pdf")


def test_ground_that_does_not_hold_the_site_is_refused(layout):
    with pytest.raises(InputError):
        contour_ground(layout, "sample")
