"""The process of the pool: reads tasks from standard input, writes results to standard output."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import EditRefused, InputError, NoBuildableGroundError, OutsideServiceError, PacificoError
from pacifico.jobs.store.base import NotFoundError

if TYPE_CHECKING:
    from io import TextIOBase


#: How far the processes give way to the server: polls stay fast while all cores compute.
NICENESS = 5


def main() -> None:
    """Run tasks until standard input ends."""
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # when memory runs out, a computation is killed before the server
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not mix with replies
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    from pacifico.server.work import tasks  # noqa: PLC0415 (loads the engine, while the first task may be on its way)

    tasks.load()
    while True:
        asked = json.loads(lines.get())
        _write(out, _answer(asked, out))


def _read(lines: queue.Queue[str]) -> None:
    """Pass lines on; end the process when the server is gone, also during a task."""
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def _answer(asked: dict[str, Any], out: TextIOBase) -> dict[str, Any]:
    """Run one task; return its result or its error."""
    from pacifico.server.work import tasks  # noqa: PLC0415

    def on_stage(stage: str, message: str) -> None:
        _write(out, {"stage": [stage, message]})

    try:
        return {"result": tasks.TASKS[asked["task"]](asked["arguments"], on_stage)}
    except PacificoError as error:
        return {"error": [error_kind(error), str(error)]}
    except Exception as error:  # noqa: BLE001 (a bug ends the task, not the process)
        import traceback  # noqa: PLC0415

        traceback.print_exc(file=sys.stderr)
        return {"error": ["internal", f"{type(error).__name__} in {asked['task']}; the server's log has the details"]}


def error_kind(error: PacificoError) -> str:
    """Name of an error's kind on the way to the server."""
    kinds: tuple[tuple[type[PacificoError], str], ...] = (
        (NotFoundError, "not_found"),
        (EditRefused, "edit_refused"),
        (NoBuildableGroundError, "no_buildable_ground"),
        (InputError, "input"),
        (OutsideServiceError, "outside"),
    )
    return next((name for kind, name in kinds if isinstance(error, kind)), "internal")


def _write(out: TextIOBase, reply: dict[str, Any]) -> None:
    out.write(json.dumps(reply, separators=(",", ":")) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
