"""Rules over what is stored: searching the archive, and applying new or edited rules to it."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syndicate.model import AlertDraft, FoundItem, Item, Match, Recorded, SearchedItem, Suppressed, Wanted
from syndicate.near import Fingerprint
from syndicate.rules.archive import WORDS_VERSION, kept_words, wanted
from syndicate.rules.fingerprints import fingerprint, text_key
from syndicate.rules.index import RuleIndex, anchors_by_rule
from syndicate.rules.rule import Rule
from syndicate.rules.text import ItemText, Subject
from syndicate.rules.tree import references
from syndicate.store.protocol import STORY_WINDOW, BackfillMatch, RuleState, Store
from syndicate.store.searching import ItemFilter
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
    """A rule to be applied to the items since a time."""

    rule: Rule
    since: datetime
    alerts_since: datetime | None = None  # its endpoints are told of items since then; None: of none


async def backfill(
    store: Store, call: StoreThread, todo: Backfill, known: Known, stop: asyncio.Event
) -> Recorded | None:
    """Apply a rule to stored items; return what that did, None if told to stop before.

    It takes its turn with polls, page by page. What was not finished is done anew at the next start.
    """
    found: list[BackfillMatch] = []
    asked = OneRule(todo.rule, known)
    ids = await call(_candidates, store, todo, known)
    for start in range(0, len(ids), PAGE):
        if stop.is_set():
            return None
        found += await call(_matches, store, todo, asked, ids[start : start + PAGE])
    found.reverse()  # the oldest first, as it is told
    return await call(store.record_backfill, state_of(todo.rule), todo.since, found)


def reach(since: datetime, now: datetime, *, is_new: bool) -> datetime:
    """Return since when a rule must be applied, if a person asks for it since a time.

    One whose version is new to the store goes over all of WINDOW: it will not be applied again at a start.
    """
    return min(since, now - WINDOW) if is_new else since


def state_of(rule: Rule) -> RuleState:
    """Return what the store must know of a rule."""
    return RuleState(
        id=rule.id,
        version=rule.version,
        feed=rule.feed,
        renamed_from=rule.renamed_from,
        terms=rule.terms,
    )


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
    asked = OneRule(rule, known) if rule else None
    for found in candidates(store, rule, which, known):
        if left <= 0:
            return
        match = asked.match(found.item) if asked else None
        if asked is None or match:
            left -= 1
            yield found, match


def candidates(store: Store, rule: Rule | None, which: ItemFilter, known: Known) -> Iterator[FoundItem]:
    """Yield stored items that a rule might hold for, newest first, page by page."""
    any_of = None if rule is None else wanted_words(store, rule, known)
    before = which.before
    while True:
        page = store.items(replace(which, any_of=any_of, before=before, limit=PAGE))
        yield from page
        if len(page) < PAGE:
            return
        before = (page[-1].item.order, page[-1].item.id)


class OneRule:
    """A rule, ready to be asked about many stored items."""

    def __init__(self, rule: Rule, known: Known) -> None:
        self._id, self._known = rule.id, known
        self._index = RuleIndex(list(_with_references(rule, known).values()))

    def match(self, item: Item | SearchedItem) -> Match | None:
        """Return the rule's match for an item, None if it does not hold."""
        matches = self._index.match(subject_of(item, self._known), asked_at(item))
        return next((match for match in matches if match.rule == self._id), None)


def asked_at(item: Item | SearchedItem) -> datetime:
    """Return the time as of which a rule is asked about a stored item: when it came in, or was last edited.

    So a rule with `since` finds, however late it is applied, what was news then.
    """
    return item.changed_at


def subject_of(item: Item | SearchedItem, known: Known) -> Subject:
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


def _with_references(rule: Rule, known: Known) -> dict[str, Rule]:
    """Return a rule by its id, and all those that it refers to, however far away."""
    found = {rule.id: rule}
    waiting = [rule]
    while waiting:
        for other in references(waiting.pop().query):
            if other in known.rules and other not in found:
                found[other] = known.rules[other]
                waiting.append(known.rules[other])
    return found


def wanted_words(store: Store, rule: Rule, known: Known) -> tuple[Wanted, ...] | None:
    if store.items_kept_otherwise(WORDS_VERSION, 1):
        return None  # until these are kept anew, they could not be looked up
    return wanted(anchors_by_rule(_with_references(rule, known))[rule.id], store.languages())


def _candidates(store: Store, todo: Backfill, known: Known) -> Sequence[int]:
    which = ItemFilter(any_of=wanted_words(store, todo.rule, known), since=todo.since)
    return store.search.candidates(which)


def _matches(store: Store, todo: Backfill, asked: OneRule, ids: Sequence[int]) -> list[BackfillMatch]:
    """Return the matches among these items."""
    now = store.now()
    return [
        BackfillMatch(
            item=item.id,
            revision=item.revision,
            match=match,
            alerts=tuple(_drafts(todo, item)),
            text_key=text_key(item.title, item.body),
            fingerprint=_fingerprint(item, now),
        )
        for item in store.search.searched(ids)
        if (match := asked.match(item))
    ]


def _fingerprint(item: SearchedItem, now: datetime) -> Fingerprint | None:
    """Return what a text is recognised by, None also for one that nothing will be compared with."""
    if item.order < now - STORY_WINDOW:
        return None
    return fingerprint(item.title, item.body, item.language)


def _drafts(todo: Backfill, item: SearchedItem) -> Iterator[AlertDraft]:
    is_told = todo.alerts_since is not None and item.order >= todo.alerts_since
    for endpoint in todo.rule.notify:
        yield AlertDraft(
            rule=todo.rule.id,
            endpoint=endpoint,
            suppressed=None if is_told else Suppressed.BACKFILL,
            is_asked_for=is_told,
        )


def _keep_page(store: Store) -> int:
    items = store.items_kept_otherwise(WORDS_VERSION, PAGE)
    nothing = Known(rules={}, tags={})
    found = [(item.id, item.revision, kept_words(ItemText(subject_of(item, nothing)))) for item in items]
    if found:
        store.keep_words(found, WORDS_VERSION)
    return len(found)
