"""What subscribers are sent, and what follows from their answers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from syndicate.alerts.outcome import Closed, Later, Taken
from syndicate.alerts.retry import WAITS
from syndicate.feeds.site import FORMATS
from syndicate.hub.telling import after_telling, notice, outcome
from syndicate.hub.topics import Document, Topic, hub_address, topics_of, why_none
from syndicate.model import Config, NetworkSettings, ServiceSettings
from syndicate.model.feeds import Feed, FeedSettings
from syndicate.model.hub import Subscriber, SubscriberKind
from syndicate.sources.websub import is_signed, link_relations
from syndicate.web.app import FEED_TYPES
from tests.hubs import signature

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
HUB, TOPIC = "https://desk.example/hub", "https://desk.example/feeds/eu.atom"
ATOM = Topic(url=TOPIC, path=Path("eu.atom"), content_type="application/atom+xml; charset=utf-8")
DOCUMENT = Document(body="<feed>Žižkov</feed>".encode(), digest="two")
EU, SECRET_FEED = (
    Feed(id="eu", title="EU", about=""),
    Feed(id="kz", title="KZ", about="", settings=FeedSettings(token="a-secret-folder")),
)


def subscriber(kind=SubscriberKind.CALLBACK, secret=None, failures=0) -> Subscriber:
    return Subscriber(
        id=1,
        kind=kind,
        topic=TOPIC,
        callback="https://reader.example/",
        secret=secret,
        failures=failures,
        was_slow=False,
        token="token",
        lease_until=NOW,
    )


def config(base_url="https://desk.example", hub: bool | str = True) -> Config:
    folder = Path("/srv/syndicate")
    settings = ServiceSettings(
        database=folder / "db", rules=folder / "rules", feeds=folder / "feeds", base_url=base_url
    )
    return Config(
        path=folder / "config.toml",
        service=settings,
        network=NetworkSettings(),
        sources=(),
        endpoints=(),
        rules=(),
        feeds=(EU, SECRET_FEED),
        hub=hub,
    )


def test_a_subscriber_is_sent_the_whole_document_as_it_is_served():
    sent = notice(subscriber(), ATOM, DOCUMENT, HUB)
    assert sent.body == DOCUMENT.body
    assert sent.headers["content-type"] == FEED_TYPES[".atom"]
    assert link_relations(sent.headers["link"], TOPIC) == {"hub": [HUB], "self": [TOPIC]}
    assert "x-hub-signature" not in sent.headers


def test_it_is_signed_as_subscribers_check_it():
    sent = notice(subscriber(secret="s3cret"), ATOM, DOCUMENT, HUB)
    assert sent.headers["x-hub-signature"] == signature("s3cret", DOCUMENT.body, "sha256")
    assert is_signed("s3cret", sent.headers["x-hub-signature"], DOCUMENT.body)


def test_a_hub_of_others_is_told_where_to_look():
    sent = notice(subscriber(SubscriberKind.HUB), ATOM, DOCUMENT, HUB)
    assert parse_qs(sent.body.decode()) == {
        "hub.mode": ["publish"],
        "hub.topic": [TOPIC],
        "hub.url": [TOPIC],
    }
    assert sent.headers == {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_success_is_one(status):
    assert outcome(subscriber(), status, None, NOW) == Taken()


@pytest.mark.parametrize("status", [301, 307, 400, 403, 404, 500, 503])
def test_anything_else_is_tried_again(status):
    result = outcome(subscriber(), status, "7", NOW)
    assert isinstance(result, Later)
    assert str(status) in result.reason
    assert result.wait == timedelta(seconds=7)


def test_gone_ends_a_subscription_but_no_hub():
    assert isinstance(outcome(subscriber(), 410, None, NOW), Closed)
    assert isinstance(outcome(subscriber(SubscriberKind.HUB), 410, None, NOW), Later)


def told(who: Subscriber, result, took=timedelta(seconds=1)):
    return after_telling(who, result, digest="two", status=None, took=took, now=NOW, jitter=0.5)


def test_who_has_taken_it_has_it():
    done = told(subscriber(failures=3), Taken())
    assert (done.digest, done.error, done.next_try_at, done.is_over) == ("two", None, None, False)


def test_who_fails_is_tried_by_the_schedule_of_deliveries_and_then_dropped():
    for failures, wait in enumerate(WAITS):
        again = told(subscriber(failures=failures), Later(reason="down"))
        assert (again.next_try_at, again.is_over, again.digest) == (NOW + wait, False, None)
    last = told(subscriber(failures=len(WAITS)), Later(reason="down"))
    assert (last.is_over, last.next_try_at) == (True, None)
    assert "given up after 10 tries" in last.error


def test_who_is_gone_is_dropped():
    assert told(subscriber(), Closed(reason="410")).is_over


def test_a_hub_that_fails_is_never_dropped():
    last = told(subscriber(SubscriberKind.HUB, failures=len(WAITS)), Later(reason="down"))
    assert (last.is_over, last.next_try_at) == (False, None)


def test_who_takes_long_is_remembered():
    assert not told(subscriber(), Taken(), timedelta(seconds=1.9)).was_slow
    assert told(subscriber(), Taken(), timedelta(seconds=2.1)).was_slow


# -- which hub, of which documents


@pytest.mark.parametrize(
    ("base_url", "hub", "url"),
    [
        ("https://desk.example", True, "https://desk.example/hub"),
        ("https://desk.example/news", True, "https://desk.example/news/hub"),
        ("https://desk.example", False, None),
        ("http://127.0.0.1:8080", True, None),
        ("http://desk.internal", True, None),
        ("https://новости.example", True, None),
        ("http://0x7f000001", True, None),
        ("http://127.0.0.1:8080", HUB, HUB),
        ("https://desk.example", "https://hub.example/", "https://hub.example/"),
    ],
)
def test_the_hub_is_ours_where_it_can_be_reached_or_as_configured(base_url, hub, url):
    address = hub_address(config(base_url, hub))
    assert (address and address.url) == url
    assert address is None or address.is_ours is (hub is True)


@pytest.mark.parametrize(
    ("base_url", "hub", "why"),
    [
        ("https://desk.example", True, None),
        ("https://desk.example", False, "[feeds] hub is false"),
        ("http://127.0.0.1:8080", True, "127.0.0.1 is no public address"),
        ("http://desk.internal", True, "desk.internal is a name in a local network"),
        (
            "https://новости.example",
            True,
            "base_url https://новости.example is not in ASCII: write its host as xn--...",
        ),
        ("http://127.0.0.1:8080", HUB, None),
    ],
)
def test_why_there_is_no_hub_is_said(base_url, hub, why):
    said = why_none(config(base_url, hub))
    assert (said and said.partition(", and")[0]) == why


def test_all_formats_of_all_feeds_are_topics_as_they_are_served():
    topics = topics_of(config(), hub_address(config()))
    assert [url.removeprefix("https://desk.example/feeds/") for url in topics] == [
        "eu.atom",
        "eu.json",
        "eu.rss",
        "a-secret-folder/kz.atom",
        "a-secret-folder/kz.json",
        "a-secret-folder/kz.rss",
    ]
    assert topics[TOPIC].path == Path("/srv/syndicate/feeds/eu.atom")
    assert {each.extension: each.content_type for each in FORMATS}.items() <= FEED_TYPES.items()


def test_a_hub_of_others_hears_of_no_address_that_is_secret():
    config_ = config(hub="https://hub.example/")
    assert all("/eu." in url for url in topics_of(config_, hub_address(config_)))


def test_without_a_hub_there_are_no_topics():
    assert topics_of(config(hub=False), None) == {}
