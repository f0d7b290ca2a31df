"""Measure what huge and hostile documents cost: memory of all processes, how long the loop stops, and time.

    .venv/bin/python benchmarks/hostile.py [--size 15728640] [--only text million-items ...]

Each document of tests/huge.py is served from this machine and polled by the real poller into a new database,
in a new process that has polled something small before. `own` is what that process grew by at its peak;
`reader` is the peak of the process that read the document, all of it, 0 where a thread did; `sum` is both,
though they seldom come together; `lag` is the longest that nothing else could run in the loop. MiB,
milliseconds, seconds.

It ends with 1 if a document costs 200 MiB or stops the loop for 250 ms. Needs /proc, so Linux.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.costs import cost
from tests.huge import HUGE, MAX_BYTES

MOST_MIB = 200
LONGEST_LAG_SECONDS = 0.25


def main() -> None:
    """Measure each, and print a line for it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", type=int, default=MAX_BYTES, help="of a document, in bytes")
    parser.add_argument("--only", nargs="+", choices=list(HUGE), default=list(HUGE), metavar="NAME")
    options = parser.parse_args()
    is_beyond = False
    print(
        f"{'':32} {'own':>6} {'reader':>6} {'sum':>6} {'lag ms':>7} {'s':>6}  load {os.getloadavg()[0]:.1f}"
    )
    for name in options.only:
        found = cost(name, options.size)
        is_beyond |= found.memory >= MOST_MIB or found.lag >= LONGEST_LAG_SECONDS
        print(
            f"{name:32} {found.own:6.0f} {found.other:6.0f} {found.memory:6.0f} {found.lag * 1000:7.0f}"
            f" {found.took:6.2f}  {found.status[:70]}",
            flush=True,
        )
    sys.exit(is_beyond)


if __name__ == "__main__":
    main()
