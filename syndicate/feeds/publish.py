"""Published files: replaced as a whole, and only when their bytes change."""

import fcntl
from pathlib import Path

from syndicate.errors import StoreError
from syndicate.files import TEMPORARY, remedied, replace_file


def write(path: Path, data: bytes) -> bool:
    """Return whether the file changed. Whoever reads it sees all of the old or all of the new.

    A file that has these bytes already is not touched. The folder is made if there is none.

    Raises:
        StoreError: the file is as it was.
    """
    try:
        if _has(path, data):
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)
    except OSError as error:
        raise StoreError(_said(f"{path} could not be written, and is as it was", error)) from error
    return True


def tidy(folder: Path) -> int:
    """Return how many files were removed that a crash had left half-written. Those being written now stay.

    Raises:
        StoreError: the folder cannot be looked into.
    """
    try:
        left = [path for path in folder.iterdir() if TEMPORARY.fullmatch(path.name)]
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise StoreError(_said(f"{folder} could not be read", error)) from error
    return sum(map(_remove_abandoned, left))


def _said(what: str, error: OSError) -> str:
    return remedied(what, error, "It is tried again later.")


def _has(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def _remove_abandoned(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except OSError:  # alive, gone already, or not ours to remove
        return False
    return True
