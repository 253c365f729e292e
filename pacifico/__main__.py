"""`python -m pacifico` is the command line."""

import sys

from pacifico.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
