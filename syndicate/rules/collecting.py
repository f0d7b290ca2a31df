"""Building much at once without the garbage collector looking through all of it again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Collect no garbage for now: what is built stays, and nothing in it refers to itself."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def settle() -> None:
    """Have the garbage collector pass over all that exists now, until this is called again.

    For a process that has built what it will need for long: each of its full collections would walk through
    every rule.
    """
    if gc.get_freeze_count():
        gc.unfreeze()
        gc.collect()  # what was replaced meanwhile
    gc.freeze()
