"""What follows from articles that came later than their items. Pure."""

from dataclasses import replace
from datetime import datetime

from syndicate.model import Change, Claim, Document, KnownItem, LateArticle, Poll
from syndicate.rules.index import RuleIndex
from syndicate.sources.changes import Reading, Seen, change_of, drafts
from syndicate.sources.fetch import NotModified
from syndicate.sources.identity import Identified


def with_late(poll: Poll, outcome: Reading | NotModified, index: RuleIndex, now: datetime) -> Poll:
    """Return a poll with new revisions of the items whose articles came late."""
    problems = outcome.problems if isinstance(outcome, NotModified) else ()
    if not (outcome.late or outcome.late_notes or problems):
        return poll
    changes = tuple(_change(poll.claim, each, index, now) for each in outcome.late)
    return replace(
        poll,
        changes=(*poll.changes, *changes),
        articles=(*poll.articles, *outcome.late_notes),
        problems=(*poll.problems, *problems),
    )


def _change(claim: Claim, late: LateArticle, index: RuleIndex, now: datetime) -> Change:
    """Return an item with its article. What was no news when it was found is none now."""
    awaited = late.awaited
    document = Document(format=claim.format, language=awaited.language)
    item = KnownItem(id=awaited.item, content_hash=awaited.content_hash, revision=0)
    identified = Identified(entry=late.entry, keys=(), content_hash=awaited.content_hash)
    change = change_of(identified, item, Seen(claim=claim, document=document, index=index, now=now))
    return replace(change, alerts=tuple(drafts(change.matches, index, awaited.suppressed)))
