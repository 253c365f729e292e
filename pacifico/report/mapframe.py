"""Frame of every map figure: shaded ground, scale bar, north arrow, legend."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import PathPatch
from matplotlib.path import Path as MarkPath

from pacifico.grid import Grid
from pacifico.png import png_bytes, without_alpha
from pacifico.report.marks import orientation
from pacifico.terrain.surface import hillshade

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

WIDTH_IN, LEGEND_IN, TALLEST_IN = 9.4, 2.65, 6.2
"""Width of a figure, of its legend, and largest height of its map [inches]."""
INK = orientation.INK
"""Colour of text and lines."""
DPI = 125
SCREEN: Any = {"text.hinting": "none"}
"""Settings of matplotlib for pictures: letters with hints take twice as long, and differ little at this resolution."""
MOST_LEVELS = 200
"""Most contour levels of a map; more would cover it."""


class Picture(Figure):
    """Figure that shows itself in a notebook without pyplot."""

    def _repr_png_(self) -> bytes:
        canvas: Any = FigureCanvasAgg(self)
        with rc_context(SCREEN):
            canvas.draw()
        # the paper is white, so nothing is transparent
        return png_bytes(without_alpha(np.asarray(canvas.buffer_rgba())), dpi=self.dpi)


def map_figure(area: BaseGeometry, *, ground: xr.DataArray | None = None, title: str = "") -> tuple[Picture, Axes]:
    """Figure and map axes around an area, with room for a legend.

    Parameters
    ----------
    area : geometry
        Area to show [m].
    ground : DataArray, optional
        DEM; as far as it reaches, the map of a narrow area is widened.
    title : str
        Title of the figure.
    """
    west, south, east, north = area.bounds
    pad = 0.05 * max(east - west, north - south)
    west, south, east, north = west - pad, south - pad, east + pad, north + pad
    room = WIDTH_IN - LEGEND_IN
    tall = min(max(room * (north - south) / (east - west), 3.2), TALLEST_IN)
    ratio = room / tall
    if (east - west) / (north - south) < ratio:
        low, _, high, _ = Grid.of(ground).bounds if ground is not None else (west, south, east, north)
        more = max((north - south) * ratio - (east - west), 0.0) / 2
        west, east = min(west, max(west - more, low)), max(east, min(east + more, high))
    else:
        _, low, _, high = Grid.of(ground).bounds if ground is not None else (west, south, east, north)
        more = max((east - west) / ratio - (north - south), 0.0) / 2
        south, north = min(south, max(south - more, low)), max(north, min(north + more, high))
    scale = min(room / (east - west), tall / (north - south))
    wide, tall = (east - west) * scale, (north - south) * scale

    height = tall + 0.52
    fig = Picture(figsize=(WIDTH_IN, height), dpi=DPI, facecolor="white")
    ax = fig.add_axes((0.06 / WIDTH_IN, 0.06 / height, wide / WIDTH_IN, tall / height))
    ax.set(xlim=(west, east), ylim=(south, north))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_visible(False)
    keep_title(ax)
    ax.set_facecolor("#eef0ec")
    for side in ax.spines.values():
        side.set(color="#9aa39e", linewidth=0.8)
    if title:
        fig.text(0.06 / WIDTH_IN, 1 - 0.22 / height, title, fontsize=12.5, fontweight="bold", color=INK, va="center")
    orientation.scale_bar(ax)
    orientation.north_arrow(ax)
    return fig, ax


def keep_title(ax: Axes) -> None:
    """Keep the title at the top of the axes.

    Otherwise matplotlib measures all tick labels to place it, even where there is no title.
    """
    ax.set_title("", y=1.0)


def shade(ax: Axes, dem: xr.DataArray, *, strength: float = 0.85) -> AxesImage:
    """Draw the hillshade below everything else, stretched so that gentle relief shows."""
    light = hillshade(dem).values
    shown = np.where(np.isfinite(light), stretched(np.nan_to_num(light), np.isfinite(light)), np.nan)
    return _draw_image(ax, dem, shown, cmap="gray", clim=(-0.55, 1.08), alpha=strength, zorder=0)


def stretched(light: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
    """Hillshade stretched to 0-1 over known ground, at most eightfold."""
    if not known.any():
        return light
    low, high = np.percentile(light[known], [1, 99])
    middle, half = (low + high) / 2, max((high - low) / 2, 1 / 16)
    spread: NDArray[Any] = np.clip((light - middle) / (2 * half) + 0.5, 0, 1)
    return spread


def extent(raster: xr.DataArray) -> tuple[float, float, float, float]:
    """West, east, south and north edge of a raster [m]."""
    west, south, east, north = Grid.of(raster).bounds
    return west, east, south, north


def paint(ax: Axes, raster: xr.DataArray, values: NDArray[Any], **style: Any) -> AxesImage:
    """Draw values on the grid of a raster, each cell in one colour.

    Parameters
    ----------
    ax : Axes
        Axes to paint on.
    raster : xr.DataArray
        Grid of the values.
    values : NDArray[Any]
        Values to paint, NaN for none.
    **style : Any
        Options of `AxesImage`, and `clim`, the values at the ends of the colour map.
    """
    return _draw_image(ax, raster, values, **{"interpolation": "nearest", "zorder": 1, **style})


def _draw_image(
    ax: Axes, raster: xr.DataArray, values: NDArray[Any], *, clim: tuple[float, float] | None = None, **style: Any
) -> AxesImage:
    """Draw values on the grid of a raster, smooth unless told otherwise.

    Parameters
    ----------
    ax : Axes
        Axes to draw on.
    raster : DataArray
        Grid of the values.
    values : array
        Values, NaN or masked for none.
    clim : (float, float), optional
        Values at the ends of the colour map.
    **style : Any
        Options of `AxesImage`.
    """
    west, east, south, north = extent(raster)
    image = _Raster(ax, extent=(west, east, south, north), **{"interpolation": "bilinear", **style})
    image.set_data(values)
    if clim is not None:
        image.set_clim(*clim)
    image.set_clip_path(ax.patch)
    return ax.add_image(image)


class _Raster(AxesImage):
    """Image that Pillow resizes after its cells have their colours.

    This takes a third of matplotlib's time.
    """

    def make_image(
        self,
        renderer: Any,  # noqa: ARG002 (matplotlib's signature)
        magnification: float = 1.0,
        unsampled: bool = False,  # noqa: ARG002, FBT001, FBT002
    ) -> tuple[Any, float, float, Any]:
        """Pixels of the visible part, from the bottom up, and their lower left corner."""
        from PIL import Image  # noqa: PLC0415 (installed with matplotlib)

        values: Any = self.get_array()
        colours = self.to_rgba(values, bytes=True, alpha=self.get_alpha())
        rows, columns = colours.shape[:2]
        cells, view = np.array(self.get_window_extent().extents), np.array(self.axes.bbox.extents)
        low = np.floor(np.maximum(cells[:2], view[:2]) * magnification + 0.5)
        high = np.floor(np.minimum(cells[2:], view[2:]) * magnification + 0.5)
        wide, tall = (int(n) for n in high - low)
        if wide <= 0 or tall <= 0:
            return None, 0.0, 0.0, None
        left, bottom = np.clip((low / magnification - cells[:2]) / (cells[2:] - cells[:2]), 0.0, 1.0)
        right, top = np.clip((high / magnification - cells[:2]) / (cells[2:] - cells[:2]), 0.0, 1.0)
        box = (left * columns, (1 - top) * rows, right * columns, (1 - bottom) * rows)
        how = Image.Resampling.NEAREST if self.get_interpolation() == "nearest" else Image.Resampling.BILINEAR
        seen = Image.fromarray(colours).resize((wide, tall), how, box=box)
        return np.asarray(seen)[::-1], *(low / magnification), None


def contours(ax: Axes, dem: xr.DataArray, area: BaseGeometry) -> float | None:
    """Draw contours at an interval that suits the relief.

    Returns the interval [m], or None on level ground.
    """
    z = dem.values
    west, south, east, north = area.bounds
    near = z[np.ix_((dem.y >= south) & (dem.y <= north), (dem.x >= west) & (dem.x <= east))]
    if not np.isfinite(near).any():
        return None
    relief = float(np.nanmax(near) - np.nanmin(near))
    if relief < 0.5:
        return None
    step = orientation.nice_above(relief / 14)
    levels = np.arange(math.floor(np.nanmin(z) / step) * step, float(np.nanmax(z)) + step, step)
    if len(levels) > MOST_LEVELS:
        return None
    lines = ax.contour(dem.x, dem.y, z, levels, colors="#5b4636", linewidths=0.45, alpha=0.75, zorder=2)
    ax.clabel(lines, levels[::4], fmt="%g", fontsize=6.5, inline_spacing=2)
    return step


def area_patch(ax: Axes, geometries: Iterable[BaseGeometry], **style: Any) -> None:
    """Draw polygons with their holes as one patch."""
    vertices: list[NDArray[np.float64]] = []
    codes: list[NDArray[np.uint8]] = []
    for geometry in geometries:
        for polygon in shapely.get_parts(geometry):
            if polygon.geom_type != "Polygon" or polygon.is_empty:
                continue
            for ring in (polygon.exterior, *polygon.interiors):
                xy = shapely.get_coordinates(ring)
                code = np.full(len(xy), MarkPath.LINETO, dtype=np.uint8)
                code[0], code[-1] = MarkPath.MOVETO, MarkPath.CLOSEPOLY
                vertices.append(xy)
                codes.append(code)
    if vertices:
        # `add_patch` would measure every edge for limits that the map has already
        ax.add_artist(PathPatch(MarkPath(np.concatenate(vertices), np.concatenate(codes)), **style))


def lines(ax: Axes, geometries: Sequence[BaseGeometry], **style: Any) -> None:
    """Draw lines as one collection."""
    parts = [shapely.get_coordinates(p) for g in geometries for p in shapely.get_parts(g)]
    ax.add_collection(LineCollection(parts, **{"capstyle": "round", "joinstyle": "round", **style}), autolim=False)


def legend(ax: Axes, handles: Sequence[Any], *, title: str = "", note: str = "") -> None:
    """Draw the legend to the right of the map.

    Parameters
    ----------
    ax : Axes
        Map.
    handles : sequence
        Legend handles of matplotlib.
    title : str
        Heading of the legend.
    note : str
        Text at the foot of the map.
    """
    ax.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=(orientation.beside(ax, 0.08), 1.0),
        borderaxespad=0.0,
        frameon=False,
        fontsize=8.8,
        title=title or None,
        title_fontproperties={"weight": "bold", "size": 9},
        alignment="left",
        labelspacing=0.55,
    )
    if note:
        ax.text(
            orientation.beside(ax, 0.14),
            0.0,
            note,
            transform=ax.transAxes,
            fontsize=7.8,
            color="#5d6764",
            va="bottom",
            ha="left",
        )
