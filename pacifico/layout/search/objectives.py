"""Objective value of each strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.earthwork.corridors import corridors
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.placement.draft import capacity_of
from pacifico.layout.placement.seed_area import surroundings_ha

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.spec import Profile, Spec, Strategy
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Item
    from pacifico.layout.search.problem import DesignProblem


def surroundings_per_kw(items: Sequence[Item], profile: Profile) -> float:
    """Surroundings of the plant per kilowatt [ha/kW]."""
    kw = capacity_of(items, profile)
    return surroundings_ha(items) / kw if kw > 0 else np.inf


def earthwork_m3(field: Field, served: ServedLayout, spec: Spec) -> float:
    """Cut and fill of pads and roads [m³]."""
    roads = served.network.roads
    volumes = corridors(
        field.ground, [r.line for r in roads], [r.width_m for r in roads], criteria=earthwork_criteria(spec)
    )
    pads = sum(p.cut_m3 + p.fill_m3 for p in served.pads if p is not None)
    return pads + sum(v.cut_m3 + v.fill_m3 for v in volumes)


def objective_value(problem: DesignProblem, served: ServedLayout, strategy: Strategy) -> float:
    """Objective value of a layout under a strategy; lower is better.

    Surroundings [ha/kW], cut and fill [m³], road length [m]; for balanced the product of surroundings, root of road and
    fourth root of earthwork.
    """
    if strategy == "density":
        return surroundings_per_kw(served.items, problem.profile)
    if strategy == "clustered":
        return served.network.length_m
    earth = earthwork_m3(problem.field, served, problem.spec)
    if strategy == "low_earthwork":
        return earth
    return float(surroundings_ha(served.items) * np.sqrt(served.network.length_m) * np.sqrt(np.sqrt(earth)))
