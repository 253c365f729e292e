"""Checks of a layout's design before its request is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError

if TYPE_CHECKING:
    from pacifico.jobs.request import JobRequest

_PLACES = ("entry", "poi")
_UNITS = ("m", "ft")


def check_design(request: JobRequest) -> None:
    """Refuse parameters whose value no run could use.

    Raises
    ------
    InputError
        A rule or limit of the design is out of range, or a place is none.
    """
    given = request.parameters
    for name in _PLACES:
        if given.get(name) is not None:
            _check_place(name, given[name])
    if given.get("dem_units") not in (None, *_UNITS):
        raise InputError(f"parameters.dem_units is {str(given['dem_units'])[:40]!r}; it must be 'm' or 'ft'")
    spec = given.get("spec")
    if spec is not None and not (isinstance(spec, dict) and all(isinstance(rules, dict) for rules in spec.values())):
        raise InputError("parameters.spec must hold sections with rules, such as {'solar': {'tracker_gcr': 0.4}}")
    limits = {name: given.get(name) for name in ("setback_m", "max_road_grade_pct")}
    for name, value in limits.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise InputError(f"parameters.{name} is {str(value)[:40]!r}; it must be a number")
    if spec is not None or any(value is not None for value in limits.values()):
        from pacifico.layout.criteria.request import requested_spec  # noqa: PLC0415 (1 s)

        requested_spec(
            request.generation_profile,
            request.strategy,
            request.target_capacity_kw,
            limits["setback_m"],
            limits["max_road_grade_pct"],
            spec,
        )


def _check_place(name: str, place: Any) -> None:
    """Refuse what is no pair of longitude and latitude [°]."""
    numbers = place if isinstance(place, list) else []
    if (
        len(numbers) != 2
        or any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers)
        or not (abs(numbers[0]) <= 180 and abs(numbers[1]) <= 90)
    ):
        raise InputError(
            f"parameters.{name} is {str(place)[:60]}; give [longitude, latitude] in degrees, such as [-93.68, 41.95]"
        )
