"""What readers should notice of an edit: all but markup, punctuation, case, and what is beside the text."""

import re
from collections.abc import Sequence
from datetime import datetime

from syndicate.stories import canonical_link

_WORDS = re.compile(r"\w+")

Essence = tuple[list[str], list[str], str | None, list[str | None]]


def essence(title: str, body: str, link: str | None, enclosures: Sequence[str]) -> Essence:
    """Return what an edit has to change to be noticed: words and numbers, and where they and its files are.

    Args:
        enclosures: their addresses.
    """
    words, more = (_WORDS.findall(text.casefold()) for text in (title, body))
    return words, more, canonical_link(link), list(map(canonical_link, enclosures))


def noticed_at_first(published: datetime | None, updated: datetime | None, first_seen: datetime) -> datetime:
    """Return when a new item last changed in a way that readers should notice.

    That is the publisher's word for it, as far as it is neither before the publication nor after we recorded
    it. Later edits that readers should notice count from when they are recorded: publishers seldom move
    their date along, and sometimes move it back. So it never decreases.
    """
    claimed = updated or published or first_seen
    not_before = min(published, first_seen) if published else claimed
    return min(max(claimed, not_before), first_seen)
