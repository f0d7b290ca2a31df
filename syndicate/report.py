"""What the commands say: records as JSON values, as rows of tables, and as sentences. Prints nothing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syndicate.alerts.totals import Totals
from syndicate.errors import Problem
from syndicate.loading import Loaded
from syndicate.model import (
    FoundItem,
    Gap,
    Item,
    Poll,
    PollState,
    Recorded,
    SourceStatus,
    Spent,
    SubscriptionStatus,
    TroubleKind,
)
from syndicate.poll_log import why_quiet
from syndicate.report_words import STATES, Values, ago, ahead, counted, length_words, listed, size, time_json
from syndicate.sample import SampleAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one `once` did."""

    backfilled: Mapping[str, int]  # matches by rule
    polls: tuple[tuple[Poll, Recorded], ...] = field(repr=False)  # which asyncio.run asks for at its end
    feeds_changed: int
    deliveries: Totals

    @property
    def has_failed(self) -> bool:
        """Whether any source or endpoint failed."""
        return self.deliveries.failed > 0 or any(map(_is_failure, self.polls))


def item_json(found: FoundItem) -> Values:
    """Return an item as `items --json` prints it; `matches` are ids of rules."""
    return {**item_head_json(found.item), "matches": list(found.rules)}


def item_head_json(item: Item) -> Values:
    """Return an item without its texts, and without what holds for it."""
    return {
        "id": item.id,
        "source": item.source,
        "guid": item.guid,
        "title": item.title,
        "link": item.link,
        "language": item.language,
        "published": time_json(item.published),
        "first_seen": time_json(item.first_seen),
        "story": item.story,
    }


def source_json(source: SourceStatus) -> Values:
    """Return a source as `sources --json` prints it."""
    delay = source.median_delay
    return {
        "id": source.id,
        "title": source.title,
        "urls": list(source.urls),
        "state": source.state,
        "state_in_words": state_words(source),
        "troubles": [
            {"kind": trouble.kind.value, "since": time_json(trouble.since), "text": trouble.text}
            for trouble in source.troubles
        ],
        "next_poll_at": time_json(source.next_poll_at),
        "next_poll_why": source.next_poll_why if source.next_poll_at else "",
        "last_polled_at": time_json(source.last_polled_at),
        "last_success_at": time_json(source.last_success_at),
        "last_status": source.last_status,
        "last_error": source.last_error,
        "failures": source.failures,
        "items": source.items,
        "items_per_day": None if source.items_per_day is None else round(source.items_per_day, 1),
        "median_delay_seconds": None if delay is None else round(delay.total_seconds()),
        "gaps": source.gaps,
        "last_gap": source.last_gap and _gap_json(source.last_gap),
        "subscription": source.subscription and _subscription_json(source.subscription),
        "requests": source.spent.requests,
        "received_bytes": source.spent.received_bytes,
        "problems": list(source.problems),
    }


def _gap_json(gap: Gap) -> Values:
    return {
        "begins": time_json(gap.begins),
        "ends": time_json(gap.ends),
        "found_at": time_json(gap.found_at),
        "filled": gap.filled,
        "closed": gap.is_closed,
    }


def _subscription_json(subscription: SubscriptionStatus) -> Values:
    return {
        "hub": subscription.hub,
        "topic": subscription.topic,
        "state": subscription.state.value,
        "expires_at": time_json(subscription.expires_at),
        "next_ask_at": time_json(subscription.next_ask_at),
        "error": subscription.error,
        "pushes": subscription.pushes,
        "last_push_at": time_json(subscription.last_push_at),
        "rejected": subscription.rejected,
        "last_rejected_at": time_json(subscription.last_rejected_at),
        "relied_upon": subscription.is_relied_upon,
    }


def poll_json(poll: Poll, recorded: Recorded) -> Values:
    """Return a poll as `once --json` prints it."""
    return {
        "source": poll.claim.source.id,
        "address": poll.claim.address,
        "state": poll.state.value,
        "status": poll.status,
        "error": recorded.error or poll.error,
        "new": recorded.new,
        "changed": recorded.changed,
        "matched": recorded.matched,
        "alerts": recorded.alerts,
        "suppressed": recorded.suppressed,
        "next_poll_at": time_json(poll.next_poll_at),
    }


