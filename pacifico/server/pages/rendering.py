"""Render pages from templates, with everything escaped."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2

#: Figures of a card: label, metric, factor to the shown unit, format.
_FIGURES = (
    ("Capacity, AC", "total_capacity_kw", 1e-3, "{:,.2f} MW"),
    ("Assets", "asset_count", 1, "{:,.0f}"),
    ("Roads", "road_length_m", 1e-3, "{:,.2f} km"),
    ("Cut", "cut_volume_m3", 1, "{:,.0f} m³"),
    ("Fill", "fill_volume_m3", 1, "{:,.0f} m³"),
)


def render(template: str, **values: Any) -> str:
    """Render a shipped template; every value is escaped."""
    return _environment().get_template(template).render(**values)


def figures(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Headline figures of a status as label and text."""
    return [
        (label, form.format(body[name] * factor))
        for label, name, factor, form in _FIGURES
        if isinstance(body.get(name), int | float)
    ]


def words(name: object) -> str:
    """A name of the code in words."""
    return str(name).replace("_", " ")


def moment(text: object) -> str:
    """Time as people read it, in UTC."""
    return str(text or "")[:16].replace("T", " ")


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("pacifico.server.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(words=words, moment=moment, figures=figures)
    return made
