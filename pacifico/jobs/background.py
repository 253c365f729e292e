"""The process of a background submission."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING

from pacifico.errors import PacificoError
from pacifico.jobs import local
from pacifico.jobs import status as states
from pacifico.jobs.process_lock import process_name
from pacifico.jobs.records import Records
from pacifico.jobs.runner.processes import ProcessSpawner
from pacifico.jobs.runner.runner import NotebookRunner
from pacifico.jobs.settings import from_environment
from pacifico.jobs.store.open import open_store

if TYPE_CHECKING:
    from pacifico.jobs.records import StoredStatus
    from pacifico.jobs.runner.processes import Spawner
    from pacifico.jobs.status import Status


def main(spawner: Spawner | None = None) -> None:
    """Assign the jobs to this process and run them in turn."""
    descriptor = int(sys.argv[1])
    try:
        settings = from_environment()
        records = Records(open_store(settings))
        jobs = [(str(owner), str(layout_id)) for owner, layout_id in json.load(sys.stdin)]
        name = process_name()

        def assign(stored: StoredStatus, now: float) -> Status | None:
            if stored.status.status != "queued":
                return None
            return states.assigned(stored.status, worker=name, now=now)

        for owner, layout_id in jobs:
            records.change(owner, layout_id, assign)
    except PacificoError as error:
        os.write(descriptor, str(error).encode())
        sys.exit(error.exit_code)
    with contextlib.suppress(BrokenPipeError):  # whoever started it has ended meanwhile: the jobs go on
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