def answer_json(answer: SampleAnswer) -> Values:
    """Return what came back from a sample as `endpoints test --json` prints it."""
    return {
        "endpoint": answer.endpoint,
        "delivered": answer.is_success,
        "status": answer.status,
        "ms": answer.milliseconds,
        "answer": answer.text,
        "error": answer.reason,
    }


def answer_text(answer: SampleAnswer) -> str:
    """Return what came back from a sample, in words."""
    if answer.reason is None:
        return (
            f"{answer.endpoint} took the sample{_answered(answer)} in {answer.milliseconds} ms{_said(answer)}"
        )
    if answer.status is None:
        return f"{answer.endpoint}: the sample was not delivered: {answer.reason}"
    said = "" if answer.text.strip() in answer.reason else _said(answer)
    return f"{answer.endpoint} did not take the sample: {answer.reason}{said}"


def _answered(answer: SampleAnswer) -> str:
    return "" if answer.status is None else f": it answered {answer.status}"


def _said(answer: SampleAnswer) -> str:
    return f": {answer.text.strip()}" if answer.text.strip() else ""


def problem_json(problem: Problem) -> Values:
    """Return a problem as `check --json` prints it."""
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "problem": problem.text,
    }


def summary(loaded: Loaded, run: Run) -> Iterator[str]:
    """Yield what one `once` did: the sums, why nothing was alerted, and everything that failed."""
    yield from _backfilled(run.backfilled)
    yield _polled(run.polls)
    new, changed, matched, alerts = (
        sum(getattr(recorded, name) for _, recorded in run.polls)
        for name in ("new", "changed", "matched", "alerts")
    )
    yield f"Items: {new} new, {changed} changed, {matched} matched a rule."
    yield f"Feeds: {run.feeds_changed} written to {loaded.config.service.feeds}."
    yield _alerted(run.deliveries, alerts)
    yield from _why_no_alerts(loaded, run.polls)
    yield from _failures(run.polls)
    yield from _notices(run.polls)
    yield from run.deliveries.errors


def _backfilled(matches: Mapping[str, int]) -> Iterator[str]:
    for rule, count in matches.items():
        items = counted(count, "stored item")
        yield f"Rule {rule} is new or edited: it holds for {items} of the last 30 days; none is alerted."


def _polled(polls: Sequence[tuple[Poll, Recorded]]) -> str:
    if not polls:
        return "Polled: nothing was due (`once --all` polls everything all the same)."
    names = {
        PollState.OK: "read",
        PollState.UNCHANGED: "unchanged",
        PollState.FAILED: "failed",
        PollState.GONE: "gone",
        PollState.PUSHED: "pushed by hubs",
        PollState.UNREADABLE_PUSH: "pushed, but unreadable",
    }
    # A source whose first address failed may have been read at the next.
    last = {poll.claim.source.id: poll.state for poll, _ in polls}
    counts = Counter(last.values())
    parts = ", ".join(f"{counts[state]} {names[state]}" for state in names if counts[state])
    return f"Polled: {counted(len(last), 'source')}: {parts}."


def _alerted(totals: Totals, alerts: int) -> str:
    tried = f"{totals.delivered} delivered" + (f", {totals.failed} failed" if totals.failed else "")
    held = f", {totals.held} held back (`endpoints`)" if totals.held else ""
    silenced = f", {totals.silenced} silenced (`silence list`)" if totals.silenced else ""
    return f"Alerts: {alerts} new{silenced}; deliveries: {tried}{held}."


def _why_no_alerts(loaded: Loaded, polls: Sequence[tuple[Poll, Recorded]]) -> Iterator[str]:
    if any(recorded.alerts for _, recorded in polls) or not any(recorded.matched for _, recorded in polls):
        return
    if not any(rule.notify for rule in loaded.rules):
        yield "No alerts: no rule names an endpoint. Add an [[endpoint]], and `notify = [...]` to a rule."
        return
    quiet: dict[str, list[str]] = {}
    for poll, recorded in polls:
        if recorded.suppressed:
            quiet.setdefault(why_quiet(poll), []).append(poll.claim.source.id)
    for reason, sources in quiet.items():
        yield f"No alerts from {listed(sources)}: {reason}."


