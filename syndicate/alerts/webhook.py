"""What a webhook says (Standard Webhooks, https://www.standardwebhooks.com). Pure.

The body is JSON in UTF-8, always under 20 kB:

    {"type": "alert.match", "timestamp": "2026-11-24T02:00:00Z",
     "data": {"rule": {"id": "eu", "title": "The EU", "version": "..."},
              "item": {"id": 7, "source": {"id": "wire", "title": "Steppe Wire"}, "guid": "...",
                       "title": "...", "link": "https://...", "language": "en",
                       "published": "2026-11-24T01:58:00Z", "updated": null,
                       "first_seen": "2026-11-24T02:00:00Z", "author": "...", "categories": ["..."],
                       "revision": 1, "summary": "..."},
              "story": 7,
              "terms": [{"term": "EU", "field": "title", "start": 4, "end": 6, "text": "EU"}],
              "terms_total": 1, "score": null,
              "snippet": "The EU ...", "snippet_field": "title", "snippet_marks": [[4, 6]],
              "feed": "https://.../feeds/eu.atom"}}

Every key is always there; what is unknown is null. `timestamp` is when the alert was raised; the header
webhook-timestamp is when this attempt was made. Times are UTC.

`start` and `end` are code points into the plain text of `field` (title, body) as it stood in `revision`, and
`text` is what stands there: null when the item was edited again before the alert was first sent.
`snippet` is a passage of `snippet_field`, `snippet_marks` are the terms' places in it. Long texts are
cut on a word and end in an ellipsis; a guid or a link too long to send is null, since half of one is
none. At most 50 terms are listed, fewer if they are long, first ones first; `terms_total` counts all.
`score` is how a weighted rule came to hold, of the terms that count as many as there is room for:
{"threshold": 4, "total": 5, "parts": [{"term": "EU", "weight": 5}]}.

That more sources carry a story has the type "alert.escalation", once. Its data is that of the item that
brought them to as many, and:

              "sources": [{"id": "wire", "title": "Steppe Wire"}, ...], "sources_total": 3

`sources` are those that carry the story, by items for which the rule holds, the first one first, as many as
there is room for; `sources_total` counts all.

What is the matter with a source itself has the type "alert.source", and this data:

    {"source": {"id": "wire", "title": "Steppe Wire"}, "trouble": "silent", "state": "begun",
     "since": "2026-11-24T02:00:00Z", "text": "it has published nothing for 3 days, ..."}

`trouble` is one of TroubleKind. Later the same comes with the state "over", once.

That an endpoint is sent nothing any more is told to another with the type "alert.endpoint":

    {"endpoint": {"id": "desk"}, "state": "begun", "since": "2026-11-24T02:00:00Z", "text": "it is ..."}

Several alerts in one delivery have the type "alert.summary", see `syndicate.alerts.summary`.
A spike, that a rule holds for far more stories than usual, has the type "alert.spike", and this data:

    {"rule": {"id": "eu", "title": "The EU"},
     "begins": "2026-11-24T01:00:00Z", "ends": "2026-11-24T02:00:00Z",
     "stories": 42, "usual": 6, "weeks": 8, "score": 14.7, "text": "42 stories in the last hour; ...",
     "headlines": [{"story": 7, "item": 7, "source": {"id": "wire", "title": "Steppe Wire"}, "title": "...",
                    "link": "https://...", "first_seen": "2026-11-24T01:58:00Z"}],
     "feed": "https://.../feeds/eu.atom"}

`headlines` are the newest of the stories, as many as there is room for.

A test (`endpoints test`) has the type "alert.test", and "test": true in its data.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, assert_never

from syndicate.alerts.outcome import Closed, Later, Outcome, Taken
from syndicate.alerts.spikes import beside_usual
from syndicate.http.times import asked_wait
from syndicate.model import (
    Alert,
    AnyAlert,
    Config,
    EndpointAlert,
    Headline,
    Hit,
    Item,
    Match,
    Score,
    Snippet,
    SourceAlert,
    SpikeAlert,
    StoredMatch,
)

TITLE_LENGTH = 300
SUMMARY_LENGTH = 500
NAME_LENGTH = 100
TROUBLE_LENGTH = 1_000
CATEGORY_LENGTH = 40
CATEGORIES = 10
TERM_LENGTH = 100
TERMS = 50
TERMS_BYTES = 5_000
SCORE_BYTES = 3_000
SOURCES_BYTES = 2_000
GUID_BYTES = 1_500
LINK_BYTES = 2_500
HEADLINE_LINK_BYTES = 1_000

Values = dict[str, Any]

MOST_BYTES_A_CHARACTER = 6  # in JSON: \\u001f
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # one for all: to make it takes long
_LAST_WORD = re.compile(r"\s+\S*$")  # or what is left of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How the configuration calls what an alert is about; what is gone from it goes by its id."""

    rules: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    feeds: Mapping[str, str] = field(default_factory=dict)  # addresses, of rules that publish one


