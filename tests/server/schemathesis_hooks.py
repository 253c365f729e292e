"""Lead the generated requests past the door: real sites, small layouts, and what was made before."""

from __future__ import annotations

import json
import random

import schemathesis

_CHOICE = random.Random(5)
_RING = [[-93.70, 41.95], [-93.69, 41.95], [-93.69, 41.955], [-93.70, 41.955], [-93.70, 41.95]]
_SITES: list[str] = []
_LAYOUTS: list[str] = []
_FORMATS = ["kmz", "csv", "dxf", "gpkg", "pdf"]
_FILES = ["layout.geojson", "metrics.json", "inputs/boundary.geojson", "report.html"]
_ASSETS = ["solar_array-0001", "substation-0001", "inverter_skid-0001"]
_PACKS = ["nfpa-855", "ifc-appendix-d"]
_FREE = {"DELETE /sites/{site_id}", "DELETE /layouts/{layout_id}", "DELETE /uploads/{sha256}"}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Make three of four valid requests ones that reach what they ask for."""
    if case.meta is None or not case.meta.generation.mode.is_positive or _CHOICE.random() < 0.25:
        return
    label = case.operation.label
    if label == "POST /sites/upload":
        moved = [[x, y + 0.01 * _CHOICE.randrange(20)] for x, y in _RING]
        case.query = {**(case.query or {}), "filename": "site.geojson"}
        case.body = {"file": json.dumps({"type": "Polygon", "coordinates": [moved]}).encode()}
    elif label in ("POST /layouts/generate", "POST /layouts/generate-variants") and isinstance(case.body, dict):
        _small(case.body)
    _name(case, is_linked=case.meta.phase.name == "stateful", is_free=label in _FREE)


@schemathesis.hook
def after_call(context, case, response):
    """Remember what was made."""
    label, status = case.operation.label, response.status_code
    if label == "POST /sites/upload" and status == 201:
        _SITES.append(response.json()["site_id"])
    elif label == "POST /layouts/generate" and status == 200:
        _LAYOUTS.append(response.json()["layout_id"])


def _small(body):
    """Ask for a small layout on level ground, of a site that there is."""
    for name in ("dem", "dem_resolution_m", "parameters", "notebook", "layout_id"):
        body.pop(name, None)
    body.update(use_terrain=False, target_capacity_kw=_CHOICE.randrange(100, 1500), generation_profile="solar_farm")
    if _SITES:
        body["site_id"] = _CHOICE.choice(_SITES[-5:])
    if "strategies" in body:
        body["strategies"] = body["strategies"][:2]


def _name(case, *, is_linked, is_free):
    """Put names of what there is into the address."""
    given = dict(case.path_parameters or {})
    known = {"format": _FORMATS, "name": _FILES, "asset_id": _ASSETS}
    if not is_linked and not is_free:
        known |= {"site_id": _SITES[-5:], "layout_id": _LAYOUTS[-5:]}
    given |= {name: _CHOICE.choice(known[name]) for name in given if known.get(name)}
    case.path_parameters = given
    if "pack" in (case.query or {}):
        case.query = {**case.query, "pack": _CHOICE.choice(_PACKS)}
