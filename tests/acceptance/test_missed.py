"""Nothing is missed, or it is said: gaps, servers that lie, sources that fall silent; and how often."""

import json
import sqlite3
import ssl
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from tests.desk import endpoint, network, rule, service, source
from tests.outlets import FEED_TYPE, Article, LocalServer, Reply, feed, rss
from tests.support import require

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def article(number, ago=None):
    return Article(
        link=f"https://outlet.example/{number}",
        title=f"Water in the west, part {number}",
        published=None if ago is None else NOW - ago,
    )


@pytest.fixture
def watch(desk, outlets, receiver):
    """Write a configuration with one outlet, which the endpoint `desk` hears about."""

    def write(network_keys=None, **keys):
        desk.write(
            service(notify=["desk"]),
            network(**network_keys or {}),
            source("outlet", f"{outlets.address}/outlet", **keys),
            endpoint("desk", f"{receiver.address}/desk", secret=SECRET),
            rules={"water": rule("water")},
        )

    return write


def shown(desk):
    (status,) = desk.json("sources")
    return status


def poll(desk):
    (polled,) = desk.json("once", "--all")
    return polled


def wait(desk):
    """Return how long it was to be waited after the last poll."""
    status = shown(desk)
    ends = (datetime.fromisoformat(status[name]) for name in ("next_poll_at", "last_polled_at"))
    return next(ends) - next(ends)


def told(receiver):
    """Return (trouble, state) of each message that arrived, after verifying it."""
    messages = [Webhook(SECRET).verify(asked.body.decode(), dict(asked.headers)) for asked in receiver.asked]
    assert {message["type"] for message in messages} <= {"alert.source"}
    return [(message["data"]["trouble"], message["data"]["state"]) for message in messages]


def age(desk, by):
    """Have everything that the desk knows of its addresses and polls be older."""
    older = "strftime('%Y-%m-%dT%H:%M:%f000Z', {}, ?)"
    with closing(sqlite3.connect(desk.database)) as db, db:
        for column in ("unchanged_since", "checked_at"):
            db.execute(
                f"UPDATE addresses SET {column} = {older.format(column)}", [f"-{by.total_seconds()} seconds"]
            )


# -- when


def test_a_source_is_polled_as_often_as_it_publishes(desk, pages, watch):
    watch()
    pages["/outlet"] = feed([article(number, number * 10 * MINUTE) for number in range(20)])
    poll(desk)
    assert 10 * MINUTE <= wait(desk) <= 10.5 * MINUTE
    assert shown(desk)["next_poll_why"] == "it publishes about every 10 min"


def test_a_fixed_interval_is_kept(desk, pages, watch):
    watch(adaptive=False, interval="2h")
    pages["/outlet"] = feed([article(number, number * 10 * MINUTE) for number in range(20)])
    poll(desk)
    assert 2 * HOUR <= wait(desk) <= 2.1 * HOUR


@pytest.mark.parametrize(
    ("asking", "hours"),
    [
        ({"cache-control": "max-age=7200"}, 2),
        ("<ttl>180</ttl>", 3),
        ("<sy:updatePeriod xmlns:sy='x'>daily</sy:updatePeriod>", 24),
    ],
)
def test_a_server_may_ask_for_more_also_over_a_restart(desk, pages, watch, asking, hours):
    watch(interval="1s")
    head, headers = (asking, {}) if isinstance(asking, str) else ("", asking)
    body = rss([article(1)]).replace(b"<item>", head.encode() + b"<item>", 1)
    pages["/outlet"] = Reply(headers={"content-type": FEED_TYPE, **headers}, body=body)
    for _ in range(2):
        poll(desk)
        assert hours * HOUR - 2 * MINUTE <= wait(desk) <= hours * HOUR * 1.05
    assert desk.json("once") == []


def test_who_asks_for_time_may_be_the_source_alone(desk, pages, outlets):
    pages["/busy"], pages["/other"] = Reply(status=429, headers={"retry-after": "3600"}), feed([article(1)])
    sources = [source(name, f"{outlets.address}/{name}", interval="1s") for name in ("busy", "other")]
    desk.write(service(), network(retry_after="source"), *sources, rules={"water": rule("water")})
    assert [polled["state"] for polled in desk.json("once", "--all")] == ["failed", "ok"]
    desk.json("once")
    assert len(outlets.at("/busy")) == 1
    busy = desk.json("sources")[0]
    assert busy["next_poll_why"] == "its server asks for 60 min"


# -- gaps


