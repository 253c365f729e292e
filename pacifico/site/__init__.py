"""Site boundaries and exclusions: read from files and services, checked and repaired."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "boundary": ["read_site", "read_site_bytes"],
        "exclusions": ["load_exclusions", "load_roads", "with_exclusions", "with_roads"],
        "combine": ["combine_exclusions", "with_combined"],
        "model": ["Anchor", "NamedLine", "Site", "Zone"],
    },
)
