"""Where a body is parsed: in a thread when it cannot take long, else in a process that can be ended.

`python -m syndicate.sources.parse` is that process. It reads a line of JSON (headers, url, address) and the
body from stdin, and writes lines of JSON to stdout: an error, or the document and then each of its entries.

Whatever a document holds, it costs less than 200 MiB, of which these are the parts: the body, what is left of
it as it comes back, and a process that has what Python itself takes, some 35 MiB, and MEMORY_BYTES.
"""

import asyncio
import json
import os
import resource
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from syndicate.errors import ParseError
from syndicate.model import Address, Document, Enclosure, Entry, Hints, Kind, Part
from syndicate.sources import kinds

DEADLINE_SECONDS = 20.0
MEMORY_BYTES = 112 * 1024 * 1024  # of addresses, beyond those that a process has when it begins
THREADS = 2
PROCESSES = 2
_PIECE = 256 * 1024  # bytes that are sent at once
_MAX_RESULT = 32 * 1024 * 1024
_MAX_LINE = 4 * 1024 * 1024  # of a result; an entry is well below
_STATM = Path("/proc/self/statm")  # on Linux
_PLENTY = 1024 * 1024 * 1024  # bytes of addresses, which Python takes nowhere

_TOO_MUCH = f"a document of which more than {_MAX_RESULT // 2**20} MiB would have to be kept, given up"

T = TypeVar("T")

_slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def parse(
    body: bytes,
    headers: Mapping[str, str],
    url: str,
    address: Address | None = None,
    *,
    deadline_seconds: float = DEADLINE_SECONDS,
) -> Document:
    """Return the document that a response holds, as `kinds.parse` does, without ever stopping the event loop.

    Raises:
        ParseError: it is of no kind that we read, or takes too long or too much memory to read.
    """
    if kinds.may_be_light(body):
        document = await _run(_parse_light, body, headers, url, address)
        if document is not None:
            return document
    async with _slot():
        try:
            async with asyncio.timeout(deadline_seconds):
                result = await _result(body, {"headers": dict(headers), "url": url, "address": address})
        except TimeoutError:
            raise ParseError(
                f"a document that takes more than {deadline_seconds:.0f} s to read, and was given up:"
                " it is broken or hostile; ask its publisher, or disable the source"
            ) from None
    return await _run(load, _emptied(result))


def _parse_light(
    body: bytes, headers: Mapping[str, str], url: str, address: Address | None
) -> Document | None:
    """Return the document; None when reading it could take long."""
    body = kinds.unpacked(body)
    if not kinds.may_be_light(body):
        return None
    prepared = kinds.prepare(body, headers, url, address)
    return kinds.read(prepared) if prepared.is_light else None


async def _run(function: Callable[..., T], *arguments: object) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads(), function, *arguments)


@cache
def _threads() -> ThreadPoolExecutor:
    """Return threads of our own, so that slow feeds take none from others, such as name resolution."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="parse")


def _slot() -> asyncio.Semaphore:
    return _slots.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(PROCESSES))


# --------------------------------------------------------------------------- our side of the process


async def _result(body: bytes, how: dict[str, Any]) -> deque[bytes]:
    """Return what a process of its own makes of a body; it has ended when this returns or raises."""
    process = await _start()
    try:
        request = json.dumps(how, default=asdict).encode() + b"\n"
        _, result = await asyncio.gather(_send(process, request, body), _receive(process))
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status != 0 or not result:
        raise ParseError(
            f"a document that cannot be read within {MEMORY_BYTES // 2**20} MiB of memory (its process ended"
            f" with status {status}): it is broken or hostile; ask its publisher, or disable the source"
        )
    return result


async def _start() -> Process:
    environment = {  # none of ours, which may hold secrets; but the same modules
        "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", __name__),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=environment,
            limit=_MAX_LINE,
        )
    except OSError as error:
        raise ParseError(f"a large document, and no process can be started to read it: {error}") from error


async def _send(process: Process, *parts: bytes) -> None:
    assert process.stdin is not None  # noqa: S101
    with suppress(ConnectionError):  # it has ended; its status tells more
        for part in parts:
            for start in range(0, len(part), _PIECE):  # so that it is not copied as a whole
                process.stdin.write(part[start : start + _PIECE])
                await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


async def _receive(process: Process) -> deque[bytes]:
    assert process.stdout is not None  # noqa: S101
    lines: deque[bytes] = deque()
    length = 0
    try:
        async for line in process.stdout:
            lines.append(line)
            length += len(line)
            if length > _MAX_RESULT:
                raise ParseError(_TOO_MUCH)
    except ValueError as error:  # a line beyond _MAX_LINE
        raise ParseError(_TOO_MUCH) from error
    return lines


# --------------------------------------------------------------------------- the result, as JSON


def dump(document: Document) -> Iterator[bytes]:
    """Yield a document as lines of JSON: itself, then each of its entries, so that no step takes long."""
    yield _line({**asdict(replace(document, entries=())), "entries": None})
    for entry in document.entries:
        yield _line(asdict(entry))


def _line(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, default=datetime.isoformat).encode() + b"\n"


def _emptied(lines: deque[bytes]) -> Iterator[bytes]:
    """Yield lines, none of which is kept."""
    while lines:
        yield lines.popleft()


def load(result: Iterable[bytes]) -> Document:
    """Return the document whose lines `dump` yielded.

    Raises:
        ParseError: there is an error instead of a document.
    """
    lines = iter(result)
    values = json.loads(next(lines))
    if "error" in values:
        raise ParseError(values["error"])
    values |= {"problems": tuple(values["problems"]), "hints": _hints(values["hints"])}
    values["parts"] = tuple(Part(url=part["url"], modified=part["modified"]) for part in values["parts"])
    return Document(**{**values, "entries": tuple(_entry(json.loads(line)) for line in lines)})


def _hints(values: dict[str, Any]) -> Hints:
    skipped = {name: tuple(values[name]) for name in ("skip_hours", "skip_days")}
    return Hints(**{**values, **skipped})


def _entry(line: dict[str, Any]) -> Entry:
    dates = {key: datetime.fromisoformat(line[key]) for key in ("published", "updated") if line[key]}
    enclosures = tuple(Enclosure(**enclosure) for enclosure in line["enclosures"])
    return Entry(**{**line, **dates, "categories": tuple(line["categories"]), "enclosures": enclosures})


# --------------------------------------------------------------------------- the process's side


def main() -> None:
    """Parse what stdin holds, under limits."""
    _limit()
    request = json.loads(sys.stdin.buffer.readline())
    try:
        document = kinds.parse(sys.stdin.buffer.read(), request["headers"], request["url"], _address(request))
        sys.stdout.buffer.writelines(dump(document))
    except ParseError as error:
        sys.stdout.buffer.write(_line({"error": str(error)}))
    sys.stdout.buffer.flush()


def _address(request: dict[str, Any]) -> Address | None:
    values = request["address"]
    if values is None:
        return None
    return Address(**{**values, "kind": None if values["kind"] is None else Kind(values["kind"])})


def _limit() -> None:
    """Bound memory; and time, should nobody be left to end us. Nothing is written but the result."""
    seconds = int(DEADLINE_SECONDS) + 5
    limits = {
        resource.RLIMIT_AS: _address_bytes() + MEMORY_BYTES,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        with suppress(ValueError, OSError):  # not everywhere, and never more than we have
            resource.setrlimit(limit, (value, value))


def _address_bytes() -> int:
    """Return how many bytes of addresses this process has by now; where that cannot be told, plenty."""
    if not _STATM.exists():
        return _PLENTY
    return int(_STATM.read_text().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    main()