def test_a_document_that_has_nothing_in_common_with_the_one_before_is_a_gap(desk, pages, watch):
    watch()
    pages["/outlet"] = feed([article(number, (60 - number) * MINUTE) for number in range(5)])
    poll(desk)
    assert (shown(desk)["gaps"], shown(desk)["last_gap"]) == (0, None)
    pages["/outlet"] = feed([article(number) for number in range(24, 19, -1)])
    called = desk.call("once", "--all")
    assert "poll.gap source=outlet" in called.err
    status = shown(desk)
    assert status["gaps"] == 1
    assert status["last_gap"]["filled"] == 0
    assert status["last_gap"]["closed"] is False
    pages["/outlet"] = feed([article(number) for number in range(27, 23, -1)])
    poll(desk)
    assert shown(desk)["gaps"] == 1


def test_archives_fill_a_gap(desk, pages, outlets, watch):
    def page(first, last, older):
        link = f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="{older}"/>'
        body = rss([article(number) for number in range(last, first - 1, -1)])
        return Reply(
            headers={"content-type": FEED_TYPE}, body=body.replace(b"<item>", link.encode() + b"<item>", 1)
        )

    watch()
    pages["/outlet"] = page(1, 5, "/outlet?page=2")
    poll(desk)
    pages["/outlet"] = page(16, 20, "/outlet?page=2")
    pages["/outlet?page=2"] = page(11, 15, "/outlet?page=3")
    pages["/outlet?page=3"] = page(4, 10, "/outlet?page=4")
    called = desk.call("once", "--all")
    assert "poll.gap_filled source=outlet" in called.err
    assert "Items: 15 new" in called.out
    assert len(outlets.asked) == 4
    status = shown(desk)
    assert (status["gaps"], status["last_gap"]["filled"], status["last_gap"]["closed"]) == (1, 10, True)
    assert status["requests"] == 4


@pytest.mark.parametrize(("scope", "waits"), [("host", True), ("source", False)])
def test_an_archive_that_asks_for_less_is_obeyed_as_any_address(desk, pages, outlets, scope, waits):
    def page(first):
        link = '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="/archive"/>'
        body = rss([article(number) for number in range(first + 4, first, -1)])
        return Reply(
            headers={"content-type": FEED_TYPE}, body=body.replace(b"<item>", link.encode() + b"<item>", 1)
        )

    pages["/outlet"], pages["/other"] = page(0), feed([article(99)])
    pages["/archive"] = Reply(status=429, headers={"retry-after": "7200"})
    sources = [source(name, f"{outlets.address}/{name}", interval="1s") for name in ("outlet", "other")]
    desk.write(service(), network(retry_after=scope), *sources, rules={"water": rule("water")})
    desk.call("once")
    pages["/outlet"] = page(10)
    assert "/archive was not read: the server answered 429" in desk.call("once", "--all").err
    for _ in range(2):
        desk.call("once", "--all")
    assert len(outlets.at("/archive")) == 1
    assert len(outlets.at("/outlet")) == (2 if waits else 4)
    outlet, other = desk.json("sources")
    assert outlet["gaps"] == 1
    assert ("its host asks for less" in (outlet["next_poll_why"], other["next_poll_why"])) is waits


# -- servers that lie


def test_a_server_whose_304s_are_a_lie_is_caught_once_and_remembered(desk, pages, outlets, watch):
    watch()
    old = [article(number, (2 + number) * HOUR) for number in range(10)]
    pages["/outlet"] = feed(old, etag='"always"')
    poll(desk)
    pages["/outlet"] = Reply(status=304, headers={"etag": '"always"'})
    poll(desk)
    poll(desk)
    assert [("if-none-match" in asked.headers) for asked in outlets.asked] == [False, True, True]
    age(desk, 3 * HOUR)
    pages["/outlet"] = feed([article(99), *old], etag='"always"')
    called = desk.call("once", "--all")
    assert "poll.lied_to source=outlet" in called.err
    assert "if-none-match" not in outlets.asked[-1].headers
    assert len(desk.json("items")) == 11
    assert poll(desk)["state"] == "unchanged"
    assert "if-none-match" not in outlets.asked[-1].headers


def test_an_honest_server_is_checked_once_a_day_at_most(desk, pages, outlets, watch):
    watch()
    honest = feed([article(number, (2 + number) * HOUR) for number in range(10)], etag='"1"')
    pages["/outlet"] = honest
    poll(desk)
    not_modified = Reply(status=304, headers={"etag": '"1"'})
    conditional = []
    for reply in (not_modified, honest, not_modified, not_modified):
        age(desk, 3 * HOUR)
        pages["/outlet"] = reply
        assert poll(desk)["state"] == "unchanged"
        conditional.append("if-none-match" in outlets.asked[-1].headers)
    assert conditional == [True, False, True, True]


# -- what is the matter


