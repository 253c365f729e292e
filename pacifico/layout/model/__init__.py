"""Records of a layout: assets, pads, roads, cables, bill, edits, land, levers and the plan."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "assets": ["Asset", "Item", "Pad", "Unplaced"],
        "bill": ["Bill", "Line"],
        "cables": ["Cable"],
        "earthwork": ["CorridorVolumes", "PadPlane"],
        "edits": ["Edit"],
        "land_use": ["LandPart", "LandUse", "Reason"],
        "levers": ["Lever", "Levers"],
        "plan": ["Plan"],
        "roads": ["Network", "Road", "RoadCriteria", "Terminal"],
        "unreached": ["Unreached", "UnreachedCause"],
    },
)
