"""What goes wrong in a schedule, drawn from its seed.

Each schedule has its own mix: a rate, and a random choice of the kinds. So some schedules see one fault alone, and some a
storm of a single kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Faults of one request to store or queue.
REQUEST_FAULTS = (
    "error",  # refused or not heard: nothing was done
    "lost reply",  # done, but the answer is an error
    "late",  # the answer is an error, and it is done some time later
    "repeated",  # the first answer was lost, the client's library sent the request again
    "slow",  # takes up to 100 s before it is done
    "slow reply",  # and up to 100 s after
    "denied",  # 403
    "crash before",  # the process is killed before it sends
    "crash after",  # and when it is done
    "crash, late",  # killed while the request is under way; it is done later
    "pause",  # the process stands still for up to an hour
    "suspend",  # and its monotonic clock too
)
#: Faults of the queue itself, that no request shows.
QUEUE_FAULTS = ("duplicate", "undelete", "lagging depth", "stale receipt")
#: Requests that a schedule may have all its faults in.
REQUESTS = ("receive", "copy", "delete", "hide", "send", "read", "create", "swap", "put")
#: Faults of a run.
RUN_FAULTS = ("service", "lost", "disk full", "no process", "bug", "killed", "long")

LONGEST_S = 100.0
HOUR_S = 3600.0


@dataclass(slots=True)
class Plan:
    """The faults and the load of one schedule; times in seconds."""

    rate: float
    focus: str | None  # the only requests that fail
    kinds: tuple[str, ...]
    queue_kinds: frozenset[str]
    run_kinds: tuple[str, ...]
    queue_rate: float
    run_rate: float
    end: float  # no faults from here on
    latency: float
    run_s: float  # longest run of a notebook
    folder: bool  # a folder as the store: its clock is a request, and its disk can be full
    workers: int
    jobs: int
    outages: dict[str, tuple[float, float]] = field(default_factory=dict)  # service -> from, to
    period: float | None = None  # the service comes back in every second half of such a period
    steps: list[tuple[float, float]] = field(default_factory=list)  # when the services' clock jumps, and how far
    stops: list[tuple[float, int]] = field(default_factory=list)  # when which worker is told to stop
    purge: float | None = None  # when someone purges the queue


def calm_plan(*, workers, jobs):
    """Return a plan in which nothing goes wrong by itself."""
    return Plan(
        rate=0.0,
        focus=None,
        kinds=(),
        queue_kinds=frozenset(),
        run_kinds=(),
        queue_rate=0.0,
        run_rate=0.0,
        end=HOUR_S,
        latency=0.1,
        run_s=60.0,
        folder=False,
        workers=workers,
        jobs=jobs,
    )


def draw_plan(rng):
    """Return the plan of a schedule."""
    random = rng.random
    heavy = random()
    rate = 0.0 if heavy < 0.1 else 0.02 if heavy < 0.5 else 0.06 if heavy < 0.9 else 0.25
    focus = rng.choice(REQUESTS) if rate and random() < 0.3 else None
    plan = Plan(
        rate=rate if focus is None else 0.4,
        focus=focus,
        kinds=tuple(rng.sample(REQUEST_FAULTS, rng.choice((1, 2, 4, 12)))),
        queue_kinds=frozenset(rng.sample(QUEUE_FAULTS, rng.choice((0, 1, 2, 4)))),
        run_kinds=tuple(rng.sample(RUN_FAULTS, rng.choice((1, 3, 7)))),
        queue_rate=0.6 * random() ** 2,
        run_rate=0.5 * random() ** 3 if rate or random() < 0.3 else 0.0,
        end=60.0 + 1500.0 * random() ** 2,
        latency=rng.choice((0.02, 0.1, 0.1, 1.0)),
        run_s=rng.choice((20.0, 60.0, 60.0, 400.0)),
        folder=random() < 0.3,
        workers=1 if random() < 0.4 else 2,
        jobs=1 if random() < 0.7 else 2,
    )
    if random() < 0.15:
        start = plan.end * random()
        plan.outages["store"] = (start, start + plan.end * random())
    if random() < 0.15:
        start = plan.end * random()
        plan.outages["queue"] = (start, start + plan.end * random())
    if plan.outages and random() < 0.3:
        plan.period = rng.choice((60.0, 200.0))
    if plan.folder and random() < 0.2:
        start = plan.end * random()
        plan.outages["disk"] = (start, start + plan.end * random())
    while random() < 0.12:
        plan.steps.append((plan.end * random(), rng.choice((-HOUR_S, HOUR_S, -HOUR_S * random(), HOUR_S * random()))))
    while random() < 0.3:
        plan.stops.append((100.0 * random(), rng.randrange(plan.workers)))
    if random() < 0.04:
        plan.purge = 100.0 * random()
    return plan
