"""What `explain` says: why a rule holds for an item or not, and what came of that. Prints nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from syndicate.model import AlertStatus, Item, Joined, JoinedBy, Score, StoredMatch, StoryStatus, Suppressed
from syndicate.report_trials import arithmetic, joined, marks_of, quote_json, score_json, snippet_json
from syndicate.report_words import Line, Values, listed, time_json
from syndicate.rules.tree import Place
from syndicate.trial import OUT_OF_SCOPE, Explanation, Finding, Trial, WhyNot

PARTS_SHOWN = 6
PLACES_SHOWN = 8

_QUIET = {
    Suppressed.BASELINE: "it was in the first document of its source, a baseline",
    Suppressed.BACKFILL: "the rule was applied to it when it was stored already",
    Suppressed.SILENCED: "a silence held",
    Suppressed.FALLBACK: "another address of its source had just taken over",
}


def explanation_json(found: Explanation, rule: str | None) -> Values:
    """Return an explanation as `explain --json` prints it; the rule's id is None for a query alone."""
    item, finding = found.item, found.finding
    return {
        "item": {
            "id": item.id,
            "source": item.source,
            "title": item.title,
            "link": item.link,
            "language": item.language,
            "published": time_json(item.published),
            "revision": item.revision,
        },
        "story": story_json(found.story) if found.story else None,
        "rule": {"id": rule, "version": found.trial.rule.version or None, "query": found.trial.query},
        "holds": finding is not None,
        "evidence": [quote_json(quote) for quote in finding.quotes] if finding else [],
        "snippet": snippet_json(finding.snippet) if finding else None,
        "score": score_json(finding.score) if finding else None,
        "why_not": _why_json(found.why_not) if found.why_not else None,
        "stored": _stored_json(found) if found.stored else None,
        "alerts": [_alert_json(alert) for alert in found.alerts],
    }


def explanation_lines(found: Explanation, name: str, zone: tzinfo | None = None) -> Iterator[Line]:
    """Yield whether a rule holds for an item, why, and what came of that.

    Args:
        name: the rule, as a sentence calls it.
        zone: in which times are told; None: in that of this machine.
    """
    found = _in_zone(found, zone)
    yield Line(_item_sentence(found.item))
    if found.story and len(found.story.items) > 1:
        yield Line(_story_sentence(found.story))
    if found.finding:
        yield Line(f"{name} holds for it.")
        yield Line("")
        yield from _evidence_lines(found.finding)
        yield from _score_lines(found.finding.score)
    elif found.why_not:
        yield Line(f"{name} does not hold for it.")
        yield Line("")
        yield from _query_lines(found.trial, found.why_not)
        yield from _why_lines(found.why_not, 2)
        if found.why_not.score and found.why_not.score.parts:
            yield Line("What holds, and counts:", indent=2)
            yield from _weights(found.why_not.score)
    if found.trial.rule.version:
        yield Line("")
        yield from _stored_lines(found)


def _why_json(why: WhyNot) -> Values:
    return {
        "sentence": why.sentence,
        "reason": why.reason,
        "clause": why.clause or None,
        "place": list(why.place) if why.place else None,
        "nearest": [quote_json(quote) for quote in why.nearest],
        "snippet": snippet_json(why.passage) if why.passage else None,
        "distance": why.distance,
        "score": score_json(why.score),
        "parts": [_why_json(part) for part in why.parts],
    }


def _stored_json(found: Explanation) -> Values | None:
    stored = found.stored
    if stored is None:
        return None
    return {
        "version": stored.match.rule_version,
        "revision": stored.revision,
        "matched_at": time_json(stored.matched_at),
        "ended_at": time_json(stored.ended_at),
        "is_current": _is_current(found, stored),
    }


def story_json(story: StoryStatus) -> Values:
    """Return a story as one of its items sees it."""
    joined = story.joined
    return {
        "id": story.id,
        "items": [{"id": item, "source": source} for item, source in story.items],
        "joined": {"by": joined.by.value, "item": joined.other, "evidence": joined.evidence}
        if joined
        else None,
    }


