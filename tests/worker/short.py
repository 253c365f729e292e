"""A worker whose templates are the short notebooks beside this file; everything else is the product's own.

`python short.py worker|child|forkserver ...`; with PACIFICO_TEST_SHIPPED the shipped notebooks run instead.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def use_short_notebooks():
    from pacifico.run import notebooks

    notebooks.folder = lambda: HERE / "notebooks"


def main():
    role = sys.argv.pop(1)
    if not os.environ.get("PACIFICO_TEST_SHIPPED"):
        use_short_notebooks()  # in every role: the worker checks parameters, its children run
    if role == "child":
        from pacifico.jobs.runner import child

        if os.environ.get("PACIFICO_TEST_COLD"):
            child.PRELOAD = ()
        child.main()
    elif role == "background":
        from pacifico.jobs import background
        from pacifico.jobs.runner.processes import ProcessSpawner

        background.main(ProcessSpawner((sys.executable, __file__, "child")))
    elif role == "forkserver":
        from worker import forkserver, rehearsal

        if not os.environ.get("PACIFICO_TEST_SHIPPED"):
            rehearsal.REHEARSED.clear()
        if os.environ.get("PACIFICO_TEST_COLD"):
            forkserver.PRELOAD = ()
        forkserver.main()
    else:
        if skew := float(os.environ.get("PACIFICO_TEST_SKEW") or 0):
            import time

            real = time.time
            time.time = lambda: real() + skew
        from pacifico.jobs.runner.processes import ProcessSpawner
        from worker.forkserver import ForkSpawner
        from worker.main import main as work

        command = (sys.executable, __file__)
        fork = "process" not in sys.argv
        spawner = ForkSpawner((*command, "forkserver")) if fork else ProcessSpawner((*command, "child"))
        sys.exit(work(spawner=spawner, command=(*command, "worker")))


if __name__ == "__main__":
    main()
