"""What hubs are told, and what they may have us believe."""

import hashlib
import hmac
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import Entry, Hints, Pushing, Subscription, SubscriptionState
from syndicate.sources.hints import read_page_hints
from syndicate.sources.websub import (
    DENIED_FOR,
    DOUBTS,
    LONGEST_LEASE,
    RENEWED_AT_MOST_EVERY,
    VERIFIED_WITHIN,
    after_asking,
    can_reach,
    confirmation,
    discovered,
    doubts_after_poll,
    intent_of,
    is_signed,
    keeps_secrets,
    link_relations,
    request_body,
    unreachable,
)

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
URL, HUB = "https://outlet.example/rss", "https://hub.example/"
ASKED = Subscription(
    id=1,
    source="wire",
    hub=HUB,
    topic=URL,
    callback="https://desk.example.org/websub/token",
    secret="s" * 43,
    state=SubscriptionState.ASKED,
    asked_at=NOW - MINUTE,
)
ACTIVE = replace(ASKED, state=SubscriptionState.ACTIVE, since=NOW - 9 * DAY, expires_at=NOW + DAY)
DENIED = replace(ASKED, state=SubscriptionState.DENIED)
ENDING = replace(ACTIVE, state=SubscriptionState.ENDING)
ENDED = replace(ACTIVE, state=SubscriptionState.ENDED)
LOOPBACK = (ip_network("127.0.0.0/8"),)

# -- discovery


@pytest.mark.parametrize(
    ("value", "hub", "topic"),
    [
        (
            '<https://h.example/>; rel="hub", <https://o.example/f>; rel="self"',
            ["https://h.example/"],
            "https://o.example/f",
        ),
        ("<https://h.example/>;rel=hub,</f>;rel=self", ["https://h.example/"], "https://outlet.example/f"),
        ('<https://h.example/>; title="a, <b>; rel=self"; rel="HUB"', ["https://h.example/"], None),
        ('<https://h.example/>; title="x; rel=self"; REL = "hub other"', ["https://h.example/"], None),
        (
            "<https://a.example/>; rel=hub; rel=self, <https://b.example/>; rel=hub",
            ["https://a.example/", "https://b.example/"],
            None,
        ),
        ('<https://h.example/>; rel=hub; anchor="https://else.example/"', [], None),
        ("<javascript:alert(1)>; rel=hub, <>; rel=self", [], None),
        ("<https://u:p@h.example/>; rel=hub", [], None),
        ("https://h.example/; rel=hub", [], None),
        ("<https://h.example/; rel=hub", [], None),
        ('<https://h.example/?a=1,2;b>; rel="hub"', ["https://h.example/?a=1,2;b"], None),
        ("", [], None),
    ],
)
def test_link_headers_are_read(value, hub, topic):
    relations = link_relations(value, URL)
    assert relations.get("hub", []) == hub
    assert next(iter(relations.get("self", [])), None) == topic


@given(st.text(alphabet='<>;,="\\ rel=hubsf/:.x\t', max_size=400))
def test_any_link_header_can_be_read(value):
    assert all(all(each) for each in link_relations(value, URL).values())


