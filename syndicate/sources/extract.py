"""The article in a web page. The only place that knows trafilatura, which a process of its own runs.

Some pages keep it busy for minutes, and a thread can't be ended. `python -m syndicate.sources.extract` is
that process: on stdin and stdout come frames, each 8 bytes of length and then the data. It says that it is
ready with an empty frame, then answers each page, and what is to be left out of it, with JSON for JSON.
"""

import asyncio
import json
import os
import re
import resource
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence, Set
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from selectolax.lexbor import LexborHTMLParser

from syndicate.errors import LimitError, ParseError
from syndicate.sources.markup import ancestors, rough_text, tree_of
from syndicate.sources.repeats import words_of
from syndicate.sources.sanitise import MAX_HTML, clean_plain

DEADLINE_SECONDS = 10.0
START_SECONDS = 30.0  # on a busy machine
MAX_LINKS = 5000  # of a page, by which links in its article are told
MEMORY_BYTES = 1024 * 1024 * 1024  # of the process's addresses
_LINE_END = re.compile(r"[\r\n]+")
_TABLE_RULE = re.compile(r"^\|(?:-+\|)+$\n?", re.MULTILINE)  # that trafilatura draws under a table's head
_LENGTH_BYTES = 8
_LABEL = 40  # characters
_MAX_ANSWER = 16 * MAX_HTML


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The article of a page: its paragraphs in plain text, and which of them are links, by their place."""

    lines: tuple[str, ...] = ()
    links: tuple[int, ...] = ()
    canonical: str = ""  # what the page says that its address is, as written; empty if it says nothing

    @property
    def text(self) -> str:
        """Return it as one text, a line for each paragraph."""
        return "\n".join(self.lines)


def article(html: str, prune: Sequence[str] = ()) -> Found:
    """Return a page's article; nothing if there is none.

    Args:
        prune: CSS selectors of what is left out.

    Raises:
        ParseError: the page can't be read.
    """
    import trafilatura  # noqa: PLC0415  takes 0.4 s, and only the process that reads pages needs it

    html = html.encode(errors="replace").decode()
    try:
        tree = tree_of(html)
        links = {words for node in tree.css("a")[:MAX_LINKS] if (words := words_of(rough_text(node)))}
        canonical = _canonical(tree)
        kept = _pruned(tree, prune) if prune else html
        # Line ends in HTML are spaces; trafilatura keeps some.
        text = trafilatura.extract(_LINE_END.sub(" ", kept), include_comments=False)
    except Exception as error:  # it may raise anything
        raise ParseError(f"the article can't be told from its page: {error!r}"[:300]) from error
    lines = tuple(filter(None, clean_plain(_TABLE_RULE.sub("", text or "")).text.split("\n")))
    places = tuple(place for place, line in enumerate(lines) if _is_link(line, links))
    return Found(lines=lines, links=places, canonical=canonical)


def _pruned(tree: LexborHTMLParser, prune: Sequence[str]) -> str:
    """Return a page without what selectors find in it. Scripts, in which it may stand again, are gone too."""
    for selector in prune:
        nodes = [node for node in tree.css(selector) if node.tag not in ("html", "body")]
        found = {node.mem_id for node in nodes}
        # What is in what is removed is removed with it, and must not be touched after that.
        outermost = [node for node in nodes if not any(each.mem_id in found for each in ancestors(node))]
        for node in outermost:
            node.decompose()
    return tree.html or ""


def _canonical(tree: LexborHTMLParser) -> str:
    """Return what a page says that its address is (RFC 6596). Of several, none is believed."""
    named = {
        (node.attributes.get("href") or "").strip() for node in tree.css("head link[rel~='canonical' i]")
    }
    return named.pop() if len(named) == 1 else ""


def _is_link(line: str, links: Set[str]) -> bool:
    """Return whether a line is a link, or one after a word and a colon (`Read also: ...`)."""
    label, colon, rest = line.partition(":")
    return words_of(line) in links or (bool(colon) and len(label) <= _LABEL and words_of(rest) in links)


class Extractor:
    """Finds articles in pages. Its process runs from the first page until nobody is inside `async with`."""

    def __init__(self) -> None:
        self._users = 0
        self._turn = asyncio.Lock()
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        self._users += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._users -= 1
        if not self._users:
            await self._end()

    async def article(
        self, html: str, prune: Sequence[str] = (), *, deadline_seconds: float = DEADLINE_SECONDS
    ) -> Found:
        """Return a page's article, as `article` does.

        Raises:
            ParseError: the page can't be read.
            LimitError: it takes too long.
        """
        async with self._turn:
            try:
                process = self._process or await self._start()
                async with asyncio.timeout(deadline_seconds):
                    question = json.dumps([html, list(prune)]).encode()
                    answer = json.loads(await _exchange(process, question))
            except BaseException as error:
                await self._end()  # what it would say now would be taken for the answer about another page
                raise _in_words(error, deadline_seconds) from error
        if "error" in answer:
            raise ParseError(answer["error"])
        return Found(
            lines=tuple(answer["lines"]), links=tuple(answer["links"]), canonical=answer["canonical"]
        )

    async def _start(self) -> Process:
        environment = {  # none of ours, which may hold secrets; but the same modules
            "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", __name__), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                await _receive(self._process)
        except TimeoutError as error:
            raise EOFError(f"not ready within {START_SECONDS:.0f} s") from error
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _in_words(error: BaseException, deadline_seconds: float) -> BaseException:
    match error:
        case TimeoutError():
            return LimitError(f"reading it takes more than {deadline_seconds:.0f} s")
        case OSError() | EOFError():
            return ParseError(f"the process that reads pages ended or can't be started ({error!r})")
        case _:
            return error


async def _exchange(process: Process, page: bytes) -> bytes:
    assert process.stdin is not None  # noqa: S101
    process.stdin.write(len(page).to_bytes(_LENGTH_BYTES) + page)
    await process.stdin.drain()
    return await _receive(process)


async def _receive(process: Process) -> bytes:
    assert process.stdout is not None  # noqa: S101
    length = int.from_bytes(await process.stdout.readexactly(_LENGTH_BYTES))
    if length > _MAX_ANSWER:
        raise EOFError("it wrote something else")
    return await process.stdout.readexactly(length)


# --------------------------------------------------------------------------- the process's side


def main() -> None:
    """Answer pages until there are no more."""
    _limit()
    article("")
    _write(b"")
    while head := sys.stdin.buffer.read(_LENGTH_BYTES):
        page = sys.stdin.buffer.read(int.from_bytes(head))
        signal.alarm(int(DEADLINE_SECONDS) + 5)  # should nobody be left to end us
        try:
            answer = asdict(article(*json.loads(page)))
        except ParseError as error:
            answer = {"error": str(error)}
        signal.alarm(0)
        _write(json.dumps(answer).encode())


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(len(data).to_bytes(_LENGTH_BYTES) + data)
    sys.stdout.buffer.flush()


def _limit() -> None:
    """Bound memory, write nothing but answers, and leave it to our parent to end us: it may be finishing."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    limits = {resource.RLIMIT_AS: MEMORY_BYTES, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    for limit, value in limits.items():
        with suppress(ValueError, OSError):  # not everywhere, and never more than we have
            resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    main()
