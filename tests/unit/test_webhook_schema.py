"""docs/webhook.schema.json says of a webhook's body what it is, and of another that it is none."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.alerts.summary import says
from syndicate.alerts.webhook import Names, render, render_sample
from syndicate.model import (
    Alert,
    AnyAlert,
    Delivery,
    EndpointAlert,
    EndpointNotice,
    Headline,
    Hit,
    Item,
    Match,
    Notice,
    Score,
    Snippet,
    SourceAlert,
    Spike,
    SpikeAlert,
    StoredMatch,
    TroubleKind,
    Window,
)
from tests.documents import DOCS, blocks_of
from tests.json_schema import faults

SCHEMA = json.loads((DOCS / "webhook.schema.json").read_text())
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
TEXTS = ["", "EU", "ЕС принял", "🐎" * 5_000, '"\\' * 5_000]

texts = st.sampled_from(TEXTS)
times = st.none() | st.datetimes(timezones=st.just(UTC))
fields = st.sampled_from(["title", "body", "author", "category", "link", "source", "lang"])
items = st.builds(
    Item,
    id=st.integers(1),
    source=st.just("wire"),
    entry_id=st.just("urn:x"),
    revision=st.just(2),
    story=st.integers(1),
    guid=st.none() | texts,
    link=st.none() | texts.map("https://a.example/".__add__),
    title=texts,
    body=texts,
    summary=texts,
    content_html=texts,
    author=texts,
    categories=st.lists(texts, max_size=20).map(tuple),
    language=st.none() | st.just("kk"),
    published=times,
    updated=times,
    first_seen=st.just(NOW),
    changed_at=st.just(NOW),
)
hits = st.builds(Hit, term=texts, field=fields, start=st.integers(0, 3), end=st.integers(3, 9_000))
matches = st.builds(
    Match,
    rule=st.just("eu"),
    rule_version=st.just("0a1b"),
    hits=st.lists(hits, max_size=60).map(tuple),
    snippet=st.builds(
        Snippet,
        text=texts.map(lambda text: text[:240]),
        field=fields,
        marks=st.lists(st.tuples(st.integers(0, 9), st.integers(9, 99)), max_size=5).map(tuple),
    ),
    score=st.none()
    | st.builds(
        Score,
        threshold=st.floats(allow_nan=False, allow_infinity=False),
        total=st.integers() | st.floats(-9, 9),
        parts=st.lists(st.tuples(texts, st.floats(-9, 9)), max_size=60).map(tuple),
    ),
)


@settings(deadline=None)
@given(
    item=items,
    match=matches,
    revision=st.integers(1, 2),
    names=st.builds(Names, rules=st.just({}) | texts.map(lambda text: {"eu": text}),
                    feeds=st.just({}) | st.just({"eu": "http://127.0.0.1:8080/feeds/eu.atom"})),
)  # fmt: skip
def test_every_alert_is_as_the_schema_says(item, match, revision, names):
    stored = StoredMatch(item=item, match=match, revision=revision, matched_at=NOW)
    alert = Alert(kind="match", rule="eu", created_at=NOW, stored=stored)
    assert list(faults(json.loads(render(alert, names)), SCHEMA)) == []


@settings(deadline=None)
@given(item=items, match=matches, sources=st.lists(texts, min_size=2, max_size=1000).map(tuple))
def test_every_escalation_is_as_the_schema_says_and_small_enough(item, match, sources):
    sources = tuple(f"s{number}" for number, _ in enumerate(sources))
    names = Names(sources=dict(zip(sources, TEXTS * len(sources), strict=False)))
    stored = StoredMatch(item=item, match=match, revision=1, matched_at=NOW)
    alert = Alert(kind="escalation", rule="eu", created_at=NOW, stored=stored, sources=sources)
    body = render(alert, names)
    message = json.loads(body)
    assert list(faults(message, SCHEMA)) == []
    assert len(body) < 20_000
    assert message["data"]["sources_total"] == len(sources)
    assert [each["id"] for each in message["data"]["sources"]] == list(
        sources[: len(message["data"]["sources"])]
    )
    assert message["data"]["sources"]


@settings(deadline=None)
@given(kind=st.sampled_from(TroubleKind), text=texts, is_over=st.booleans())
def test_every_alert_about_a_source_is_as_the_schema_says(kind, text, is_over):
    notice = Notice(kind=kind, since=NOW, text=text, is_over=is_over)
    alert = SourceAlert(kind="source", source="wire", created_at=NOW, notice=notice)
    assert list(faults(json.loads(render(alert, Names())), SCHEMA)) == []


@given(text=texts, is_over=st.booleans())
def test_every_alert_about_an_endpoint_is_as_the_schema_says(text, is_over):
    notice = EndpointNotice(endpoint="desk", since=NOW, text=text, is_over=is_over)
    alert = EndpointAlert(kind="endpoint", created_at=NOW, notice=notice)
    assert list(faults(json.loads(render(alert, Names())), SCHEMA)) == []


def delivery(*alerts: AnyAlert, left_out: int = 0) -> Delivery:
    return Delivery(
        id="msg_1",
        endpoint="desk",
        token="",
        body=None,
        created_at=NOW,
        attempts=0,
        tries=0,
        lease_until=NOW,
        alerts=alerts,
        left_out=left_out,
    )


@settings(deadline=None)
@given(
    found=st.lists(st.tuples(items, matches), min_size=1, max_size=4),
    times=st.integers(1, 40),
    left_out=st.integers(1, 9),
)
def test_every_summary_is_as_the_schema_says_and_counts_what_it_has_no_room_for(found, times, left_out):
    alerts = [
        Alert(
            kind="match",
            rule="eu",
            created_at=NOW,
            stored=StoredMatch(item=item, match=match, revision=2, matched_at=NOW),
        )
        for item, match in found * times
    ]
    body = says(delivery(*alerts, left_out=left_out), Names())
    summary = json.loads(body)
    assert len(body) < 20_000
    assert list(faults(summary, SCHEMA)) == []
    data = summary["data"]
    assert data["total"] == len(alerts) + left_out == len(data["alerts"]) + data["left_out"]
    told = [each["data"]["item"]["id"] for each in data["alerts"]]
    assert told == [alert.stored.item.id for alert in alerts][: len(told)]
    assert told


def test_one_alert_is_told_as_itself():
    notice = Notice(kind=TroubleKind.SILENT, since=NOW, text="it is silent", is_over=False)
    alert = SourceAlert(kind="source", source="wire", created_at=NOW, notice=notice)
    assert says(delivery(alert), Names()) == render(alert, Names())
    assert json.loads(says(delivery(alert, alert), Names()))["data"]["alerts"][1] == json.loads(
        render(alert, Names())
    )


headlines = st.builds(
    Headline,
    story=st.integers(1),
    item=st.integers(1),
    source=st.just("wire"),
    title=texts,
    link=st.none() | texts.map("https://a.example/".__add__),
    first_seen=st.just(NOW),
)
spikes = st.builds(
    Spike,
    rule=st.just("eu"),
    hour=st.just(Window(begins=NOW, ends=NOW)),
    count=st.integers(2, 10**6),
    usual=st.integers(0, 10**6).map(lambda twice: twice / 2),
    score=st.floats(2, 10**6),
    weeks=st.integers(4, 8),
)


@settings(deadline=None)
@given(spike=spikes, told=st.lists(headlines, max_size=5).map(tuple))
def test_every_alert_of_a_spike_is_as_the_schema_says_and_below_20_kb(spike, told):
    alert = SpikeAlert(kind="spike", rule="eu", created_at=NOW, spike=spike, headlines=told)
    body = render(alert, Names())
    assert list(faults(json.loads(body), SCHEMA)) == []
    assert len(body) < 20_000


def test_a_sample_and_what_the_documentation_shows_are_as_the_schema_says():
    shown = [
        json.loads(block.text) for block in blocks_of(DOCS / "webhooks.md") if block.kind.startswith("json")
    ]
    kinds = {"alert.match", "alert.source", "alert.endpoint", "alert.spike", "alert.summary"}
    assert {message["type"] for message in shown} == kinds
    for message in (*shown, json.loads(render_sample(NOW))):
        assert list(faults(message, SCHEMA)) == []


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to each value within a value."""
    match value:
        case dict():
            inner = list(value.items())
        case list():
            inner = list(enumerate(value))
        case _:
            return
    for key, each in inner:
        yield (*path, key)
        yield from paths(each, (*path, key))


