"""The pages of a running service: what has just been found is on them, and an edit says who may see it."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from syndicate.passwords import is_hash, is_password
from tests.dashboard import HASH
from tests.desk import SYNDICATE, endpoint, environment, eventually, network, rule, service, source
from tests.outlets import Article, LocalServer, Reply, feed

PASSWORD = "correct horse battery"
WATER = Article(link="https://outlet.example/1", title="Water in the west", text="There is water.")
RIVER = Article(link="https://outlet.example/2", title="Water in the east", text="There is more.")
HTML = {"Accept": "text/html"}


@pytest.fixture
def tables(outlets):
    outlet = source("outlet", f"{outlets.address}/outlet", interval="1s", adaptive=False)
    return [service(), network(), outlet]


def news(address):
    """Return what is said first of what comes after the first item."""
    with httpx.stream("GET", f"{address}/live?after=1", trust_env=False, timeout=60) as stream:
        return next(line for line in stream.iter_lines() if line.startswith("data: "))


def test_what_comes_is_told_to_an_open_page_and_is_on_the_next(desk, pages, tables):
    pages["/outlet"] = feed([WATER])
    desk.write(*tables, rules={"water": rule("water")})
    with desk.running() as address, ThreadPoolExecutor() as pool:
        eventually(lambda: "<mark>Water</mark> in the west" in httpx.get(address, trust_env=False).text)
        said = pool.submit(news, address)
        pages["/outlet"] = feed([RIVER, WATER])
        assert said.result(60) == "data: 1"
        assert "<mark>Water</mark> in the east" in httpx.get(address, trust_env=False).text


def test_an_edit_of_who_may_look_counts_at_once(desk, pages, tables):
    pages["/outlet"] = feed([WATER])
    desk.write(*tables, rules={"water": rule("water")})
    with desk.running() as address:
        assert httpx.get(address, trust_env=False).status_code == 200
        desk.write(*tables, f'[web]\npassword = "{HASH}"')
        eventually(lambda: httpx.get(address, headers=HTML, trust_env=False).status_code == 303)
        assert httpx.get(f"{address}/feeds/water.atom", trust_env=False).status_code == 200
        desk.write(*tables, '[web]\ntrusted_proxy_header = "Remote-User"')
        named = {"Remote-User": "ann"}
        eventually(lambda: httpx.get(address, headers=named, trust_env=False).status_code == 200)
        assert httpx.get(address, trust_env=False).status_code == 403


def test_a_disabled_endpoint_is_enabled_on_its_page_and_gets_what_waited_for_it(desk, pages, tables):
    pages["/outlet"] = feed([WATER, RIVER])
    replies = [Reply(status=410)]
    with LocalServer(lambda asked: replies.pop() if replies else Reply(status=204)) as receiver:
        hook = endpoint("desk", f"{receiver.address}/hook", concurrency=1)
        tables[-1] += "baseline = false\n"
        desk.write(*tables, hook, rules={"water": rule("water", notify=["desk"])})
        with desk.running() as address, httpx.Client(base_url=address, trust_env=False) as found:
            eventually(lambda: "Nothing is sent to desk" in found.get("/system").text)
            page = found.get("/alerts/endpoints/desk").text
            token = re.findall(r'name="csrf" value="(\w+)"', page)[0]
            found.post("/alerts/endpoints/desk/test", data={"csrf": token})
            assert "It was taken" in found.get("/alerts/endpoints/desk").text
            asked = len(receiver.asked)
            found.post("/alerts/endpoints/desk/enable", data={"csrf": token})
            receiver.wait_for(lambda all_: len(all_) == asked + 2)
            eventually(lambda: found.get("/alerts").text.count("✓</span> delivered") == 2)
            assert "need somebody" not in found.get("/alerts").text


def test_nothing_starts_that_others_could_read(desk, tables):
    desk.write(service(listen="0.0.0.0:0"), *tables[1:], rules={"water": rule("water")})
    refused = desk.call("run", status=2)
    assert "listen: others can reach this, and could read everything: set password in [web]" in refused.err
    desk.write(service(listen="0.0.0.0:0"), *tables[1:], f'[web]\npassword = "{HASH}"')
    with desk.running() as address:
        assert httpx.get(address.replace("0.0.0.0", "127.0.0.1"), trust_env=False).status_code == 401


# --------------------------------------------------------------------------- ./run password


def test_the_hash_of_a_password_is_made_from_a_line():
    done = subprocess.run(
        [*SYNDICATE, "password"], input=f"{PASSWORD}\n", capture_output=True, encoding="utf-8", check=True
    )
    assert is_password(PASSWORD, done.stdout.strip())
    assert done.stderr == ""


def test_a_password_that_is_too_short_is_refused():
    done = subprocess.run(
        [*SYNDICATE, "password"], input="short\n", capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "must have 12 to 1000 characters" in done.stderr


def test_a_person_is_asked_twice_and_sees_no_password():
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [*SYNDICATE, "password"],
        env=environment(NO_COLOR="1", COLUMNS="300"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,  # so that this terminal is all it has
    )
    os.close(theirs)
    shown = said_until(ours, "or more: ")
    os.write(ours, f"{PASSWORD}\n".encode())
    shown += said_until(ours, "confirmation: ")
    os.write(ours, f"{PASSWORD}\n".encode())
    shown += said_until(ours, "in [web].")
    assert process.wait(60) == 0
    os.close(ours)
    assert PASSWORD not in shown
    (made,) = (word for word in shown.split() if word.startswith("$argon2"))
    assert is_hash(made)
    assert is_password(PASSWORD, made)


def said_until(terminal: int, end: str) -> str:
    """Return what was said on a terminal up to a text."""
    said = ""
    while end not in said:
        said += os.read(terminal, 1024).decode()
    return said