@pytest.mark.parametrize("piece", ["<", "<a>;", "<a>; rel=", '<a>; rel="', "; ", "<>", "<a>" + ";" * 50, '"'])
def test_a_long_link_header_takes_no_longer_than_its_length(piece):
    began = time.process_time()
    link_relations(piece * (64_000 // len(piece)), URL)
    assert time.process_time() - began < 2


def found(hints=Hints(), link="", url=URL, addresses=(URL,)):  # noqa: B008  frozen
    return discovered(hints, {"link": link} if link else {}, url, addresses)


def test_headers_win_over_the_document():
    hints = Hints(hubs=("https://other.example/",), topic="https://outlet.example/other", ttl_seconds=60)
    assert found(hints)[0] == hints
    assert found(hints, f"<{HUB}>; rel=hub")[0] == replace(hints, hubs=(HUB,))
    both = f'<{HUB}>; rel="hub", <{URL}>; rel="self"'
    assert found(hints, both) == (Hints(hubs=(HUB,), topic=URL, ttl_seconds=60), None)


def test_a_document_that_names_itself_but_no_hub_says_nothing():
    assert found(Hints(topic=URL)) == (Hints(), None)


def test_the_topic_of_a_document_that_does_not_name_itself_is_where_it_came_from():
    assert (
        found(Hints(hubs=(HUB,)), url="https://outlet.example/moved")[0].topic
        == "https://outlet.example/moved"
    )


def test_https_hubs_are_asked_first():
    hubs = ("http://a.example/", "HTTPS://b.example/", "http://a.example/", HUB)
    assert found(Hints(hubs=hubs))[0].hubs == ("HTTPS://b.example/", HUB, "http://a.example/")


@pytest.mark.parametrize(
    ("topic", "is_believed"),
    [
        ("https://outlet.example/other", True),
        ("http://www.outlet.example/rss", True),
        ("https://feeds.outlet.example/rss", True),
        ("https://first.example/rss", True),
        ("https://else.example/rss", False),
        ("https://notoutlet.example/rss", False),
        ("https://outlet.example.evil.example/", False),
    ],
)
def test_a_topic_of_another_site_is_not_believed(topic, is_believed):
    hints, mistake = found(Hints(hubs=(HUB,), topic=topic), addresses=("https://first.example/feed",))
    assert (hints.hubs == (HUB,)) is is_believed
    assert (mistake is None) is is_believed
    assert is_believed or topic in mistake


def test_of_a_web_page_only_the_head_counts():
    head = f'<html><head><link rel="hub" href="{HUB}"><LINK rel="self" href="/p">'
    evil = '<link rel="hub" href="https://evil.example/">'
    whole = f"{head}<!-- {evil} --></head><body>{evil}</body>"
    assert read_page_hints(whole, URL).hubs == (HUB,)
    assert read_page_hints(f"<title>x</title><body>{evil}", URL) == Hints()


@pytest.mark.parametrize(
    ("base", "allowed", "is_reachable"),
    [
        ("https://news.example.org", (), True),
        ("http://news.example.org:8443/desk", (), True),
        ("https://93.184.215.14", (), True),
        ("http://127.0.0.1:8080", (), False),
        ("http://127.0.0.1:8080", LOOPBACK, True),
        ("http://localhost:8080", (), False),
        ("http://localhost:8080", LOOPBACK, True),
        ("http://LOCALHOST.:8080", (), False),
        ("http://a.localhost", (), False),
        ("http://[::1]:8080", LOOPBACK, False),
        ("http://10.1.2.3", LOOPBACK, False),
        ("http://192.168.1.20", (ip_network("192.168.0.0/16"),), True),
        ("http://desk", (), False),
        ("http://desk.local", (), False),
        ("http://desk.internal.", (), False),
        ("http://desk.home.arpa", (), False),
        ("http://desk.internal", (ip_network("10.0.0.0/8"),), True),
        ("http://internal.example.org", (), True),
    ],
)
def test_who_can_be_reached(base, allowed, is_reachable):
    assert (unreachable(base, allowed) is None) is is_reachable


@pytest.mark.parametrize(
    ("hub", "base", "can"),
    [
        (HUB, "https://news.example.org/websub/", True),
        ("http://127.0.0.1:9000/", "https://news.example.org/websub/", True),
        (HUB, "http://127.0.0.1:8080/websub/", False),
        (HUB, "http://192.168.1.20/websub/", False),
        (HUB, "http://desk.internal/websub/", False),
        ("https://93.184.215.14/", "http://localhost:8080/websub/", False),
        ("http://127.0.0.1:9000/", "http://localhost:8080/websub/", True),
        ("http://hub.internal/", "http://192.168.1.20/websub/", True),
    ],
)
def test_a_hub_on_the_internet_reaches_nothing_inside(hub, base, can):
    assert can_reach(hub, base) is can


# -- asking


def test_a_hub_is_asked_as_the_recommendation_has_it():
    assert parse_qs(request_body(ASKED).decode()) == {
        "hub.mode": ["subscribe"],
        "hub.topic": [URL],
        "hub.callback": [ASKED.callback],
        "hub.lease_seconds": ["864000"],
        "hub.secret": [ASKED.secret],
    }
    assert parse_qs(request_body(ENDING).decode()) == {
        "hub.mode": ["unsubscribe"],
        "hub.topic": [URL],
        "hub.callback": [ASKED.callback],
    }


@pytest.mark.parametrize(
    ("hub", "is_told"),
    [
        ("https://hub.example/", True),
        ("HTTPS://hub.example/", True),
        ("http://hub.example/", False),
        ("http://10.0.0.1/", False),
        ("http://localhost/", False),
        ("http://127.0.0.1:9/", True),
        ("http://[::1]/", True),
    ],
)
def test_a_secret_is_told_where_nobody_can_read_it(hub, is_told):
    asked = replace(ASKED, hub=hub)
    assert keeps_secrets(hub) is is_told
    assert (b"secret" in request_body(asked)) is is_told


@pytest.mark.parametrize(
    ("failures", "error", "asked", "wait"),
    [
        (0, "no", None, 5 * MINUTE),
        (1, "no", None, 10 * MINUTE),
        (30, "no", None, DAY),
        (0, "no", 2 * HOUR, 2 * HOUR),
        (9, "no", MINUTE, DAY),
        (0, None, None, HOUR),
        (1, None, None, 2 * HOUR),
        (30, None, None, DAY),
    ],
)
def test_a_hub_is_asked_again_later_and_later(failures, error, asked, wait):
    after = after_asking(replace(ASKED, failures=failures), error, asked, NOW, 0)
    assert (after.next_ask_at - NOW, after.error, after.is_over) == (wait, error, False)


def test_goodbyes_end():
    assert not after_asking(ENDING, None, None, NOW, 0).is_over
    assert after_asking(replace(ENDING, failures=2), "no", None, NOW, 0).is_over
    assert after_asking(replace(ENDING, expires_at=NOW), None, None, NOW, 0).is_over
    assert after_asking(replace(ENDING, expires_at=None), None, None, NOW, 0).is_over


# -- being asked


def said(**fields):
    return urlencode({f"hub.{name}": value for name, value in fields.items()})


def agreed(subscription, jitter=0.0, **fields):
    intent = intent_of(said(**{"mode": "subscribe", "topic": URL, "challenge": "c", **fields}))
    return None if intent is None else confirmation(subscription, intent, NOW, jitter)


@pytest.mark.parametrize("before", [ASKED, ACTIVE])
@pytest.mark.parametrize("jitter", [0, 1])
def test_a_lease_is_honoured_and_renewed_before_it_ends(before, jitter):
    confirmed = agreed(before, jitter, lease_seconds="1000")
    assert confirmed.state is SubscriptionState.ACTIVE
    assert confirmed.expires_at == NOW + 1000 * SECOND
    assert NOW + 800 * SECOND <= confirmed.next_ask_at <= NOW + 900 * SECOND
    assert confirmed.since == (before.since or NOW)


def test_a_lease_that_had_ended_begins_anew():
    assert agreed(replace(ACTIVE, expires_at=NOW - SECOND)).since == NOW


@pytest.mark.parametrize(
    ("seconds", "lease"),
    [
        ("0", DAY),
        ("-5", DAY),
        ("", DAY),
        ("soon", DAY),
        ("٦٠", DAY),
        ("9" * 99, LONGEST_LEASE),
        ("1", SECOND),
    ],
)
def test_leases_that_cannot_be_are_given_sense(seconds, lease):
    confirmed = agreed(ASKED, lease_seconds=seconds)
    assert confirmed.expires_at == NOW + lease
    assert confirmed.next_ask_at >= NOW + RENEWED_AT_MOST_EVERY


@pytest.mark.parametrize(
    ("before", "fields"),
    [
        (ASKED, {"topic": f"{URL}/"}),
        (ASKED, {"topic": URL.upper()}),
        (ASKED, {"mode": "unsubscribe"}),
        (ASKED, {"mode": "publish"}),
        (ASKED, {"mode": ""}),
        (ASKED, {"challenge": ""}),
        (ASKED, {"challenge": "c" * 5000}),
        (replace(ASKED, asked_at=None), {}),
        (replace(ACTIVE, asked_at=NOW - VERIFIED_WITHIN - SECOND), {}),
        (DENIED, {}),
        (ENDING, {}),
        (ENDED, {}),
        (DENIED, {"mode": "unsubscribe"}),
        (ENDING, {"mode": "denied"}),
        (ACTIVE, {"mode": "denied", "topic": "https://else.example/"}),
    ],
)
def test_what_was_not_asked_for_is_not_agreed_to(before, fields):
    assert agreed(before, **fields) is None


@pytest.mark.parametrize("before", [ENDING, ENDED])
def test_an_end_that_was_asked_for_is_agreed_to_also_twice(before):
    assert agreed(before, mode="unsubscribe").state is SubscriptionState.ENDED


@pytest.mark.parametrize("before", [ASKED, ACTIVE])
def test_who_denies_is_asked_again_seldom(before):
    denied = agreed(before, mode="denied", challenge="", reason="no\nroom\0")
    assert (denied.state, denied.expires_at) == (SubscriptionState.DENIED, None)
    assert denied.next_ask_at >= NOW + DENIED_FOR
    assert denied.reason == "no room"
    assert agreed(before, mode="denied", challenge="").reason == "it does not say why"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "hub.mode=subscribe",
        said(mode="subscribe", topic=URL, challenge="c") + "&hub.topic=x",
        said(mode="subscribe", topic=URL, challenge="c") + "&hub.mode=subscribe",
        said(mode="subscribe", topic=URL) + "&hub.challenge=%ff",
        "&".join(f"a{number}=1" for number in range(30)),
    ],
)
def test_what_no_hub_says_means_nothing(query):
    assert intent_of(query) is None


