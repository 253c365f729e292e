"""Tables of a report, shown as HTML or as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pacifico import legend
from pacifico.analysis.headline import placed_kw, stored_headline
from pacifico.escaping import for_markup
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.files.stored import COARSE_M, LEVEL

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.layout.files.stored import StoredLayout
    from pacifico.site.model import Site


@dataclass(frozen=True)
class Table:
    """A table that shows itself in a notebook, every cell escaped."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    """Number of columns from the left that hold words; the others hold numbers."""
    empty: str = "none"
    """Text to show without rows."""

    def _repr_html_(self) -> str:
        if not self.rows:
            return f'<p class="nothing">{for_markup(self.empty)}</p>'

        def cells(row: tuple[str, ...], tag: str) -> str:
            return "".join(
                f"<{tag}{' class=word' if k < self.words else ''}>{for_markup(cell)}</{tag}>"
                for k, cell in enumerate(row)
            )

        head = f"<thead><tr>{cells(self.columns, 'th')}</tr></thead>" if any(self.columns) else ""
        body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in self.rows)
        return f"<table>{head}<tbody>{body}</tbody></table>"

    def __str__(self) -> str:
        if not self.rows:
            return self.empty
        lines = [*([self.columns] if any(self.columns) else []), *self.rows]
        widths = [max(len(line[k]) for line in lines) for k in range(len(self.columns))]
        return "\n".join(
            "  ".join(c.ljust(w) if k < self.words else c.rjust(w) for k, (c, w) in enumerate(zip(line, widths, strict=True)))
            .rstrip()
            for line in lines
        )  # fmt: skip

    __repr__ = __str__


def answers(layout: StoredLayout) -> Table:
    """Headline of a layout, one row an answer."""
    rows = tuple((a.label, a.text) for a in stored_headline(layout.about))
    return Table(("", ""), rows, words=2)


def headline(layout: StoredLayout) -> Table:
    """Capacity, area, roads and earthwork of a layout."""
    m = layout.metrics
    target = layout.about.get("target_capacity_kw")
    got = placed_kw(layout.about)
    rows = [
        ("Capacity, AC", _n(m["total_capacity_kw"] / 1000, 2), "MW"),
        (
            "Asked for",
            "as much as fits" if target is None else f"{_n(target / 1000, 2)}",
            "" if target is None else "MW",
        ),
        (
            "Placed of what was asked",
            "" if target is None else f"{100 * got / target:.1f}",
            "" if target is None else "%",
        ),
        ("Capacity, DC", _n(m["total_capacity_dc_kw"] / 1000, 2), "MW"),
        ("Storage", _n(m["storage_kwh"] / 1000, 1), "MWh"),
        ("Assets", _n(m["asset_count"], 0), ""),
        ("Site", _n(m["site_area_ha"], 1), "ha"),
        (
            "Buildable",
            f"{_n(m['buildable_area_ha'], 1)} ({_interval(m['buildable_area_p10_p90_ha'], 1)})",
            "ha",
        ),
        ("Capacity per hectare of site", _n(m["capacity_kw_per_ha"], 0), "kW/ha"),
        ("Roads", _n(m["road_length_m"] / 1000, 2), "km"),
        ("Steepest road", _n(m["max_road_grade_pct"], 1), "%"),
        ("Cut, with side slopes", _n(m["cut_volume_m3"], 0), "m³"),
        ("Fill, with side slopes", _n(m["fill_volume_m3"], 0), "m³"),
        ("Cut and fill together, P10 to P90", _interval(m["earthwork_p10_p90_m3"], 0), "m³"),
        *(
            (f"In it, {what}: cut / fill", f"{_n(m[f'{part}_cut_m3'], 0)} / {_n(m[f'{part}_fill_m3'], 0)}", "m³")
            for part, what in legend.EARTHWORK_PARTS.items()
            if f"{part}_cut_m3" in m
        ),
        ("Reached by road", f"{100 * m['served_share']:.1f}", "%"),
    ]
    return Table(("", "", ""), tuple(r for r in rows if r[1] not in {"", "0.0", "0.00"}))


def assets_by_type(layout: StoredLayout) -> Table:
    """Assets of each type with capacities and slopes."""
    rows = []
    assets = layout.of_kind("asset")
    for kind in sorted({a["asset_type"] for a in assets}, key=lambda k: (list(legend.ASSETS).index(k) if k in legend.ASSETS else 99, k)):  # fmt: skip
        own = [a for a in assets if a["asset_type"] == kind]
        rows.append(
            (
                legend.ASSETS.get(kind, (kind, ""))[0],
                _n(len(own), 0),
                _or_dash(sum(a["capacity_kw"] for a in own) / 1000, 2),
                _or_dash(sum(a["storage_kwh"] for a in own) / 1000, 1),
                _or_dash(sum(a["rating_kva"] or 0 for a in own) / 1000, 1),
                f"{sum(a.geometry.area for a in own) / 1e4:.2f}",
                f"{max(a['slope_deg'] for a in own):.1f}",
                f"{max(a['slope_limit_deg'] for a in own):g}",
            )
        )
    columns = (
        "Asset",
        "Count",
        "AC [MW]",
        "Storage [MWh]",
        "Rating [MVA]",
        "Footprint [ha]",
        "Steepest [°]",
        "Limit [°]",
    )
    return Table(columns, tuple(rows), empty="no assets")


def unplaced(layout: StoredLayout) -> Table:
    """Assets that could not be placed, and why."""
    rows = tuple(
        (legend.ASSETS.get(u["asset_type"], (u["asset_type"], ""))[0], str(u["reason"]), _n(u["count"], 0))
        for u in layout.about["unplaced"]
    )
    target, got = layout.about.get("target_capacity_kw"), placed_kw(layout.about)
    if target is not None and got < 0.98 * target:
        empty = (
            f"{_n(got / 1000, 2)} of {_n(target / 1000, 2)} MW are placed; the notes above say what limits the rest."
        )
    else:
        empty = "Everything asked for is placed."
    return Table(("Asset", "Why", "Count"), rows, words=2, empty=empty)


def risks(layout: StoredLayout) -> Table:
    """Largest risks of the headline, one a row."""
    answer = next(a for a in stored_headline(layout.about) if a.name == "risks")
    rows = tuple((str(n), text) for n, text in enumerate(answer.text.split("; "), 1))
    return Table(("Rank", "Largest risks"), rows, words=2)


def warnings(layout: StoredLayout) -> Table:
    """Warnings of the layout."""
    return Table(
        ("What limits the layout, and notes",), tuple((str(w),) for w in layout.about["warnings"]), empty="No warnings."
    )


def assumptions(site: Site, dem: xr.DataArray, parameters: Mapping[str, Any]) -> Table:
    """Inputs and design of a layout: boundary, ground and parameters."""
    own = float(dem.attrs["source_resolution_m"])
    level = dem.attrs["source"] == LEVEL
    grading = "coarse: no claim about grading" if own > COARSE_M else "fine enough for first volumes"
    if level:
        grading = "level ground was assumed: slopes and volumes mean nothing"
    rows = [
        ("Boundary", f"{site.source or 'in memory'}, {site.area_ha:,.2f} ha, {site.crs.name}"),
        ("Elevation", str(dem.attrs["source"]) + (" (a surface model: trees and roofs count as ground)" if dem.attrs.get("surface_model") else "")),
        ("Unit of height", str(dem.attrs["units_assumed"])),
        ("Resolution", f"{dem.attrs['resolution_m']:g} m, {'made up' if level else f'from cells of {own:.3g} m'} ({grading})"),
        ("No elevation", f"{dem.attrs['nodata_share']:.2%} of the site"),
    ]  # fmt: skip
    used = {**parameters, **_defaults(site, parameters)}
    rows += [(_label(name), _shown(used[name])) for name in parameters]
    return Table(("", ""), tuple(rows), words=2)


def _defaults(site: Site, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the parameters that were left out."""
    spec = make_spec(parameters.get("spec"))
    entries = ", ".join(a.name or "unnamed" for a in site.entries)
    points = [a.name or "unnamed" for a in site.anchors if a.is_poi]
    values = {
        "target_capacity_kw": "as much as fits",
        "entry": f"{entries} (from the file)" if entries else "cheapest place on the boundary",
        "poi": f"{', '.join(points)} (from the file)" if points else "none in the file",
        "setback_m": f"{spec.number('site', 'setback_m'):g} ({_origin(parameters, 'site', 'setback_m')})",
        "max_road_grade_pct": f"{spec.number('road', 'max_grade_pct'):g} ({_origin(parameters, 'road', 'max_grade_pct')})",
        "spec": "none overridden",
    }
    return {name: value for name, value in values.items() if name in parameters and parameters[name] in (None, {})}


