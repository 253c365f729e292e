"""Process that makes the layout of one strategy.

Usage: `python -m pacifico.report.variants.child FOLDER STRATEGY`.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pacifico.errors import PacificoError
from pacifico.layout.add_racking import add_racking
from pacifico.layout.generate import generate_layout
from pacifico.report.variants.process import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.model.plan import Plan
    from pacifico.vocabulary import Strategy


def main(argv: Sequence[str]) -> int:
    """Make the layout and write it, or its failure, to the folder."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    folder, strategy = Path(argv[0]), argv[1]
    site, dem, design = pickle.loads((folder / "job.pickle").read_bytes())  # noqa: S301 (written by the parent)
    result: Plan | Failure
    try:
        result = add_racking(generate_layout(site, dem, strategy=cast("Strategy", strategy), **design), dem)
    except PacificoError as error:
        result = Failure(strategy, type(error).__name__, " ".join(str(error).split()), error.exit_code)
    part = folder / f"{strategy}.part"
    part.write_bytes(pickle.dumps(result))
    part.rename(folder / f"{strategy}.pickle")
    return 0


def end_with_parent() -> None:
    """End this process when its parent ends."""
    # a read of sys.stdin would hold its lock, and the interpreter could not end
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
