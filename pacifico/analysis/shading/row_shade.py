"""Light of a year on rows that shade each other.

Each row is compared with its neighbours as in Anderson and Jensen (2024): light and shade are seen along the row, at right
angles to its tube. Heights differ along both rows, so a row is cut into pieces; rows that end earlier shade less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.analysis.shading._shade_kernels import FieldArrays, backtracked, lost_to_shade
from pacifico.analysis.shading.blocks import shade_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.analysis.shading.blocks import ShadeBlocks
    from pacifico.analysis.shading.row_pairs import RowField
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.criteria.spec import Spec

    Turned = tuple[FloatArray, FloatArray]
    """Cosine and sine of right-handed rotations about rows, shape (hours, rows or 1)."""

PIECES = 4
"""Pieces of a row: tubes of 64 m are compared with their neighbours every 16 m."""
HOURS_AT_ONCE = 512
"""Hours whose rotations are kept at once: a bound on memory."""
SAME_SUN_DEG = 1.0
"""Hours with the sun in one square of this side share the share that is in shade [°]; the sun itself is 0.5° wide."""
LEAST_INCIDENCE = 0.02
"""Cosine of incidence below which beam is not scaled from level rows: 89°, where it is nothing."""


@dataclass(frozen=True, eq=False)
class SunHours:
    """Sun of some hours, and what it would yield on level rows without shade."""

    zenith_deg: FloatArray
    """Angle of the sun from the vertical [°]."""
    azimuth_deg: FloatArray
    """Direction of the sun from grid north, clockwise [°]."""
    incidence: FloatArray
    """Cosine of the angle between the sun and level rows [-]."""
    sky: FloatArray
    """Share of the sky that level rows face [-]."""
    beam_kw: FloatArray
    """DC power of level rows from the beam [kW]."""
    sky_kw: FloatArray
    """DC power of level rows from the sky's diffuse light [kW]."""


@dataclass(frozen=True)
class RowRules:
    """How rows turn, and what shade costs them."""

    mounting: str
    """`tracker` or `fixed`."""
    backtracking: str
    """`standard`: as on level ground; `terrain`: as the heights of neighbours ask for."""
    max_deg: float
    """Largest rotation of trackers [°]."""
    tilt_deg: float
    """Tilt of fixed rows towards the equator [°]."""
    blocks: ShadeBlocks
    lat: float
    """Latitude: fixed rows face the equator [°]."""


@dataclass(frozen=True, eq=False)
class RowLight:
    """Light on rows, in each hour and on each array."""

    array_id: tuple[str, ...]
    shade_loss: FloatArray
    """Energy of each array lost to rows around it, relative to its own without their shade [-]."""
    relative_yield: FloatArray
    """DC energy of each array, relative to level rows without shade [-]."""
    beam: FloatArray
    """Beam on all rows in each hour, relative to level rows without shade [-]."""
    beam_unshaded: FloatArray
    """The same without shade [-]."""
    sky: FloatArray
    """Diffuse light of the sky in each hour, relative to level rows [-]."""


def row_rules(spec: Spec, lat: float) -> RowRules:
    """Rules of rows from a spec, at a latitude [°]."""
    return RowRules(
        spec.choice("solar", "mounting"),
        spec.choice("energy", "backtracking"),
        spec.number("energy", "tracker_max_deg"),
        spec.number("energy", "fixed_tilt_deg"),
        shade_blocks(spec),
        lat,
    )


