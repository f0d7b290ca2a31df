"""The words that all channels share: what an alert is about, when it was, and why it was raised."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import assert_never

from syndicate.alerts.channels.fitting import ALSO
from syndicate.alerts.channels.message import AlertText, Kind, Marked, Message
from syndicate.alerts.channels.text import marked_up
from syndicate.alerts.spikes import beside_usual, stories
from syndicate.alerts.webhook import Names, cut
from syndicate.model import (
    Alert,
    AnyAlert,
    Delivery,
    EndpointAlert,
    Hit,
    Score,
    SourceAlert,
    SpikeAlert,
    StoredMatch,
)

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HEADLINE_LENGTH = 120
LABELS = {
    Kind.MATCH: "",
    Kind.ESCALATION: "More sources report it",
    Kind.SPIKE: "Far more than usual",
    Kind.SOURCE: "About a source",
    Kind.ENDPOINT: "About an endpoint",
    Kind.TEST: "A test: there is no such item",
}


def in_words(
    delivery: Delivery,
    known: Names,
    zone: tzinfo,
    *,
    more: str | None = None,
) -> Message:
    """Return what a delivery says.

    Args:
        delivery: with at least one alert.
        known: how the configuration calls what it is about.
        zone: the reader's time zone, in which times are told.
        more: the address at which a person finds everything.
    """
    alerts = tuple(_about(alert, known, zone) for alert in delivery.alerts)
    return Message(
        id=delivery.id,
        at=delivery.created_at.astimezone(zone),
        alerts=alerts,
        more=more,
        left_out=delivery.left_out,
    )


def sample(now: datetime, zone: tzinfo) -> Message:
    """Return a message that shows whether alerts arrive, in the shape of a real one."""
    text = "This is a test of Syndicate. A real alert tells of an item that a rule holds for."
    start = text.index("test")
    alert = AlertText(
        kind=Kind.TEST,
        title=Marked(text="A test of Syndicate", marks=((2, 6),)),
        outlet="Sample source",
        at=now.astimezone(zone),
        rule="Sample rule",
        rule_id="sample",
        passage=Marked(text=text, marks=((start, start + len("test")),)),
        link="https://example.org/sample",
    )
    return Message(
        id=f"msg_test_{int(now.timestamp() * 1_000_000)}", at=now.astimezone(zone), alerts=(alert,)
    )


def moment(when: datetime) -> str:
    """Return a time as people write it, such as "24 Nov 2026, 07:30 CET"."""
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}, {when:%H:%M} {when.tzname() or ''}".rstrip()


def byline(alert: AlertText) -> str:
    """Return who reports it, and when."""
    return f"{alert.outlet} · {moment(alert.at)}" if alert.outlet else moment(alert.at)


def label(alert: AlertText) -> str:
    """Return what stands above the title; empty for a plain match."""
    return LABELS[alert.kind]


def reason(alert: AlertText) -> str:
    """Return why the alert was raised, and who else reports it; empty if there is nothing to say."""
    parts = (
        f"Rule: {alert.rule}" if alert.rule else "",
        _sum(alert.score) if alert.score else "",
        f"Also reported by {listed(alert.also)}" if alert.also else "",
    )
    return " · ".join(part for part in parts if part)


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them: "A, B and 3 more"."""
    shown, rest = list(names[:ALSO]), len(names) - ALSO
    if rest > 0:
        shown.append(f"{rest} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def heading(message: Message) -> str:
    """Return what stands above a summary, such as "12 alerts: Central Asia"; empty if it is none."""
    if not message.is_summary:
        return ""
    rules = unique(alert.rule for alert in message.alerts if alert.rule)
    count = f"{len(message.alerts) + message.left_out} alerts"
    return f"{count}: {listed(rules)}" if rules else count


def ending(message: Message) -> str:
    """Return what stands below a summary that has no room for all of its alerts; empty if it has."""
    return f"and {message.left_out} more" if message.left_out else ""


def subject(message: Message) -> str:
    """Return one line that says what the message is about."""
    first = message.alerts[0]
    if message.is_summary:
        return heading(message)
    return f"[{first.rule}] {first.title.text}" if first.rule else first.title.text


def plain(message: Message) -> str:
    """Return the message as plain text, with *stars* around what stands out."""
    blocks = [heading(message), *map(_plain, message.alerts), ending(message)]
    if message.left_out and message.more:
        blocks[-1] += f": {message.more}"
    return "\n\n".join(block for block in blocks if block)


def starred(marked: Marked) -> str:
    """Return a text with *stars* around what stands out."""
    return marked_up(marked, str, "*", "*")


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Return each name once, in order."""
    return tuple(dict.fromkeys(names))


def _plain(alert: AlertText) -> str:
    passage = starred(alert.passage) if alert.passage else ""
    lines = (label(alert), starred(alert.title), byline(alert), passage, reason(alert), alert.link or "")
    return "\n".join(each for each in lines if each)


def _sum(score: Score) -> str:
    return f"Score: {score.total:g} (threshold {score.threshold:g})"


def _about(alert: AnyAlert, known: Names, zone: tzinfo) -> AlertText:
    match alert:
        case Alert():
            return _about_item(alert, known, zone)
        case SourceAlert():
            return _about_source(alert, known, zone)
        case EndpointAlert():
            return _about_endpoint(alert, zone)
        case SpikeAlert():
            return _about_spike(alert, known, zone)
        case _:
            assert_never(alert)


def _about_endpoint(alert: EndpointAlert, zone: tzinfo) -> AlertText:
    notice = alert.notice
    return AlertText(
        kind=Kind.ENDPOINT,
        title=Marked(text=f"{notice.endpoint} {'is well again' if notice.is_over else 'is disabled'}"),
        outlet="",
        at=(alert.created_at if notice.is_over else notice.since).astimezone(zone),
        passage=Marked(text=notice.text),
    )


def _about_spike(alert: SpikeAlert, known: Names, zone: tzinfo) -> AlertText:
    """Return what is far more than usual, and the newest titles. The link is that of the rule's feed."""
    spike = alert.spike
    count = stories(spike.count)
    headlines = (
        f"{cut(each.title, HEADLINE_LENGTH)} ({known.sources.get(each.source, each.source)})"
        for each in alert.headlines
    )
    return AlertText(
        kind=Kind.SPIKE,
        title=Marked(text=beside_usual(spike.count, spike.usual, spike.weeks), marks=((0, len(count)),)),
        outlet="",
        at=spike.hour.ends.astimezone(zone),
        rule=known.rules.get(alert.rule, alert.rule),
        rule_id=alert.rule,
        passage=Marked(text="Among them: " + "; ".join(headlines)) if alert.headlines else None,
        link=known.feeds.get(alert.rule),
    )


def _about_source(alert: SourceAlert, known: Names, zone: tzinfo) -> AlertText:
    notice = alert.notice
    outlet = known.sources.get(alert.source, alert.source)
    title = f"{outlet} is well again" if notice.is_over else f"{outlet}: {notice.kind.value}"
    return AlertText(
        kind=Kind.SOURCE,
        title=Marked(text=title),
        outlet=outlet,
        at=(alert.created_at if notice.is_over else notice.since).astimezone(zone),
        passage=Marked(text=notice.text),
    )


def _about_item(alert: Alert, known: Names, zone: tzinfo) -> AlertText:
    item, match = alert.stored.item, alert.stored.match
    others = [source for source in alert.sources if source != item.source]
    return AlertText(
        kind=Kind(alert.kind),
        title=_title(alert.stored),
        outlet=known.sources.get(item.source, item.source),
        at=item.order.astimezone(zone),
        rule=known.rules.get(alert.rule, alert.rule),
        rule_id=alert.rule,
        passage=_passage(alert.stored),
        link=item.link,
        score=match.score,
        also=unique(known.sources.get(source, source) for source in others),
        story=item.story,
    )


def _title(stored: StoredMatch) -> Marked:
    """Return the title; its marks only if it still reads as it did when the rule was found to hold."""
    item, snippet = stored.item, stored.match.snippet
    if snippet.field == "title" and snippet.text == item.title:
        return Marked(text=item.title, marks=snippet.marks)
    if stored.revision != item.revision:
        return Marked(text=item.title)
    return Marked(text=item.title, marks=_places(stored.match.hits, "title"))


def _places(hits: Sequence[Hit], field: str) -> tuple[tuple[int, int], ...]:
    return tuple((hit.start, hit.end) for hit in hits if hit.field == field)


def _passage(stored: StoredMatch) -> Marked | None:
    """Return the passage that shows why, None where that is the title. It says of what, if not the body."""
    snippet = stored.match.snippet
    if snippet.field == "title" and snippet.text == stored.item.title:
        return None
    where = "" if snippet.field == "body" else f"{snippet.field.capitalize()}: "
    marks = tuple((start + len(where), end + len(where)) for start, end in snippet.marks)
    return Marked(text=where + snippet.text, marks=marks)