def names(config: Config) -> Names:
    """Return how this configuration calls things."""
    base = f"{config.service.base_url}/feeds"
    return Names(
        rules={rule.id: rule.title for rule in config.rules},
        sources={source.id: source.title for source in config.sources},
        feeds={
            rule.id: f"{base}/{rule.id}.atom"
            for rule in config.rules
            if rule.own_feed and rule.own_feed.is_listed
        },
    )


def render(alert: AnyAlert, known: Names) -> bytes:
    """Return the body that tells of an alert. The same input gives the same bytes."""
    return to_json(message(alert, known))


def message(alert: AnyAlert, known: Names) -> Values:
    """Return what the body says that tells of an alert."""
    match alert:
        case Alert():
            data = _data(alert, known)
        case SourceAlert():
            data = _source_data(alert, known)
        case EndpointAlert():
            data = _endpoint_data(alert)
        case SpikeAlert():
            data = _spike_data(alert, known)
        case _:
            assert_never(alert)
    return _message(f"alert.{alert.kind}", alert.created_at, data)


def render_sample(now: datetime) -> bytes:
    """Return the body of a test, in the shape of the real ones."""
    known = Names(rules={"sample": "Sample rule"}, sources={"sample": "Sample source"})
    data = {"test": True, **_data(_sample(now), known)}
    return to_json(_message("alert.test", now, data))


def outcome(status: int, retry_after: str | None, now: datetime) -> Outcome:
    """Return what a complete answer means: 2xx is success, and 410 is final."""
    if 200 <= status < 300:
        return Taken()
    if status == 410:
        return Closed(reason="the endpoint answered 410: it wants no more deliveries")
    reason = f"the endpoint answered {status}"
    if status == 401:
        reason += ": see that it has the same secret, and the right time"
    if 300 <= status < 400:
        reason += ", and redirects are not followed: configure where it leads"
    return Later(reason=reason, wait=asked_wait(retry_after, now))


