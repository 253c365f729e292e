"""The road profile figure, with its grade limit and without roads."""

from matplotlib.text import Text

from pacifico.layout.files.stored import StoredLayout
from pacifico.report import figures, profile


def words(figure):
    return [t.get_text() for t in figure.findobj(Text)]


def test_the_profile_shows_length_and_grade_limit(layout, dem):
    text = words(profile.profile_figure(layout, dem, max_grade_pct=10.0))
    assert "Road profile: longest way from the entry, 0.70 km" in text
    assert "limit 10 % " in text


def test_without_roads_there_is_no_profile(layout, dem):
    bare = StoredLayout(layout.about, layout.crs, tuple(f for f in layout.features if f.kind != "road"))
    assert profile.profile_figure(bare, dem) is None
    figures.layout_figure(bare, dem)
    figures.cut_fill_figure(bare, dem)
