"""What the commands about sources say: as JSON values and as lines for people. Prints nothing."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import assert_never

from syndicate.config import public_source, source_table
from syndicate.loading import Loaded
from syndicate.model import (
    AddressStatus,
    FoundItem,
    Source,
    SourceDocument,
    SourceStatus,
    SubscriptionState,
    SubscriptionStatus,
)
from syndicate.report import (
    gaps_words,
    item_json,
    item_row,
    next_poll_words,
    remarks,
    source_json,
    spent_words,
    state_words,
)
from syndicate.report_words import Line, Values, ago, ahead, counted, length_words, time_json
from syndicate.sources.discover import Discovery
from syndicate.sources.leads import Found, Via
from syndicate.sources.opml import ListedSource, Unusable
from syndicate.sources.planning import Skipped
from syndicate.store.protocol import Store
from syndicate.store.searching import ItemFilter

SHOWN_ITEMS = 10  # the newest, of one source

_FORMATS = {"rss": "RSS", "atom": "Atom", "json": "JSON Feed", "cdf": "CDF"}
_FORMAT = re.compile(rf"({'|'.join(_FORMATS)})(\d*)[a-z]?")
_VIA = {
    Via.GIVEN: "the address itself",
    Via.NAMED: "named by the page",
    Via.LINKED: "linked from the page",
    Via.GUESSED: "a common path",
    Via.ROBOTS: "named in robots.txt",
}
_TAKEN_OVER = "A service that runs takes that over by itself."


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What became of config.toml."""

    path: Path
    line: int  # where what was added begins; 0 when nothing was
    sources: tuple[Source, ...]
    is_trial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Everything known of one source."""

    source: Source | None  # None: it is configured no longer
    status: SourceStatus
    title: str  # of its last document
    link: str | None
    addresses: Sequence[AddressStatus]
    items: Sequence[FoundItem]  # the newest


# --------------------------------------------------------------------------- the list


def source_lines(status: SourceStatus, now: datetime) -> Iterator[Line]:
    """Yield what a row of `sources` says, for where a row has no room; first the id, which stands out."""
    yield Line(f"{status.id}  {state_words(status)}", marks=((0, len(status.id)),))
    success = f"last success {ago(status.last_success_at, now)}"
    if status.next_poll_at:
        success += f", next poll {next_poll_words(status, now)}"
    yield Line(success, indent=2)
    gaps = gaps_words(status, now)
    items = f"{counted(status.items, 'item')}{_pace(status)}"
    numbers = (items, gaps and f"gaps: {gaps}", spent_words(status.spent))
    yield Line("; ".join(filter(None, numbers)), indent=2)
    for remark in remarks(status):
        yield Line(remark, indent=2)


def _pace(status: SourceStatus) -> str:
    a_day = "" if status.items_per_day is None else f", {status.items_per_day:.3g} a day"
    delay = "" if status.median_delay is None else f", seen after {length_words(status.median_delay)}"
    return f"{a_day}{delay}"


# --------------------------------------------------------------------------- discovery


def discovery_json(discovery: Discovery) -> Values:
    """Return what `sources discover --json` prints."""
    return {
        "address": discovery.address,
        "requests": discovery.requests,
        "found": [found_json(each) for each in discovery.found],
        "tried": [{"url": each.url, "why": each.why} for each in discovery.tried],
    }


def found_json(found: Found) -> Values:
    """Return something to watch."""
    return {
        "url": found.url,
        "title": found.title,
        "format": found.format,
        "entries": found.entries,
        "newest": time_json(found.newest),
        "via": found.via.value,
    }


def found_row(found: Found, now: datetime) -> tuple[str, ...]:
    """Return something to watch as a row of `sources discover`."""
    newest = ago(found.newest, now) if found.newest else "no dates"
    return (found.url, found.title, format_words(found.format), str(found.entries), newest, _VIA[found.via])


def found_lines(found: Found, now: datetime) -> Iterator[Line]:
    """Yield that for where a row has no room."""
    yield Line(found.url, marks=((0, len(found.url)),))
    yield Line(
        f"{found.title}: {_found_words(found, now)}" if found.title else _found_words(found, now), indent=2
    )


def tried_lines(discovery: Discovery) -> Iterator[str]:
    """Yield what there was reason to look at, in vain."""
    for each in discovery.tried:
        yield f"{each.url}: {each.why}"


def found_line(found: Found, now: datetime) -> str:
    """Return something to watch as a sentence."""
    return f"{found.url}: {_found_words(found, now)}"


def _found_words(found: Found, now: datetime) -> str:
    newest = f", the newest {ago(found.newest, now)}" if found.newest else ""
    entries = counted(found.entries, "entry", "entries")
    return f"{format_words(found.format)}, {entries}{newest} ({_VIA[found.via]})"


def format_words(name: str) -> str:
    """Return a document's format in words: `RSS 2.0` for rss20."""
    found = _FORMAT.fullmatch(name)
    if found is None:
        return name
    digits = found[2]
    number = f"0.{digits[1:]}" if digits.startswith("0") else ".".join(digits)
    return f"{_FORMATS[found[1]]} {number}".strip()


