"""Full text in a poll: the articles of what is new or edited, then those that could not be had before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from syndicate.model import ArticleNote, AwaitedArticle, Claim, KeptArticle, KnownItem, LateArticle
from syndicate.sources.article import MAX_PAGES, Articles, Completed, Outcome, Wanted
from syndicate.sources.awaited import note, note_again, told, with_kept
from syndicate.sources.changes import Reading
from syndicate.sources.fetch import NotModified
from syndicate.sources.identity import Identified, changed_entries, is_of_listed, items_by_entry
from syndicate.sources.pushes import is_outrun
from syndicate.sources.takeover import standing_of
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """An entry that is new or edited, and the item that it is."""

    identified: Identified
    item: KnownItem | None  # None: new
    kept: KeptArticle | None  # None: its page was never wanted


class FullText:
    """Completes what polls have read. What could not be had is asked for again by later polls, some times."""

    def __init__(self, *, store: Store, call: StoreThread, articles: Articles) -> None:
        self._store = store
        self._call = call
        self._articles = articles

    async def of_reading(self, claim: Claim, reading: Reading) -> Reading:
        """Return a reading with the articles of what is new in it."""
        asked = await self._asked(claim, reading)
        edited = {each.item.id for each in asked if each.item}  # whatever of them: a late article waits
        same = {each.identified.keys: _as_kept(each) for each in asked if _is_told_already(each)}
        asked = [each for each in asked if not _is_told_already(each)]
        waiting = await self._awaited(claim, edited)
        wanted = [Wanted(entry=each.identified.entry, is_edited=_is_edited(each)) for each in asked]
        done = await self._complete(claim, wanted, waiting)
        now, first = self._store.now(), done.outcomes[: len(asked)]
        completed = {
            each.identified.keys: _with_canonical(_completed(each, outcome), outcome)
            for each, outcome in zip(asked, first, strict=True)
        }
        notes = {
            each.identified.keys[0]: _note(each, outcome, now)
            for each, outcome in zip(asked, first, strict=True)
        }
        by_keys = same | completed
        answer = reading.fetched.answer
        late, late_notes = _late(waiting, done.outcomes[len(asked) :], now)
        return replace(
            reading,
            fetched=replace(reading.fetched, answer=replace(answer, spent=answer.spent + done.spent)),
            document=replace(reading.document, problems=(*reading.document.problems, *done.problems)),
            entries=tuple(by_keys.get(entry.keys, entry) for entry in reading.entries),
            articles=notes,
            late=late,
            late_notes=late_notes,
        )

    async def of_unchanged(self, claim: Claim, unchanged: NotModified) -> NotModified:
        """Return an answer without news with the articles that could not be had before."""
        waiting = await self._awaited(claim, set())
        if not waiting:
            return unchanged
        done = await self._complete(claim, [], waiting)
        late, notes = _late(waiting, done.outcomes, self._store.now())
        answer = replace(unchanged.answer, spent=unchanged.answer.spent + done.spent)
        return replace(unchanged, answer=answer, late=late, late_notes=notes, problems=done.problems)

    async def _asked(self, claim: Claim, reading: Reading) -> list[_Asked]:
        known = await self._call(self._store.known_items, claim.source.id, reading.keys())
        changed = changed_entries(reading.entries, known)
        if not _takes_edits(claim, reading, known, self._store.now()):
            changed = [(entry, item) for entry, item in changed if item is None]
        items = [item.id for _, item in changed if item]
        kept: Mapping[int, KeptArticle] = await self._call(self._store.kept_articles, items) if items else {}
        return [
            _Asked(identified=entry, item=item, kept=kept.get(item.id) if item else None)
            for entry, item in changed
        ]

    async def _awaited(self, claim: Claim, edited: set[int]) -> list[AwaitedArticle]:
        due = await self._call(self._store.awaited_articles, claim.source.id, MAX_PAGES + len(edited))
        return [each for each in due if each.item not in edited][:MAX_PAGES]

    async def _complete(
        self, claim: Claim, wanted: Sequence[Wanted], waiting: Sequence[AwaitedArticle]
    ) -> Completed:
        again = [_wanted_again(each) for each in waiting]
        return await self._articles.complete(claim.source, [*wanted, *again])


def _takes_edits(claim: Claim, reading: Reading, known: Mapping[str, KnownItem], now: datetime) -> bool:
    """Whether known items become what is read; see `Compared.without_edits`."""
    if claim.push is not None:
        return not is_outrun(claim)
    items = items_by_entry(reading.entries, known)
    found = [(entry.entry, item) for entry, item in zip(reading.entries, items, strict=True)]
    return standing_of(claim, found[: len(reading.document.entries)], now).is_in_charge


def _is_edited(asked: _Asked) -> bool:
    """Whether the publisher wrote anew; not where a feed tells of what a sitemap or a page has named."""
    return asked.item is not None and not is_of_listed(asked.item)


def _wanted_again(awaited: AwaitedArticle) -> Wanted:
    """Return what is wanted; where the item has an earlier version of the article, by what the feed says."""
    if not awaited.has_text:
        return Wanted(entry=awaited.entry)
    return Wanted(entry=replace(awaited.entry, body=awaited.entry.summary), is_edited=True)


def _is_told_already(asked: _Asked) -> bool:
    """Whether only something else was edited than what the article is about, such as its categories."""
    return asked.kept is not None and asked.kept.told == told(asked.identified.entry)


def _as_kept(asked: _Asked) -> Identified:
    assert asked.kept is not None  # noqa: S101  it was told already
    return replace(asked.identified, entry=with_kept(asked.identified.entry, asked.kept))


def _completed(asked: _Asked, outcome: Outcome) -> Identified:
    may_come = outcome.undone is not None and outcome.undone.may_change
    entry = with_kept(outcome.entry, asked.kept) if asked.kept and may_come else outcome.entry
    return replace(asked.identified, entry=entry)


def _with_canonical(completed: Identified, outcome: Outcome) -> Identified:
    if outcome.canonical is None:
        return completed
    return replace(completed, entry=replace(completed.entry, canonical=outcome.canonical))


def _note(asked: _Asked, outcome: Outcome, now: datetime) -> ArticleNote:
    item = asked.item.id if asked.item else asked.identified.keys[0]
    has_text = _completed(asked, outcome).entry is not asked.identified.entry
    return replace(note(item, asked.identified.entry, outcome, now), has_text=has_text)


def _late(
    waiting: Sequence[AwaitedArticle], outcomes: Sequence[Outcome], now: datetime
) -> tuple[tuple[LateArticle, ...], tuple[ArticleNote, ...]]:
    pairs = list(zip(waiting, outcomes, strict=True))
    late = (
        LateArticle(awaited=each, entry=outcome.entry)
        for each, outcome in pairs
        if outcome.has_text and outcome.entry.body != each.entry.body
    )
    return tuple(late), tuple(note_again(each, outcome, now) for each, outcome in pairs)
