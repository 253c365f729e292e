"""Content of a plan's layout.geojson, as a file of it would be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pacifico.layout.files.geojson import text

if TYPE_CHECKING:
    from pacifico.layout.model.plan import Plan


def stored_content(plan: Plan) -> dict[str, Any]:
    """Content of layout.geojson with lists for tuples, as the checks of stored layouts want it."""
    content: dict[str, Any] = json.loads(text(plan.to_geojson()))
    return content