def _alert_json(alert: AlertStatus) -> Values:
    return {
        "kind": alert.kind,
        "endpoint": alert.endpoint,
        "item": alert.item,
        "state": alert.state,
        "reason": alert.reason.value if alert.reason else None,
        "silence": alert.silence,
        "created_at": time_json(alert.created_at),
        "delivery": alert.delivery,
        "delivery_state": alert.delivery_state.value if alert.delivery_state else None,
        "sources": list(alert.sources),
    }


# --------------------------------------------------------------------------- why


def _item_sentence(item: Item) -> str:
    language = item.language or "language unknown"
    return (
        f"Item {item.id}, revision {item.revision}, of {item.source} ({language},"
        f" {_minute(item.order)}): {item.title or item.summary[:80] or '(no title)'}"
    )


def _story_sentence(story: StoryStatus) -> str:
    sources = list(dict.fromkeys(source for _, source in story.items))
    told = f"Story {story.id}: {len(story.items)} items of {listed(sources, PLACES_SHOWN)}"
    match story.joined:
        case None:
            return f"{told}."
        case Joined(by=JoinedBy.ALIKE, other=other, evidence=evidence):
            return f"{told}; this one has in common with item {other}: {evidence}."
        case Joined(by=by):
            return f"{told}; this one has the same {by.value} as one before."


def _evidence_lines(finding: Finding) -> Iterator[Line]:
    places: dict[tuple[str, str], list[str]] = {}
    for quote in finding.quotes:
        hit = quote.hit
        place = f'{hit.start}-{hit.end} "{" ".join((quote.text or "").split())}"'
        places.setdefault((hit.term, hit.field), []).append(place)
    for (term, field), found in places.items():
        yield Line(f"{term}: in the {field} at {listed(found, PLACES_SHOWN)}", indent=2)
    if not finding.quotes:
        yield Line("No term has to be there for it.", indent=2)
    yield Line("")
    title = marks_of(finding, "title")
    if title:
        yield Line(finding.title, marks=title, indent=2)
    if finding.snippet.field != "title":
        yield Line(finding.snippet.text, marks=finding.snippet.marks, indent=2)


def _score_lines(score: Score | None) -> Iterator[Line]:
    if score is None:
        return
    yield Line("")
    yield Line(arithmetic(score), indent=2)
    yield from _weights(score)


def _weights(score: Score) -> Iterator[Line]:
    return (Line(f"{weight:>+6g}  {term}", indent=2) for term, weight in score.parts)


def _query_lines(trial: Trial, why: WhyNot) -> Iterator[Line]:
    """Yield the rule's query with the clauses marked that failed."""
    if trial.query is None:
        return
    marks = list(joined(sorted(_places(why))))
    lines = trial.query.split("\n")
    cut = min(len(text) - len(text.lstrip()) for text in lines if text.strip())
    start = 0
    for text in lines:
        if text.strip():
            yield Line(
                text[cut:].rstrip(),
                marks=tuple(_within(marks, start + cut, start + len(text))),
                indent=2,
                is_wanting=True,
            )
        start += len(text) + 1
    yield Line("")


def _within(marks: Sequence[Place], start: int, end: int) -> Iterator[Place]:
    """Yield what of some marks is in a part of a text, as places in that."""
    for first, last in marks:
        if first < end and last > start:
            yield max(first, start) - start, min(last, end) - start


def _places(why: WhyNot) -> Iterator[Place]:
    """Yield the places of the innermost clauses that failed."""
    below = [place for part in why.parts for place in _places(part)]
    if below:
        yield from below
    elif why.place:
        yield why.place


def _why_lines(why: WhyNot, indent: int) -> Iterator[Line]:
    yield Line(_head(why), indent=indent)
    if why.passage and why.nearest:
        text = why.passage.text
        yield Line(text, marks=why.passage.marks, indent=indent + 2)
    # What came near says more than what is not there at all.
    parts = sorted(why.parts, key=lambda part: not (part.nearest or part.parts))
    for part in parts[:PARTS_SHOWN]:
        yield from _why_lines(part, indent + 2)
    if len(parts) > PARTS_SHOWN:
        yield Line(f"and {len(parts) - PARTS_SHOWN} more", indent=indent + 2)


