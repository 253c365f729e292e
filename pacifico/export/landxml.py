"""LandXML 1.2 for road design programs: road alignments with their profiles, and surfaces.

Coordinates are northing, easting and elevation in metres of the working CRS, in the order of the standard.

References
----------
LandXML.org, "LandXML-1.2 schema", 2008. http://www.landxml.org/schema/LandXML-1.2
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import shapely

from pacifico._version import __version__
from pacifico.analysis.alignment_elements import alignment_elements, stations_of_vertices
from pacifico.escaping import single_line
from pacifico.export.dxf import pad_corners
from pacifico.export.ground import ground_of
from pacifico.layout.files.stored import StoredLayout
from pacifico.output_files import atomic_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from numpy.typing import NDArray

    from pacifico.analysis.alignment_elements import Element
    from pacifico.array_types import FloatArray
    from pacifico.grid import Ground
    from pacifico.layout.files.stored import StoredFeature

NAMESPACE = "http://www.landxml.org/schema/LandXML-1.2"
DATE, TIME = "2000-01-01", "00:00:00"
"""Date and time that every file records, so that the same layout gives the same bytes; the schema requires both."""
MOST_POINTS = 60_000
"""Points of the ground's surface above which cells are left out evenly: larger files load slowly in CAD."""
HEIGHT_TOLERANCE_M = 0.005
"""Vertices of a profile nearer than this to the grade line through the others are left out [m]."""
GROUND_STEP_M = 5.0
"""Largest distance between ground heights of a profile [m]."""


@dataclass(frozen=True)
class _Surface:
    """Triangles of a surface."""

    name: str
    state: str
    """`existing` or `proposed`."""
    description: str
    points: FloatArray
    """(n, 3) easting, northing and elevation [m]."""
    faces: NDArray[np.int64]
    """(m, 3) indices of points."""


def write_landxml(
    layout: Mapping[str, Any] | StoredLayout, path: str | Path, *, ground: xr.DataArray | None = None
) -> Path:
    """Write road alignments and surfaces of a layout as LandXML 1.2.

    Each road is an alignment of lines and curves, with its design profile. Pads are one surface. With a ground, its
    heights along each road and its surface within the site are written too.

    Parameters
    ----------
    layout : mapping or StoredLayout
        Content of a layout.geojson, or a layout read from one.
    path : str or Path
        File to write.
    ground : DataArray, optional
        DEM in the layout's working CRS.

    Returns
    -------
    Path
        The file. The same layout gives the same bytes.

    Raises
    ------
    InputError
        The layout is invalid, or the folder does not exist.
    CRSMismatchError
        The ground has another CRS than the layout.
    """
    parts = StoredLayout.of(layout)
    heights = None if ground is None else ground_of(parts, ground)
    root = ET.Element(
        "LandXML", xmlns=NAMESPACE, version="1.2", date=DATE, time=TIME, language="English", readOnly="false"
    )
    _write_head(root, parts)
    surfaces = [s for s in (_ground_surface(heights, parts), _pad_surface(parts)) if s is not None]
    if surfaces:
        inside = ET.SubElement(root, "Surfaces")
        for surface in surfaces:
            _write_surface(inside, surface)
    if roads := parts.of_kind("road"):
        inside = ET.SubElement(root, "Alignments", name="Roads")
        for name, road in zip(_unique([r["road_id"] for r in roads]), roads, strict=True):
            _write_alignment(inside, name, road, heights)
    target = Path(path)
    ET.indent(root, space=" ")
    with atomic_files(target) as (part,):
        ET.ElementTree(root).write(part, encoding="utf-8", xml_declaration=True)
    return target


def _write_head(root: ET.Element, parts: StoredLayout) -> None:
    """Write units, reference system, project and program."""
    units = ET.SubElement(root, "Units")
    ET.SubElement(
        units, "Metric", areaUnit="squareMeter", linearUnit="meter", volumeUnit="cubicMeter", temperatureUnit="celsius",
        pressureUnit="HPA", angularUnit="decimal degrees", directionUnit="decimal degrees",
    )  # fmt: skip
    code = parts.crs.to_epsg()
    named = {"name": single_line(parts.crs.name)}
    ET.SubElement(root, "CoordinateSystem", named if code is None else {**named, "epsgCode": str(code)})
    ET.SubElement(root, "Project", name=single_line(parts.name) or "Site", desc=single_line(parts.about["profile"]))
    ET.SubElement(root, "Application", name="pacifico", version=__version__)


