"""Stages of long work: one shape of callback everywhere."""

from __future__ import annotations

from collections.abc import Callable

OnStage = Callable[[str, int, str], None]
"""Called as a stage begins, with its name, the percentage done so far and a message."""


def begin(on_stage: OnStage | None, stage: str, percent: int, message: str) -> None:
    """Call a callback as a stage begins, where there is one.

    Parameters
    ----------
    on_stage : callable, optional
        Callback of the caller.
    stage : str
        Name of the stage: letters and underscores.
    percent : int
        Share of the work that is done [%].
    message : str
        What is done now, for people.
    """
    if on_stage is not None:
        on_stage(stage, percent, message)


def part_of(on_stage: OnStage | None, low: int, high: int) -> OnStage | None:
    """Callback for a part of the work, between two percentages.

    Examples
    --------
    >>> part_of(lambda *told: print(told), 20, 60)("search", 50, "placing assets")
    ('search', 40, 'placing assets')
    """
    if on_stage is None:
        return None

    def scaled(stage: str, percent: int, message: str) -> None:
        on_stage(stage, low + (high - low) * percent // 100, message)

    return scaled
