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
from functools import partial
from pathlib import Path
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
Fields = tuple[tuple[bytes, bytes], ...]  # of headers, as they are sent

_ENTITY_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_WEIGHT = re.compile(r"[01](\.\d{0,3})?")


@dataclass(frozen=True, slots=True)
class Representation:
    """The bytes of a file in one encoding; each encoding has an entity tag of its own (RFC 9110 8.8.3.3)."""

    body: bytes
    tag: str  # opaque, without its quotes
    validators: Fields
    describing: Fields  # what else an answer that has the body says of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is answered with."""

    modified: int  # seconds since 1970
    plain: Representation
    gzipped: Representation | None  # None where that would be longer


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFile:
    """A file as it was when last read."""

    path: Path
    stamp: tuple[int, ...]  # differs when the file does
    content: Content

    @property
    def kept_bytes(self) -> int:
        plain, gzipped = self.content.plain, self.content.gzipped
        return len(plain.body) + (len(gzipped.body) if gzipped else 0)


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
        self._kept: dict[str, ServedFile] = {}  # by path, the one used longest ago first
        self._kept_bytes = 0
        page_headers = (
            {"Content-Security-Policy": page_policy, "Referrer-Policy": "no-referrer"} if page_policy else {}
        )
        self._headers, self._page_headers = fields(HEADERS), fields(HEADERS | page_headers)

    async def response(self, request: Request, name: str) -> Response | None:
        """Return the answer to a GET or HEAD, None where no such file is to be had.

        Args:
            name: relative to the folder. Without a suffix it is any of the files with that name and one: the
                client says which it takes (RFC 9110 12.5.1), and the first suffix is for who does not care.
        """
        suffix = f".{name.rpartition('.')[2]}"
        if suffix in self._media_type_by_suffix:
            return await self._response(request, name, suffix, b"Accept-Encoding")
        accepted = _header(request, "accept")
        for each in preferred(accepted, self._media_type_by_suffix):
            found = await self._response(request, f"{name}{each}", each, b"Accept, Accept-Encoding")
            if found:
                found.headers["Content-Location"] = quote(f"{name.rpartition('/')[2]}{each}")
                return found
        return None

    async def _response(self, request: Request, name: str, suffix: str, vary: bytes) -> Response | None:
        if not name.isprintable() or any(not part or part.startswith(".") for part in name.split("/")):
            return None
        file = await self._current(f"{self._folder()}/{name}", self._media_type_by_suffix[suffix])
        if file is None:
            return None
        always = self._page_headers if suffix == PAGE else self._headers
        return answer(request, file.content, (*always, (b"vary", vary)))

    async def _current(self, path: str, media_type: str) -> ServedFile | None:
        kept = self._kept.get(path)
        try:
            if kept is None or has_changed(kept):  # takes microseconds, so needs no thread
                kept = await run_in_threadpool(read, Path(path), media_type)
        except OSError:
            kept = None
        self._keep(path, kept)
        return kept

    def _keep(self, path: str, file: ServedFile | None) -> None:
        """Keep a file as the one used last, None: it is not there any more."""
        self._drop(path)
        if file is not None:
            self._kept[path] = file
            self._kept_bytes += file.kept_bytes
        while self._kept_bytes > self._keep_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, path: str) -> None:
        dropped = self._kept.pop(path, None)
        if dropped is not None:
            self._kept_bytes -= dropped.kept_bytes


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
    modified = int(status.st_mtime)
    represented = partial(represent, modified=modified, media_type=media_type)
    zipped = represented(smaller, f"{tag}-gzip", encoding="gzip") if len(smaller) < len(body) else None
    content = Content(modified=modified, plain=represented(body, tag), gzipped=zipped)
    return ServedFile(path=path, stamp=_stamp(status), content=content)


def represent(
    body: bytes, tag: str, *, modified: int, media_type: str, encoding: str | None = None
) -> Representation:
    """Return a representation with the headers that it always has, written once."""
    described = {"Content-Type": media_type, "Content-Length": str(len(body))}
    return Representation(
        body=body,
        tag=tag,
        validators=fields({"ETag": f'"{tag}"', "Last-Modified": formatdate(modified, usegmt=True)}),
        describing=fields(described | ({"Content-Encoding": encoding} if encoding else {})),
    )


def fields(headers: Mapping[str, str]) -> Fields:
    """Return headers as they are sent."""
    return tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items())


def has_changed(file: ServedFile) -> bool:
    """Return whether a file is another than it was when read.

    Raises:
        OSError: it is gone.
    """
    return _stamp(file.path.stat()) != file.stamp


def preferred(accepted: str | None, media_type_by_suffix: Mapping[str, str]) -> list[str]:
    """Return the suffixes of what a client takes, the one that it likes best first (RFC 9110 12.5.1).

    Who takes none of it gets what there is all the same: readers say less than they take.
    """
    ranges = [_weight(part) for part in (accepted or "*/*").lower().split(",") if part.strip()]
    weights = {
        suffix: _accepted(media_type.partition(";")[0], ranges)
        for suffix, media_type in media_type_by_suffix.items()
    }
    taken = sorted((suffix for suffix in weights if weights[suffix]), key=lambda suffix: -weights[suffix])
    return taken or list(media_type_by_suffix)


def _accepted(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return how welcome a media type is, by the range that says most of it."""
    generic = {"json": ("application/json",), "xml": ("application/xml", "text/xml")}
    names = generic.get(media_type.rpartition("+")[2], ())
    for pattern in (media_type, *names, f"{media_type.partition('/')[0]}/*", "*/*"):
        found = [weight for name, weight in ranges if name == pattern]
        if found:
            return max(found)
    return 0.0


def answer(request: Request, content: Content, always: Fields) -> Response:
    """Return content in the encoding asked for, or 304 when the client has just that.

    Args:
        always: headers of both answers.
    """
    zipped = content.gzipped if takes_gzip(_header(request, "accept-encoding")) else None
    chosen = zipped or content.plain
    if is_current(request, chosen.tag, content.modified):
        return _Written(304, (*always, *chosen.validators))
    body = b"" if request.method == "HEAD" else chosen.body
    return _Written(200, (*always, *chosen.validators, *chosen.describing), body)


class _Written(Response):
    """An answer whose headers are written already."""

    def __init__(self, status: int, headers: Fields, body: bytes = b"") -> None:
        self.status_code, self.raw_headers, self.body = status, list(headers), body
        self.background = None


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
