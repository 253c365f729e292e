"""The process of one strategy ends with its parent."""

import os
import subprocess
import sys


def test_a_child_ends_with_its_parent(field, tmp_path):
    """A child whose parent is gone closes nothing and waits for nobody."""
    reader, writer = os.pipe()
    code = (
        "import time, threading\nfrom pacifico.report.variants import child\n"
        "threading.Thread(target=child.end_with_parent, daemon=True).start()\ntime.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=reader)
    os.close(reader)
    os.close(writer)
    assert child.wait(timeout=60) == 1
