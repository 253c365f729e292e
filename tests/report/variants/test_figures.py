"""Figures of variants draw every layout."""

import pytest


def test_figures_have_an_axes_per_layout(variants):
    assert len(variants.front_figure().axes) == 2
    assert len(variants.maps_figure().axes) == 2


def test_maps_have_one_scale_in_both_directions_and_show_the_site(variants, caplog):
    figure = variants.maps_figure()
    figure.canvas.draw()
    assert caplog.text == ""  # matplotlib logs what it had to change
    west, south, east, north = next(iter(variants.plans.values())).site.boundary.bounds
    scales = set()
    for ax in figure.axes:
        (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
        box = ax.get_window_extent()
        scales |= {round((right - left) / box.width, 6), round((high - low) / box.height, 6)}
        assert left < west < east < right
        assert low < south < north < high
    assert max(scales) == pytest.approx(min(scales), rel=1e-4)
