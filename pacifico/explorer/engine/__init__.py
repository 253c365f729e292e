"""Processes that compute for the map, so that the kernel stays free.

`lanes` decides what runs, `worker` is one process, `child` its program, and `tasks` what it can do.
"""

from pacifico.explorer.engine.lanes import Engine, Ticket, shared_engine

__all__ = ["Engine", "Ticket", "shared_engine"]
