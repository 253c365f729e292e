"""Lay out one site by several strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from pacifico import errors
from pacifico.errors import InputError, OutsideServiceError
from pacifico.layout.criteria.design import Design, DesignOptions
from pacifico.layout.criteria.spec import make_spec
from pacifico.report.variants.process import Failure, run_all
from pacifico.report.variants.result import Variants
from pacifico.vocabulary import PROFILES, STRATEGIES, Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import xarray as xr

    from pacifico.site.model import Site, Zone


def generate_variants(
    site: Site,
    dem: xr.DataArray,
    *,
    strategies: Sequence[Strategy] = STRATEGIES,
    exclusions: Sequence[Zone] = (),
    processes: int | None = None,
    on_done: Callable[[str], None] | None = None,
    **design: Unpack[DesignOptions],
) -> Variants:
    """Lay out a site by several strategies and compare them.

    Each strategy runs in its own process.


    Parameters
    ----------
    site, dem, exclusions
        As for `generate_layout`.
    strategies : sequence of str
        Strategies to compare.
    processes : int, optional
        Largest number of processes at a time; by default the number of cores. The result does not depend on it.
    on_done : callable, optional
        Called with each strategy that is done.
    **design
        As for `generate_layout`, without `strategy`: `profile`, `target_capacity_kw`, `setback_m`, `max_road_grade_pct`,
        `entry` and `spec`. Without a target each strategy places all it can, and capacities may differ by more than the
        1 % within which they are compared.

    Returns
    -------
    Variants
        A strategy whose process died or that finds no ground is in `failures`.

    Raises
    ------
    InputError
        A choice or value is invalid, or no strategy has a plan.
    OutsideServiceError
        No strategy has a plan because the processes died.

    Examples
    --------
    >>> variants = generate_variants(site, dem, target_capacity_kw=20_000)  # doctest: +SKIP
    >>> variants.table[["placed_kw", "road_length_m", "earthwork_m3"]]  # doctest: +SKIP
    """
    if "strategy" in design:
        raise TypeError("generate_variants takes no 'strategy'; name those to compare with 'strategies'")
    known = Design(**design)
    names = _checked(strategies, known)
    # plain dicts, because the mappings of a spec can't be pickled for the processes
    spec = {section: dict(rules) for section, rules in known.spec.items()} if known.spec else None
    options = {**design, "exclusions": tuple(exclusions), "spec": spec}
    found = run_all(site, dem, names, options, processes=processes, on_done=on_done)
    failures = tuple(f for f in found.values() if isinstance(f, Failure))
    plans = {name: plan for name, plan in found.items() if not isinstance(plan, Failure)}
    if not plans:
        raise _error(failures)
    return Variants(plans, failures, known.target_capacity_kw)


def _checked(strategies: Sequence[Strategy], design: Design) -> tuple[Strategy, ...]:
    """Strategies without repetition, checked before any process starts."""
    names = tuple(dict.fromkeys(strategies))
    unknown = [s for s in names if s not in STRATEGIES]
    if unknown or not names:
        reason = f"strategy {unknown[0]!r} is unknown" if unknown else "no strategy is given"
        raise InputError(f"{reason}; choose from {', '.join(STRATEGIES)}")
    if design.profile not in PROFILES:
        raise InputError(f"profile {design.profile!r} is unknown; choose from {', '.join(PROFILES)}")
    make_spec(design.spec)
    return names


def _error(failures: Sequence[Failure]) -> errors.PacificoError:
    """Error if no strategy has a plan: the engine's first one."""
    first = next((f for f in failures if not f.lost), None)
    if first is None:
        return OutsideServiceError(f"no variant was made: {failures[0].strategy}: {failures[0].message}")
    kind = getattr(errors, first.error, InputError)
    error: errors.PacificoError = kind(first.message)
    return error