# --------------------------------------------------------------------------- additions


def extension_lines(extension: Extension) -> Iterator[str]:
    """Yield what was added, and where, or would be."""
    if not extension.sources:
        return
    yield ""
    yield "\n".join(map(source_table, extension.sources))
    sources = counted(len(extension.sources), "source")
    where = f"{extension.path}, line {extension.line}"
    if extension.is_trial:
        yield f"{sources} would be added to {where}. Nothing was written."
    else:
        yield f"{sources} added to {where}. {_TAKEN_OVER}"


def extension_json(extension: Extension) -> Values:
    """Return what became of config.toml."""
    return {
        "file": str(extension.path),
        "line": extension.line or None,
        "written": bool(extension.sources) and not extension.is_trial,
    }


def added_json(extension: Extension, found: Found) -> Values:
    """Return what `sources add --json` prints."""
    (source,) = extension.sources
    return {**extension_json(extension), "source": public_source(source), "found": found_json(found)}


def import_lines(
    extension: Extension, skipped: Sequence[Skipped], unusable: Sequence[Unusable]
) -> Iterator[str]:
    """Yield what an import did, feed by feed."""
    for source in extension.sources:
        tags = f" [{', '.join(source.tags)}]" if source.tags else ""
        yield f"+ {source.id}: {source.title}, {source.urls[0]}{tags}"
    for each in skipped:
        yield f"= line {each.wanted.line}: {named(each.wanted)} {each.why}"
    for left_out in unusable:
        yield f"! line {left_out.line}: {left_out.title or 'an outline without a title'} {left_out.why}"
    verb = "would be added" if extension.is_trial else "added"
    where = f" to {extension.path}" if extension.sources else ""
    yield (
        f"{counted(len(extension.sources), 'source')} {verb}{where}, {len(skipped)} skipped,"
        f" {len(unusable)} of no use."
    )
    if extension.sources:
        yield "Nothing was written." if extension.is_trial else _TAKEN_OVER


def import_json(extension: Extension, skipped: Sequence[Skipped], unusable: Sequence[Unusable]) -> Values:
    """Return what `sources import --json` prints."""
    return {
        **extension_json(extension),
        "added": [public_source(source) for source in extension.sources],
        "skipped": [
            {"line": each.wanted.line, "title": each.wanted.title, "url": each.wanted.url, "why": each.why}
            for each in skipped
        ],
        "unusable": [{"line": each.line, "title": each.title, "why": each.why} for each in unusable],
    }


def named(wanted: ListedSource) -> str:
    """Return what a sentence calls a feed of a list."""
    return f"{wanted.title} ({wanted.url})" if wanted.title else wanted.url


# --------------------------------------------------------------------------- refreshing


def refresh_line(status: SourceStatus, now: datetime) -> str:
    """Return what becomes of a source that was asked to be polled now."""
    match status.state:
        case "disabled":
            return f"{status.id}: is disabled, so it is not polled"
        case "paused":
            return f"{status.id}: is paused, so it is not polled; `sources resume {status.id}` ends that"
        case "gone":
            return f"{status.id}: said that it is gone (410); it is asked again once its address is changed"
        case _ if status.next_poll_at is None:
            return f"{status.id}: is new, and polled first when the configuration is taken over"
        case _ if status.next_poll_at > now:
            return f"{status.id}: its host wants to be left alone; due {ahead(status.next_poll_at, now)}"
        case _:
            return f"{status.id}: due now"


def paused_line(before: SourceStatus) -> str:
    """Return what became of a source that was to be paused.

    Args:
        before: how it was.
    """
    if before.state == "paused":
        return f"{before.id}: was paused already"
    return f"{before.id}: paused; `sources resume {before.id}` ends that"


def resumed_line(before: SourceStatus) -> str:
    """Return what became of a source that was to be resumed.

    Args:
        before: how it was.
    """
    if before.state != "paused":
        return f"{before.id}: was not paused"
    if not before.enabled:
        return f"{before.id}: resumed; it is switched off in the configuration, so it is not polled"
    return f"{before.id}: resumed, and due now"


def refresh_json(status: SourceStatus, now: datetime) -> Values:
    """Return that as `sources refresh --json` prints it."""
    is_due = status.next_poll_at is not None and status.next_poll_at <= now
    return {
        "id": status.id,
        "state": status.state,
        "due": is_due,
        "next_poll_at": time_json(status.next_poll_at),
    }


# --------------------------------------------------------------------------- one source


def shown_of(loaded: Loaded, store: Store, status: SourceStatus) -> Shown:
    """Return everything known of a source, also of one that is configured no longer."""
    document = store.source_documents([status.id]).get(status.id, SourceDocument())
    return Shown(
        source=next((each for each in loaded.config.sources if each.id == status.id), None),
        status=status,
        title=document.title,
        link=document.link,
        addresses=store.addresses(status.id),
        items=store.items(ItemFilter(source=status.id, limit=SHOWN_ITEMS)),
    )


