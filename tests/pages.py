"""Pages of articles with what their items must say in the end, and what they must not.

Beside `case.html` stands `case.json`: `title` and `teaser` are what the feed has; `has` and `lacks` are
phrases that the item has to have in the end, and must not have; `prune` is the source's; `among` are other
cases, pages of the same host; `why` tells what is worse about the page.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from syndicate.model import Entry, Page
from syndicate.sources.article import Outcome, completed_by
from syndicate.sources.extract import article
from syndicate.sources.repeats import blocks_of
from tests.support import ROOT

FOLDER = ROOT / "tests" / "data" / "articles"
PAGES = sorted(FOLDER.glob("*.html"))
WHY = {
    "": "",
    "short": "was not found: no article",
    "notice": "was not found: the page has a notice instead",
    "links": "was not found: the page has mostly links",
    "about": "was not taken: the page has hardly a word",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How a page did."""

    phrases: int  # that had to be there
    missing: list[str]
    unwelcome: int  # phrases that must not be there
    unwanted: list[str]  # those of them that are
    why: str  # it is worse than the feed; empty if it is not
    expected_why: str


def outcome_of(file: Path) -> Judged:
    """Return what becomes of the item of a case."""
    expected = json.loads(file.with_suffix(".json").read_text())
    others = [read(FOLDER / f"{name}.html") for name in expected.get("among", ())]
    entry = Entry(guid=None, link=None, title=expected["title"], body=expected["teaser"])
    outcome = completed_by(entry, read(file, tuple(expected.get("prune", ()))), others)
    body = outcome.entry.body
    return Judged(
        phrases=len(expected["has"]),
        missing=[phrase for phrase in expected["has"] if phrase not in body],
        unwelcome=len(expected["lacks"]),
        unwanted=[phrase for phrase in expected["lacks"] if phrase in body],
        why=_why(outcome),
        expected_why=expected.get("why", ""),
    )


def read(file: Path, prune: tuple[str, ...] = ()) -> Page:
    """Return a page as it is compared with others."""
    found = article(file.read_text(), prune)
    return Page(
        key=file.stem,
        reading="",
        host="news.example:443",
        fetched_at=datetime(2026, 11, 24, tzinfo=UTC),
        lines=found.lines,
        links=found.links,
        blocks=blocks_of(found.lines, found.links),
    )


def _why(outcome: Outcome) -> str:
    if outcome.undone is None:
        return ""
    return next(name for name, words in WHY.items() if name and outcome.undone.words.startswith(words))
