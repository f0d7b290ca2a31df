"""Who works on a database: each process holds a lock on the file beside it while it lives."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syndicate.errors import StoreError


class LifeLock:
    """The lock of a process on the file beside the database, which it shares with others that work.

    Args:
        path: of the database; its folder is made.
        works: whether this process will claim anything; one that only looks holds no lock.

    Raises:
        StoreError: the file cannot be opened.
    """

    def __init__(self, path: Path, *, works: bool) -> None:
        self._descriptor = _opened(path, works=works)

    def close(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)

    def is_held_by_others(self) -> bool:
        """Whether another process works; of one that does not itself."""
        is_alone = self._is_alone()
        if is_alone:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        return not is_alone

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Say whether this process is the only one that works, and let no other begin until left."""
        try:
            yield self._is_alone()
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def _is_alone(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Let nobody else in while a file is made.

        Of two that turn on WAL at once, SQLite refuses one, unwaited. This lock is of another kind than the
        one that tells who is alive (fcntl's, not flock's).
        """
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)


def _opened(path: Path, *, works: bool) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(
            path.with_name(path.name + "-lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        if works:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
    except OSError as error:
        raise StoreError(f"{path}: cannot be opened: {error.strerror}; check [service] database") from error
    return descriptor
