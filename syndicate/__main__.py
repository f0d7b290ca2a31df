"""Runs the command line: `python -m syndicate`."""

import sys

try:
    from syndicate.cli import main

    main()
except KeyboardInterrupt:  # while it starts, which takes a moment; later each command sees to it
    sys.exit(130)