def cut(text: str, length: int) -> str:
    """Return at most this many characters of a text, cut on a word where there is one, with an ellipsis."""
    if len(text) <= length:
        return text
    kept = text[:length]
    whole = _LAST_WORD.sub("", kept)
    return (whole if length // 2 < len(whole) < length else kept[:-1]) + "…"


def _message(kind: str, when: datetime, data: Values) -> Values:
    return {"type": kind, "timestamp": time_text(when), "data": data}


def _data(alert: Alert, known: Names) -> Values:
    match = alert.stored.match
    terms = _terms(alert.stored)
    return {
        "rule": {
            "id": alert.rule,
            "title": cut(known.rules.get(alert.rule, alert.rule), NAME_LENGTH),
            "version": match.rule_version,
        },
        "item": _item(alert.stored, known),
        "story": alert.stored.item.story,
        "terms": terms,
        "terms_total": len(match.hits),
        "score": _score(match.score),
        "snippet": match.snippet.text,
        "snippet_field": match.snippet.field,
        "snippet_marks": [list(mark) for mark in match.snippet.marks],
        "feed": known.feeds.get(alert.rule),
        **(_carriers(alert.sources, known) if alert.kind == "escalation" else {}),
    }


def _carriers(sources: Sequence[str], known: Names) -> Values:
    """Return the sources of a story, as many as there is room for."""
    told: list[Values] = []
    room = SOURCES_BYTES
    for source in sources:
        room -= len(to_json(_source(source, known))) + 1
        if room < 0:
            break
        told.append(_source(source, known))
    return {"sources": told, "sources_total": len(sources)}


def _source_data(alert: SourceAlert, known: Names) -> Values:
    notice = alert.notice
    return {
        "source": _source(alert.source, known),
        "trouble": notice.kind.value,
        "state": "over" if notice.is_over else "begun",
        "since": time_text(notice.since),
        "text": cut(notice.text, TROUBLE_LENGTH),
    }


def _endpoint_data(alert: EndpointAlert) -> Values:
    notice = alert.notice
    return {
        "endpoint": {"id": notice.endpoint},
        "state": "over" if notice.is_over else "begun",
        "since": time_text(notice.since),
        "text": cut(notice.text, TROUBLE_LENGTH),
    }


def _spike_data(alert: SpikeAlert, known: Names) -> Values:
    spike = alert.spike
    return {
        "rule": {"id": alert.rule, "title": cut(known.rules.get(alert.rule, alert.rule), NAME_LENGTH)},
        "begins": time_text(spike.hour.begins),
        "ends": time_text(spike.hour.ends),
        "stories": spike.count,
        "usual": spike.usual,
        "weeks": spike.weeks,
        "score": round(spike.score, 1),
        "text": beside_usual(spike.count, spike.usual, spike.weeks),
        "headlines": [_headline(headline, known) for headline in alert.headlines],
        "feed": known.feeds.get(alert.rule),
    }


def _headline(headline: Headline, known: Names) -> Values:
    return {
        "story": headline.story,
        "item": headline.item,
        "source": _source(headline.source, known),
        "title": cut(headline.title, TITLE_LENGTH),
        "link": _whole(headline.link, HEADLINE_LINK_BYTES),
        "first_seen": time_text(headline.first_seen),
    }


def _source(source: str, known: Names) -> Values:
    return {"id": source, "title": cut(known.sources.get(source, source), NAME_LENGTH)}


def _item(stored: StoredMatch, known: Names) -> Values:
    item = stored.item
    return {
        "id": item.id,
        "source": _source(item.source, known),
        "guid": _whole(item.guid, GUID_BYTES),
        "title": cut(item.title, TITLE_LENGTH),
        "link": _whole(item.link, LINK_BYTES),
        "language": item.language,
        "published": time_text(item.published),
        "updated": time_text(item.updated),
        "first_seen": time_text(item.first_seen),
        "author": cut(item.author, NAME_LENGTH),
        "categories": [cut(category, CATEGORY_LENGTH) for category in item.categories[:CATEGORIES]],
        "revision": stored.revision,
        "summary": cut(item.summary, SUMMARY_LENGTH),
    }


def _terms(stored: StoredMatch) -> list[Values]:
    """Return the first hits, as many as there is room for."""
    terms: list[Values] = []
    room = TERMS_BYTES
    for hit in stored.match.hits[:TERMS]:
        term = _term(stored, hit)
        room -= len(to_json(term)) + 1
        if room < 0:
            break
        terms.append(term)
    return terms


def _term(stored: StoredMatch, hit: Hit) -> Values:
    text = _text(stored, hit)
    return {
        "term": cut(hit.term, TERM_LENGTH),
        "field": hit.field,
        "start": hit.start,
        "end": hit.end,
        "text": None if text is None else cut(text, TERM_LENGTH),
    }


def _score(score: Score | None) -> Values | None:
    if score is None:
        return None
    parts: list[Values] = []
    room = SCORE_BYTES
    for term, weight in score.parts[:TERMS]:
        part: Values = {"term": cut(term, TERM_LENGTH), "weight": weight}
        room -= len(to_json(part)) + 1
        if room < 0:
            break
        parts.append(part)
    return {"threshold": score.threshold, "total": score.total, "parts": parts}


def _text(stored: StoredMatch, hit: Hit) -> str | None:
    """Return what stands at a hit, None when the item has moved on from that revision."""
    if stored.revision != stored.item.revision:
        return None
    item = stored.item
    texts = {
        "title": item.title,
        "body": item.body,
        "author": item.author,
        "category": "\n".join(item.categories),
        "link": item.link or "",
        "source": item.source,
        "lang": item.language or "",
    }
    return texts[hit.field][hit.start : hit.end] if hit.field in texts else None


def _whole(text: str | None, most_bytes: int) -> str | None:
    """Return the text if it has room: half an address is another address."""
    if text is None or MOST_BYTES_A_CHARACTER * len(text) + len('""') <= most_bytes:
        return text
    return text if len(to_json(text)) <= most_bytes else None


def time_text(when: datetime | None) -> str | None:
    """Return a time as all bodies have it: UTC, to the second."""
    if when is None:
        return None
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def to_json(value: object) -> bytes:
    """Return a value as the bytes that are sent."""
    return _JSON.encode(value).encode()


def _sample(now: datetime) -> Alert:
    """Return an alert about an item that does not exist."""
    body = "This is a test of Syndicate. A real alert tells of an item that a rule holds for."
    item = Item(
        id=0,
        source="sample",
        entry_id="urn:uuid:00000000-0000-0000-0000-000000000000",
        revision=1,
        story=0,
        guid="https://example.org/sample",
        link="https://example.org/sample",
        title="A test of Syndicate",
        body=body,
        summary=body,
        content_html="",
        author="Syndicate",
        categories=("test",),
        language="en",
        published=now,
        updated=None,
        first_seen=now,
        changed_at=now,
        noticed_at=now,
    )
    start = body.index("test")
    hit = Hit(term="test", field="body", start=start, end=start + len("test"))
    match = Match(
        rule="sample",
        rule_version="sample",
        hits=(hit,),
        snippet=Snippet(text=body, field="body", marks=((hit.start, hit.end),)),
    )
    return Alert(
        kind="test",
        rule="sample",
        created_at=now,
        stored=StoredMatch(item=item, match=match, revision=1, matched_at=now),
    )
