"""Items found by a query in the language of the rules, so many at a time."""

from dataclasses import dataclass, replace

from syndicate.backfill import OneRule, wanted_words
from syndicate.model import FoundItem, Match
from syndicate.store.pages import Shown
from syndicate.trial import trial_of_query
from syndicate.web.view import View

AT_ONCE = 50  # items that a query is asked about: up to a millisecond each
ROUNDS = 2  # of so many, for one page
MAX_QUERY = 2_000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """Items that a query holds for, and why; the one kept last first."""

    found: tuple[tuple[FoundItem, Match], ...]
    further: int | None  # where to go on; None: there is no more
    is_cut: bool = False  # whether there may be more than was looked at


def search(view: View, text: str, which: Shown, before: int | None) -> Searched:
    """Return items that a query holds for, as far as it was asked about any.

    Args:
        which: what restricts them; at most as many as its limit.
        before: where the search before this one ended; None: it begins.

    Raises:
        QueryError: the text is no query.
    """
    store, known = view.store, view.loaded.known
    rule = trial_of_query(text, known).rule
    any_of, asked = wanted_words(store, rule, known), OneRule(rule, known)
    found: list[tuple[FoundItem, Match]] = []
    for _ in range(ROUNDS):
        sought = store.pages.sought_items(any_of, before, replace(which, limit=AT_ONCE))
        for each, at in zip(sought.found, sought.places, strict=True):
            match = asked.match(each.item)
            found += [(each, match)] if match else []
            if len(found) == which.limit:
                return Searched(found=tuple(found), further=at)
        before = sought.before
        if before is None:
            return Searched(found=tuple(found), further=None)
    return Searched(found=tuple(found), further=before, is_cut=True)
