"""Measure our hub: how long until every subscriber of a feed has its newest document.

    .venv/bin/python benchmarks/hub.py [--subscribers 1000] [--hosts 100] [--hanging 20] [--kilobytes 100]

Subscribers at ports of this machine, each port a host of its own, take a document that has changed. As many
others as `--hanging`, at ports of their own, take the request and never answer. The figures are seconds from
the announcement of the change until half, and until all, of those that answer have the whole document; first
without those that hang, then beside them, when they have not failed before, and when they have.

It ends with 1 if a subscriber that answers got the document another time than once.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import structlog

from syndicate.http import Client
from syndicate.hub.hub import Hub
from syndicate.model import Config, NetworkSettings, ServiceSettings
from syndicate.model.feeds import Feed
from syndicate.model.hub import HubAnswer, HubMode, HubRequest, Limits
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread

BASE = "https://desk.example"
TOPIC = f"{BASE}/feeds/eu.atom"
LEASE = timedelta(hours=1)
NO_LIMITS = Limits(
    per_topic=10**6,
    per_host=10**6,
    in_all=10**6,
    asked_per_host=10**6,
    asked_in_all=10**6,
    interval=timedelta(),
)


@dataclass(slots=True)
class Subscribers:
    """Whoever answers, and when each got something."""

    expected: int
    arrivals: list[float] = field(default_factory=list)
    paths: Counter[str] = field(default_factory=Counter)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of a connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
                await reader.readexactly(length)
                self.arrivals.append(time.monotonic())
                self.paths[head.split(b" ", 2)[1].decode()] += 1
                if len(self.arrivals) >= self.expected:
                    self.done.set()
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read, and say nothing."""
    while await reader.read(65536):
        pass
    writer.close()


def subscribe(store: SqliteStore, hosts: list[str], count: int, digest: str) -> None:
    """Have so many callbacks at these hosts subscribe, and have the document of this digest."""
    for number in range(count):
        host = hosts[number % len(hosts)]
        request = HubRequest(
            mode=HubMode.SUBSCRIBE,
            topic=TOPIC,
            callback=f"http://{host}/{number}",
            host=host,
            secret="measured",
            lease=timedelta(days=1),
            digest=digest,
        )
        store.hub.take_request(request, NO_LIMITS)
    while claimed := store.hub.claim_requests(limit=1000, lease=LEASE):
        store.hub.record_answers(
            [HubAnswer(request=each, is_confirmed=True, next_try_at=None) for each in claimed]
        )


@asynccontextmanager
async def at_work(config: Config, store: SqliteStore) -> AsyncIterator[Hub]:
    """A hub that does what is due whenever there may be something."""

    async def work() -> None:
        while True:
            await wake.wait()
            wake.clear()
            await hub.run_due()

    wake = asyncio.Event()
    with closing(StoreThread()) as call:
        async with Client(config.network) as client:
            hub = Hub(
                client=client,
                store=store,
                call=call,
                config=config,
                random=lambda: 0.5,
                on_changed=wake.set,
                timeout=timedelta(seconds=2),
            )
            working = asyncio.create_task(work())
            yield hub
            working.cancel()
            await hub.close(timedelta())


async def measured(config: Config, store: SqliteStore, subscribers: Subscribers, text: str) -> str:
    """Have the document change; return how long it took until half, and all, of who answers had it."""
    subscribers.arrivals.clear()
    subscribers.done.clear()
    config.service.feeds.joinpath("eu.atom").write_text(text)
    async with at_work(config, store) as hub:
        began = time.monotonic()
        await hub.announce([TOPIC])
        await asyncio.wait_for(subscribers.done.wait(), 120)
        took = [arrival - began for arrival in sorted(subscribers.arrivals)]
        await asyncio.sleep(3)  # what hangs fails, and is recorded
    return f"half {took[len(took) // 2]:.3f} s, all {took[-1]:.3f} s"


async def run(options: argparse.Namespace, folder: Path) -> int:
    """Print the figures; return the exit status."""
    subscribers = Subscribers(expected=options.subscribers)
    answering = [await asyncio.start_server(subscribers.take, "127.0.0.1", 0) for _ in range(options.hosts)]
    hanging = [await asyncio.start_server(hang, "127.0.0.1", 0) for _ in range(options.hanging)]
    hosts, stuck = (
        [f"127.0.0.1:{server.sockets[0].getsockname()[1]}" for server in servers]
        for servers in (answering, hanging)
    )
    feeds = folder / "feeds"
    feeds.mkdir()
    settings = ServiceSettings(database=folder / "hub.db", rules=folder, feeds=feeds, base_url=BASE)
    config = Config(
        path=folder / "config.toml",
        service=settings,
        network=NetworkSettings(allow_private=(ip_network("127.0.0.0/8"),)),
        sources=(),
        endpoints=(),
        rules=(),
        feeds=(Feed(id="eu", title="EU", about=""),),
    )
    body = "x" * 1000 * options.kilobytes
    with closing(SqliteStore(settings.database)) as store:
        subscribe(store, hosts, options.subscribers, "before")
        print(f"{options.subscribers} subscribers at {options.hosts} hosts, {options.kilobytes} kB")
        print("  alone:                ", await measured(config, store, subscribers, f"{body}1"))
        if stuck:
            subscribe(store, stuck, len(stuck), "before")
            print(
                f"  beside {len(stuck)} that hang: ", await measured(config, store, subscribers, f"{body}2")
            )
            print("  and that did before:  ", await measured(config, store, subscribers, f"{body}3"))
    for server in (*answering, *hanging):
        server.close()
    rounds = 3 if stuck else 1
    is_good = len(subscribers.paths) == options.subscribers and set(subscribers.paths.values()) == {rounds}
    if not is_good:
        print("a subscriber got a document another time than once")
    return 0 if is_good else 1


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("subscribers", 1000), ("hosts", 100), ("hanging", 20), ("kilobytes", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(run(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
