"""Who looks at the page is told how many stories have come meanwhile, as they come."""

import asyncio
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Self

import httpx
import pytest

from syndicate.web import live
from syndicate.web.app import create
from syndicate.web.server import listen, serve
from tests.contract.making import entry
from tests.dashboard import configuration, dashboard
from tests.served import TLS, served


@pytest.fixture
def desk(tmp_path):
    with dashboard(configuration(tmp_path)) as view:
        view.report("steppe", entry("a", "Central Asia"))
        yield view


@contextmanager
def listening(address, query):
    """Yield what is said, one event after another."""
    with httpx.stream("GET", f"{address}/live?{query}", trust_env=False, verify=TLS, timeout=30) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        lines = response.iter_lines()
        yield (int(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))


def test_what_comes_is_told_and_what_is_no_story_is_not(desk):
    with served(create(desk)) as address, listening(address, "after=1") as counts:
        desk.report("steppe", entry("b", "Football"))
        desk.report("steppe", entry("c", "Central Asia again"), entry("d", "Water talks"))
        assert next(counts) == 2
        desk.report("vestnik", entry("e", "Центральная Азия"))
        assert next(counts) == 3


def test_what_came_before_the_page_was_made_is_told_at_once(desk):
    with served(create(desk)) as address, listening(address, "after=0") as counts:
        assert next(counts) == 1


def test_who_asks_for_the_head_alone_is_not_kept_waiting(desk):
    with served(create(desk)) as address:
        head = httpx.head(f"{address}/live?after=1", trust_env=False, verify=TLS, timeout=5)
    assert (head.status_code, head.headers["x-accel-buffering"]) == (200, "no")


def test_what_others_report_again_is_no_new_story(desk):
    title = "Leaders of Central Asia and the European Union adopt a strategy in Samarkand"
    desk.report("steppe", entry("b", title, body=title))
    with served(create(desk)) as address, listening(address, "after=2") as counts:
        desk.report("vestnik", entry("c", title, body=title))
        desk.report("vestnik", entry("d", "Water talks"))
        assert next(counts) == 1


def test_filters_count(desk):
    with served(create(desk)) as address, listening(address, "after=1&rule=water&source=vestnik") as counts:
        desk.report("steppe", entry("b", "Water talks at home"))
        desk.report("vestnik", entry("c", "Central Asia again"), entry("d", "Water talks abroad"))
        assert next(counts) == 1


@pytest.mark.parametrize("query", ["", "after=x", "after=-1", "after=1&rule=none"])
def test_an_address_that_says_nothing_is_refused(desk, query):
    with served(create(desk)) as address:
        assert httpx.get(f"{address}/live?{query}", trust_env=False, verify=TLS).status_code == 400


class Listener:
    """A connection that has asked for news."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: str) -> None:
        self.reader, self.status, self._writer = reader, status, writer

    @classmethod
    async def at(cls, port: int) -> Self:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /live?after=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return cls(reader, writer, (await reader.readline()).decode().split()[1])

    async def leave(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


@asynccontextmanager
async def running(desk):
    """Serve from this loop; yield the port and what ends it."""
    stop = asyncio.Event()
    with listen("127.0.0.1", 0) as socket:
        serving = asyncio.create_task(serve(create(desk, stop), socket, stop))
        yield socket.getsockname()[1], stop
        stop.set()
        await serving


def test_listeners_are_bounded_and_who_leaves_makes_room(desk):
    async def run() -> list[str]:
        async with running(desk) as (port, _):
            listeners = [await Listener.at(port) for _ in range(live.MOST_LISTENERS + 1)]
            statuses = [each.status for each in listeners[-2:]]
            await listeners[0].leave()
            for _ in range(1000):  # until the server has noticed
                listeners.append(await Listener.at(port))
                if listeners[-1].status == "200":
                    break
            for each in listeners[1:]:
                await each.leave()
        return [*statuses, listeners[-1].status]

    assert asyncio.run(run()) == ["200", "503", "200"]


def test_listeners_do_not_keep_the_service_from_ending(desk):
    """It waits two seconds for answers under way; these end at once."""

    async def run() -> float:
        async with running(desk) as (port, stop):
            listener = await Listener.at(port)
            assert listener.status == "200"
            asked = asyncio.get_running_loop().time()
            stop.set()
            await listener.reader.read()
            await listener.leave()
            return asyncio.get_running_loop().time() - asked

    assert asyncio.run(run()) < 1.5
