"""Elevation of a site: DEMs read and checked, slope and other products, DEM error."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "dem": ["level_ground", "open_dem"],
        "ground_checks": ["level_patches"],
        "horizon": ["horizon_deg"],
        "products": ["write_terrain"],
        "surface": ["aspect", "curvature", "hillshade", "roughness", "slope"],
        "uncertainty": ["dem_error"],
    },
)
