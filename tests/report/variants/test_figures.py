"""Figures of variants draw every layout."""


def test_figures_have_an_axes_per_layout(variants):
    assert len(variants.front_figure().axes) == 2
    assert len(variants.maps_figure().axes) == 2
