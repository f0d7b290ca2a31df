"""Published files: replaced as a whole, and only when their bytes change."""

import fcntl
import os
from pathlib import Path
from typing import NamedTuple

from syndicate.errors import StoreError
from syndicate.files import TEMPORARY, put_file, remedied, sync_folder


class Identity(NamedTuple):
    """Which file it is: another one whenever it was replaced or edited."""

    device: int
    inode: int
    size: int
    modified_ns: int


def write(path: Path, data: bytes) -> bool:
    """Return whether the file changed. Whoever reads it sees all of the old or all of the new.

    A file that has these bytes already is not touched. The folder is made if there is none.

    Raises:
        StoreError: the file is as it was.
    """
    found = read(path)
    if found is not None and found[1] == data:
        return False
    replace(path, data)
    settle(path.parent)
    return True


def replace(path: Path, data: bytes) -> Identity:
    """Put these bytes where the path is; a power cut may undo that until the folder is settled.

    For all else, see `write`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _identity(put_file(path, data))
    except OSError as error:
        raise StoreError(_said(f"{path} could not be written, and is as it was", error)) from error


def settle(folder: Path) -> None:
    """Make what was replaced in a folder survive a power cut.

    Raises:
        StoreError: it may be lost in one.
    """
    try:
        sync_folder(folder)
    except OSError as error:
        raise StoreError(_said(f"{folder} could not be brought to the disk", error)) from error


def read(path: Path) -> tuple[Identity, bytes] | None:
    """Return a file; None: there is none.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        with path.open("rb", buffering=0) as file:
            return _identity(os.fstat(file.fileno())), file.readall()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(_said(f"{path} could not be written, and is as it was", error)) from error


def tidy(folder: Path) -> int:
    """Return how many files were removed that a crash had left half-written. Those being written now stay.

    Raises:
        StoreError: the folder cannot be looked into.
    """
    try:
        places = list(os.walk(folder, onerror=_reraise))
        left = [
            Path(place, name) for place, _, names in places for name in names if TEMPORARY.fullmatch(name)
        ]
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise StoreError(_said(f"{folder} could not be read", error)) from error
    return sum(map(_remove_abandoned, left))


def _said(what: str, error: OSError) -> str:
    return remedied(what, error, "It is tried again later.")


def _identity(stat: os.stat_result) -> Identity:
    return Identity(device=stat.st_dev, inode=stat.st_ino, size=stat.st_size, modified_ns=stat.st_mtime_ns)


def _reraise(error: OSError) -> None:
    raise error


def _remove_abandoned(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except OSError:  # alive, gone already, or not ours to remove
        return False
    return True
