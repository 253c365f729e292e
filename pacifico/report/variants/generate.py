"""Variants: the same site and design by every strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pacifico import errors
from pacifico.errors import InputError, OutsideServiceError
from pacifico.layout.criteria.spec import PROFILES, STRATEGIES, Profile, Strategy, make_spec
from pacifico.report.variants.process import Failure, run_all
from pacifico.report.variants.result import Variants

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import xarray as xr

    from pacifico.site.model import Site, Zone


def generate_variants(
    site: Site,
    dem: xr.DataArray,
    *,
    strategies: Sequence[Strategy] = STRATEGIES,
    profile: Profile = "solar_farm",
    target_capacity_kw: float | None = None,
    setback_m: float | None = None,
    max_road_grade_pct: float | None = None,
    entry: tuple[float, float] | None = None,
    exclusions: Sequence[Zone] = (),
    spec: Mapping[str, Mapping[str, Any]] | None = None,
    processes: int | None = None,
    on_done: Callable[[str], None] | None = None,
) -> Variants:
    """Lay out a site by several strategies, each in a process of its own, and compare them.

    Parameters
    ----------
    site, dem, profile, target_capacity_kw, setback_m, max_road_grade_pct, entry, exclusions, spec
        As for `generate_layout`. Without a target each strategy places all it can, and what they place may differ by
        more than the 1 % within which they are compared.
    strategies : sequence of str
        Which to compare.
    processes : int, optional
        At most so many at a time; as many as there are cores by default. The result does not depend on it.
    on_done : callable, optional
        Called with each strategy that is done.

    Returns
    -------
    Variants
        A strategy whose process died or that finds no ground is in `failures`.

    Raises
    ------
    InputError
        For a bad choice or value; where no strategy comes to a plan.
    OutsideServiceError
        Where no strategy comes to a plan because the processes died.

    Examples
    --------
    >>> variants = generate_variants(site, dem, target_capacity_kw=20_000)  # doctest: +SKIP
    >>> variants.table[["placed_kw", "road_length_m", "earthwork_m3"]]  # doctest: +SKIP
    """
    names = tuple(dict.fromkeys(strategies))
    unknown = [s for s in names if s not in STRATEGIES]
    if unknown or not names:
        said = f"strategy {unknown[0]!r} is unknown" if unknown else "no strategy is given"
        raise InputError(f"{said}; choose from {', '.join(STRATEGIES)}")
    if profile not in PROFILES:
        raise InputError(f"profile {profile!r} is unknown; choose from {', '.join(PROFILES)}")
    make_spec(spec)
    design = {
        "profile": profile,
        "target_capacity_kw": target_capacity_kw,
        "setback_m": setback_m,
        "max_road_grade_pct": max_road_grade_pct,
        "entry": entry,
        "exclusions": tuple(exclusions),
        "spec": {section: dict(rules) for section, rules in spec.items()} if spec else None,
    }
    found = run_all(site, dem, names, design, processes=processes, on_done=on_done)
    failures = tuple(f for f in found.values() if isinstance(f, Failure))
    plans = {name: plan for name, plan in found.items() if not isinstance(plan, Failure)}
    if not plans:
        raise _error(failures)
    return Variants(plans, failures, target_capacity_kw)


def _error(failures: Sequence[Failure]) -> errors.PacificoError:
    """What to raise where nothing came out: what the engine said, as it would have said it alone."""
    said = next((f for f in failures if not f.lost), None)
    if said is None:
        return OutsideServiceError(f"no variant was made: {failures[0].strategy}: {failures[0].message}")
    kind = getattr(errors, said.error, InputError)
    error: errors.PacificoError = kind(said.message)
    return error
