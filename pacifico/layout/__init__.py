"""The layout engine: site, ground and a request in, a plan out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "editing.editor": ["Editor", "edit"],
        "generate": ["generate_layout"],
        "model.plan": ["Plan"],
    },
)
