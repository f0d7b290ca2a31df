"""Files replaced as a whole: whoever reads one sees all of the old or all of the new."""

import errno
import fcntl
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")  # what a crash may leave behind
_REMEDIES = {
    errno.ENOSPC: "Make room on that disk.",
    errno.EDQUOT: "Make room within the quota.",
    errno.EACCES: "Let the user that runs Syndicate write to that folder.",
    errno.EPERM: "Let the user that runs Syndicate write to that folder.",
    errno.EROFS: "Mount that folder writable, or choose another one.",
    errno.ENOTDIR: "Move the file that stands where the folder should be.",
    errno.EISDIR: "Move the folder that stands where the file should be.",
    errno.EBUSY: "It is mounted by itself: mount its folder instead.",
}


def replace_file(path: Path, data: bytes, like: os.stat_result | None = None) -> None:
    """Put these bytes where the path is, durably.

    Args:
        like: a file whose mode and owner the new one gets, as far as we may; None: as umask has it.

    Raises:
        OSError: nothing was changed.
    """
    put_file(path, data, like)
    sync_folder(path.parent)


def put_file(path: Path, data: bytes, like: os.stat_result | None = None) -> os.stat_result:
    """Put these bytes where the path is; return what is known of the file.

    It is durable as soon as its folder is; until then, the path may lead to what was there before.

    Args:
        like: see `replace_file`.

    Raises:
        OSError: nothing was changed.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    only_ours = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, only_ours, 0o600 if like else 0o644)
    try:
        with os.fdopen(descriptor, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # says to whoever tidies that this is alive
            if like:
                _liken(descriptor, like)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
            known = os.fstat(descriptor)
            temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return known


def remedied(what: str, error: OSError, otherwise: str = "") -> str:
    """Return what could not be done, why, and what to do about it."""
    return f"{what}: {error.strerror}. {_REMEDIES.get(error.errno or 0, otherwise)}".rstrip()


def _liken(descriptor: int, like: os.stat_result) -> None:
    with suppress(PermissionError):  # to a group that we are not in
        os.fchown(descriptor, -1, like.st_gid)
    with suppress(PermissionError):  # only root gives files away
        os.fchown(descriptor, like.st_uid, -1)
    os.fchmod(descriptor, like.st_mode & 0o7777)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries survive a power cut, where the file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
