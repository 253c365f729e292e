"""Lead the generated requests past the door: real sites, small layouts, and what was made before."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping

import requests
import schemathesis

_CHOICE = random.Random(5)
_WEST, _SOUTH, _WIDTH, _HEIGHT = -93.70, 41.95, 0.01, 0.005
_SITES: list[str] = []
_LAYOUTS: list[str] = []
_KNOWN = {
    "format": ["kmz", "csv", "dxf", "landxml", "gpkg", "parquet", "pdf"],
    "name": ["layout.geojson", "metrics.json", "inputs/boundary.geojson", "report.html"],
    "asset_id": ["solar_array-0001", "substation-0001", "inverter_skid-0001"],
    "pack": ["nfpa-855", "ifc-appendix-d"],
}
_ONLINE = ("3dep", "3dep-30", "glo30")
_GENERATE = ("POST /layouts/generate", "POST /layouts/generate-variants")


@schemathesis.hook
def before_call(context, case, kwargs):
    """Make three of four valid requests ones that reach what they ask for, without the network."""
    for given in (case.query, case.body):
        if isinstance(given, dict) and given.get("dem") in _ONLINE:
            given["dem"] = "sample"
    if case.meta is None or case.meta.phase.name not in ("fuzzing", "stateful"):
        return
    modes = [case.meta.generation.mode, *(part.mode for part in case.meta.components.values())]
    if not all(mode.is_positive for mode in modes):
        return
    label = case.operation.label
    if _CHOICE.random() < 0.25:
        return
    if label == "POST /sites/upload":
        case.query = {"filename": "site.geojson"}
        case.body = {"file": _boundary()}
    elif label in _GENERATE and isinstance(case.body, dict):
        _small(case.body)
    known = dict(_KNOWN)
    if case.meta.phase.name == "fuzzing" and not label.startswith("DELETE"):  # in stateful runs they are linked
        known |= {"site_id": _SITES[-5:], "layout_id": _LAYOUTS[-5:]}
    case.path_parameters = _chosen(case.path_parameters, known)
    if label != "POST /sites/upload":
        case.query = _chosen(case.query, _KNOWN)


@schemathesis.hook
def after_call(context, case, response):
    """Remember what was made; cancel what was queued, so that its stream of events ends."""
    label, status = case.operation.label, response.status_code
    if response.request.method != "POST" or status not in (200, 201, 202):
        return
    if status == 202:
        for layout_id in re.findall(r'"layout_id": ?"([0-9a-f-]{36})"', response.text):
            address = f"{response.request.url.partition('/layouts/')[0]}/layouts/{layout_id}/cancel"
            requests.post(address, headers={"Authorization": response.request.headers["Authorization"]}, timeout=60)
    elif label == "POST /sites/upload":
        _SITES.append(response.json()["site_id"])
    elif label == "POST /layouts/generate":
        _LAYOUTS.append(response.json()["layout_id"])


def _boundary():
    """A small field, a different one most times."""
    south = _SOUTH + 0.01 * _CHOICE.randrange(50)
    ring = [[_WEST, south], [_WEST + _WIDTH, south], [_WEST + _WIDTH, south + _HEIGHT], [_WEST, south + _HEIGHT]]
    return json.dumps({"type": "Polygon", "coordinates": [[*ring, ring[0]]]})


def _small(body):
    """Ask for a small layout on level ground, of a site that there is."""
    for name in ("dem", "dem_resolution_m", "parameters", "notebook", "layout_id"):
        body.pop(name, None)
    body.update(use_terrain=False, target_capacity_kw=_CHOICE.randrange(100, 1500), generation_profile="solar_farm")
    if _SITES:
        body["site_id"] = _CHOICE.choice(_SITES[-5:])
    if "strategies" in body:
        body["strategies"] = body["strategies"][:2]


def _chosen(given, known):
    """Arguments with values that there are, where some are known."""
    if not isinstance(given, Mapping):
        return given
    return {name: _CHOICE.choice(known[name]) if known.get(name) else value for name, value in given.items()}
