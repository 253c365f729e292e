"""Tag of a clip: what GeoTIFF can't store exactly.

Whoever sends a report may have written its tag, so everything in it is checked. The tag must also fit the cells beside it:
tools that crop or edit a raster copy its tags.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from pacifico.errors import DEMError
from pacifico.terrain.raster.window import RasterWindow, window_digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.terrain.raster.window import Affine6

TAG = "PACIFICO_CLIP"
VERSION = 1
"""Version of the tag's content."""
MOST_BYTES = 500_000
"""Longest tag that is read: a long WKT has some ten thousand bytes."""
MOST_WARNINGS = 100
MOST_TEXT = 4_000
"""Longest name or warning."""
_REMEDY = "remove the tag to open the file as an ordinary DEM: gdal_edit.py -unsetmd"


@dataclass(frozen=True)
class ClipTag:
    """Content of the tag."""

    version: int
    source: str
    transform: Affine6
    crs_wkt: str
    band_unit: str | None
    declared_nodata: bool
    raster_shape: tuple[int, int]
    raster_transform: Affine6
    warnings: tuple[str, ...]
    sha256: str
    surface_model: bool = False

    @classmethod
    def of(cls, window: RasterWindow, source: str) -> ClipTag:
        """Tag of a window of a source."""
        return cls(
            version=VERSION,
            source=source,
            transform=window.transform,
            crs_wkt=window.crs.to_wkt(),
            band_unit=window.band_unit,
            declared_nodata=window.declared_nodata,
            raster_shape=window.raster_shape,
            raster_transform=window.raster_transform,
            warnings=window.warnings,
            sha256=window.sha256,
            surface_model=window.surface_model,
        )

    @classmethod
    def parse(cls, text: str, name: str) -> ClipTag:
        """Read a tag strictly.

        Parameters
        ----------
        text : str
            The tag.
        name : str
            Of its file, for messages.

        Raises
        ------
        DEMError
            It is too long, of another version, or not what `of` writes.
        """
        if len(text) > MOST_BYTES:
            raise DEMError(f"{name}: its tag {TAG} has more than {MOST_BYTES:,} characters, the limit; {_REMEDY}")
        try:
            content: Any = json.loads(text)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise DEMError(f"{name}: its tag {TAG} is not JSON that pacifico wrote; {_REMEDY}")
        if (version := content.get("version")) != VERSION or isinstance(version, bool):
            raise DEMError(f"{name} is a clip of version {str(version)[:20]}; this pacifico reads {VERSION}")
        known = {field.name for field in fields(cls)}
        wrong = sorted({*content} - known | {key for key in known if not _is_valid(key, content.get(key, False))})
        if wrong:
            raise DEMError(f"{name}: '{wrong[0][:40]}' of its tag {TAG} is not what pacifico writes; {_REMEDY}")
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in content.items()
        }
        return cls(**values)

    def to_json(self) -> str:
        """Text of the tag."""
        return json.dumps(asdict(self))

    def window(self, values: NDArray[Any], place: Affine6, name: str) -> RasterWindow:
        """Cells as they were read from the source.

        Parameters
        ----------
        values : ndarray
            Cells of the clip.
        place : Affine6
            Affine coefficients of the file.
        name : str
            Of its file, for messages.

        Raises
        ------
        DEMError
            The cells or their place are not those that the tag belongs to.
        """
        a, b, _, d, e, _ = self.transform
        cell = math.sqrt(abs(a * e - b * d))
        is_same_place = cell > 0 and np.allclose(place, self.transform, rtol=1e-12, atol=1e-6 * cell)
        if not is_same_place or window_digest(values, self.band_unit, self.transform, self.crs_wkt) != self.sha256:
            raise DEMError(
                f"{name} was changed after pacifico wrote it: its tag {TAG} belongs to other cells; {_REMEDY}"
            )
        try:
            crs = CRS.from_wkt(self.crs_wkt)
        except CRSError:
            raise DEMError(f"{name}: the CRS of its tag {TAG} is not known; {_REMEDY}") from None
        return RasterWindow(
            values,
            self.transform,
            crs,
            self.band_unit,
            self.declared_nodata,
            self.raster_shape,
            self.raster_transform,
            self.warnings,
            surface_model=self.surface_model,
        )


def _is_valid(key: str, value: Any) -> bool:
    """Whether a member of the tag has its kind and size."""
    match key:
        case "version":
            return True
        case "source":
            return isinstance(value, str) and 0 < len(value) <= MOST_TEXT
        case "crs_wkt":
            return isinstance(value, str) and len(value) > 0
        case "band_unit":
            return value is None or (isinstance(value, str) and len(value) <= MOST_TEXT)
        case "declared_nodata" | "surface_model":
            return isinstance(value, bool)
        case "sha256":
            return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None
        case "warnings":
            is_short = isinstance(value, list) and len(value) <= MOST_WARNINGS
            return is_short and all(isinstance(v, str) and len(v) <= MOST_TEXT for v in value)
        case "raster_shape":
            return isinstance(value, list) and len(value) == 2 and all(type(v) is int and 0 < v < 2**31 for v in value)
    return (
        isinstance(value, list)
        and len(value) == 6
        and all(type(v) in (int, float) and abs(v) < 1e15 and math.isfinite(v) for v in value)
    )
