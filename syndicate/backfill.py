"""Rules over what is stored: searching the archive, and applying new or edited rules to it."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syndicate.model import AlertDraft, FoundItem, Item, Match, Recorded, Suppressed, Wanted
from syndicate.rules.archive import WORDS_VERSION, kept_words, wanted
from syndicate.rules.index import Asked, anchors_by_rule
from syndicate.rules.rule import Rule
from syndicate.rules.text import ItemText, Subject
from syndicate.store.protocol import BackfillMatch, ItemFilter, RuleState, Store
from syndicate.store.thread import StoreThread

WINDOW = timedelta(days=30)
PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a rule is asked with about stored items: the rules that it may refer to, the tags of sources."""

    rules: Mapping[str, Rule]
    tags: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """A rule to be applied to the items since a time; `alerts` if that shall tell its endpoints."""

    rule: Rule
    since: datetime
    alerts: bool = False


async def backfill(
    store: Store, call: StoreThread, todo: Backfill, known: Known, stop: asyncio.Event
) -> Recorded | None:
    """Apply a rule to stored items; return what that did, None if told to stop before.

    It takes its turn with polls, page by page. What was not finished is done anew at the next start.
    """
    found: list[BackfillMatch] = []
    which: ItemFilter | None = await call(_first_page, store, todo, known)
    while which is not None:
        matches, which = await call(_matches_of_page, store, todo, known, which)
        found += matches
        if stop.is_set():
            return None
    return await call(store.record_backfill, state_of(todo.rule), todo.since, found)


def state_of(rule: Rule) -> RuleState:
    """Return what the store must know of a rule."""
    return RuleState(id=rule.id, version=rule.version, feed=rule.feed)


async def keep_words_anew(store: Store, call: StoreThread, stop: asyncio.Event) -> int:
    """Bring the full-text index to the present ways of finding words; return how many items that took."""
    count = 0
    while not stop.is_set() and (done := await call(_keep_page, store)):
        count += done
    return count


def search(
    store: Store, rule: Rule | None, which: ItemFilter, known: Known
) -> Iterator[tuple[FoundItem, Match | None]]:
    """Yield stored items that a rule holds for and why (None: all), newest first, at most `which.limit`."""
    left = which.limit
    for found in candidates(store, rule, which, known):
        if left <= 0:
            return
        match = matched(found.item, rule, known, store.now) if rule else None
        if rule is None or match:
            left -= 1
            yield found, match


def candidates(store: Store, rule: Rule | None, which: ItemFilter, known: Known) -> Iterator[FoundItem]:
    """Yield stored items that a rule might hold for, newest first, page by page."""
    any_of = None if rule is None else _wanted(store, rule, known)
    before = which.before
    while True:
        page = store.items(replace(which, any_of=any_of, before=before, limit=PAGE))
        yield from page
        if len(page) < PAGE:
            return
        before = (page[-1].item.order, page[-1].item.id)


def matched(item: Item, rule: Rule, known: Known, now: Callable[[], datetime]) -> Match | None:
    """Return a rule's match for a stored item, None if it does not hold."""
    text = ItemText(subject_of(item, known))
    return Asked({**known.rules, rule.id: rule}, text, now()).match(rule.id)


def subject_of(item: Item, known: Known) -> Subject:
    """Return a stored item as rules see it."""
    return Subject(
        title=item.title,
        body=item.body,
        author=item.author,
        categories=item.categories,
        link=item.link or "",
        source=item.source,
        tags=known.tags.get(item.source, ()),
        language=item.language,
        published=item.published,
    )


def _wanted(store: Store, rule: Rule, known: Known) -> tuple[Wanted, ...] | None:
    if store.items_kept_otherwise(WORDS_VERSION, 1):
        return None  # until these are kept anew, they could not be looked up
    return wanted(anchors_by_rule({**known.rules, rule.id: rule})[rule.id], store.languages())


def _first_page(store: Store, todo: Backfill, known: Known) -> ItemFilter:
    return ItemFilter(any_of=_wanted(store, todo.rule, known), since=todo.since, limit=PAGE)


def _matches_of_page(
    store: Store, todo: Backfill, known: Known, which: ItemFilter
) -> tuple[list[BackfillMatch], ItemFilter | None]:
    """Return the matches of a page of items, and the page after it, None after the last."""
    page = store.items(which)
    matches = list(_matches(store, todo, known, page))
    if len(page) < which.limit:
        return matches, None
    last = page[-1].item
    return matches, replace(which, before=(last.order, last.id))


def _matches(
    store: Store, todo: Backfill, known: Known, items: Iterable[FoundItem]
) -> Iterator[BackfillMatch]:
    for found in items:
        match = matched(found.item, todo.rule, known, store.now)
        if match:
            yield BackfillMatch(
                item=found.item.id,
                revision=found.item.revision,
                match=match,
                alerts=tuple(
                    AlertDraft(
                        rule=todo.rule.id,
                        endpoint=endpoint,
                        suppressed=None if todo.alerts else Suppressed.BACKFILL,
                    )
                    for endpoint in todo.rule.notify
                ),
            )


def _keep_page(store: Store) -> int:
    items = store.items_kept_otherwise(WORDS_VERSION, PAGE)
    nothing = Known(rules={}, tags={})
    found = [(item.id, item.revision, kept_words(ItemText(subject_of(item, nothing)))) for item in items]
    if found:
        store.keep_words(found, WORDS_VERSION)
    return len(found)
