"""Settings of the server extension, read from the environment."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.vocabulary import NAMED_DEMS

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Largest number of engine processes by default: a server is no worker.
_MOST_PROCESSES = 4

#: Environment variable: meaning and default as text. The table in the docs has the same.
ENVIRONMENT: dict[str, tuple[str, str]] = {
    "PACIFICO_ASYNC": ("1: layouts are generated in the background unless a request asks otherwise", "0"),
    "PACIFICO_DEFAULT_DEM": ("elevation of requests that name none", "3dep"),
    "PACIFICO_SERVER_PROCESSES": ("processes that compute for requests", "one less than the cores, 1 to 4"),
    "PACIFICO_SERVER_TIMEOUT_S": ("longest computation of one request [s]", "300"),
    "PACIFICO_SERVER_RATE": ("requests of one owner per second", "100"),
    "PACIFICO_SERVER_STREAMS": ("open event streams in all", "200"),
    "PACIFICO_SERVER_BODY_S": ("longest time for the body of a request [s]", "60"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Limits of the extension; times in seconds."""

    run_async: bool = False
    """Whether layouts are generated in the background unless a request asks otherwise."""
    default_dem: str = "3dep"
    processes: int = 1
    timeout_s: float = 300.0
    rate: float = 100.0
    """Requests of one owner per second; five seconds' worth may come at once."""
    streams: int = 200
    body_s: float = 60.0


def from_environment(environ: Mapping[str, str] | None = None) -> ServerSettings:
    """Read the settings.

    Raises
    ------
    InputError
        A variable is out of its range.
    """
    env = os.environ if environ is None else environ
    chosen = (env.get("PACIFICO_ASYNC") or "0").lower()
    if chosen not in ("0", "1", "false", "true"):
        raise InputError(f"PACIFICO_ASYNC is {chosen!r}; it must be 0 or 1")
    dem = env.get("PACIFICO_DEFAULT_DEM") or "3dep"
    if dem not in NAMED_DEMS:
        raise InputError(f"PACIFICO_DEFAULT_DEM is {dem!r}; it must be one of {', '.join(NAMED_DEMS)}")
    cores = max(1, min(_MOST_PROCESSES, (os.cpu_count() or 2) - 1))
    return ServerSettings(
        run_async=chosen in ("1", "true"),
        default_dem=dem,
        processes=int(_number(env, "PACIFICO_SERVER_PROCESSES", cores, (1, 64))),
        timeout_s=_number(env, "PACIFICO_SERVER_TIMEOUT_S", 300, (1, 43_200)),
        rate=_number(env, "PACIFICO_SERVER_RATE", 100, (0.1, 1e6)),
        streams=int(_number(env, "PACIFICO_SERVER_STREAMS", 200, (0, 10_000))),
        body_s=_number(env, "PACIFICO_SERVER_BODY_S", 60, (0.1, 3600)),
    )


def _number(env: Mapping[str, str], name: str, default: float, limits: tuple[float, float]) -> float:
    """Read a number within its limits.

    Parameters
    ----------
    env : mapping
        Environment.
    name : str
        Variable.
    default : float
        Value where it is not set.
    limits : (float, float)
        Smallest and largest value.
    """
    text = env.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not limits[0] <= value <= limits[1]:
        raise InputError(f"{name} is {text!r}; it must be a number from {limits[0]:g} to {limits[1]:g}")
    return value
