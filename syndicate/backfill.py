"""A new or edited rule over what is stored, so that its feed is never empty for no reason. Never alerts."""

from collections.abc import Iterator
from datetime import timedelta

from syndicate.model import AlertDraft, FoundItem, Recorded, Suppressed
from syndicate.rules.index import Rule, match_rule
from syndicate.rules.language import TokenText
from syndicate.rules.query import Node, anchors, find
from syndicate.store.protocol import BackfillMatch, ItemFilter, RuleState, Store

WINDOW = timedelta(days=30)
PAGE = 500


def backfill(store: Store, rule: Rule) -> Recorded:
    """Apply a rule to the items of the last 30 days; return what that did."""
    since = store.now() - WINDOW
    found = tuple(_matches(rule, candidates(store, rule.query, ItemFilter(since=since))))
    return store.record_backfill(state_of(rule), since, found)


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
        page = store.items(
            ItemFilter(
                any_of=any_of,
                rule=which.rule,
                source=which.source,
                since=which.since,
                before=before,
                limit=PAGE,
            )
        )
        yield from page
        if len(page) < PAGE:
            return
        before = (page[-1].item.order, page[-1].item.id)


def text_of(found: FoundItem) -> TokenText:
    """Return an item's text as rules see it."""
    return TokenText({"title": found.item.title, "body": found.item.body})


def _matches(rule: Rule, items: Iterator[FoundItem]) -> Iterator[BackfillMatch]:
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
