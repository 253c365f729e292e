"""Site and spec in a turned frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.frozen import thawed
from pacifico.layout.criteria.setbacks import edge_indices, edges_of
from pacifico.layout.criteria.spec import Spec, make_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.criteria.setbacks import Edges, EdgeSetback
    from pacifico.layout.orientation.frame import TurnedFrame
    from pacifico.site.model import Site, Zone

WIND_RULE = ("wind_turbine", "wind_from_deg")
SETBACKS_RULE = ("site", "setbacks")
"""Rules that name directions: they are turned with the site."""


def turned_zone(zone: Zone, frame: TurnedFrame) -> Zone:
    """Zone in a frame."""
    return replace(zone, geometry=frame.input(zone.geometry))


def turned_site(site: Site, frame: TurnedFrame) -> Site:
    """Site in a frame; it keeps its true area."""
    return replace(
        site,
        boundary=frame.input(site.boundary),
        exclusions=tuple(turned_zone(z, frame) for z in site.exclusions),
        anchors=tuple(replace(a, point=frame.input(a.point)) for a in site.anchors),
        lines=tuple(replace(n, line=frame.input(n.line)) for n in site.lines),
        true_area_ha=site.area_ha,
    )


def turned_spec(spec: Spec, frame: TurnedFrame, site: Site) -> Spec:
    """Spec in a frame: the wind's direction and the edges of setbacks turn with the site.

    Parameters
    ----------
    spec : Spec
        Rules on the map.
    frame : TurnedFrame
        Frame of the layout.
    site : Site
        Site on the map.

    Raises
    ------
    InputError
        A setback names an edge that isn't there.
    """
    turned = spec.with_rules(WIND_RULE[0], {WIND_RULE[1]: frame.bearing(spec.number(*WIND_RULE))})
    if spec.setbacks:
        turned = turned.with_rules(SETBACKS_RULE[0], {SETBACKS_RULE[1]: _by_number(spec.setbacks, frame, site)})
    return turned


def restored_spec(spec: Spec, given: Spec) -> Spec:
    """Spec of a plan on the map: directions are those of the given spec.

    Parameters
    ----------
    spec : Spec
        Rules of the plan in the frame.
    given : Spec
        Rules on the map that the layout was made with.
    """
    overrides: dict[str, dict[str, Any]] = {s: dict(thawed(rules)) for s, rules in spec.overrides.items()}
    for section, rule in (WIND_RULE, SETBACKS_RULE):
        own = given.overrides.get(section, {})
        if rule in own:
            overrides.setdefault(section, {})[rule] = thawed(own[rule])
        elif section in overrides:
            overrides[section].pop(rule, None)
            if not overrides[section] and section not in given.overrides:
                del overrides[section]
    return make_spec(overrides)


def _by_number(setbacks: Sequence[EdgeSetback], frame: TurnedFrame, site: Site) -> list[dict[str, Any]]:
    """Setbacks that name edges of the turned boundary by their numbers.

    Parameters
    ----------
    setbacks : sequence of EdgeSetback
        Setbacks by sides, numbers or lines of the site on the map.
    frame : TurnedFrame
        Frame of the layout.
    site : Site
        Site on the map.
    """
    before, after = edges_of(site.boundary), edges_of(frame.input(site.boundary))
    number = _numbers(before, after, frame)
    return [
        {
            "edges": [int(number[k]) for edge in entry.edges for k in edge_indices(edge, before, site.lines)],
            "setback_m": entry.setback_m,
        }
        for entry in setbacks
    ]


def _numbers(before: Edges, after: Edges, frame: TurnedFrame) -> Sequence[int]:
    """Number in the frame of each edge on the map."""
    turned = frame.turned(before.ends.mean(axis=1))
    middles = after.ends.mean(axis=1)
    return [1 + int(np.argmin(np.hypot(*(middles - m).T))) for m in turned]
