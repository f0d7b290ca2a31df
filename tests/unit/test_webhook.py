"""What a webhook says, under which bounds, and how it is signed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from syndicate.alerts.signing import headers, signature
from syndicate.alerts.webhook import TERMS, Names, cut, names, render, render_sample
from syndicate.model import (
    Alert,
    Config,
    Endpoint,
    Headline,
    Hit,
    Item,
    Match,
    NetworkSettings,
    Notice,
    RuleText,
    Score,
    ServiceSettings,
    Snippet,
    Source,
    SourceAlert,
    Spike,
    SpikeAlert,
    StoredMatch,
    TroubleKind,
    Window,
)
from tests.items import ITEM, NOW

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MOST_BYTES = 20_000

HITS = (Hit(term="ЕС", field="title", start=26, end=28), Hit(term="ес", field="body", start=0, end=2))
MATCH = Match(
    rule="eu",
    rule_version="0a1b",
    hits=HITS,
    snippet=Snippet(text="ЕС принял стратегию. A “new” one.", field="body", marks=((0, 2),)),
)
ALERT = Alert(
    kind="match",
    rule="eu",
    created_at=NOW,
    stored=StoredMatch(item=ITEM, match=MATCH, revision=2, matched_at=NOW),
)
KNOWN = Names(
    rules={"eu": "Стратегия ЕС"},
    sources={"wire": "Steppe Wire"},
    feeds={"eu": "https://desk.example/feeds/eu.atom"},
)


def about(item: Item, match: Match = MATCH) -> Alert:
    return replace(ALERT, stored=replace(ALERT.stored, item=item, match=match, revision=item.revision))


def rendered(alert: Alert = ALERT, known: Names = KNOWN) -> dict[str, Any]:
    message = json.loads(render(alert, known))
    assert isinstance(message, dict)
    return message


def test_an_alert_says_what_matched_and_where():
    assert rendered() == {
        "type": "alert.match",
        "timestamp": "2026-11-24T02:00:00Z",
        "data": {
            "rule": {"id": "eu", "title": "Стратегия ЕС", "version": "0a1b"},
            "item": {
                "id": 7,
                "source": {"id": "wire", "title": "Steppe Wire"},
                "guid": "wire-7",
                "title": "Страны Центральной Азии и ЕС 🐎",
                "link": "https://wire.example/7?a=1&b=2",
                "language": "ru",
                "published": "2026-11-24T01:30:00Z",
                "updated": None,
                "first_seen": "2026-11-24T02:00:00Z",
                "author": "Айгуль",
                "categories": ["Политика", "EU"],
                "revision": 2,
                "summary": "ЕС принял стратегию.",
            },
            "story": 5,
            "terms": [
                {"term": "ЕС", "field": "title", "start": 26, "end": 28, "text": "ЕС"},
                {"term": "ес", "field": "body", "start": 0, "end": 2, "text": "ЕС"},
            ],
            "terms_total": 2,
            "score": None,
            "snippet": "ЕС принял стратегию. A “new” one.",
            "snippet_field": "body",
            "snippet_marks": [[0, 2]],
            "feed": "https://desk.example/feeds/eu.atom",
        },
    }


def test_what_is_the_matter_with_a_source_is_told_in_words():
    notice = Notice(kind=TroubleKind.SILENT, since=NOW, text="it has published nothing for 3 days")
    alert = SourceAlert(kind="source", source="wire", created_at=NOW, notice=notice)
    assert json.loads(render(alert, KNOWN)) == {
        "type": "alert.source",
        "timestamp": "2026-11-24T02:00:00Z",
        "data": {
            "source": {"id": "wire", "title": "Steppe Wire"},
            "trouble": "silent",
            "state": "begun",
            "since": "2026-11-24T02:00:00Z",
            "text": "it has published nothing for 3 days",
        },
    }
    over = replace(alert, source="gone", notice=replace(notice, is_over=True, text="x" * 50_000))
    body = render(over, KNOWN)
    assert len(body) < MOST_BYTES
    assert json.loads(body)["data"]["state"] == "over"
    assert json.loads(body)["data"]["source"] == {"id": "gone", "title": "gone"}


def test_a_spike_is_told_with_what_is_usual_and_its_newest_stories():
    hour = Window(begins=NOW - timedelta(hours=1), ends=NOW)
    spike = Spike(rule="eu", hour=hour, count=42, usual=6.5, score=13.9247, weeks=8)
    headline = Headline(
        story=5, item=7, source="wire", title="ЕС " * 200, link="https://wire.example/7", first_seen=NOW
    )
    alert = SpikeAlert(
        kind="spike",
        rule="eu",
        created_at=NOW,
        spike=spike,
        headlines=(
            headline,
            replace(headline, source="gone", title="T", link="https://a.example/" + "x" * 5_000),
        ),
    )
    assert json.loads(render(alert, KNOWN)) == {
        "type": "alert.spike",
        "timestamp": "2026-11-24T02:00:00Z",
        "data": {
            "rule": {"id": "eu", "title": "Стратегия ЕС"},
            "begins": "2026-11-24T01:00:00Z",
            "ends": "2026-11-24T02:00:00Z",
            "stories": 42,
            "usual": 6.5,
            "weeks": 8,
            "score": 13.9,
            "text": "42 stories in the last hour; usual at this time: 6.5 (of 8 weeks)",
            "headlines": [
                {
                    "story": 5,
                    "item": 7,
                    "source": {"id": "wire", "title": "Steppe Wire"},
                    "title": "ЕС " * 99 + "ЕС…",
                    "link": "https://wire.example/7",
                    "first_seen": "2026-11-24T02:00:00Z",
                },
                {
                    "story": 5,
                    "item": 7,
                    "source": {"id": "gone", "title": "gone"},
                    "title": "T",
                    "link": None,
                    "first_seen": "2026-11-24T02:00:00Z",
                },
            ],
            "feed": "https://desk.example/feeds/eu.atom",
        },
    }


def test_a_score_is_told_with_its_sum():
    score = Score(threshold=4, total=5.5, parts=(("EU", 6.0), ("football", -0.5)))
    stored = replace(ALERT.stored, match=replace(MATCH, score=score))
    told = json.loads(render(replace(ALERT, stored=stored), KNOWN))["data"]["score"]
    parts = [{"term": "EU", "weight": 6.0}, {"term": "football", "weight": -0.5}]
    assert told == {"threshold": 4, "total": 5.5, "parts": parts}


@pytest.mark.parametrize(
    ("field", "end", "text"), [("author", 6, "Айгуль"), ("category", 8, "Политика"), ("source", 4, "wire")]
)
def test_terms_of_every_field_show_what_stands_there(field, end, text):
    hit = Hit(term="x", field=field, start=0, end=end)
    stored = replace(ALERT.stored, match=replace(MATCH, hits=(hit,)))
    (term,) = json.loads(render(replace(ALERT, stored=stored), KNOWN))["data"]["terms"]
    assert term["text"] == text


def test_the_body_is_compact_utf_8_in_one_order():
    body = render(ALERT, KNOWN)
    assert body == render(ALERT, KNOWN)
    assert "Стратегия ЕС".encode() in body
    assert body.startswith(b'{"type":"alert.match","timestamp":"2026-11-24T02:00:00Z","data":{"rule":{"id":')


def test_what_is_unknown_is_null_or_goes_by_its_id():
    bare = replace(
        ITEM, guid=None, link=None, language=None, published=None, author="", categories=(), summary=""
    )
    message = rendered(about(bare), Names())
    assert shape(message) == shape(rendered())
    data = message["data"]
    assert data["rule"]["title"] == "eu"
    assert data["item"]["source"]["title"] == "wire"
    assert data["feed"] is None
    assert [data["item"][key] for key in ("guid", "link", "language", "published")] == [None] * 4


def test_text_that_was_edited_away_is_null():
    message = rendered(replace(ALERT, stored=replace(ALERT.stored, revision=1)))
    assert message["data"]["item"]["revision"] == 1
    assert [term["text"] for term in message["data"]["terms"]] == [None, None]


def test_a_sample_has_the_shape_of_an_alert_and_says_that_it_is_none():
    sample = json.loads(render_sample(NOW))
    assert sample["type"] == "alert.test"
    assert sample["data"].pop("test") is True
    assert shape(sample) == shape(rendered())
    (term,) = sample["data"]["terms"]
    assert term["text"] == term["term"]
    (mark,) = sample["data"]["snippet_marks"]
    assert sample["data"]["snippet"][slice(*mark)] == term["term"]


def test_names_come_from_the_configuration():
    config = Config(
        path=Path("config.toml"),
        service=ServiceSettings(
            database=Path("db"), rules=Path("rules"), feeds=Path("feeds"), base_url="https://desk.example"
        ),
        network=NetworkSettings(allow_private=(ip_network("127.0.0.0/8"),)),
        sources=(Source(id="wire", title="Steppe Wire", urls=("https://wire.example/",)),),
        endpoints=(),
        rules=(
            RuleText(id="eu", title="Стратегия ЕС", file="eu.toml", line=1, keywords=("ЕС",)),
            RuleText(id="quiet", title="Quiet", file="eu.toml", line=1, keywords=("q",), feed=None),
        ),
    )
    assert names(config) == replace(KNOWN, rules={"eu": "Стратегия ЕС", "quiet": "Quiet"})


# --------------------------------------------------------------------------- bounds

WORST = "🐎" * 100_000


def worst(text: str) -> Alert:
    item = replace(
        ITEM, guid=text, link=text, title=text, body=text, summary=text, author=text, categories=(text,) * 500
    )
    hits = tuple(Hit(term=text, field="body", start=n, end=n + 90_000) for n in range(1000))
    marks = tuple((n, n + 1) for n in range(0, 240, 2))
    snippet = Snippet(text=text[:240], field="body", marks=marks)
    score = Score(threshold=4.123456, total=5.123456, parts=((text, -123456.789012),) * 500)
    return about(item, replace(MATCH, hits=hits, snippet=snippet, score=score))


@pytest.mark.parametrize("text", [WORST, '"' * 100_000, "\n" * 100_000, "я " * 50_000, "a" * 100_000])
def test_the_longest_body_has_under_20_kb(text):
    known = Names(
        rules={"eu": text}, sources={"wire": text}, feeds={"eu": f"https://{'a' * 253}/feeds/{'e' * 64}.atom"}
    )
    body = render(worst(text), known)
    assert len(body) < MOST_BYTES
    data = json.loads(body)["data"]
    assert data["terms_total"] == 1000
    assert 1 <= len(data["terms"]) <= TERMS


def test_short_terms_are_listed_up_to_the_limit():
    hits = tuple(Hit(term="ЕС", field="body", start=0, end=2) for _ in range(60))
    data = rendered(about(ITEM, replace(MATCH, hits=hits)))["data"]
    assert len(data["terms"]) == TERMS
    assert data["terms_total"] == 60


def test_a_link_that_is_too_long_is_left_out_rather_than_cut():
    item = rendered(about(replace(ITEM, link="https://a.example/" + "a" * 2480, guid="g" * 1498)))["data"][
        "item"
    ]
    assert len(item["link"]) == 2498
    assert len(item["guid"]) == 1498
    item = rendered(about(replace(ITEM, link="https://a.example/" + "a" * 2481, guid="g" * 1499)))["data"][
        "item"
    ]
    assert item["link"] is None
    assert item["guid"] is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("ten chars.", "ten chars."),
        ("one two three", "one two…"),
        ("one two  three", "one two…"),
        ("one two t hree", "one two t…"),
        ("abcdefghijklmnop", "abcdefghi…"),
        ("a bcdefghijklmnop", "a bcdefgh…"),
        ("           x", "         …"),
    ],
)
def test_long_texts_are_cut_on_a_word(text, kept):
    assert cut(text, 10) == kept


@given(text=st.text(), length=st.integers(2, 50))
def test_a_cut_text_is_the_beginning_of_the_text(text, length):
    kept = cut(text, length)
    assert len(kept) <= length
    assert kept == text or (kept.endswith("…") and text.startswith(kept[:-1]))


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=400)


@given(title=texts, body=texts, summary=texts, categories=st.lists(texts), data=st.data())
def test_any_item_is_told_in_a_body_that_can_be_read(title, body, summary, categories, data):
    spots = st.tuples(st.integers(0, len(body)), st.integers(0, len(body))).map(sorted)
    hits = tuple(
        Hit(term=term, field="body", start=start, end=end)
        for term, (start, end) in data.draw(st.lists(st.tuples(texts, spots), max_size=80))
    )
    item = replace(ITEM, title=title, body=body, summary=summary, categories=tuple(categories))
    rendering = render(about(item, replace(MATCH, hits=hits)), KNOWN)
    assert len(rendering) < MOST_BYTES
    for term in json.loads(rendering)["data"]["terms"]:
        assert term["text"] == cut(body[term["start"] : term["end"]], 100)


# --------------------------------------------------------------------------- headers


def test_the_signature_is_that_of_the_standard():
    sent_at = datetime.fromtimestamp(1614265330, UTC)
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    body = b'{"test": 2432232314}'
    for when in (sent_at, sent_at.astimezone(timezone(timedelta(hours=5)))):
        assert signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", when, body) == expected


def test_the_headers_sign_what_is_sent():
    endpoint = Endpoint(id="desk", url="https://desk.example/hook", secrets=(SECRET,))
    body = render(ALERT, KNOWN)
    given_headers = headers(endpoint, "msg_1", body, NOW)
    assert given_headers == {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", NOW, body.decode()),
    }


def test_without_a_secret_nothing_is_signed():
    endpoint = Endpoint(id="desk", url="https://desk.example/hook")
    assert set(headers(endpoint, "msg_1", b"{}", NOW)) == {"content-type", "webhook-id", "webhook-timestamp"}


def test_headers_of_the_endpoint_go_along_but_replace_none_of_ours():
    configured = {"Authorization": "Bearer x", "Webhook-Id": "mine", "CONTENT-TYPE": "text/plain"}
    given_headers = headers(
        Endpoint(id="desk", url="https://desk.example/hook", headers=configured), "msg_1", b"{}", NOW
    )
    assert given_headers["authorization"] == "Bearer x"
    assert given_headers["webhook-id"] == "msg_1"
    assert given_headers["content-type"] == "application/json"
    assert len(given_headers) == 4


def shape(value: object) -> object:
    """Return the keys of a message, in their order, without its values."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    return None