@given(st.text(max_size=100))
def test_any_query_can_be_read(query):
    intent_of(query)


# -- being pushed to


@given(
    st.binary(max_size=200),
    st.text("abc123", min_size=1),
    st.sampled_from(["sha1", "sha256", "sha384", "sha512"]),
)
def test_a_signature_by_the_secret_is_believed_and_no_other(body, secret, method):
    right = f"{method}={hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()}"
    assert is_signed(secret, right, body)
    assert is_signed(secret, right.upper(), body)
    assert not is_signed(secret + "x", right, body)
    assert not is_signed(secret, right, body + b"x")
    assert not is_signed(secret, right[:-1], body)
    assert not is_signed(secret, right.replace(method, "sha224" if method != "sha224" else "sha1"), body)


@pytest.mark.parametrize(
    "signature", [None, "", "sha1", "sha1=", "=", "md5=" + "0" * 32, "sha256=zz", "sha256=" + "0" * 64, "é"]
)
def test_what_is_no_signature_is_not_believed(signature):
    assert not is_signed("secret", signature, b"body")
    assert not is_signed("secret", f"md5={hashlib.md5(b'secretbody').hexdigest()}", b"body")


# -- whether a hub is relied upon


def dated(published):
    return Entry(guid="g", link=None, title="t", body="", published=published)


