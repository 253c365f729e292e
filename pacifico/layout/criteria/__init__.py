"""Criteria of a layout: what to build, by which rules and objective."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "asset_types": ["AssetType", "asset_type"],
        "capacities": ["Capacities", "requested_capacities"],
        "racking": ["RackingCriteria", "racking_criteria", "with_racking"],
        "setbacks": ["EdgeSetback", "edge_setbacks", "set_back"],
        "spec": ["Spec", "catalog", "make_spec", "read_spec"],
        "strategies": ["POLICIES", "StrategyPolicy"],
    },
)
