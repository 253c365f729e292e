"""Collection cables: medium-voltage feeders from sources to a substation.

A cable along a road is drawn on the road's centreline; its trench is dug in the verge, inside the clear strip. Cables
that run together share one trench. Low-voltage and DC cables within arrays are not drawn.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from shapely import LineString

from pacifico.layout.criteria.asset_types import POWER_FACTOR, feeder_mva
from pacifico.layout.criteria.crossings import crossing_criteria
from pacifico.layout.electrical.feeders import make_feeders
from pacifico.layout.electrical.trenches import Bores, trench_graph
from pacifico.layout.ground.crossings import NO_LINES
from pacifico.layout.model.cables import Cable
from pacifico.layout.model.roads import DEFAULT_CRITERIA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.electrical.feeders import Feeder, Hop
    from pacifico.layout.electrical.trenches import TrenchGraph
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Asset, Item
    from pacifico.layout.model.roads import Road
    from pacifico.site.model import Zone

SOURCES = ("inverter_skid", "battery", "generator", "gas_turbine", "wind_turbine")
"""Asset types that feed medium voltage; cooling and control centre have low voltage from their block."""


@dataclass(frozen=True)
class Collection:
    """Collection cables of a plan, with their trenches."""

    cables: tuple[Cable, ...] = ()
    trench_length_m: float = 0.0
    """Length of trenches, each metre once however many cables share it [m]."""
    road_trench_length_m: float = 0.0
    """Part of it along roads [m]."""
    warnings: tuple[str, ...] = ()

    @property
    def length_m(self) -> float:
        """Length of all cables in plan [m]."""
        return sum(c.length_m for c in self.cables)

    @property
    def metrics(self) -> dict[str, float]:
        """Lengths in plan, for the metrics of a layout [m]."""
        return {"cable_length_m": round(self.length_m, 2), "trench_length_m": round(self.trench_length_m, 2)}


def route_cables(
    field: Field, assets: Sequence[Asset], roads: Sequence[Road], *, spec: Spec, cost_zones: Sequence[Zone] = ()
) -> Collection:
    """Route the collection cables of a layout.

    Each source is connected to the nearest substation with capacity left. Sources share feeders up to a feeder's
    rating. Trenches keep clear of footprints, exclusions, the boundary and nodata.

    Parameters
    ----------
    field : Field
        Allowed ground and heights.
    assets : sequence of Asset
        All placed assets.
    roads : sequence of Road
        Roads that trenches may follow.
    spec : Spec
        Section ``cable``.
    cost_zones : sequence of Zone
        Ground that is more expensive to cross.

    Returns
    -------
    Collection
        Its warnings name sources that can't be connected.
    """
    sources = [a for a in assets if a.item.kind in SOURCES]
    stations = [a for a in assets if a.item.kind == "substation"]
    if not sources:
        return Collection()
    if not stations:
        return Collection(warnings=("no substation stands: collection cables are not routed",))
    rating = feeder_mva(spec)
    trenches = trench_graph(
        field,
        np.array([a.item.rect for a in assets]),
        np.array([a.item.rect for a in (*sources, *stations)]),
        [r.line for r in roads],
        own_trench_factor=spec.number("cable", "own_trench_factor"),
        cost_zones=cost_zones,
        bores=_bores(field, assets, spec),
    )
    load = loads_mva([a.item for a in assets])
    mva = np.array([load[a.item] for a in sources])
    # a source above one feeder's rating has parallel circuits of its own
    circuits = np.maximum(np.ceil(mva / rating - 1e-9), 1.0).astype(np.int64)
    plant = _Plant(trenches, sources, stations, mva, circuits)
    feeders, unconnected = plant.feeders(rating)
    used = _used_edges(trenches, feeders)
    return Collection(
        plant.cables(feeders, spec.number("cable", "voltage_kv")),
        float(trenches.length[used].sum()) + plant.stub_length_m(feeders),
        float(trenches.length[used & trenches.on_road].sum()),
        _warnings([sources[i] for i in unconnected]),
    )


def _bores(field: Field, assets: Sequence[Asset], spec: Spec) -> Bores:
    """Places where cables may be bored below barriers."""
    if not field.barriers:
        return Bores(NO_LINES, 1.0)
    clearance_m = spec.number("road", "width_m") / 2 + DEFAULT_CRITERIA.clearance_m
    crossings = field.crossings(crossing_criteria(spec), clearance_m)
    bore, trench = spec.number("costs", "bore"), spec.number("costs", "mv_trench")
    return Bores(crossings.clear_of([a.footprint for a in assets]), (bore + trench) / max(trench, 1e-9))


def loads_mva(items: Sequence[Item]) -> dict[Item, float]:
    """Apparent power of each source, within its rating [MVA]."""
    block_kw: Counter[int] = Counter()
    for item in items:
        if item.kind == "solar_array":
            block_kw[item.block] += item.capacity_kw  # type: ignore[assignment]  # a Counter adds floats too
    out = {}
    for item in items:
        if item.kind not in SOURCES:
            continue
        kw = block_kw[item.block] if item.kind == "inverter_skid" else max(item.capacity_kw, item.storage_kw)
        mva = kw / POWER_FACTOR / 1e3
        out[item] = min(mva, item.rating_kva / 1e3) if item.rating_kva else mva
    return out


@dataclass(frozen=True)
class _Plant:
    """Sources and substations at the terminals of a trench graph."""

    trenches: TrenchGraph
    sources: Sequence[Asset]
    stations: Sequence[Asset]
    mva: FloatArray
    """Load of each source [MVA]."""
    circuits: IntArray
    """Parallel circuits of each source."""

    def feeders(self, rating_mva: float) -> tuple[list[Feeder], list[int]]:
        """Feeders within a rating [MVA], and sources that no trench connects."""
        nodes, n = self.trenches.terminal, len(self.sources)
        return make_feeders(
            self.trenches,
            nodes[:n],
            np.where(self.circuits > 1, rating_mva, self.mva),
            nodes[n:],
            np.array([a.item.rating_kva / 1e3 for a in self.stations]),
            feeder_mva=rating_mva,
        )

    def cables(self, feeders: Sequence[Feeder], voltage_kv: float) -> tuple[Cable, ...]:
        """Cables of all feeders, numbered by feeder and position."""
        cables: list[Cable] = []
        number = 0
        for feeder in feeders:
            carried = np.cumsum([self.mva[h.source] for h in feeder.hops][::-1])[::-1]
            for _ in range(self.circuits[feeder.hops[0].source]):
                number += 1
                for k, hop in enumerate(feeder.hops):
                    line = self._line(feeder, hop)
                    source = self.sources[hop.source]
                    target = self.stations[feeder.substation] if hop.target < 0 else self.sources[hop.target]
                    cables.append(
                        Cable(
                            f"F{number:02d}-{k + 1:02d}",
                            source.asset_id,
                            target.asset_id,
                            voltage_kv,
                            line,
                            self._road_length_m(hop) > line.length / 2,
                            float(carried[k]) / int(self.circuits[hop.source]),
                        )
                    )
        return tuple(cables)

    def _line(self, feeder: Feeder, hop: Hop) -> LineString:
        """Line of a cable with its stubs at both ends."""
        end = len(self.sources) + feeder.substation if hop.target < 0 else hop.target
        stubs = self.trenches.stub_start
        xy = np.concatenate([stubs[[hop.source]], self.trenches.xy[list(hop.nodes)], stubs[[end]]])
        return LineString(xy[np.concatenate([[True], np.hypot(*np.diff(xy, axis=0).T) > 1e-6])])

    def _road_length_m(self, hop: Hop) -> float:
        """Length of a cable along roads [m]."""
        edges = self.trenches.edges_of(hop.nodes)
        return float(self.trenches.length[edges][self.trenches.on_road[edges]].sum())

    def stub_length_m(self, feeders: Sequence[Feeder]) -> float:
        """Length of the stubs from footprints to terminals, each once [m]."""
        first_station = len(self.sources)
        ends = {h.source for f in feeders for h in f.hops} | {first_station + f.substation for f in feeders}
        at = np.array(sorted(ends), dtype=np.int64)
        if not at.size:
            return 0.0
        trenches = self.trenches
        return float(np.hypot(*(trenches.xy[trenches.terminal[at]] - trenches.stub_start[at]).T).sum())


def _used_edges(trenches: TrenchGraph, feeders: Sequence[Feeder]) -> BoolArray:
    """Whether each edge of the graph has a cable."""
    used = np.zeros(len(trenches.a), bool)
    for feeder in feeders:
        for hop in feeder.hops:
            used[trenches.edges_of(hop.nodes)] = True
    return used


def _warnings(unconnected: Sequence[Asset]) -> tuple[str, ...]:
    """Warning about sources that no trench connects."""
    if not unconnected:
        return ()
    kinds = Counter(a.item.kind for a in unconnected)
    listed = ", ".join(f"{n} x {kind}" for kind, n in sorted(kinds.items()))
    return (f"no legal cable trench joins {listed} to a substation: their cables are not in the layout",)