COVERED = Pushing(since=NOW - DAY, until=NOW + DAY, doubts=0)


@pytest.mark.parametrize(
    ("pushing", "last", "new", "doubts"),
    [
        (COVERED, NOW - HOUR, [], 0),
        (COVERED, NOW - HOUR, [dated(NOW - 30 * MINUTE)], DOUBTS),
        (COVERED, NOW - HOUR, [dated(None)], DOUBTS),
        (COVERED, NOW - HOUR, [dated(NOW - MINUTE)], 0),
        (COVERED, NOW - 2 * DAY, [dated(NOW - 30 * MINUTE)], 0),
        (COVERED, None, [dated(None)], 0),
        (Pushing(), NOW - HOUR, [dated(None)], 1),
    ],
)
def test_a_hub_is_doubted_when_a_poll_finds_what_it_should_have_pushed(pushing, last, new, doubts):
    assert doubts_after_poll(pushing, last, new, NOW) == doubts


def test_a_hub_is_relied_upon_while_its_lease_lasts_and_nothing_speaks_against_it():
    assert COVERED.is_relied_upon(NOW)
    assert not COVERED.is_relied_upon(NOW + DAY)
    assert not replace(COVERED, doubts=1).is_relied_upon(NOW)
    assert not Pushing(doubts=0).is_relied_upon(NOW)