def shown_json(shown: Shown) -> Values:
    """Return everything known of a source as `sources show --json` prints it."""
    return {
        "configuration": shown.source and public_source(shown.source),
        "status": source_json(shown.status),
        "document": {"title": shown.title, "link": shown.link},
        "addresses": [_address_json(each) for each in shown.addresses],
        "items": [item_json(each) for each in shown.items],
    }


def shown_lines(shown: Shown, now: datetime) -> Iterator[str]:
    """Yield everything known of a source, for people."""
    yield f"{shown.status.id}: {shown.status.title}"
    yield from _facts(_status_facts(shown.status, now))
    yield from _facts([("document", ", ".join(filter(None, (shown.title, shown.link))))])
    yield from _configured(shown.source)
    for address in shown.addresses:
        yield f"\nAddress {address.url}"
        yield from _facts(_address_facts(address, now))
    yield from _newest(shown.items)


def _facts(facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in facts:
        if value:
            yield f"  {name:<13} {value}"


def _status_facts(status: SourceStatus, now: datetime) -> Iterator[tuple[str, str]]:
    failures = f", {status.failures} times in a row" if status.failures > 1 else ""
    answered = f", answered {status.last_status}" if status.last_status else ""
    yield "state", state_words(status) + failures
    yield "next poll", next_poll_words(status, now)
    yield "last poll", f"{_when(status.last_polled_at, now)}{answered}"
    yield "last success", _when(status.last_success_at, now)
    yield "last error", status.last_error or ""
    for trouble in status.troubles:
        yield "trouble", f"since {_moment(trouble.since)}: {trouble.text}"
    for problem in status.problems:
        yield "remark", problem
    yield "items", f"{status.items}{_pace(status)}"
    yield "gaps", gaps_words(status, now)
    if status.subscription:
        yield from _subscription_facts(status.subscription, now)
    yield "spent", spent_words(status.spent)


def _subscription_facts(subscription: SubscriptionStatus, now: datetime) -> Iterator[tuple[str, str]]:
    yield "hub", f"{subscription.hub}, {subscription_words(subscription, now)}"
    if subscription.pushes:
        yield "pushes", f"{subscription.pushes}, the last {ago(subscription.last_push_at, now)}"
    if subscription.rejected:
        last = ago(subscription.last_rejected_at, now)
        yield "rejected", f"{subscription.rejected} that were not signed as they should be, the last {last}"
    yield "hub error", subscription.error or ""


def subscription_words(subscription: SubscriptionStatus, now: datetime) -> str:
    """Return how far a subscription is, in words."""
    again = f"; asked {'again ' if subscription.asked_at else ''}{ahead(subscription.next_ask_at, now)}"
    match subscription.state:
        case SubscriptionState.ACTIVE if subscription.expires_at and subscription.expires_at > now:
            relied = ", relied upon" if subscription.is_relied_upon else ""
            return f"which pushes what is new{relied}; its lease ends {ahead(subscription.expires_at, now)}"
        case SubscriptionState.ACTIVE:
            return f"whose lease has ended{again}"
        case SubscriptionState.ASKED if subscription.asked_at:
            return f"asked {ago(subscription.asked_at, now)}, which has not agreed yet{again}"
        case SubscriptionState.ASKED:
            return f"not asked yet{again}"
        case SubscriptionState.DENIED:
            return f"which does not want to push{again}"
        case SubscriptionState.ENDING | SubscriptionState.ENDED:
            return "which is told that it need not push any more"
        case _:
            assert_never(subscription.state)


def _configured(source: Source | None) -> Iterator[str]:
    if source is None:
        yield "\nIt is configured no longer; its items are kept."
        return
    yield "\nConfigured as"
    for line in source_table(source).splitlines()[1:]:
        yield f"  {line}"


def _address_facts(address: AddressStatus, now: datetime) -> Iterator[tuple[str, str]]:
    yield "state", address.state
    yield "error", address.error or ""
    yield "had news", _when(address.brought_at, now)
    if address.adopted:
        yield "asked at", f"{address.adopted}, where it has moved for good"
    if address.moved_to and address.moved_to != address.adopted:
        yield "moves to", f"{address.moved_to}, said {counted(address.moved_count, 'answer')} in a row"
    yield "ETag", address.etag or ""
    yield "Last-Modified", address.last_modified or ""


def _newest(items: Sequence[FoundItem]) -> Iterator[str]:
    if items:
        yield "\nNewest items"
    for found in items:
        number, date, _, title, rules = item_row(found)
        yield f"  {number}  {date}  {title}{f'  [{rules}]' if rules else ''}"


def _address_json(address: AddressStatus) -> Values:
    return {
        "url": address.url,
        "state": address.state,
        "error": address.error,
        "adopted": address.adopted,
        "moved_to": address.moved_to,
        "moved_count": address.moved_count,
        "etag": address.etag,
        "last_modified": address.last_modified,
        "had_news_at": time_json(address.brought_at),
    }


def _when(moment: datetime | None, now: datetime) -> str:
    return "never" if moment is None else f"{ago(moment, now)} ({_moment(moment)})"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