def _failures(polls: Sequence[tuple[Poll, Recorded]]) -> Iterator[str]:
    for poll, recorded in filter(_is_failure, polls):
        yield f"{poll.claim.source.id}: {poll.claim.address}: {recorded.error or poll.error}"


def _notices(polls: Sequence[tuple[Poll, Recorded]]) -> Iterator[str]:
    """Yield what is the matter with sources now, or no longer, and where items may have been missed."""
    for poll, recorded in polls:
        if recorded.was_stale or recorded.error:
            continue
        source = poll.claim.source.id
        yield from (f"{source}: {notice.text}" for notice in poll.notices if notice.text != poll.error)
        if poll.gap is not None and not poll.gap.is_closed:
            yield f"{source}: nothing in it was there at the last poll: some items may have been missed"


def _is_failure(polled: tuple[Poll, Recorded]) -> bool:
    poll, recorded = polled
    return bool(recorded.error or poll.error)


SOURCE_TITLES = (
    "id",
    "state",
    "items",
    "a day",
    "seen after",
    "gaps",
    "last success",
    "next poll",
    "spent",
    "remarks",
)


def source_row(source: SourceStatus, now: datetime) -> tuple[str, ...]:
    """Return a source as a row of `sources`, under SOURCE_TITLES."""
    return (
        source.id,
        state_words(source),
        str(source.items),
        "" if source.items_per_day is None else f"{source.items_per_day:.3g}",
        "" if source.median_delay is None else length_words(source.median_delay),
        gaps_words(source, now),
        ago(source.last_success_at, now),
        next_poll_words(source, now),
        spent_words(source.spent),
        "; ".join(remarks(source)),
    )


def state_words(source: SourceStatus) -> str:
    """Return how a source is, in a few words."""
    words = STATES.get(source.state, source.state).partition(":")[0]
    return ", ".join([words, *(_TROUBLES[trouble.kind] for trouble in source.troubles)])


_TROUBLES = {
    TroubleKind.SILENT: "silent",
    TroubleKind.EMPTY: "empty",
    TroubleKind.UNREADABLE: "unreadable",
    TroubleKind.FORMAT: "in a new format",
    TroubleKind.FAILING: "for long",
    TroubleKind.GONE: "for good",
    TroubleKind.CERTIFICATE: "its certificate expires soon",
}


def gaps_words(source: SourceStatus, now: datetime) -> str:
    """Return how often items may have been missed; nothing when that never was."""
    if not source.last_gap:
        return ""
    return f"{source.gaps}, the last {ago(source.last_gap.found_at, now)}"


def next_poll_words(source: SourceStatus, now: datetime) -> str:
    """Return when a source is polled next, and why then."""
    why = f": {source.next_poll_why}" if source.next_poll_at and source.next_poll_why else ""
    return f"{ahead(source.next_poll_at, now)}{why}"


def spent_words(spent: Spent) -> str:
    """Return what polling a source has taken."""
    if not spent.requests:
        return ""
    return f"{counted(spent.requests, 'request')}, {size(spent.received_bytes)}"


def remarks(source: SourceStatus) -> Iterator[str]:
    """Yield what is the matter with a source, or was with its last document."""
    if source.state in ("failing", "gone") and source.last_error:
        yield source.last_error
    else:
        yield from source.problems
    yield from (trouble.text for trouble in source.troubles if trouble.text != source.last_error)


def item_row(found: FoundItem) -> tuple[str, ...]:
    """Return an item as a row of `items`."""
    item = found.item
    return (
        str(item.id),
        f"{item.order.astimezone():%Y-%m-%d %H:%M}",
        item.source,
        item.title or item.summary[:80] or "(no title)",
        ", ".join(found.rules),
    )