def _unique(names: list[str]) -> list[str]:
    """Names on one line, each only once: the schema refuses two alignments of one name."""
    seen: dict[str, int] = {}
    found = []
    for given in names:
        name = single_line(given) or "Road"
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def _write_alignment(inside: ET.Element, name: str, road: StoredFeature, ground: Ground | None) -> None:
    """Write a road's alignment, design profile and ground profile.

    Parameters
    ----------
    inside : Element
        Where the alignment goes.
    name : str
        Name of the alignment.
    road : StoredFeature
        Road with design heights.
    ground : Ground, optional
        Ground heights.
    """
    xyz = shapely.get_coordinates(road.geometry, include_z=True)
    moved = np.hypot(*np.diff(xyz[:, :2], axis=0).T) > 0
    xyz = xyz[np.concatenate([[True], moved])]
    if len(xyz) < 2:
        return
    elements = alignment_elements(xyz[:, :2])
    stations = stations_of_vertices(xyz[:, :2], elements)
    described = f"{road['road_class']}, {road['width_m']:g} m wide, up to {road['max_grade_pct']:.1f} %"
    alignment = ET.SubElement(
        inside, "Alignment", name=name, length=f"{stations[-1]:.4f}", staStart="0", state="proposed", desc=described
    )
    geometry = ET.SubElement(alignment, "CoordGeom")
    for element in elements:
        _write_element(geometry, element, xyz, stations)
    profile = ET.SubElement(alignment, "Profile", name=name, staStart="0")
    if ground is not None:
        _write_ground_profile(profile, xyz, stations, ground)
    design = ET.SubElement(profile, "ProfAlign", name="Design", state="proposed")
    line = shapely.LineString(np.column_stack([stations, xyz[:, 2]])).simplify(HEIGHT_TOLERANCE_M)
    for station, height in shapely.get_coordinates(line).tolist():
        ET.SubElement(design, "PVI").text = f"{station:.4f} {height:.4f}"


def _write_element(geometry: ET.Element, element: Element, xyz: FloatArray, stations: FloatArray) -> None:
    """Write a line or a curve of an alignment.

    Parameters
    ----------
    geometry : Element of XML
        Where it goes.
    element : Element
        Straight or arc.
    xyz : (n, 3) float
        Vertices of the road [m].
    stations : (n,) float
        Their stations [m].
    """
    start, end = (_place(xyz[k, :2]) for k in (element.first, element.last))
    common = {"length": f"{element.length_m:.4f}", "staStart": f"{stations[element.first]:.4f}"}
    if element.centre is None:
        line = ET.SubElement(geometry, "Line", common)
        ET.SubElement(line, "Start").text = start
        ET.SubElement(line, "End").text = end
        return
    turn = "cw" if element.clockwise else "ccw"
    curve = ET.SubElement(geometry, "Curve", common, rot=turn, crvType="arc", radius=f"{element.radius_m:.4f}")
    ET.SubElement(curve, "Start").text = start
    ET.SubElement(curve, "Center").text = _place(np.array(element.centre))
    ET.SubElement(curve, "End").text = end


def _write_ground_profile(profile: ET.Element, xyz: FloatArray, stations: FloatArray, ground: Ground) -> None:
    """Write ground heights along a road, a list for each stretch with heights.

    Parameters
    ----------
    profile : Element
        Where it goes.
    xyz : (n, 3) float
        Vertices of the road [m].
    stations : (n,) float
        Their stations [m].
    ground : Ground
        Ground heights.
    """
    at = np.unique(np.concatenate([stations, np.arange(0.0, stations[-1], GROUND_STEP_M)]))
    heights = ground.at(np.interp(at, stations, xyz[:, 0]), np.interp(at, stations, xyz[:, 1]))
    known = np.isfinite(heights)
    runs = np.split(np.arange(len(at)), np.flatnonzero(np.diff(known)) + 1)
    lists = [run for run in runs if known[run[0]] and len(run) > 1]
    if not lists:
        return
    surface = ET.SubElement(profile, "ProfSurf", name="Existing ground", state="existing")
    for run in lists:
        ET.SubElement(surface, "PntList2D").text = " ".join(f"{at[k]:.3f} {heights[k]:.3f}" for k in run)


