"""What an alert is in words: title, passage, time, rule, and who else reports it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.alerts.channels.channel import render
from syndicate.alerts.channels.message import Kind, Marked
from syndicate.alerts.channels.text import line, marked_line, web_address
from syndicate.alerts.channels.wording import (
    heading,
    in_words,
    listed,
    moment,
    plain,
    reason,
    sample,
    subject,
)
from syndicate.alerts.webhook import Names
from syndicate.model import (
    Alert,
    AnyAlert,
    Delivery,
    EndpointAlert,
    EndpointNotice,
    Headline,
    Hit,
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
from tests.channel_cases import ALMATY, CHANNELS
from tests.items import ITEM as ANY_ITEM
from tests.items import NOW

ITEM = replace(
    ANY_ITEM,
    title="The EU and Asia",
    body="The EU adopts it.",
    author="Ana of the EU",
    published=NOW - timedelta(hours=1),
)
MATCH = Match(
    rule="eu",
    rule_version="0a1b",
    hits=(Hit(term="EU", field="title", start=4, end=6), Hit(term="EU", field="body", start=4, end=6)),
    snippet=Snippet(text="The EU adopts it.", field="body", marks=((4, 6),)),
)
ALERT = Alert(
    kind="match",
    rule="eu",
    created_at=NOW,
    stored=StoredMatch(item=ITEM, match=MATCH, revision=2, matched_at=NOW),
)
KNOWN = Names(rules={"eu": "Strategy of the EU"}, sources={"wire": "Steppe Wire", "astana": "Astana Times"})


def delivery(*alerts: AnyAlert) -> Delivery:
    return Delivery(
        id="msg_1",
        endpoint="desk",
        token="t",
        body=None,
        created_at=NOW,
        attempts=0,
        tries=0,
        lease_until=NOW,
        alerts=alerts,
    )


def about(match: Match = MATCH, **changes: object) -> Alert:
    return replace(ALERT, stored=replace(ALERT.stored, match=match, **changes))  # type: ignore[arg-type]


def told(alert: AnyAlert):
    (text,) = in_words(delivery(alert), KNOWN, ALMATY).alerts
    return text


def test_an_item_is_told_with_all_that_is_known():
    text = told(replace(ALERT, kind="escalation", sources=("astana", "wire", "unknown")))
    assert text.kind is Kind.ESCALATION
    assert text.title == Marked(text="The EU and Asia", marks=((4, 6),))
    assert text.passage == Marked(text="The EU adopts it.", marks=((4, 6),))
    assert (text.outlet, text.rule, text.rule_id, text.story) == (
        "Steppe Wire",
        "Strategy of the EU",
        "eu",
        5,
    )
    assert text.link == ITEM.link
    assert text.also == ("Astana Times", "unknown")
    assert moment(text.at) == "24 Nov 2026, 06:00 +05"


def test_a_spike_is_told_with_what_is_usual_and_its_newest_titles():
    hour = Window(begins=NOW - timedelta(hours=1), ends=NOW)
    headline = Headline(
        story=5, item=7, source="wire", title="The EU and Asia", link=ITEM.link, first_seen=NOW
    )
    alert = SpikeAlert(
        kind="spike",
        rule="eu",
        created_at=NOW,
        spike=Spike(rule="eu", hour=hour, count=42, usual=6, score=14.7, weeks=8),
        headlines=(headline, replace(headline, source="gone", title="word " * 100)),
    )
    known = replace(KNOWN, feeds={"eu": "https://desk.example/feeds/eu.atom"})
    (text,) = in_words(delivery(alert), known, ALMATY).alerts
    assert text.kind is Kind.SPIKE
    assert text.title == Marked(
        text="42 stories in the last hour; usual at this time: 6 (of 8 weeks)", marks=((0, 10),)
    )
    assert text.passage is not None
    assert text.passage.text.startswith("Among them: The EU and Asia (Steppe Wire); word word ")
    assert text.passage.text.endswith(" word… (gone)")
    assert len(text.passage.text) < 180
    assert (text.rule, text.rule_id, text.outlet) == ("Strategy of the EU", "eu", "")
    assert (text.at, text.link) == (NOW, "https://desk.example/feeds/eu.atom")
    (bare,) = in_words(delivery(replace(alert, headlines=())), KNOWN, ALMATY).alerts
    assert (bare.passage, bare.link) == (None, None)


def test_a_date_in_the_future_is_not_told():
    future = replace(ITEM, published=NOW + timedelta(days=400))
    assert told(about(item=future)).at == NOW


def test_what_is_gone_from_the_configuration_goes_by_its_id():
    (text,) = in_words(delivery(ALERT), Names(), UTC).alerts
    assert (text.outlet, text.rule) == ("wire", "eu")


def test_a_passage_that_is_the_title_is_not_told_twice():
    match = replace(MATCH, snippet=Snippet(text=ITEM.title, field="title", marks=((4, 6),)))
    text = told(about(match))
    assert text.passage is None
    assert text.title.marks == ((4, 6),)


def test_a_title_that_was_edited_since_has_no_marks():
    assert told(about(revision=1)).title == Marked(text="The EU and Asia")


def test_a_passage_from_elsewhere_says_from_where():
    match = replace(MATCH, snippet=Snippet(text="Ana of the EU", field="author", marks=((11, 13),)))
    passage = told(about(match)).passage
    assert passage is not None
    assert passage.text == "Author: Ana of the EU"
    assert [run.text for run in passage.runs if run.is_marked] == ["EU"]


@pytest.mark.parametrize(
    ("is_over", "title", "at"),
    [(False, "Steppe Wire: silent", NOW - timedelta(days=3)), (True, "Steppe Wire is well again", NOW)],
)
def test_trouble_with_a_source_is_told_from_its_beginning_to_its_end(is_over, title, at):
    notice = Notice(
        kind=TroubleKind.SILENT, since=NOW - timedelta(days=3), text="nothing came", is_over=is_over
    )
    text = told(SourceAlert(kind="source", source="wire", created_at=NOW, notice=notice))
    assert (text.kind, text.title.text, text.at, text.rule) == (Kind.SOURCE, title, at, "")
    assert text.passage == Marked(text="nothing came")


@pytest.mark.parametrize(
    ("is_over", "title", "at"),
    [(False, "phone is disabled", NOW - timedelta(days=3)), (True, "phone is well again", NOW)],
)
def test_that_an_endpoint_is_disabled_is_told_and_that_it_is_over(is_over, title, at):
    notice = EndpointNotice(
        endpoint="phone", since=NOW - timedelta(days=3), is_over=is_over, text="it is sent nothing"
    )
    text = told(EndpointAlert(kind="endpoint", created_at=NOW, notice=notice))
    assert (text.kind, text.title.text, text.at, text.rule) == (Kind.ENDPOINT, title, at, "")
    assert text.passage == Marked(text="it is sent nothing")


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_every_channel_tells_of_an_endpoint(channel):
    notice = EndpointNotice(endpoint="phone", since=NOW, is_over=False, text="it is sent nothing any more")
    alert = EndpointAlert(kind="endpoint", created_at=NOW, notice=notice)
    assert b"phone is disabled" in render(channel, in_words(delivery(alert), KNOWN, UTC))


def test_several_alerts_are_a_summary_with_their_rules():
    message = in_words(delivery(ALERT, replace(ALERT, rule="x"), ALERT), KNOWN, UTC)
    assert message.is_summary
    assert heading(message) == subject(message) == "3 alerts: Strategy of the EU and x"
    assert heading(in_words(delivery(ALERT), KNOWN, UTC)) == ""
    assert subject(in_words(delivery(ALERT), KNOWN, UTC)) == "[Strategy of the EU] The EU and Asia"


def test_a_reason_has_rule_score_and_others():
    score = Score(threshold=4, total=5.25, parts=(("EU", 5.25),))
    text = told(replace(about(replace(MATCH, score=score)), kind="escalation", sources=("astana", "wire")))
    expected = "Rule: Strategy of the EU · Score: 5.25 (threshold 4) · Also reported by Astana Times"
    assert reason(text) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("A",), "A"),
        (("A", "B"), "A and B"),
        (("A", "B", "C", "D", "E"), "A, B, C, D and E"),
        (("A", "B", "C", "D", "E", "F", "G"), "A, B, C, D, E and 2 more"),
    ],
)
def test_names_are_listed_as_in_a_sentence(names, expected):
    assert listed(names) == expected


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (UTC, "1 Jul 2026, 22:05 UTC"),
        (ZoneInfo("Europe/Brussels"), "2 Jul 2026, 00:05 CEST"),
        (timezone(timedelta(hours=5, minutes=30)), "2 Jul 2026, 03:35 UTC+05:30"),
    ],
)
def test_a_moment_names_its_zone(zone, expected):
    assert moment(datetime(2026, 7, 1, 22, 5, tzinfo=UTC).astimezone(zone)) == expected


@pytest.mark.parametrize("name", CHANNELS)
def test_a_sample_says_that_it_is_none(name):
    message = sample(NOW, UTC)
    assert plain(message).startswith("A test: there is no such item\nA *test* of Syndicate\n")
    assert render(CHANNELS[name], message) == render(CHANNELS[name], message)


# --------------------------------------------------------------------------- texts from anywhere


@given(text=st.text())
def test_a_line_is_one_line_without_what_hides_or_turns_text(text):
    found = line(text)
    assert line(found) == found
    assert found == found.strip()
    assert not set(found) & set("\n\r\t\x00\x7f\x85\u061c\u200b\u200e\u202e\u2028\u2066\ufeff\ud800")
    found.encode()


@given(
    text=st.text(max_size=40), places=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=5)
)
def test_marks_stay_where_they_were_when_a_text_is_cleaned(text, places):
    before = Marked(text=text, marks=tuple(places))
    after = marked_line(before)
    assert after.text == line(text)
    kept = [run.text for run in after.runs if run.is_marked]
    assert "".join("".join(kept).split()) == "".join(
        "".join(line(run.text).split()) for run in before.runs if run.is_marked
    )
    assert all(text == text.strip() for text in kept)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/x?y=1&z=%20#f", "https://a.example/x?y=1&z=%20#f"),
        ("https://kaz.example/жаңа?қ=1#é", "https://kaz.example/%D0%B6%D0%B0%D2%A3%D0%B0?%D2%9B=1#%C3%A9"),
        ("https://жаңалық.қаз:8443/", "https://xn--80aaqw4fuxvb.xn--80ao21a:8443/"),
        ("https://" + "ж" * 300 + "/", None),
        ("https://a..ж/", None),
        ('https://a.example/"><script>', "https://a.example/%22%3E%3Cscript%3E"),
        ("https://a.example/a b\r\nX: y", "https://a.example/a%20b%0D%0AX:%20y"),
        ("https://a.example/\u202etxt", "https://a.example/txt"),
        ("javascript:alert(1)", None),
        ("//a.example/", None),
        ("https://", None),
        ("", None),
        (None, None),
        ("https://a.example/" + "é" * 1000, None),
    ],
)
def test_an_address_ends_nowhere_but_at_its_end(url, expected):
    assert web_address(url, 2_000) == expected
