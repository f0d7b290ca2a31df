"""A new or edited rule over what is stored, so that its feed is never empty for no reason. Never alerts."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from syndicate.model import AlertDraft, FoundItem, Recorded, Suppressed
from syndicate.rules.index import Rule, match_rule
from syndicate.rules.language import TokenText
from syndicate.rules.query import Node, anchors, find
from syndicate.store.protocol import BackfillMatch, ItemFilter, RuleState, Store
from syndicate.store.thread import StoreThread

WINDOW = timedelta(days=30)
PAGE = 500


async def backfill(store: Store, call: StoreThread, rule: Rule, stop: asyncio.Event) -> Recorded | None:
    """Apply a rule to the items of the last 30 days; return what that did, None if told to stop before.

    It takes its turn with polls, page by page. What was not finished is done anew at the next start.
    """
    since = store.now() - WINDOW
    found: list[BackfillMatch] = []
    which: ItemFilter | None = ItemFilter(any_of=anchors(rule.query), since=since, limit=PAGE)
    while which is not None:
        matches, which = await call(_matches_of_page, store, rule, which)
        found += matches
        if stop.is_set():
            return None
    return await call(store.record_backfill, state_of(rule), since, found)


def state_of(rule: Rule) -> RuleState:
    """Return what the store must know of a rule."""
    return RuleState(id=rule.id, version=rule.version, feed=rule.feed)


def search(store: Store, query: Node | None, which: ItemFilter) -> Iterator[FoundItem]:
    """Yield stored items that a query holds for (None: all), newest first, at most `which.limit`."""
    left = which.limit
    for found in candidates(store, query, which):
        if left <= 0:
            return
        if query is None or find(query, text_of(found)) is not None:
            left -= 1
            yield found


def candidates(store: Store, query: Node | None, which: ItemFilter) -> Iterator[FoundItem]:
    """Yield stored items that a query might hold for, newest first, page by page."""
    any_of = None if query is None else anchors(query)
    before = which.before
    while True:
        page = store.items(replace(which, any_of=any_of, before=before, limit=PAGE))
        yield from page
        if len(page) < PAGE:
            return
        before = (page[-1].item.order, page[-1].item.id)


def text_of(found: FoundItem) -> TokenText:
    """Return an item's text as rules see it."""
    return TokenText({"title": found.item.title, "body": found.item.body})


def _matches_of_page(
    store: Store, rule: Rule, which: ItemFilter
) -> tuple[list[BackfillMatch], ItemFilter | None]:
    """Return the matches of a page of items, and the page after it, None after the last."""
    page = store.items(which)
    matches = list(_matches(rule, page))
    if len(page) < which.limit:
        return matches, None
    last = page[-1].item
    return matches, replace(which, before=(last.order, last.id))


def _matches(rule: Rule, items: Iterable[FoundItem]) -> Iterator[BackfillMatch]:
    for found in items:
        match = match_rule(rule, found.item.source, text_of(found))
        if match:
            yield BackfillMatch(
                item=found.item.id,
                revision=found.item.revision,
                match=match,
                alerts=tuple(
                    AlertDraft(rule=rule.id, endpoint=endpoint, suppressed=Suppressed.BACKFILL)
                    for endpoint in rule.notify
                ),
            )
