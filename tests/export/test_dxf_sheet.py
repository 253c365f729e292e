"""The drawing's paper space: a round scale, a frame and a title block."""

import pytest

from pacifico.export.dxf import write_dxf
from pacifico.export.dxf_sheet import SCALES, plain_text, scale_of


@pytest.mark.parametrize(
    ("width", "height", "scale"), [(100, 100, 500), (420, 380, 2000), (3000, 800, 12_500), (1e6, 1e6, 3_903_346)]
)
def test_the_scale_is_the_largest_usual_one_that_shows_the_site(width, height, scale):
    assert scale_of(width, height) == scale


def test_scales_rise():
    assert list(SCALES) == sorted(SCALES)


def test_codes_of_cad_programs_are_defused():
    assert plain_text("%%d ^J\n") == "% %d ^ J"


def test_the_title_block_names_site_scale_and_reference_system(layout, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    paper = ezdxf.readfile(write_dxf(layout, tmp_path / "a.dxf")).layout("Layout1")
    texts = [t.dxf.text for t in paper.query("TEXT")]
    assert "Test ridge" in texts
    assert any(t.startswith("1:") and t.endswith("on A3") for t in texts)
    assert any("EPSG:32615" in t for t in texts)


def test_the_view_shows_the_whole_site(layout, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    paper = ezdxf.readfile(write_dxf(layout, tmp_path / "a.dxf")).layout("Layout1")
    view = next(v for v in paper.query("VIEWPORT") if v.dxf.status > 1 or v.dxf.id > 1)
    height = view.dxf.view_height
    width = height * view.dxf.width / view.dxf.height
    assert height > 380
    assert width > 420
    assert tuple(view.dxf.view_center_point)[:2] == pytest.approx((500_210, 4_600_190), abs=1)
