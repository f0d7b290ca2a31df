"""Signed webhooks sent over a bare client, of which nothing is recorded: what deliver.py compares with."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import httpx
from standardwebhooks import Webhook

AT_ONCE = 40  # as many as `once` has under way to ten endpoints

Client = Callable[[Sequence["Letter"]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent."""

    id: str
    url: str
    body: bytes
    secret: str

    def headers(self) -> dict[str, str]:
        """Return its headers, signed now (https://www.standardwebhooks.com)."""
        now = datetime.now(UTC)
        return {
            "content-type": "application/json",
            "webhook-id": self.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(self.id, now, self.body.decode()),
        }


async def over_aiohttp(letters: Sequence[Letter]) -> None:
    """Send all, on kept connections."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def send(letter: Letter) -> None:
            async with session.post(letter.url, data=letter.body, headers=letter.headers()) as answer:
                await answer.read()

        await _side_by_side(send, letters)


async def over_httpx(letters: Sequence[Letter]) -> None:
    """Send all, on kept connections, by httpx's own transport."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(limits=limits, trust_env=False, timeout=15) as client:

        async def send(letter: Letter) -> None:
            await client.post(letter.url, content=letter.body, headers=letter.headers())

        await _side_by_side(send, letters)


async def _side_by_side(send: Callable[[Letter], Awaitable[None]], letters: Sequence[Letter]) -> None:
    left = iter(letters)

    async def work() -> None:
        for letter in left:
            await send(letter)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())


CLIENTS: dict[str, Client] = {"aiohttp": over_aiohttp, "httpx": over_httpx}
