"""What the commands say that try rules: records as JSON values, and as lines. Prints nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice

from syndicate.lookback import Difference, Findings, Removal
from syndicate.model import Recorded, Score, Snippet
from syndicate.report_words import Line, Values, counted, time_json
from syndicate.rules.tree import Place
from syndicate.trial import Finding, Quote

DAYS_SHOWN = 31
BAR_LENGTH = 30

# --------------------------------------------------------------------------- as JSON


def findings_json(found: Findings) -> Values:
    """Return what a rule holds for as `try --json` prints it."""
    return {
        "total": found.total,
        "items": [_finding_json(finding) for finding in found.items],
        "per_source": dict(found.per_source),
        "per_day": {day.isoformat(): count for day, count in found.per_day.items()},
    }


def difference_json(rule: str, found: Difference) -> Values:
    """Return what an edit changes as `diff --json` prints it."""
    return {
        "rule": rule,
        "kept": found.kept,
        "added": findings_json(found.added),
        "removed": {
            "total": found.removed_total,
            "items": [
                {**_finding_json(removal.finding), "why_not": removal.why_not} for removal in found.removed
            ],
        },
        "alerts": {"total": sum(found.alerts.values()), "per_endpoint": dict(found.alerts)},
    }


def backfill_json(rule: str, since: datetime, done: Recorded) -> Values:
    """Return what applying a rule did as `backfill --json` prints it."""
    return {
        "rule": rule,
        "since": time_json(since),
        "matched": done.matched,
        "new": done.new,
        "ended": done.ended,
        "alerts": done.alerts,
    }


def _finding_json(finding: Finding) -> Values:
    return {
        "id": finding.id,
        "source": finding.source,
        "title": finding.title,
        "link": finding.link,
        "published": time_json(finding.published),
        "evidence": [quote_json(quote) for quote in finding.quotes],
        "snippet": snippet_json(finding.snippet),
        "score": score_json(finding.score),
    }


def quote_json(quote: Quote) -> Values:
    """Return a hit, and what stands there."""
    hit = quote.hit
    return {
        "term": hit.term,
        "field": hit.field,
        "start": hit.start,
        "end": hit.end,
        "text": quote.text,
    }


def snippet_json(snippet: Snippet) -> Values:
    """Return a passage with its marks."""
    return {
        "text": snippet.text,
        "field": snippet.field,
        "marks": [list(mark) for mark in snippet.marks],
    }


def score_json(score: Score | None) -> Values | None:
    """Return how a score adds up, None for a rule without."""
    if score is None:
        return None
    return {
        "total": score.total,
        "threshold": score.threshold,
        "parts": [{"term": term, "weight": weight} for term, weight in score.parts],
    }


# --------------------------------------------------------------------------- as lines


def findings_lines(found: Findings, since: str) -> Iterator[Line]:
    """Yield what a rule holds for: the items, then the counts, which are then still on the screen."""
    for finding in found.items:
        yield from _finding_lines(finding)
        yield Line("")
    shown = f"; the newest {len(found.items)} are shown" if len(found.items) < found.total else ""
    holds = "It holds" if found.total else "It does not hold"
    what = counted(found.total, "item") if found.total else "any item"
    yield Line(f"{holds} for {what} of the last {since}{shown}.")
    yield from _count_lines(found)


def difference_lines(rule: str, found: Difference, since: str) -> Iterator[Line]:
    """Yield what an edit changes: the items, then the sums."""
    for finding in found.added.items:
        yield from _finding_lines(finding, "+ ")
        yield Line("")
    for removal in found.removed:
        yield from _removal_lines(removal)
        yield Line("")
    for sign, name, shown, total in (
        ("+", "added", len(found.added.items), found.added.total),
        ("-", "removed", len(found.removed), found.removed_total),
    ):
        if shown < total:
            yield Line(f"Of those {name} ({sign}), the newest {shown} are shown.")
    yield Line(
        f"Rule {rule}, of the last {since}: +{counted(found.added.total, 'item')},"
        f" -{counted(found.removed_total, 'item')}, {found.kept} as before."
    )
    yield Line(_alerts_sentence(found.alerts))
    yield from _count_lines(found.added)


def backfill_line(rule: str, done: Recorded, since: datetime) -> str:
    """Return what applying a rule did, in a sentence."""
    ended = f"; {counted(done.ended, 'match', 'matches')} ended" if done.ended else ""
    alerts = f" {counted(done.alerts, 'alert')} to be delivered." if done.alerts else " No alerts."
    return (
        f"Rule {rule} holds for {counted(done.matched, 'item')} since {_day(since)},"
        f" {done.new} of them new{ended}.{alerts}"
    )


# --------------------------------------------------------------------------- an item


def _finding_lines(finding: Finding, sign: str = "") -> Iterator[Line]:
    yield Line(f"{sign}{finding.id}  {finding.order.astimezone():%Y-%m-%d %H:%M}  {finding.source}")
    yield Line(finding.title or "(no title)", marks=marks_of(finding, "title"), indent=4)
    if finding.snippet.field not in ("title", "body"):
        shift = len(finding.snippet.field) + 2
        marks = tuple((start + shift, end + shift) for start, end in finding.snippet.marks)
        yield Line(f"{finding.snippet.field}: {finding.snippet.text}", marks=marks, indent=4)
    elif finding.snippet.field == "body":
        yield Line(finding.snippet.text, marks=finding.snippet.marks, indent=4)
    if finding.score:
        yield Line(arithmetic(finding.score), indent=4)


def _removal_lines(removal: Removal) -> Iterator[Line]:
    yield from _finding_lines(removal.finding, "- ")
    yield Line(f"now: {removal.why_not}", indent=4)


def marks_of(finding: Finding, field: str) -> tuple[Place, ...]:
    """Return the places of a field's hits, those that overlap joined."""
    # Hits whose text is not known are of another revision.
    places = sorted(
        (quote.hit.start, quote.hit.end)
        for quote in finding.quotes
        if quote.hit.field == field and quote.text is not None
    )
    return tuple(joined(places))


