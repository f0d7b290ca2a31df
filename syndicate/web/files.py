"""Files of one folder over HTTP (RFC 9110), kept in memory until they change on disk."""

import gzip
import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

HEADERS = {
    "Cache-Control": "no-cache",  # kept by readers, and asked about each time: a 304 costs next to nothing
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}

PAGE = ".html"
_NO_MORE: Mapping[str, str] = MappingProxyType({})

_ENTITY_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_WEIGHT = re.compile(r"[01](\.\d{0,3})?")


@dataclass(frozen=True, slots=True)
class Representation:
    """The bytes of a file in one encoding; each encoding has an entity tag of its own (RFC 9110 8.8.3.3)."""

    body: bytes
    tag: str  # opaque, without its quotes
    encoding: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFile:
    """A file as it was when last read."""

    stamp: tuple[int, ...]  # differs when the file does
    media_type: str
    modified: int  # seconds since 1970
    plain: Representation
    gzipped: Representation | None  # None where that would be longer

    @property
    def kept_bytes(self) -> int:
        return len(self.plain.body) + (len(self.gzipped.body) if self.gzipped else 0)


class Files:
    """The files of a folder that have a known suffix."""

    def __init__(
        self,
        folder: Callable[[], Path],
        media_type_by_suffix: Mapping[str, str],
        keep_bytes: int = 64 * 1024 * 1024,
        page_policy: str | None = None,
    ) -> None:
        """Serve the files of a folder.

        Args:
            page_policy: the Content-Security-Policy of its HTML; None: that of other files.
        """
        self._folder = folder
        self._keep_bytes = keep_bytes
        self._media_type_by_suffix = media_type_by_suffix
        self._kept: dict[Path, ServedFile] = {}  # the one used longest ago first
        self._page_headers = (
            {"Content-Security-Policy": page_policy, "Referrer-Policy": "no-referrer"} if page_policy else {}
        )

    async def response(self, request: Request, name: str) -> Response | None:
        """Return the answer to a GET or HEAD, None where no such file is to be had.

        Args:
            name: relative to the folder. Without a suffix it is any of the files with that name and one: the
                client says which it takes (RFC 9110 12.5.1), and the first suffix is for who does not care.
        """
        suffix = Path(name).suffix
        if suffix in self._media_type_by_suffix:
            return await self._response(request, name, suffix, "Accept-Encoding")
        accepted = _header(request, "accept")
        for each in preferred(accepted, self._media_type_by_suffix):
            found = await self._response(request, f"{name}{each}", each, "Accept, Accept-Encoding")
            if found:
                found.headers["Content-Location"] = quote(f"{name.rpartition('/')[2]}{each}")
                return found
        return None

    async def _response(self, request: Request, name: str, suffix: str, vary: str) -> Response | None:
        if not name.isprintable() or any(not part or part.startswith(".") for part in name.split("/")):
            return None
        file = await self._current(self._folder() / name, self._media_type_by_suffix[suffix])
        if file is None:
            return None
        headers = {"Vary": vary} | (self._page_headers if suffix == PAGE else {})
        return answer(request, file, headers)

    async def _current(self, path: Path, media_type: str) -> ServedFile | None:
        kept = self._kept.pop(path, None)
        try:
            if kept is None or has_changed(path, kept):  # takes microseconds, so needs no thread
                kept = await run_in_threadpool(read, path, media_type)
        except OSError:
            return None
        if kept is not None:
            self._keep(path, kept)
        return kept

    def _keep(self, path: Path, file: ServedFile) -> None:
        self._kept[path] = file
        excess = sum(other.kept_bytes for other in self._kept.values()) - self._keep_bytes
        for oldest in list(self._kept):
            if excess <= 0:
                break
            excess -= self._kept.pop(oldest).kept_bytes


def read(path: Path, media_type: str) -> ServedFile | None:
    """Return a file, None for what is not a plain one.

    Raises:
        OSError: there is none, or it may not be read.
    """
    descriptor = os.open(
        path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    )  # does not wait for a pipe's writer
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        body = file.read()
    tag = hashlib.sha256(body).hexdigest()[:32]
    smaller = gzip.compress(body, 6, mtime=0)
    return ServedFile(
        stamp=_stamp(status),
        media_type=media_type,
        modified=int(status.st_mtime),
        plain=Representation(body, tag),
        gzipped=Representation(smaller, f"{tag}-gzip", "gzip") if len(smaller) < len(body) else None,
    )


def has_changed(path: Path, file: ServedFile) -> bool:
    """Return whether a file is another than it was when read.

    Raises:
        OSError: it is gone.
    """
    return _stamp(path.stat()) != file.stamp


def preferred(accepted: str | None, media_type_by_suffix: Mapping[str, str]) -> list[str]:
    """Return the suffixes of what a client takes, the one that it likes best first (RFC 9110 12.5.1)."""
    ranges = [_weight(part) for part in (accepted or "*/*").lower().split(",") if part.strip()]
    weights = {
        suffix: _accepted(media_type.partition(";")[0], ranges)
        for suffix, media_type in media_type_by_suffix.items()
    }
    return sorted((suffix for suffix in weights if weights[suffix]), key=lambda suffix: -weights[suffix])


def _accepted(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return how welcome a media type is, by the range that says most of it."""
    for pattern in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        found = [weight for name, weight in ranges if name == pattern]
        if found:
            return max(found)
    return 0.0


def answer(request: Request, file: ServedFile, more: Mapping[str, str] = _NO_MORE) -> Response:
    """Return the file in the encoding asked for, or 304 when the client has just that."""
    chosen = file.gzipped if file.gzipped and takes_gzip(_header(request, "accept-encoding")) else file.plain
    headers = HEADERS | {"ETag": f'"{chosen.tag}"', "Last-Modified": formatdate(file.modified, usegmt=True)}
    headers |= more
    if is_current(request, chosen.tag, file.modified):
        return Response(status_code=304, headers=headers)
    if chosen.encoding:
        headers["Content-Encoding"] = chosen.encoding
    headers["Content-Length"] = str(len(chosen.body))
    body = b"" if request.method == "HEAD" else chosen.body
    return Response(body, headers=headers, media_type=file.media_type)


def is_current(request: Request, tag: str, modified: int) -> bool:
    """Return whether the client's copy is still good (RFC 9110 13.1.2, 13.1.3).

    Its entity tags are compared weakly. Only without any does its date count.
    """
    tags = _header(request, "if-none-match")
    if tags is not None:
        return tags.strip() == "*" or tag in _ENTITY_TAG.findall(tags)
    since = _seconds(_header(request, "if-modified-since"))
    return since is not None and modified <= since


def takes_gzip(accepted: str | None) -> bool:
    """Return whether gzip is at least as welcome as no encoding (RFC 9110 12.5.3)."""
    weights = dict(_weight(part) for part in (accepted or "").lower().split(",") if part.strip())
    gzip_weight = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip_weight > 0 and gzip_weight >= weights.get("identity", 0.0)


def _weight(part: str) -> tuple[str, float]:
    coding, *parameters = (word.strip() for word in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return coding, float(value) if _WEIGHT.fullmatch(value.strip()) else 0.0
    return coding, 1.0


def _header(request: Request, name: str) -> str | None:
    values = request.headers.getlist(name)
    return ", ".join(values) if values else None


def _seconds(date: str | None) -> float | None:
    try:
        moment = parsedate_to_datetime(date or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return _utc(moment).timestamp()


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
