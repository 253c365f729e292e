"""The process behind a background submission: `python -m pacifico.jobs.background FD`, the jobs as JSON on stdin."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from pacifico.errors import PacificoError
from pacifico.jobs import local
from pacifico.jobs import status as states
from pacifico.jobs.records import Records
from pacifico.jobs.runner.runner import NotebookRunner, ProcessSpawner
from pacifico.jobs.settings import from_environment
from pacifico.jobs.store.open import open_store

if TYPE_CHECKING:
    from pacifico.jobs.records import Held
    from pacifico.jobs.runner.runner import Spawner
    from pacifico.jobs.status import Status


def main(spawner: Spawner | None = None) -> None:
    """Put this process's name on the jobs, say so, and run them one after another."""
    descriptor = int(sys.argv[1])
    try:
        settings = from_environment()
        records = Records(open_store(settings))
        jobs = [(str(owner), str(layout_id)) for owner, layout_id in json.load(sys.stdin)]
        name = local.process_name()

        def take(held: Held, now: float) -> Status | None:
            return states.assigned(held.status, worker=name, now=now) if held.status.status == "queued" else None

        for owner, layout_id in jobs:
            records.change(owner, layout_id, take)
    except PacificoError as error:
        os.write(descriptor, str(error).encode())
        sys.exit(error.exit_code)
    os.write(descriptor, b"assigned")
    os.close(descriptor)
    runner = NotebookRunner(records.store, settings, spawner or ProcessSpawner(), standby=len(jobs) > 1)
    try:
        for owner, layout_id in jobs:
            local.run(records, owner, layout_id, settings=settings, runner=runner)
    finally:
        runner.close()


if __name__ == "__main__":
    main()
