"""A program and a running service: a token counts once it is configured, until it is taken out again."""

import json
import re
import urllib.request
from urllib.error import HTTPError
from urllib.parse import urljoin

import pytest

from tests.dashboard import HASH
from tests.desk import endpoint, eventually, network, rule, service, source
from tests.outlets import Article, feed

WATER = Article(link="https://outlet.example/1", title="Water in the west", text="There is water.")
MORE = Article(link="https://outlet.example/2", title="Water in the east", text="There is more water.")


@pytest.fixture
def tables(outlets, receiver):
    return [
        service(),
        network(),
        f'[web]\npassword = "{HASH}"\n',
        source("outlet", f"{outlets.address}/outlet", interval="1h", adaptive=False, baseline=False),
        endpoint("desk", f"{receiver.address}/desk"),
    ]


def made(desk, *words):
    """Return a token, and the table that lets it in."""
    called = desk.call("token", *words)
    return re.findall(r"^syn_\w+$", called.err, re.MULTILINE)[0], called.out


def ask(address, path, token, body=None):
    """Return the status and the answer."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    try:
        asked = urllib.request.Request(f"{address}/api/v1{path}", data, headers)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


def two(answer):
    """Return the deliveries of an answer, once there are as many."""
    _, page = answer
    return page["deliveries"] if len(page["deliveries"]) == 2 else None


def test_a_program_follows_what_is_found_has_a_source_polled_and_a_delivery_sent_again(
    desk, pages, tables, receiver
):
    pages["/outlet"] = feed([WATER])
    token, table = made(desk, "--scope", "read", "--scope", "refresh", "--scope", "replay")
    desk.write(*tables, table, rules={"water": rule("water", notify=["desk"])})
    with desk.running() as address:
        eventually(lambda: len(receiver.asked) == 1)
        status, first = ask(address, "/matches", token)
        assert (status, [match["item"]["title"] for match in first["matches"]]) == (200, [WATER.title])
        pages["/outlet"] = feed([MORE, WATER])
        status, refreshed = ask(address, "/sources/outlet/refresh", token, {})
        assert (status, refreshed["due"]) == (200, True)
        follow = urljoin("/matches", first["follow"])
        (match,) = eventually(lambda: ask(address, follow, token)[1]["matches"])
        assert match["item"]["title"] == MORE.title
        eventually(lambda: len(receiver.asked) == 2)
        delivery, _ = eventually(lambda: two(ask(address, "/deliveries?state=delivered", token)))
        done = ask(address, "/deliveries/replay", token, {"ids": [delivery["id"]]})
        assert done == (200, {"due": 1, "under_way": 0, "held": 0})
        eventually(lambda: len(receiver.asked) == 3)
        assert ask(address, "/test", token, {"query": "water"})[0] == 403


def test_a_token_counts_once_it_is_configured_and_until_it_is_not(desk, pages, tables):
    pages["/outlet"] = feed([WATER])
    desk.write(*tables, rules={"water": rule("water")})
    with desk.running() as address:
        token, table = made(desk)
        assert ask(address, "/items", token)[0] == 401
        desk.write(*tables, table)
        eventually(lambda: ask(address, "/items", token)[0] == 200)
        desk.write(*tables)
        eventually(lambda: ask(address, "/items", token)[0] in (401, 429))
    said = desk.log.read_text()
    assert "token.refused" in said
    assert token not in said
