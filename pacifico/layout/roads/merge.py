"""Merge road networks of separate areas into one record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pacifico.layout.model.roads import Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.model.roads import Road


def merge_networks(networks: Sequence[Network]) -> Network:
    """Network of several that don't meet.

    Its entry is the first network's that has one, the others follow.
    """
    if len(networks) == 1:
        return networks[0]
    roads: list[Road] = []
    served: dict[int, str] = {}
    for network in networks:
        names = {r.road_id: f"R{len(roads) + n:03d}" for n, r in enumerate(network.roads, 1)}
        roads += [replace(r, road_id=names[r.road_id]) for r in network.roads]
        served |= {k: names[road_id] for k, road_id in network.served.items()}
    with_roads = [n for n in networks if n.roads] or list(networks)
    entries = [e for n in with_roads if n.entry is not None for e in (n.entry, *n.further_entries)]
    return Network(
        tuple(roads),
        entries[0] if entries else None,
        dict(sorted(served.items())),
        {k: why for n in networks for k, why in n.unreached.items()},
        tuple(dict.fromkeys(w for n in networks for w in n.warnings)),
        {k: units for n in networks for k, units in n.removed_units.items()},
        tuple(entries[1:]),
    )