def _origin(parameters: Mapping[str, Any], section: str, rule: str) -> str:
    """Where a value comes from that no parameter of its own gives."""
    return "spec" if rule in (parameters.get("spec") or {}).get(section, {}) else "catalog"


_LABELS = {"poi": "Point of interconnection", "spec": "Catalog values"}
"""Names of parameters that their own name doesn't tell."""


def _label(parameter: str) -> str:
    """Name of a parameter, its unit in brackets."""
    if parameter in _LABELS:
        return _LABELS[parameter]
    words, _, last = parameter.rpartition("_")
    unit = {"kw": "kW", "m": "m", "pct": "%"}.get(last)
    return f"{words.replace('_', ' ').capitalize()} [{unit}]" if unit else parameter.replace("_", " ").capitalize()


def _shown(value: Any) -> str:
    """Value of a parameter as text."""
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_shown(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(v) for v in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,.10g}".replace(",", "\u202f")
    return str(value).replace("_", " ")


def _n(value: float, digits: int) -> str:
    """Number with thin spaces between thousands."""
    return f"{value:,.{digits}f}".replace(",", "\u202f")


def _or_dash(value: float, digits: int) -> str:
    """Number, or a dash for zero."""
    return _n(value, digits) if value else "–"


def _interval(pair: Sequence[float], digits: int) -> str:
    """P10 to P90."""
    return f"{_n(pair[0], digits)} to {_n(pair[1], digits)}"