def without(value: Any, path: tuple[str | int, ...], instead: Any) -> Any:
    """Return a copy of a value with another one, or none, at the end of a path."""
    copy = json.loads(json.dumps(value))
    place = copy
    for key in path[:-1]:
        place = place[key]
    if instead is None:
        del place[path[-1]]
    else:
        place[path[-1]] = instead
    return copy


MESSAGE = json.loads(render_sample(NOW))


@pytest.mark.parametrize("path", list(paths(MESSAGE)), ids=lambda path: ".".join(map(str, path)))
def test_the_schema_finds_what_is_missing_or_of_another_type(path):
    may_be_missing = isinstance(path[-1], int) and not isinstance(
        path[-2], int
    )  # one of a list, not of a pair
    assert may_be_missing or list(faults(without(MESSAGE, path, None), SCHEMA))
    assert list(faults(without(MESSAGE, path, {"of": "another type"}), SCHEMA))


@pytest.mark.parametrize("instead", ["alert.other", "alert.source", "alert.endpoint", 1])
def test_the_schema_tells_types_apart(instead):
    assert list(faults({**MESSAGE, "type": instead}, SCHEMA))


def test_a_keyword_that_is_not_known_is_an_error():
    with pytest.raises(KeyError):
        list(faults({}, {"unknownKeyword": 1}))
