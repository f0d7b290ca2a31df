"""The installed command with its database on PostgreSQL: one line is another, all else is the same."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.desk import Desk, endpoint, eventually, network, rule, service, source
from tests.outlets import Article, Asked, LocalServer, Pages, Reply, feed
from tests.postgres import server

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PASSWORD = "hunter2"
ARTICLES = [
    Article(link=f"https://outlet.example/{number}", title=f"Water no. {number}", text="Of water.")
    for number in range(12)
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a database, with a password that the server does not ask for."""
    with server() as started, started.schema() as made:
        yield made if urlsplit(made).password else made.replace("@", f":{PASSWORD}@", 1)


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def outlets(pages: Pages) -> Iterator[LocalServer]:
    with LocalServer(pages.answer) as running:
        yield running


def test_everything_is_kept_there_and_nothing_is_told_twice_by_who_was_killed(
    tmp_path, address, pages, outlets
):
    taken: list[str] = []

    def take(asked: Asked) -> Reply:
        taken.append(asked.headers["webhook-id"])
        return Reply(status=200)

    desk = Desk(folder=tmp_path)
    with LocalServer(take) as receiver:
        desk.write(
            service(database=address),
            network(),
            source("outlet", f"{outlets.address}/outlet", baseline=False, adaptive=False, interval="5m"),
            endpoint("desk", receiver.address, secret=SECRET),
            rules={"water": rule("water", notify=["desk"])},
        )
        assert desk.call("check").out.endswith("no problems: 1 source, 1 rule, 1 endpoint.\n")
        pages["/outlet"] = feed(ARTICLES[:6])
        once = desk.call("once")
        assert "Items: 6 new, 0 changed, 6 matched a rule." in once.out
        assert len(taken) == 6

        pages["/outlet"] = feed(ARTICLES)
        process = desk.start()
        try:
            desk.listening(process)
            desk.call("sources", "refresh", "outlet")
            eventually(lambda: len(taken) > 6)
        finally:
            process.kill()
            process.wait()
        again = desk.call("once")
        with desk.running() as served:
            shown = httpx.get(f"{served}/system").text
            assert ":***@" in shown
        deliveries = desk.json("deliveries", "--limit", "100")
    assert {each["id"] for each in deliveries} == set(taken)
    assert len(deliveries) == 12
    assert {each["state"] for each in deliveries} == {"delivered"}
    assert (tmp_path / "feeds/water.atom").read_text().count("<entry") == 12
    said = shown + once.out + once.err + again.out + again.err + desk.log.read_text()
    assert PASSWORD not in said
    assert not (tmp_path / "data").exists()


def test_a_database_that_is_not_there_is_told_with_what_to_do(tmp_path):
    desk = Desk(folder=tmp_path)
    desk.write(
        service(database=f"postgresql://desk:{PASSWORD}@/news?host={tmp_path}"),
        network(),
        source("outlet", "https://outlet.example/"),
        rules={"water": rule("water")},
    )
    refused = desk.call("once", status=1)
    assert f"PostgreSQL news at {tmp_path}: connection " in refused.err
    assert "nothing was changed: check that PostgreSQL runs, lets us in and has room" in refused.err
    assert PASSWORD not in refused.out + refused.err
