"""Scale-in protection by ECS while a job runs."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

_MAX_MINUTES = 2880  # that ECS grants


class Protection:
    """Asks the ECS agent of `ECS_AGENT_URI`; does nothing without one.

    Parameters
    ----------
    longest_s : float
        Longest run of a job [s].
    agent : str, optional
        Address of the agent.
    others_busy : callable
        Whether another worker process of this task has a job.
    """

    def __init__(
        self, *, longest_s: float, agent: str | None = None, others_busy: Callable[[], bool] = lambda: False
    ) -> None:
        self._others_busy = others_busy
        self._agent = agent if agent is not None else os.environ.get("ECS_AGENT_URI", "")
        self._minutes = min(_MAX_MINUTES, max(1, int(longest_s / 60) + 10))

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the protection.

        Failures are only logged: a stopped job is handed back anyway.
        """
        self._ask(wanted=True)
        try:
            yield
        finally:
            if not self._others_busy():
                self._ask(wanted=False)

    def _ask(self, *, wanted: bool) -> None:
        if not self._agent:
            return
        body: dict[str, object] = {"ProtectionEnabled": wanted}
        if wanted:
            body["ExpiresInMinutes"] = self._minutes
        request = urllib.request.Request(  # noqa: S310 (the agent's own address)
            f"{self._agent}/task-protection/v1/state",
            data=json.dumps(body).encode(),
            method="PUT",
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=5):  # noqa: S310
                pass
        except OSError as error:
            log.warning("scale-in protection not set to %s: %s", wanted, error)
