"""Edits of a finished plan by hand: assets and zones.

Roads, pads, cables and metrics follow each edit.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "asset_edits": ["add_asset", "asset_of", "move_asset", "remove_asset", "rotate_asset"],
        "context": ["EditContext"],
        "editor": ["Editor", "edit"],
        "reopen": ["plan_of", "read_plan"],
        "zones": ["add_zone", "move_zone", "remove_zone"],
    },
)
