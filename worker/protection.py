"""Scale-in protection: while a job runs, ECS is asked not to stop this task."""

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

_LONGEST_MIN = 2880


class Protection:
    """Asks the ECS agent where there is one (`ECS_AGENT_URI`); elsewhere does nothing."""

    def __init__(
        self, *, longest_s: float, agent: str | None = None, others_busy: Callable[[], bool] = lambda: False
    ) -> None:
        self._others_busy = others_busy  # other worker processes of this task
        self._agent = agent if agent is not None else os.environ.get("ECS_AGENT_URI", "")
        self._minutes = min(_LONGEST_MIN, max(1, int(longest_s / 60) + 10))

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the protection; a failure of it only logs, for a stopped job is handed back anyway."""
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
        request = urllib.request.Request(  # noqa: S310 (the agent's own address, on loopback)
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
