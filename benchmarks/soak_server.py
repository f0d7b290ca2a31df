"""The servers of soak.py: its outlets and their accidents, and a receiver of alerts; what happened is kept.

Some outlets answer with validators, some without; some are behind redirects; a few are out of order for
hours. One answer in a hundred is an error, is broken off, or asks for time; the receiver's too. Of articles'
own pages, one in a hundred is an error; robots.txt is always answered, since how long its absence lasts goes
by the time of this machine.
"""

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

from soak_outlets import QUIET_END, Article, Outlet, World, document, page, version

FAILING = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_cut: bool = False  # half of the body is never sent


FAILURES: Sequence[Reply | None] = (  # None: the connection is closed without a word
    None,
    Reply(status=500),
    Reply(status=429, headers={"retry-after": "600"}),
    Reply(status=503, headers={"retry-after": "120"}),
)


@dataclass(slots=True, kw_only=True)
class Ledger:
    """What was asked, answered and taken."""

    requests: Counter[str] = field(default_factory=Counter)  # by how they were answered
    served: dict[int, set[Article]] = field(default_factory=lambda: defaultdict(set))  # by outlet
    pages: set[str] = field(default_factory=set)  # links
    at_first: dict[int, set[str]] = field(default_factory=dict)  # links in the first document of an outlet
    taken: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """The ids of the alerts that were taken, by rule and link."""


class Servers:
    """Answers on an address for each outlet, by the time that `clock` tells."""

    def __init__(self, world: World, outlets: Sequence[Outlet], clock: Callable[[], float]) -> None:
        self.ledger = Ledger()
        self._world = world
        self._outlets = {outlet.host: outlet for outlet in outlets}
        self._clock = clock
        self._dice = random.Random(29)

    async def serve(self, receiver: str) -> asyncio.Server:
        """Listen on the addresses of the outlets and of the receiver."""
        return await asyncio.start_server(
            self._connected, host=[receiver, *self._outlets], port=self._world.port, backlog=256
        )

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                fields = (line.partition(":") for line in head[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in fields}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                reply = self._reply(host, head[0].split()[1], headers, body)
                if reply is None or not await _sent(writer, reply):
                    break
        writer.close()

    def _reply(self, host: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        now, outlet = self._clock(), self._outlets.get(host)
        if path == "/robots.txt":
            return Reply(status=404)
        if now < self._world.end - QUIET_END and self._dice.random() < FAILING:
            self.ledger.requests["failure"] += 1
            return Reply(status=500) if path.startswith("/news/") else self._dice.choice(FAILURES)
        if outlet is None:
            return self._take(headers["webhook-id"], body)
        if outlet.outage[0] <= now < outlet.outage[1]:
            self.ledger.requests["outage"] += 1
            return Reply(status=502)
        return self._answer(outlet, path, headers, now)

    def _answer(self, outlet: Outlet, path: str, headers: Mapping[str, str], now: float) -> Reply:
        if path.startswith("/news/"):
            return self._page(outlet, path)
        if path == "/old":
            self.ledger.requests["redirect"] += 1
            return Reply(status=outlet.redirect or 404, headers={"location": "/feed"})
        return self._document(outlet, headers, now) if path == "/feed" else Reply(status=404)

    def _page(self, outlet: Outlet, path: str) -> Reply:
        self.ledger.requests["page"] += 1
        link = f"http://{outlet.host}:{self._world.port}{path}"
        article = next(each for each in outlet.articles if each.link == link)
        self.ledger.pages.add(link)
        return Reply(status=200, headers={"content-type": "text/html; charset=utf-8"}, body=page(article))

    def _document(self, outlet: Outlet, headers: Mapping[str, str], now: float) -> Reply:
        changed_at = version(outlet, now)
        validators = {}
        if outlet.validators == "etag":
            validators["etag"] = f'"{changed_at}"'
            is_known = headers.get("if-none-match") == validators["etag"]
        elif outlet.validators == "date":
            modified = format_datetime(datetime.fromtimestamp(changed_at, UTC), usegmt=False)
            validators["last-modified"] = modified.replace("+0000", "GMT")
            is_known = headers.get("if-modified-since") == validators["last-modified"]
        else:
            is_known = False
        if is_known:
            self.ledger.requests["not modified"] += 1
            return Reply(status=304, headers=validators)
        kind = {"content-type": "application/rss+xml", **validators}
        reply = Reply(status=200, headers=kind, body=document(outlet, now))
        if now < self._world.end - QUIET_END and self._dice.random() < FAILING:
            self.ledger.requests["broken off"] += 1
            return Reply(status=200, headers=kind, body=reply.body, is_cut=True)
        self.ledger.requests["document"] += 1
        listed = outlet.listed(now)
        self.ledger.served[outlet.number].update(listed)
        self.ledger.at_first.setdefault(outlet.number, {article.link for article in listed})
        return reply

    def _take(self, message: str, body: bytes) -> Reply:
        self.ledger.requests["alert"] += 1
        told = json.loads(body)
        if told["type"] == "alert.match":
            about = (told["data"]["rule"]["id"], told["data"]["item"]["link"])
            self.ledger.taken[about].append(message)
        return Reply(status=204)


async def _sent(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    """Answer; return whether the connection may go on."""
    head = [f"HTTP/1.1 {reply.status} -", f"content-length: {len(reply.body)}"]
    if reply.status in (204, 304):
        head.pop()
    head += [f"{name}: {value}" for name, value in reply.headers.items()]
    body = reply.body[: len(reply.body) // 2] if reply.is_cut else reply.body
    writer.write("\r\n".join([*head, "", ""]).encode("latin-1") + body)
    await writer.drain()
    return not reply.is_cut