def _head(why: WhyNot) -> str:
    """Return why a clause does not hold, without what its parts say below it."""
    if why.score:
        return arithmetic(why.score)
    if why.reason == OUT_OF_SCOPE:
        also = "Nor does its query hold:" if why.parts else "Its query would hold."
        return f"{why.sentence}. {also}"
    if not why.parts:
        return why.sentence
    head = why.sentence.partition(why.parts[0].sentence)[0].rstrip(" :;")
    return f"{head}:" if head else "not all of it holds:"


# --------------------------------------------------------------------------- what came of it


def _stored_lines(found: Explanation) -> Iterator[Line]:
    yield Line(_stored_sentence(found))
    by_endpoint = {alert.endpoint: alert for alert in found.alerts if alert.kind == "match"}
    names = dict.fromkeys((*found.trial.rule.notify, *by_endpoint))
    for endpoint in names:
        yield Line(_alert_sentence(endpoint, by_endpoint.get(endpoint), found))
    for alert in found.alerts:
        if alert.kind == "escalation":
            yield Line(_escalation_sentence(alert))
    if not names:
        yield Line("No alert: the rule names no endpoint.")


def _stored_sentence(found: Explanation) -> str:
    stored, version = found.stored, found.trial.rule.version
    if stored is None:
        missing = "; `backfill` stores it" if found.finding else ""
        return f"No match is stored, of this version ({version}) or another{missing}."
    if stored.ended_at is not None:
        return (
            f"The match stored on {_minute(stored.matched_at)} ended on {_minute(stored.ended_at)}"
            f" (version {stored.match.rule_version})."
        )
    if _is_current(found, stored):
        return f"This match is stored since {_minute(stored.matched_at)} (version {version})."
    other = []
    if stored.match.rule_version != version:
        other.append(f"version {stored.match.rule_version} of the rule, not {version}")
    if stored.revision != found.item.revision:
        other.append(f"revision {stored.revision} of the item")
    of = f", of {' and '.join(other)}" if other else ", which no longer holds"
    return f"A match is stored since {_minute(stored.matched_at)}{of}."


def _is_current(found: Explanation, stored: StoredMatch) -> bool:
    """Say whether a stored match is what the rule finds in the item now."""
    return (
        found.finding is not None
        and stored.ended_at is None
        and stored.match.rule_version == found.trial.rule.version
        and stored.revision == found.item.revision
    )


def _alert_sentence(endpoint: str, alert: AlertStatus | None, found: Explanation) -> str:
    if alert is None:
        return f"{endpoint}: no alert: {_why_no_alert(found)}."
    about = f" about item {alert.item} of the same story" if alert.item != found.item.id else ""
    if alert.reason is not None:
        why = f"silence {alert.silence} held" if alert.silence else _QUIET[alert.reason]
        return f"{endpoint}: no alert{about} on {_minute(alert.created_at)}: {why}."
    state = f", {alert.delivery_state.value}" if alert.delivery_state else ""
    return f"{endpoint}: alerted{about} on {_minute(alert.created_at)} ({alert.delivery}{state})."


def _escalation_sentence(alert: AlertStatus) -> str:
    state = f", {alert.delivery_state.value}" if alert.delivery_state else ""
    return (
        f"{alert.endpoint}: alerted again on {_minute(alert.created_at)} ({alert.delivery}{state}),"
        f" when {len(alert.sources)} sources carried the story: {listed(alert.sources, PLACES_SHOWN)}."
    )


def _why_no_alert(found: Explanation) -> str:
    if found.stored is None:
        return "no match is stored"
    return "the rule did not name this endpoint when it first held for the item"


def _in_zone(found: Explanation, zone: tzinfo | None) -> Explanation:
    """Return an explanation whose times are as the clocks of a zone have them."""
    item, stored = found.item, found.stored
    published = item.published and item.published.astimezone(zone)
    return replace(
        found,
        item=replace(item, published=published, first_seen=item.first_seen.astimezone(zone)),
        stored=stored
        and replace(
            stored,
            matched_at=stored.matched_at.astimezone(zone),
            ended_at=stored.ended_at and stored.ended_at.astimezone(zone),
        ),
        alerts=tuple(replace(each, created_at=each.created_at.astimezone(zone)) for each in found.alerts),
    )


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
