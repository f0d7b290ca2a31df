"""A few sources that hang, loop, bomb or talk nonsense, among two hundred: the others notice nothing."""

import gzip
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache

import pytest

from tests.desk import Desk, eventually, network, rule, service, source
from tests.outlets import FEED_TYPE, Article, Asked, LocalServer, Reply, feed

HOSTS = 10
SOURCES = 200
XML = {"content-type": FEED_TYPE}
MEBIBYTE = 1024 * 1024


@cache
def nonsense() -> bytes:
    return random.Random(1).randbytes(MEBIBYTE)


@cache
def bomb() -> bytes:
    return gzip.compress(bytes(100 * MEBIBYTE))


# How each is bad, and what its owner must be told of it.
BAD: Mapping[str, tuple[Callable[[], Reply], str]] = {
    "silent": (lambda: Reply(hangs=True), "timed out after 3 s, without an answer"),
    "dripping": (
        lambda: Reply(headers=XML, body=itertools.repeat(b"<"), pause_seconds=1),
        "timed out after 3 s, with",
    ),
    "endless": (lambda: Reply(headers=XML, body=itertools.repeat(b" " * 65536)), "longer than 4 MiB"),
    "bomb": (
        lambda: Reply(headers=XML | {"content-encoding": "gzip"}, body=bomb()),
        "longer than 4 MiB after decompression",
    ),
    "nonsense": (lambda: Reply(headers=XML, body=nonsense()), "not a feed"),
    "circle": (lambda: Reply(status=302, headers={"location": "circle"}), "go round in circles"),
}
GOOD = [f"good-{number}" for number in range(SOURCES - len(BAD))]


def answer(asked: Asked) -> Reply:
    name = asked.path.strip("/")
    if name in BAD:
        return BAD[name][0]()
    return feed([Article(link=f"https://{name}.example/1", title=f"Water in {name}")])


@pytest.fixture
def outlets() -> Iterator[list[LocalServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(LocalServer(answer)) for _ in range(HOSTS)]


@pytest.fixture
def desk(tmp_path, outlets):
    desk = Desk(folder=tmp_path)
    desk.write(
        service(),
        network(timeout="3s", max_bytes=4 * MEBIBYTE, host_concurrency=4),
        # Each bad one has a host in common with nineteen good ones.
        *(
            source(name, f"{server.address}/{name}", interval="2s")
            for name, server in zip([*BAD, *GOOD], itertools.cycle(outlets), strict=False)
        ),
        rules={"water": rule("water")},
    )
    return desk


def test_once_reads_all_the_good_ones_and_says_what_is_wrong_with_each_bad_one(desk):
    polls = {poll["source"]: poll for poll in desk.json("once", "--all")}
    assert len(polls) == SOURCES
    assert {name for name, poll in polls.items() if poll["state"] != "ok"} == BAD.keys()
    assert len(desk.json("items", "--limit", "1000")) == SOURCES - len(BAD)
    sources = {each["id"]: each for each in desk.json("sources")}
    for name, (_, told) in BAD.items():
        assert polls[name]["state"] == "failed"
        assert told in polls[name]["error"]
        assert sources[name]["state"] == "failing"
        assert sources[name]["last_error"] == polls[name]["error"]
    assert Counter(each["state"] for each in sources.values())["ok"] == SOURCES - len(BAD)


def test_while_some_hang_every_good_one_is_polled_again_and_again(desk, outlets):
    def polls() -> Counter[str]:
        return Counter(asked.path.strip("/") for server in outlets for asked in server.asked)

    def are_stuck() -> bool:
        return polls() >= Counter(silent=1, dripping=1)

    with desk.running(SYNDICATE_NETWORK__TIMEOUT="10m"):
        eventually(are_stuck)
        wanted = polls() + Counter(dict.fromkeys(GOOD, 2))
        eventually(lambda: polls() >= wanted)
        assert polls()["silent"] == polls()["dripping"] == 1
