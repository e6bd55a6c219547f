"""The command `edged`: argv -> exit code."""

import sys

from edged.cli import main

if __name__ == "__main__":
    sys.exit(main())