def row_light(fields: Sequence[RowField], dc_kw: Mapping[str, float], sun: SunHours, rules: RowRules) -> RowLight:
    """Light on the rows of a plant.

    Parameters
    ----------
    fields : sequence of RowField
        Rows, one field for each azimuth.
    dc_kw : mapping
        DC rating of each array [kW].
    sun : SunHours
        Hours of a year.
    rules : RowRules
        How rows turn, and what shade costs them.

    Returns
    -------
    RowLight
        Arrays in the order of the fields.

    References
    ----------
    Anderson & Jensen (2024), "Shaded fraction and backtracking in single-axis trackers on rolling terrain", J. Renewable
    Sustainable Energy 16, 023504, https://doi.org/10.1063/5.0202220

    Examples
    --------
    >>> light = row_light(fields, {"solar_array-0001": 300.0}, sun, rules)      # doctest: +SKIP
    >>> dict(zip(light.array_id, light.shade_loss))                             # doctest: +SKIP
    """
    total = sum(dc_kw.values())
    hours = len(sun.zenith_deg)
    by_hour = np.zeros((hours, 3))
    names: list[str] = []
    arrays: list[FloatArray] = []
    for field in fields:
        length = field.end - field.start
        own, row_array = np.unique(field.array_id, return_inverse=True)
        share = length / np.bincount(row_array, length)[row_array]
        share = share * np.array([dc_kw[name] for name in own])[row_array] / total
        by_row, of_field = _field_light(field, sun, rules, share)
        by_hour += of_field
        weighted = [np.bincount(row_array, share * by_row[:, k]) for k in range(3)]
        names += own.tolist()
        arrays.append(np.stack([*weighted, np.bincount(row_array, share)], axis=1))
    beam, lost, sky, rating = np.concatenate([np.zeros((0, 4)), *arrays]).T
    level = float(sun.beam_kw.sum() + sun.sky_kw.sum())
    seen = sun.incidence > LEAST_INCIDENCE
    divided = np.where(seen, sun.incidence, 1.0)
    return RowLight(
        tuple(names),
        np.divide(lost, beam + sky, out=np.zeros_like(lost), where=beam + sky > 0),
        np.divide(beam - lost + sky, rating * level, out=np.ones_like(lost), where=rating * level > 0),
        np.where(seen, by_hour[:, 1] / divided, 1.0),
        np.where(seen, by_hour[:, 0] / divided, 1.0),
        np.where(sun.sky > 0, by_hour[:, 2] / np.where(sun.sky > 0, sun.sky, 1.0), 1.0),
    )


