"""Records that pass between the kernel and its processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from pacifico.explorer.state.document import EditStep
    from pacifico.layout.criteria.design import Design
    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Site, Zone


MOST_SITES = 3
"""Most sites whose terrain a process keeps; the one that was added first is forgotten, at both ends alike."""


@dataclass(frozen=True, eq=False)
class Terrain:
    """Site and DEM of a map, with the key by which processes keep them."""

    key: str
    site: Site
    dem: xr.DataArray


@dataclass(frozen=True)
class LayoutRequest:
    """Layout to make, and edits to make on it."""

    design: Design
    exclusions: tuple[Zone, ...]
    edits: tuple[EditStep, ...] = ()


@dataclass(frozen=True)
class FirstPicture:
    """Draft of a layout; roads and the search for a better one are still to come."""

    features: tuple[dict[str, Any], ...]
    """Boundary, exclusions and assets as GeoJSON features."""
    capacity_kw: float
    """Capacity of the draft, before roads take some of it [kW]."""
    asset_count: int


@dataclass(frozen=True)
class Refusal:
    """Edit that could not be made."""

    position: int
    """Position among the edits."""
    words: str
    """The edit in a few words."""
    reason: str
    """Why, in one line."""


@dataclass(frozen=True)
class Offer:
    """What would help a refused edit."""

    words: str
    """What its button says."""
    edits: tuple[EditStep, ...]
    """Edits to make instead."""
    rule: tuple[str, str, float] | None = None
    """Catalog value to change first: section, rule and value."""


@dataclass(frozen=True)
class Outcome:
    """Layout on the map."""

    plan: Plan
    layout: Mapping[str, Any]
    """Content of its layout.geojson."""
    picture: str
    """SVG of the layout."""
    refused: tuple[Refusal, ...] = ()
    """Edits that could not be made again."""


@dataclass(frozen=True)
class DepthImage:
    """Depth of cut and fill under arrays, as an image of the map."""

    url: str
    """PNG as a data URI."""
    bounds: tuple[tuple[float, float], tuple[float, float]]
    """South-west and north-east corner, latitude first [°]."""


@dataclass(frozen=True)
class RackingView:
    """Rows, graded ground and their numbers, as the map shows them."""

    rows: tuple[dict[str, Any], ...] | None
    """Rows as GeoJSON features, one for each class of reveal; None where they are too many to draw."""
    outlines: tuple[dict[str, Any], ...]
    """Arrays that can't be graded, as GeoJSON features."""
    depth: DepthImage | None
    """Graded depth; None without graded ground."""
    window_m: tuple[float, float]
    """Least and greatest reveal [m]."""
    metrics: Mapping[str, Any]
    """Metrics of the racking design."""
    left_out: int
    """Arrays left out because they can't be graded."""
    left_out_kw: float
    """Capacity left out with them [kW]."""
    kept_beyond: int
    """Arrays beyond the racking's limits that an edited plan keeps."""