def test_a_silence_is_told_once_and_so_is_its_end(desk, pages, receiver, watch):
    watch()
    daily = [article(number, (30 + number) * DAY) for number in range(20)]
    pages["/outlet"] = feed(daily)
    for _ in range(3):
        poll(desk)
    assert told(receiver) == [("silent", "begun")]
    status = shown(desk)
    assert status["state_in_words"] == "working, silent"
    assert [trouble["kind"] for trouble in status["troubles"]] == ["silent"]
    assert "published nothing for 30 days" in status["troubles"][0]["text"]
    (delivery,) = desk.json("deliveries")
    assert (delivery["alerts"], delivery["sources"]) == ([], ["outlet"])
    pages["/outlet"] = feed([article(99, MINUTE), *daily])
    poll(desk)
    poll(desk)
    assert told(receiver) == [("silent", "begun"), ("silent", "over")]
    assert shown(desk)["troubles"] == []


def test_an_empty_200_and_a_page_in_place_of_the_feed_are_no_quiet(desk, pages, receiver, watch):
    watch()
    good = feed([article(1)])
    pages["/outlet"] = good
    poll(desk)
    for bad in (
        Reply(headers={"content-type": FEED_TYPE}, body=rss([])),
        Reply(headers={"content-type": "text/html"}, body=b"<html><title>Consent</title></html>"),
    ):
        for reply in (bad, bad, bad, good):
            pages["/outlet"] = reply
            poll(desk)
    assert told(receiver) == [
        ("empty", "begun"),
        ("empty", "over"),
        ("unreadable", "begun"),
        ("unreadable", "over"),
    ]
    assert "source.troubled" not in desk.call("once", "--all").err


def test_a_source_that_is_gone_is_told(desk, pages, receiver, watch):
    watch()
    pages["/outlet"] = Reply(status=410)
    called = desk.call("once", "--all")
    assert "source.troubled source=outlet trouble=gone" in called.err
    assert told(receiver) == [("gone", "begun")]


def test_a_certificate_that_expires_soon_is_told_once_and_so_is_a_new_one(desk, pages, receiver, tmp_path):
    bundle = tmp_path / "trusted.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    soon, later = (certificate(tmp_path, days) for days in (10, 90))
    bundle.write_text(soon.read_text() + later.read_text())
    context.load_cert_chain(soon)
    pages["/outlet"] = feed([article(1)])
    with LocalServer(pages.answer, tls=context) as outlet:
        desk.write(
            service(notify=["desk"]),
            network(),
            source("outlet", f"{outlet.address}/outlet"),
            endpoint("desk", f"{receiver.address}/desk", secret=SECRET),
            rules={"water": rule("water")},
        )
        for _ in range(3):
            assert desk.call("once", "--all", SSL_CERT_FILE=str(bundle)).status == 0
        assert told(receiver) == [("certificate", "begun")]
        status = shown(desk)
        assert status["state_in_words"] == "working, its certificate expires soon"
        ends = f"{NOW + 10 * DAY:%Y-%m-%d}"
        assert status["troubles"][0]["text"].startswith(f"the certificate of 127.0.0.1 expires on {ends}")
        context.load_cert_chain(later)
        for _ in range(2):
            desk.call("once", "--all", SSL_CERT_FILE=str(bundle))
    assert told(receiver) == [("certificate", "begun"), ("certificate", "over")]
    assert shown(desk)["troubles"] == []


AUTHORITY = """
[ca]
default_ca = itself
[itself]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[extensions]
subjectAltName = IP:127.0.0.1
basicConstraints = critical, CA:TRUE
"""


def certificate(folder, days):
    """Make a certificate of 127.0.0.1, of two months ago, that ends so long from now; return file and key."""
    openssl = require("openssl", "apt-get install openssl")
    key, asked, made, how = (folder / f"{days}.{kind}" for kind in ("key", "csr", "pem", "cnf"))
    how.write_text(AUTHORITY.format(folder=folder))
    (folder / "index.txt").touch()
    begins, ends = (f"{moment:%Y%m%d%H%M%SZ}" for moment in (NOW - 60 * DAY, NOW + days * DAY))
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", asked)
    sign = ("-keyfile", key, "-in", asked, "-out", made, "-startdate", begins, "-enddate", ends)
    for words in (
        ("req", "-new", *new, "-subj", f"/CN=outlet {days}"),
        ("ca", "-batch", "-selfsign", "-notext", "-config", how, "-extensions", "extensions", *sign),
    ):
        done = subprocess.run([openssl, *words], check=False, capture_output=True)
        assert done.returncode == 0, done.stderr
    made.write_text(made.read_text() + key.read_text())
    return made


# -- what it took


def test_requests_and_bytes_are_shown_and_how_long_it_took_to_see(desk, pages, watch):
    watch()
    pages["/outlet"] = feed([article(1)])
    poll(desk)
    pages["/outlet"] = feed([article(2, 10 * MINUTE), article(1)])
    poll(desk)
    status = shown(desk)
    assert status["requests"] == 2
    assert status["received_bytes"] > 700
    assert status["items_per_day"] == 2
    assert status["median_delay_seconds"] >= 600
    printed = desk.call("sources").out
    assert "2 requests, " in printed
    assert json.dumps(status["next_poll_why"])[1:-1] in printed