def _field_light(field: RowField, sun: SunHours, rules: RowRules, share: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Light of a year by row and by hour, each of shape (n, 3).

    Beam, beam lost to shade and diffuse light of each row; incidence, incidence after shade and visible sky of each hour.
    """
    seen = sun.incidence > LEAST_INCIDENCE
    beam = np.where(seen, sun.beam_kw / np.where(seen, sun.incidence, 1.0), 0.0)
    sky = sun.sky_kw / np.maximum(sun.sky, 1e-9)
    by_row, by_hour = np.zeros((len(field.start), 3)), np.zeros((len(beam), 3))
    day = np.flatnonzero((sun.beam_kw > 0) | (sun.sky_kw > 0))
    place, lost = _lost(field, sun, rules, day)
    cos_slope = 1.0 / np.hypot(1.0, field.slope)
    for k in range(0, len(day), HOURS_AT_ONCE):
        part = day[k : k + HOURS_AT_ONCE]
        toward = sun_in_rows(field.azimuth_deg, sun.zenith_deg[part], sun.azimuth_deg[part])
        turned = _rotations(field, toward, rules)
        incidence = incidences(field, toward, turned)
        seen_sky = 0.5 * (1.0 + turned[0] * cos_slope)
        by_hour[part, 0] = incidence @ share
        by_row[:, 0] += beam[part] @ incidence
        incidence *= lost[place[k : k + HOURS_AT_ONCE]]
        by_hour[part, 1] = by_hour[part, 0] - incidence @ share
        by_row[:, 1] += beam[part] @ incidence
        by_hour[part, 2] = seen_sky @ share
        by_row[:, 2] += sky[part] @ seen_sky
    return by_row, by_hour


def _lost(field: RowField, sun: SunHours, rules: RowRules, day: IntArray) -> tuple[IntArray, FloatArray]:
    """Sun position of each hour of daylight, and the shade loss there.

    The loss is the share of the beam's power that each row loses.

    Parameters
    ----------
    field : RowField
        Rows.
    sun : SunHours
        Hours of a year.
    rules : RowRules
        How rows turn.
    day : ndarray of int
        Hours of daylight.
    """
    zenith, azimuth = sun.zenith_deg[day], sun.azimuth_deg[day]
    squares = np.stack([np.floor(zenith / SAME_SUN_DEG), np.floor(azimuth / SAME_SUN_DEG)], axis=1)
    _, place = np.unique(squares, axis=0, return_inverse=True)
    place = place.ravel()
    weight = sun.beam_kw[day] + 1e-9
    total = np.bincount(place, weight)
    toward = sun_in_rows(
        field.azimuth_deg, np.bincount(place, weight * zenith) / total, np.bincount(place, weight * azimuth) / total
    )
    turned = _rotations(field, toward, rules)
    lost: FloatArray = lost_to_shade(
        field_arrays(field), toward, turned, (rules.blocks.blocks, rules.blocks.cells), PIECES
    )
    return place, lost


def incidences(field: RowField, toward: FloatArray, turned: Turned) -> FloatArray:
    """Cosine of the angle between the sun and each row, 0 behind it, shape (hours, rows).

    Parameters
    ----------
    field : RowField
        Rows.
    toward : ndarray, shape (hours, 3)
        Unit vectors to the sun: across, along, up.
    turned : (ndarray, ndarray)
        Cosine and sine of right-handed rotations about the rows, shape (hours, rows or 1).
    """
    raised = (toward[:, 2:] - toward[:, 1:2] * field.slope) / np.hypot(1.0, field.slope)
    cosine: FloatArray = np.maximum(turned[0] * raised + turned[1] * toward[:, :1], 0.0)
    return cosine


def field_arrays(field: RowField) -> FieldArrays:
    """Rows of a field, as kernels take them."""
    return FieldArrays(
        field.start, field.end, field.across, field.heights, field.collector_m, field.offset_m,
        field.first, field.neighbour, field.line,
    )  # fmt: skip


def _rotations(field: RowField, toward: FloatArray, rules: RowRules) -> Turned:
    """Cosine and sine of the rotation of each row, or of all, in each hour.

    Parameters
    ----------
    field : RowField
        Rows.
    toward : ndarray, shape (hours, 3)
        Unit vectors to the sun: across, along, up.
    rules : RowRules
        How rows turn.
    """
    if rules.mounting == "tracker" and rules.backtracking == "terrain":
        return terrain_backtracking(field, toward, rules.max_deg)
    if rules.mounting == "tracker":
        rotation = level_backtracking(toward, field.gcr, rules.max_deg)
    else:
        south = math.sin(math.radians(field.azimuth_deg)) >= 0
        facing = 1.0 if south == (rules.lat >= 0) else -1.0
        rotation = np.full(len(toward), facing * rules.tilt_deg)
    angle = np.radians(rotation)[:, None]
    return np.cos(angle), np.sin(angle)


def terrain_backtracking(field: RowField, toward: FloatArray, max_deg: float) -> Turned:
    """Cosine and sine of rotations of trackers that backtrack for their own neighbours.

    Each tracker turns back from the sun for the closer of its two neighbours, at the heights straight across. It and a
    neighbour that does the same then just touch, wherever both stand, as far as their tubes are parallel. Where slopes
    along the tubes differ, some shade is left at low sun, and it is counted.

    Parameters
    ----------
    field : RowField
        Rows.
    toward : ndarray, shape (hours, 3)
        Unit vectors to the sun: across, along, up.
    max_deg : float
        Largest rotation [°].
    """
    found: Turned = backtracked(field_arrays(field), toward, math.radians(max_deg), PIECES)
    return found


def shaded_share(field: RowField, toward: FloatArray, turned: Turned) -> FloatArray:
    """Share of each row's width in shade, shape (hours, rows).

    Parameters
    ----------
    field : RowField
        Rows.
    toward : ndarray, shape (hours, 3)
        Unit vectors to the sun: across, along, up.
    turned : (ndarray, ndarray)
        Cosine and sine of right-handed rotations about the rows, shape (hours, rows or 1).

    Examples
    --------
    >>> toward = sun_in_rows(field.azimuth_deg, zenith, azimuth)                # doctest: +SKIP
    >>> shaded_share(field, toward, terrain_backtracking(field, toward, 60.0))  # doctest: +SKIP
    """
    found: FloatArray = lost_to_shade(field_arrays(field), toward, turned, (1, 1), PIECES)
    return found


def level_backtracking(toward: FloatArray, gcr: float, max_deg: float) -> FloatArray:
    """Rotation of trackers on level ground that keeps rows out of shade [°].

    Parameters
    ----------
    toward : ndarray, shape (hours, 3)
        Unit vectors to the sun: across, along, up.
    gcr : float
        Ground coverage ratio [-].
    max_deg : float
        Largest rotation [°].

    References
    ----------
    Anderson & Mikofski (2020), "Slope-aware backtracking for single-axis trackers", equation 14,
    https://doi.org/10.2172/1660126
    """
    true = np.arctan2(toward[:, 0], toward[:, 2])
    turn = np.arccos(np.minimum(np.abs(np.cos(true)) / gcr, 1.0))
    rotation: FloatArray = np.clip(np.degrees(true - np.sign(true) * turn), -max_deg, max_deg)
    return rotation


def sun_in_rows(azimuth_deg: float, zenith_deg: FloatArray, sun_azimuth_deg: FloatArray) -> FloatArray:
    """Unit vectors to the sun in the frame of rows: across, along, up.

    Parameters
    ----------
    azimuth_deg : float
        Direction of the rows, clockwise from grid north [°].
    zenith_deg, sun_azimuth_deg : ndarray, shape (hours,)
        Position of the sun, clockwise from grid north [°].
    """
    turned, zenith = np.radians(sun_azimuth_deg - azimuth_deg), np.radians(zenith_deg)
    return np.stack([np.sin(zenith) * np.sin(turned), np.sin(zenith) * np.cos(turned), np.cos(zenith)], axis=1)
