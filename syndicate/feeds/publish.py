"""Published files: replaced as a whole, and only when their bytes change."""

import errno
import fcntl
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from syndicate.errors import StoreError

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")
_REMEDIES = {
    errno.ENOSPC: "Make room on that disk.",
    errno.EDQUOT: "Make room within the quota.",
    errno.EACCES: "Let the user that runs Syndicate write to that folder.",
    errno.EPERM: "Let the user that runs Syndicate write to that folder.",
    errno.EROFS: "Mount that folder writable, or choose another one.",
    errno.ENOTDIR: "Move the file that stands where the folder should be.",
    errno.EISDIR: "Move the folder that stands where the file should be.",
}


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
        _replace(path, data)
    except OSError as error:
        raise StoreError(_said(f"{path} could not be written, and is as it was", error)) from error
    return True


def tidy(folder: Path) -> int:
    """Return how many files were removed that a crash had left half-written. Those being written now stay.

    Raises:
        StoreError: the folder cannot be looked into.
    """
    try:
        left = [path for path in folder.iterdir() if _TEMPORARY.fullmatch(path.name)]
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise StoreError(_said(f"{folder} could not be read", error)) from error
    return sum(map(_remove_abandoned, left))


def _said(what: str, error: OSError) -> str:
    return f"{what}: {error.strerror}. {_REMEDIES.get(error.errno or 0, 'It is tried again later.')}"


def _has(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    only_ours = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, only_ours, 0o644)  # less the umask
    try:
        with os.fdopen(descriptor, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # says to `tidy`, in whatever process, that this is alive
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the folder's entries survive a power cut, where the file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _remove_abandoned(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except OSError:  # alive, gone already, or not ours to remove
        return False
    return True
