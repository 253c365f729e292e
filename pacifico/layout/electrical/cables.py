"""Collection cables: medium-voltage feeders from skids, batteries, generators and turbines to their substation.

A cable along a road is drawn on the road's centreline: its trench is dug in the verge, inside the strip that is clear
anyway. Cables that run together share one trench. Low-voltage and DC cables within arrays are not drawn.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from shapely import LineString

from pacifico.layout.criteria.asset_types import POWER_FACTOR, feeder_mva
from pacifico.layout.electrical.feeders import make_feeders
from pacifico.layout.electrical.trenches import find_trenches
from pacifico.layout.model.cables import Cable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.electrical.feeders import Feeder
    from pacifico.layout.electrical.trenches import Trenches
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Asset, Item
    from pacifico.layout.model.roads import Road
    from pacifico.site.model import Zone

SOURCES = ("inverter_skid", "battery", "generator", "gas_turbine", "wind_turbine")
"""What feeds medium voltage; cooling and control centre are supplied at low voltage from their block."""


@dataclass(frozen=True)
class Collection:
    """All collection cables of a plan."""

    cables: tuple[Cable, ...] = ()
    trench_length_m: float = 0.0
    """Trenches with one cable or more, each metre once."""
    road_trench_length_m: float = 0.0
    """Part of it along roads."""
    warnings: tuple[str, ...] = ()

    @property
    def length_m(self) -> float:
        """Of all cables, in plan."""
        return sum(c.length_m for c in self.cables)

    @property
    def metrics(self) -> dict[str, float]:
        """Lengths in plan [m]."""
        return {"cable_length_m": round(self.length_m, 2), "trench_length_m": round(self.trench_length_m, 2)}


def route_cables(
    field: Field, assets: Sequence[Asset], roads: Sequence[Road], *, spec: Spec, cost_zones: Sequence[Zone] = ()
) -> Collection:
    """Collection cables of a layout.

    Each source is joined to the substation that is nearest through legal trenches and has room, on a feeder that it shares
    with others up to the feeder's rating. A trench keeps clear of footprints, exclusions, the boundary and nodata.

    Parameters
    ----------
    field : Field
        The site.
    assets : sequence of Asset
    roads : sequence of Road
    spec : Spec
        Section ``cable``.
    cost_zones : sequence of Zone
        Ground that is dearer to cross.

    Returns
    -------
    Collection
        What can't be joined is named in its warnings.
    """
    sources = [a for a in assets if a.item.kind in SOURCES]
    stations = [a for a in assets if a.item.kind == "substation"]
    if not sources:
        return Collection()
    if not stations:
        return Collection(warnings=("no substation stands: collection cables are not routed",))
    rating = feeder_mva(spec)
    trenches = find_trenches(
        field,
        np.array([a.item.rect for a in assets]),
        np.array([a.item.rect for a in (*sources, *stations)]),
        [r.line for r in roads],
        own_trench_factor=spec.number("cable", "own_trench_factor"),
        cost_zones=cost_zones,
    )
    load = loads_mva([a.item for a in assets])
    mva = np.array([load[a.item] for a in sources])
    # a source beyond one feeder's rating has parallel circuits of its own
    circuits = np.maximum(np.ceil(mva / rating - 1e-9), 1.0).astype(np.int64)
    alone = np.flatnonzero(circuits > 1)
    nodes, n = trenches.terminal, len(sources)
    feeders, lost = make_feeders(
        trenches,
        nodes[:n],
        np.where(circuits > 1, rating, mva),
        nodes[n:],
        np.array([a.item.rating_kva / 1e3 for a in stations]),
        feeder_mva=rating,
    )
    cables = _cables(trenches, feeders, sources, stations, mva, dict(zip(alone.tolist(), circuits[alone].tolist(), strict=True)), spec)  # fmt: skip
    used = _used(trenches, feeders)
    stubs = _stub_length(trenches, feeders, n)
    return Collection(
        cables,
        float(trenches.length[used].sum()) + stubs,
        float(trenches.length[used & trenches.on_road].sum()),
        _warnings(sources, lost),
    )


def loads_mva(items: Sequence[Item]) -> dict[Item, float]:
    """Apparent power that each source feeds in [MVA]: a skid that of its arrays, within its rating."""
    block: Counter[int] = Counter()
    for item in items:
        if item.kind == "solar_array":
            block[item.block] += item.capacity_kw  # type: ignore[assignment]  # a Counter adds floats as well
    out = {}
    for item in items:
        if item.kind not in SOURCES:
            continue
        kw = block[item.block] if item.kind == "inverter_skid" else max(item.capacity_kw, item.storage_kw)
        mva = kw / POWER_FACTOR / 1e3
        out[item] = min(mva, item.rating_kva / 1e3) if item.rating_kva else mva
    return out


def _cables(
    trenches: Trenches,
    feeders: Sequence[Feeder],
    sources: Sequence[Asset],
    stations: Sequence[Asset],
    mva: NDArray[np.float64],
    parallel: Mapping[int, int],
    spec: Spec,
) -> tuple[Cable, ...]:
    """Cables with their names and lines, feeder by feeder."""
    kv = spec.number("cable", "voltage_kv")
    out = []
    number = 0
    for feeder in feeders:
        carried = np.cumsum([mva[h.source] for h in feeder.hops][::-1])[::-1]
        for circuit in range(parallel.get(feeder.hops[0].source, 1)):
            del circuit
            number += 1
            for k, hop in enumerate(feeder.hops, 1):
                to = len(sources) + feeder.substation if hop.target < 0 else hop.target
                line = _line(trenches, hop.nodes, hop.source, to)
                edges = trenches.edges_of(hop.nodes)
                along = float(trenches.length[edges][trenches.on_road[edges]].sum())
                target = stations[feeder.substation] if hop.target < 0 else sources[hop.target]
                out.append(
                    Cable(
                        f"F{number:02d}-{k:02d}",
                        sources[hop.source].asset_id,
                        target.asset_id,
                        kv,
                        line,
                        bool(along > line.length / 2),
                        float(carried[k - 1]) / parallel.get(hop.source, 1),
                    )
                )
    return tuple(out)


def _line(trenches: Trenches, nodes: Sequence[int], start: int, end: int) -> LineString:
    """Line of a cable, stubs included; cables that share a trench share its vertices."""
    xy = np.concatenate([trenches.at_edge[[start]], trenches.xy[list(nodes)], trenches.at_edge[[end]]])
    return LineString(xy[np.concatenate([[True], np.hypot(*np.diff(xy, axis=0).T) > 1e-6])])


def _used(trenches: Trenches, feeders: Sequence[Feeder]) -> NDArray[np.bool_]:
    """Edges of the graph with a cable in them."""
    used = np.zeros(len(trenches.a), bool)
    for feeder in feeders:
        for hop in feeder.hops:
            used[trenches.edges_of(hop.nodes)] = True
    return used


def _stub_length(trenches: Trenches, feeders: Sequence[Feeder], first_station: int) -> float:
    """Of the stubs from footprints to terminals, each once."""
    ends = {h.source for f in feeders for h in f.hops} | {first_station + f.substation for f in feeders}
    at = np.array(sorted(ends), dtype=np.int64)
    if not at.size:
        return 0.0
    return float(np.hypot(*(trenches.xy[trenches.terminal[at]] - trenches.at_edge[at]).T).sum())


def _warnings(sources: Sequence[Asset], lost: Sequence[int]) -> tuple[str, ...]:
    if not lost:
        return ()
    kinds = Counter(sources[i].item.kind for i in lost)
    said = ", ".join(f"{n} x {kind}" for kind, n in sorted(kinds.items()))
    return (f"no legal cable trench joins {said} to a substation: their cables are not in the layout",)
