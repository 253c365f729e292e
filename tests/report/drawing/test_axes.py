"""Axes with one tick look as matplotlib's own."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pacifico.report.drawing.axes import PlainAxes


def curve(ax):
    ax.plot([0.3, 9.7], [-2.0, 31.0], "o-")
    ax.grid(color="#ddd", lw=0.5)
    ax.set_axisbelow(True)
    ax.set(xlabel="capacity [MW]", ylabel="cost")
    ax.tick_params(labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)


def hidden(ax):
    ax.plot([0, 1], [0, 1])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_visible(False)
    for spine in ax.spines.values():
        spine.set(color="#9aa39e", linewidth=0.8)


def large_numbers(ax):
    ax.plot([0, 1], [1e7 + 0.1, 1e7 + 0.4])  # with an offset text
    ax.set_title("T", loc="left")


def names(ax):
    ax.bar(["1.5", "2", "3.5"], [3, 2, 1])
    ax.set(ylim=(0, 4), xticklabels=[])


def minor(ax):
    ax.plot([1, 1000], [1, 5])
    ax.set_xscale("log")


def upside_down(ax):
    ax.plot([0, 1], [0, 1])
    ax.set(xlim=(1, 0), ylim=(0.9, -0.1))
    ax.xaxis.tick_top()
    ax.yaxis.set_label_position("right")
    ax.set_ylabel("depth")


def bar(ax):
    dots = ax.scatter([0, 1], [0, 1], c=[0.0, 3.0])
    cax = ax.inset_axes((1.05, 0.2, 0.04, 0.6), axes_class=type(ax))
    ax.figure.colorbar(dots, cax=cax, extend="both").set_label("slope [°]")


def picture(axes_class, draw):
    fig = Figure(figsize=(5, 3), dpi=100)
    draw(fig.add_axes((0.15, 0.2, 0.65, 0.65), axes_class=axes_class))
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@pytest.mark.parametrize("draw", [curve, hidden, large_numbers, names, minor, upside_down, bar])
def test_pictures_are_those_of_matplotlib(draw):
    ours, theirs = picture(PlainAxes, draw), picture(Axes, draw)
    assert theirs.min() < 255  # something is drawn
    np.testing.assert_array_equal(ours, theirs)


def test_hidden_axes_make_no_tick_and_others_make_one():
    fig = Figure()
    ax = fig.add_axes((0, 0, 1, 1), axes_class=PlainAxes)
    hidden(ax)
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    assert (len(ax.xaxis.majorTicks), len(ax.yaxis.majorTicks)) == (0, 0)
    ax.xaxis.set_visible(True)
    canvas.draw()
    assert (len(ax.xaxis.majorTicks), len(ax.yaxis.majorTicks)) == (1, 0)


def test_a_figure_may_be_cut_to_its_content(tmp_path):
    """Tight bounding boxes ask for all ticks."""
    for axes_class in (PlainAxes, Axes):
        fig = Figure(figsize=(5, 3), dpi=100)
        curve(fig.add_axes((0.15, 0.2, 0.65, 0.65), axes_class=axes_class))
        fig.savefig(tmp_path / f"{axes_class.__name__}.png", bbox_inches="tight", metadata={"Software": None})
    assert (tmp_path / "PlainAxes.png").read_bytes() == (tmp_path / "Axes.png").read_bytes()