def joined(places: Sequence[Place]) -> Iterator[Place]:
    last: Place | None = None
    for start, end in places:
        if last and start <= last[1]:
            last = (last[0], max(end, last[1]))
            continue
        if last:
            yield last
        last = (start, end)
    if last:
        yield last


def _count_lines(found: Findings) -> Iterator[Line]:
    if not found.total:
        return
    width = max(map(len, found.per_source), default=0)
    yield Line("")
    for source, count in found.per_source.items():
        yield Line(f"{source:<{width}}  {count:>6}", indent=2)
    yield Line("")
    yield from _day_lines(found.per_day)


def _day_lines(per_day: Mapping[date, int]) -> Iterator[Line]:
    most = max(per_day.values())
    for day, count in islice(per_day.items(), DAYS_SHOWN):
        bar = "▇" * max(1, round(BAR_LENGTH * count / most))
        yield Line(f"{day.isoformat()}  {count:>6}  {bar}", indent=2)
    if len(per_day) > DAYS_SHOWN:
        rest = sum(islice(per_day.values(), DAYS_SHOWN, None))
        yield Line(f"earlier     {rest:>6}", indent=2)


def _alerts_sentence(alerts: Mapping[str, int]) -> str:
    if not alerts:
        return "+0 alerts: it names no endpoint."
    if not any(alerts.values()):
        return "+0 alerts."
    each = ", ".join(f"{endpoint} {count}" for endpoint, count in alerts.items())
    return (
        f"+{counted(sum(alerts.values()), 'alert')} that it would have made had it been live ({each})."
        " None is made now."
    )


def arithmetic(score: Score) -> str:
    """Return how a score adds up: `3 + 2 - 1 = 4, at least 4`."""
    first, *rest = [weight for _, weight in score.parts] or [0.0]
    terms = "".join(f" {'-' if weight < 0 else '+'} {abs(weight):g}" for weight in rest)
    equals = f" = {score.total:g}" if rest else ""
    verdict = "at least" if score.total >= score.threshold else "below"
    return f"Score: {first:g}{terms}{equals}, {verdict} {score.threshold:g}"


def _day(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d}"
