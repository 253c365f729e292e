"""Lay out one site by several strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from pacifico import errors
from pacifico.errors import InputError, OutsideServiceError
from pacifico.frozen import thawed
from pacifico.layout.criteria.design import Design, DesignOptions
from pacifico.layout.criteria.spec import make_spec
from pacifico.report.variants.process import Failure, run_all
from pacifico.report.variants.result import Variants
from pacifico.stages import begin
from pacifico.vocabulary import PROFILES, STRATEGIES, Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import xarray as xr

    from pacifico.site.model import Site, Zone
    from pacifico.stages import OnStage


def generate_variants(
    site: Site,
    dem: xr.DataArray,
    *,
    strategies: Sequence[Strategy] = STRATEGIES,
    exclusions: Sequence[Zone] = (),
    roads: Sequence[Zone] = (),
    processes: int | None = None,
    on_done: Callable[[str], None] | None = None,
    on_stage: OnStage | None = None,
    **design: Unpack[DesignOptions],
) -> Variants:
    """Lay out a site by several strategies and compare them.

    Each strategy runs in its own process.

    Parameters
    ----------
    site, dem, exclusions, roads
        As for `generate_layout`.
    strategies : sequence of str
        Strategies to compare.
    processes : int, optional
        Largest number of processes at a time; by default the number of cores.
    on_done : callable, optional
        Called with each strategy that is done.
    on_stage : callable, optional
        Called with name, percentage and message, at the start and as each strategy is done.
    **design
        As for `generate_layout`, without `strategy`. Without a target, capacities may differ by more than the 1 % within
        which they are compared.

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
    """
    if "strategy" in design:
        raise TypeError("generate_variants takes no 'strategy'; name those to compare with 'strategies'")
    known = Design(**design)
    names = _checked(strategies, known)
    # plain dicts, because not every mapping can be pickled for the processes
    options = {**design, "exclusions": (*exclusions, *roads), "spec": thawed(known.spec)}
    found = run_all(site, dem, names, options, processes=processes, on_done=_counter(len(names), on_done, on_stage))
    failures = tuple(f for f in found.values() if isinstance(f, Failure))
    plans = {name: plan for name, plan in found.items() if not isinstance(plan, Failure)}
    if not plans:
        raise _error(failures)
    return Variants(plans, failures, known.target_capacity_kw)


def _counter(count: int, on_done: Callable[[str], None] | None, on_stage: OnStage | None) -> Callable[[str], None]:
    """Callback that counts strategies and passes each on."""
    ended: list[str] = []
    begin(on_stage, "placing_assets", 0, f"0 of {count} variants")

    def done(strategy: str) -> None:
        """Count a strategy."""
        ended.append(strategy)
        if on_done is not None:
            on_done(strategy)
        begin(on_stage, "placing_assets", 100 * len(ended) // count, f"{len(ended)} of {count} variants")

    return done


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
