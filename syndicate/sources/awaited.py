"""When the page of an item is asked for again. Pure."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from syndicate.model import ArticleNote, AwaitedArticle, Entry, KeptArticle
from syndicate.sources.article import Outcome, Undone
from syndicate.sources.worth import is_about
from syndicate.store.rows import json_text

AFTER = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=4), timedelta(hours=24))
LONGEST = timedelta(days=3)  # from when it was first wanted


def told(entry: Entry) -> str:
    """Return a hash of what a publisher says of an article: its title, its text, where it is."""
    said = json_text([entry.title, entry.body, entry.link])
    return hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()[:32]


def note(item: int | str, entry: Entry, outcome: Outcome, now: datetime) -> ArticleNote:
    """Return what is noted of the page of an item that is new, or was edited.

    Args:
        item: a new one by its first key.
        entry: as the publisher has it.
    """
    first = ArticleNote(item=item, told=told(entry), has_text=False, tries=0, since=now, next_try_at=None)
    return _after(first, outcome, now)


def note_again(awaited: AwaitedArticle, outcome: Outcome, now: datetime) -> ArticleNote:
    """Return what is noted once a page was asked for again."""
    before = ArticleNote(
        item=awaited.item,
        told=awaited.told,
        has_text=awaited.has_text,
        tries=awaited.tries,
        since=awaited.since,
        next_try_at=None,
        suppressed=awaited.suppressed,
    )
    return _after(before, outcome, now)


def _after(before: ArticleNote, outcome: Outcome, now: datetime) -> ArticleNote:
    undone = outcome.undone
    tries = before.tries + (0 if undone and not undone.was_asked else 1)
    return replace(
        before,
        has_text=before.has_text or outcome.has_text,
        tries=tries,
        next_try_at=None if undone is None else _next_try(before, undone, tries, now),
    )


def _next_try(before: ArticleNote, undone: Undone, tries: int, now: datetime) -> datetime | None:
    if not undone.may_change or tries > len(AFTER) or now - before.since >= LONGEST:
        return None
    # What was left for later is due with the next poll.
    wait = AFTER[tries - 1] if undone.was_asked else timedelta()
    return now + max(wait, undone.asked or timedelta())


def with_kept(entry: Entry, kept: KeptArticle) -> Entry:
    """Return an edited entry with the article that its item has, while the page can't be had anew.

    It stays if it still is about what the publisher says, and longer.
    """
    if not kept.has_text or len(kept.body) <= len(entry.body) or not is_about(entry, kept.body):
        return entry
    return replace(entry, body=kept.body, content_html=kept.content_html)
