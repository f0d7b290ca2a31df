"""What may be asked of our hub, what is wrong with the rest, and whom to believe."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.hub.asking import (
    REPLY_BY_ROOM,
    Reply,
    after_asking,
    is_meant,
    lease_of,
    question,
    read_request,
)
from syndicate.model.hub import HubMode, HubRequest, Room
from syndicate.sources.websub import intent_of

TOPIC = "https://desk.example/feeds/eu.atom"
CALLBACK = "https://reader.example/callback"
GOOD = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.callback": CALLBACK}
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
LOCAL = (ip_network("127.0.0.0/8"),)


def read(form=GOOD, allowed=(), **changes: str | None):
    said = {**form, **{f"hub.{name}": value for name, value in changes.items()}}
    body = urlencode({name: value for name, value in said.items() if value is not None})
    return read_request(body.encode(), {TOPIC}, allowed)


def test_a_good_request_is_taken_as_it_is():
    request = read(lease_seconds="7200", secret="s3cret", **{"from": "nobody"})
    assert request == HubRequest(
        mode=HubMode.SUBSCRIBE,
        topic=TOPIC,
        callback=CALLBACK,
        host="reader.example:443",
        secret="s3cret",
        lease=timedelta(hours=2),
    )
    assert "s3cret" not in repr(request)
    assert CALLBACK not in repr(request)


@pytest.mark.parametrize(
    ("seconds", "lease"),
    [
        ("", timedelta(days=10)),
        ("0", timedelta(hours=1)),
        ("3599", timedelta(hours=1)),
        ("86400", timedelta(days=1)),
        ("99999999", timedelta(days=30)),
        ("9" * 5000, timedelta(days=30)),
        ("-1", None),
        ("1e3", None),
        ("ten", None),
        ("٣٦٠٠", None),
    ],
)
def test_leases_are_bounded(seconds, lease):
    assert lease_of(seconds) == lease


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mode": None}, "hub.mode must be subscribe or unsubscribe"),
        ({"mode": "publish"}, "this hub knows by itself"),
        ({"mode": "denied"}, "hub.mode"),
        ({"topic": None}, "hub.topic is missing"),
        ({"topic": "https://desk.example/" + "a" * 2048}, "hub.topic must be at most 2048"),
        ({"callback": None}, "hub.callback is missing"),
        ({"callback": "https://reader.example/" + "a" * 2048}, "at most 2048"),
        ({"callback": f"{CALLBACK}#part"}, "without a fragment"),
        ({"callback": "ftp://reader.example/"}, "hub.callback is"),
        ({"callback": "javascript:alert(1)"}, "hub.callback is"),
        ({"callback": "https://user:word@reader.example/"}, "hub.callback is"),
        ({"callback": "https://reader.example\\@127.0.0.1/"}, "hub.callback is"),
        ({"callback": "http://127.0.0.1/"}, "hub.callback is refused"),
        ({"callback": "http://[::ffff:10.0.0.1]/"}, "hub.callback is refused"),
        ({"callback": "http://2130706433/"}, "hub.callback is"),
        ({"callback": "http://reader.example:25/"}, "port 80, 443 or above 1023"),
        ({"lease_seconds": "soon"}, "hub.lease_seconds must be a number"),
        ({"secret": "x" * 200}, "hub.secret must be shorter than 200 bytes"),
        ({"secret": "я" * 100}, "hub.secret must be shorter than 200 bytes"),
    ],
)
def test_what_is_wrong_is_said(changes, said):
    answer = read(**changes)
    assert isinstance(answer, Reply)
    assert answer.status == 400
    assert said in answer.text


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"hub.mode=%FF", b"a=1&" * 50, b"hub.mode=a&hub.mode=b"])
def test_what_is_no_form_is_refused(body):
    answer = read_request(body, {TOPIC}, ())
    assert isinstance(answer, Reply)
    assert answer.status == 400


@given(st.dictionaries(st.sampled_from([*GOOD, "hub.lease_seconds", "hub.secret"]), st.text(max_size=300)))
def test_nothing_raises(form):
    answer = read({**GOOD, **form})
    assert isinstance(answer, HubRequest) or answer.status == 400


def test_a_secret_may_be_of_199_bytes_and_an_empty_one_is_none():
    assert read(secret="x" * 199).secret == "x" * 199
    assert read(secret="").secret is None


def test_ports_and_private_addresses_that_are_allowed_are_taken():
    assert read(callback="http://reader.example:8443/").host == "reader.example:8443"
    assert read(callback="http://127.0.0.1:8080/", allowed=LOCAL).host == "127.0.0.1:8080"


def test_another_topic_is_denied_but_can_be_unsubscribed_from():
    denied = read(topic="https://desk.example/feeds/eu.html")
    assert (denied.mode, denied.topic) == (HubMode.DENIED, "https://desk.example/feeds/eu.html")
    assert "none of them" in denied.reason
    goodbye = read(topic="https://desk.example/feeds/old.atom", mode="unsubscribe")
    assert (goodbye.mode, goodbye.reason) == (HubMode.UNSUBSCRIBE, "")


def test_every_outcome_has_an_answer_that_says_when_to_come_again():
    assert set(REPLY_BY_ROOM) == set(Room)
    assert REPLY_BY_ROOM[Room.TAKEN].status == 202
    others = [reply for room, reply in REPLY_BY_ROOM.items() if room is not Room.TAKEN]
    assert all(reply.status in (429, 503) and reply.retry_after and reply.text for reply in others)


# -- verifying


def asked(request: HubRequest) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(question(request, "c0ffee")).query))


def test_a_callback_is_asked_in_words_that_subscribers_know():
    request = read(lease_seconds="7200")
    assert asked(request) == {
        "hub.mode": "subscribe",
        "hub.topic": TOPIC,
        "hub.challenge": "c0ffee",
        "hub.lease_seconds": "7200",
    }
    intent = intent_of(urlsplit(question(request, "c0ffee")).query)
    assert intent is not None
    assert (intent.mode, intent.topic, intent.challenge) == ("subscribe", TOPIC, "c0ffee")
    assert intent.lease == timedelta(hours=2)
    assert asked(read(mode="unsubscribe")) == {
        "hub.mode": "unsubscribe",
        "hub.topic": TOPIC,
        "hub.challenge": "c0ffee",
    }
    denied = read(topic="https://other.example/")
    assert asked(denied) == {
        "hub.mode": "denied",
        "hub.topic": "https://other.example/",
        "hub.reason": denied.reason,
    }


def test_a_callback_s_own_query_stays_as_it_is():
    request = read(callback=f"{CALLBACK}?a=%20b&a=&c")
    assert question(request, "x").startswith(f"{CALLBACK}?a=%20b&a=&c&hub.mode=subscribe&")
    assert question(read(), "x").startswith(f"{CALLBACK}?hub.mode=subscribe&")


@pytest.mark.parametrize(
    ("status", "body", "means"),
    [
        (200, b"c0ffee", True),
        (202, b"c0ffee", True),
        (200, b"c0ffee\n", False),
        (200, b"C0FFEE", False),
        (200, b"", False),
        (200, b"<p>c0ffee</p>", False),
        (302, b"c0ffee", False),
        (404, b"c0ffee", False),
        (500, b"c0ffee", False),
    ],
)
def test_only_the_challenge_itself_confirms(status, body, means):
    assert is_meant(status, body, "c0ffee") is means


def test_a_callback_that_gives_no_answer_is_asked_three_times():
    request, waits = read(), []
    for tries in range(3):
        answer = after_asking(
            replace(request, tries=tries), is_confirmed=False, may_yet="it is down", now=NOW, jitter=0.5
        )
        waits.append(answer.next_try_at and answer.next_try_at - NOW)
    assert waits == [timedelta(seconds=5), timedelta(minutes=5), None]


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_callback_that_has_answered_is_not_asked_again(is_confirmed):
    answer = after_asking(read(), is_confirmed=is_confirmed, may_yet=None, now=NOW, jitter=0.5)
    assert (answer.next_try_at, answer.is_confirmed) == (None, is_confirmed)
