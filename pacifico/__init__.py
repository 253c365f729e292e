"""Early-stage layouts of energy sites on real terrain.

Names are imported when first used: `import pacifico` costs milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico._version import __version__

if TYPE_CHECKING:
    from pacifico.compiling import compile_kernels as compile_kernels
    from pacifico.explorer.map import explore as explore
    from pacifico.layout.add_racking import add_racking as add_racking
    from pacifico.layout.editing.editor import edit as edit
    from pacifico.layout.editing.reopen import read_plan as read_plan
    from pacifico.layout.generate import generate_layout as generate_layout
    from pacifico.layout.model.plan import Plan as Plan
    from pacifico.report.variants.generate import generate_variants as generate_variants
    from pacifico.site.boundary import read_site as read_site
    from pacifico.site.model import Site as Site
    from pacifico.terrain.dem import open_dem as open_dem
    from pacifico.terrain.surface import aspect as aspect
    from pacifico.terrain.surface import curvature as curvature
    from pacifico.terrain.surface import hillshade as hillshade
    from pacifico.terrain.surface import roughness as roughness
    from pacifico.terrain.surface import slope as slope


_HOMES = {
    "Plan": "pacifico.layout.generate",
    "Site": "pacifico.site.model",
    "add_racking": "pacifico.layout.add_racking",
    "aspect": "pacifico.terrain.surface",
    "compile_kernels": "pacifico.compiling",
    "curvature": "pacifico.terrain.surface",
    "edit": "pacifico.layout.editing.editor",
    "explore": "pacifico.explorer",
    "generate_layout": "pacifico.layout.generate",
    "generate_variants": "pacifico.report.variants",
    "hillshade": "pacifico.terrain.surface",
    "open_dem": "pacifico.terrain.dem",
    "read_plan": "pacifico.layout.editing.reopen",
    "read_site": "pacifico.site.boundary",
    "roughness": "pacifico.terrain.surface",
    "slope": "pacifico.terrain.surface",
}

__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604 (the names above)


def __getattr__(name: str) -> object:
    """Import a public name from its home when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pacifico' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