def _ground_surface(ground: Ground | None, parts: StoredLayout) -> _Surface | None:
    """Ground within the site as triangles between cell centres; None without any."""
    if ground is None:
        return None
    # two cells more, so that the triangles cover the whole site
    area = parts.boundary.buffer(2 * max(ground.grid.dx, ground.grid.dy))
    west, south, east, north = area.bounds
    x, y = ground.grid.x_centres(), ground.grid.y_centres()
    columns, rows = np.flatnonzero((x >= west) & (x <= east)), np.flatnonzero((y >= south) & (y <= north))
    step = max(int(np.ceil(np.sqrt(columns.size * rows.size / MOST_POINTS))), 1)
    columns, rows = columns[::step], rows[::step]
    if columns.size < 2 or rows.size < 2:
        return None
    z = ground.z[np.ix_(rows, columns)]
    xs, ys = np.meshgrid(x[columns], y[rows])
    number = np.arange(z.size).reshape(z.shape)
    northwest, northeast, southwest, southeast = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    faces = np.concatenate(
        [
            np.stack([southwest, southeast, northwest], axis=-1).reshape(-1, 3),
            np.stack([southeast, northeast, northwest], axis=-1).reshape(-1, 3),
        ]
    )
    kept = np.isfinite(z) & shapely.contains_xy(area, xs, ys)
    faces = faces[kept.ravel()[faces].all(axis=1)]
    every = f", every {step}th row and column" if step > 1 else ""
    cells = f"elevation model of {ground.grid.dx:g} x {ground.grid.dy:g} m cells{every}"
    points = np.column_stack([xs.ravel(), ys.ravel(), z.ravel()])
    return _surface("Existing ground", "existing", cells, points, faces)


def _pad_surface(parts: StoredLayout) -> _Surface | None:
    """Pads in their design planes as triangles; None without pads."""
    points: list[tuple[float, float, float]] = []
    faces: list[list[int]] = []
    for pad in parts.of_kind("pad"):
        corners = pad_corners(pad)
        place = {xyz[:2]: len(points) + k for k, xyz in enumerate(corners)}
        points += corners
        outline = shapely.Polygon(shapely.get_exterior_ring(pad.geometry))
        triangles = shapely.normalize(shapely.get_parts(shapely.constrained_delaunay_triangles(outline)))
        faces += [[place[x, y] for x, y in shapely.get_coordinates(t)[:3].tolist()] for t in triangles]
    return _surface(
        "Pads", "proposed", "pads in their design planes", np.array(points), np.array(faces, dtype=np.int64)
    )


def _surface(name: str, state: str, description: str, points: FloatArray, faces: NDArray[np.int64]) -> _Surface | None:
    """Surface of the points that its faces use; None without faces.

    Parameters
    ----------
    name : str
        Name of the surface.
    state : str
        `existing` or `proposed`.
    description : str
        What it is made of.
    points : (n, 3) float
        Easting, northing and elevation [m].
    faces : (m, 3) int
        Indices of points.
    """
    if not len(faces):
        return None
    used, numbers = np.unique(faces, return_inverse=True)
    return _Surface(name, state, description, points[used], numbers.reshape(-1, 3))


def _write_surface(inside: ET.Element, surface: _Surface) -> None:
    """Write a surface of triangles."""
    element = ET.SubElement(inside, "Surface", name=surface.name, state=surface.state, desc=surface.description)
    low, high = surface.points[:, 2].min(), surface.points[:, 2].max()
    definition = ET.SubElement(element, "Definition", surfType="TIN", elevMin=f"{low:.3f}", elevMax=f"{high:.3f}")
    points = ET.SubElement(definition, "Pnts")
    for number, (x, y, z) in enumerate(surface.points.tolist(), start=1):
        ET.SubElement(points, "P", id=str(number)).text = f"{y:.3f} {x:.3f} {z:.3f}"
    faces = ET.SubElement(definition, "Faces")
    for corners in (surface.faces + 1).tolist():
        ET.SubElement(faces, "F").text = " ".join(map(str, corners))


def _place(xy: FloatArray) -> str:
    """Northing and easting [m]."""
    return f"{xy[1]:.4f} {xy[0]:.4f}"
