"""Where a body is parsed: in a thread when it cannot take long, else in a process that can be ended.

`python -m syndicate.sources.parse` is that process. It reads a line of JSON (headers, url, address) and the
body from stdin, and writes lines of JSON to stdout: an error, or the document and then each of its entries.
"""

import asyncio
import json
import os
import resource
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from syndicate.errors import ParseError
from syndicate.model import Address, Document, Enclosure, Entry, Hints, Kind, Part
from syndicate.sources import kinds

DEADLINE_SECONDS = 20.0
MEMORY_BYTES = 1024 * 1024 * 1024  # of a process's addresses, Python's own 200 MiB among them
THREADS = 2
PROCESSES = 2
_MAX_RESULT = 96 * 1024 * 1024

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
    return await _run(load, result)


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


async def _result(body: bytes, how: dict[str, Any]) -> bytes:
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
            *(sys.executable, "-P", "-m", __name__), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment
        )
    except OSError as error:
        raise ParseError(f"a large document, and no process can be started to read it: {error}") from error


async def _send(process: Process, *parts: bytes) -> None:
    assert process.stdin is not None  # noqa: S101
    with suppress(ConnectionError):  # it has ended; its status tells more
        for part in parts:
            process.stdin.write(part)
            await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


async def _receive(process: Process) -> bytes:
    assert process.stdout is not None  # noqa: S101
    pieces, length = [], 0
    while piece := await process.stdout.read(256 * 1024):
        pieces.append(piece)
        length += len(piece)
        if length > _MAX_RESULT:
            raise ParseError(f"a document that unpacks to more than {_MAX_RESULT // 2**20} MiB, given up")
    return b"".join(pieces)


# --------------------------------------------------------------------------- the result, as JSON


def dump(document: Document) -> bytes:
    """Return a document as lines of JSON: itself, then each of its entries, so that no step takes long."""
    values = asdict(document)
    lines = [{key: value for key, value in values.items() if key != "entries"}, *values["entries"]]
    return b"\n".join(map(_line, lines))


def _line(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, default=datetime.isoformat).encode()


def load(result: bytes) -> Document:
    """Return the document that `dump` wrote.

    Raises:
        ParseError: there is an error instead of a document.
    """
    head, *lines = (json.loads(line) for line in result.splitlines())
    if "error" in head:
        raise ParseError(head["error"])
    values = {**head, "problems": tuple(head["problems"]), "hints": _hints(head["hints"])}
    values["parts"] = tuple(Part(url=part["url"], modified=part["modified"]) for part in head["parts"])
    return Document(**values, entries=tuple(_entry(line) for line in lines))


def _hints(values: dict[str, Any]) -> Hints:
    tuples = {name: tuple(values[name]) for name in ("skip_hours", "skip_days", "hubs")}
    return Hints(**{**values, **tuples})


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
        result = dump(
            kinds.parse(sys.stdin.buffer.read(), request["headers"], request["url"], _address(request))
        )
    except ParseError as error:
        result = json.dumps({"error": str(error)}).encode()
    sys.stdout.buffer.write(result)
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
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        with suppress(ValueError, OSError):  # not everywhere, and never more than we have
            resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    main()
