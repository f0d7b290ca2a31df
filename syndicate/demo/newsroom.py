"""What the demo's outlets publish, and when. Pure, but for reading the articles.

About half of each outlet's articles are there at the start, dated over the last days. The rest appear one by
one, the outlets in turn. Now and then the title of an article published a little earlier is changed.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path
from typing import Any

ARTICLES = Path(__file__).parent / "articles"

EDIT_EVERY = 4  # after so many new articles, the first of them is edited
OLD_NEWS_APART = timedelta(hours=7, minutes=11)
OUTLETS_APART = timedelta(minutes=53)
EDITED = {"en": "Updated: ", "ru": "Обновлено: ", "kk": "Жаңартылды: "}

_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")


class Format(StrEnum):
    """How an outlet writes its feed."""

    RSS = "rss"
    ATOM = "atom"
    RDF = "rdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article as its author wrote it."""

    slug: str  # its place on the outlet's site
    guid: str | None  # None: its feed gives it none
    title: str  # plain text
    author: str  # may be empty
    categories: tuple[str, ...]
    summary: str  # plain text
    body: str  # HTML


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A made-up newspaper."""

    id: str
    title: str
    language: str
    format: Format
    description: str
    articles: tuple[Article, ...]

    @property
    def old_articles(self) -> tuple[Article, ...]:
        """What is there at the start."""
        return self.articles[::2]

    @property
    def new_articles(self) -> tuple[Article, ...]:
        """What appears later."""
        return self.articles[1::2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An article appears, or is edited."""

    at: datetime
    outlet: Outlet
    article: Article  # as it is from then on
    is_edit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An article as the outlet's readers see it at some moment."""

    article: Article
    published: datetime
    edited: datetime | None = None  # None: never

    @property
    def changed(self) -> datetime:
        """When it became what it is."""
        return self.edited or self.published


def read_outlets(folder: Path = ARTICLES) -> tuple[Outlet, ...]:
    """Return the outlets of a folder, one per file."""
    return tuple(_outlet(tomllib.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.toml")))


def timetable(outlets: Sequence[Outlet], started: datetime, pace: timedelta) -> tuple[Event, ...]:
    """Return everything that happens after the start, in order.

    Args:
        outlets: in the order in which they take turns.
        started: when the demo began.
        pace: from one new article to the next, over all outlets.
    """
    news = [
        Event(at=started + pace * number, outlet=outlet, article=article, is_edit=False)
        for number, (outlet, article) in enumerate(_in_turns(outlets), start=1)
    ]
    edits = [
        _edit(news[number - EDIT_EVERY], news[number - 1].at + pace / 2)
        for number in range(EDIT_EVERY, len(news) + 1, EDIT_EVERY)
    ]
    return tuple(sorted(news + edits, key=lambda event: event.at))


def old_news(outlets: Sequence[Outlet], started: datetime) -> dict[str, tuple[Shown, ...]]:
    """Return what each outlet had published before the start, newest first, by the outlet's id."""
    return {
        outlet.id: tuple(
            Shown(
                article=article,
                published=started - OUTLETS_APART * (place + 1) - OLD_NEWS_APART * age,
            )
            for age, article in enumerate(outlet.old_articles)
        )
        for place, outlet in enumerate(outlets)
    }


def front(old: Sequence[Shown], events: Sequence[Event], now: datetime) -> tuple[Shown, ...]:
    """Return what an outlet shows now, newest first.

    Args:
        old: what it had published before the start.
        events: of this outlet, in order.
        now: those after it have not happened yet.
    """
    shown = {each.article.slug: each for each in old}
    for event in events:
        if event.at > now:
            break
        before = shown.get(event.article.slug)
        shown[event.article.slug] = Shown(
            article=event.article,
            published=before.published if before else event.at,
            edited=event.at if event.is_edit else None,
        )
    return tuple(sorted(shown.values(), key=lambda each: each.published, reverse=True))


def _in_turns(outlets: Sequence[Outlet]) -> Iterator[tuple[Outlet, Article]]:
    for row in zip_longest(*(outlet.new_articles for outlet in outlets)):
        yield from ((outlet, article) for outlet, article in zip(outlets, row, strict=True) if article)


def _edit(event: Event, at: datetime) -> Event:
    return Event(at=at, outlet=event.outlet, article=edited(event.outlet, event.article), is_edit=True)


def edited(outlet: Outlet, article: Article) -> Article:
    """Return an article with another title."""
    return replace(article, title=EDITED[outlet.language] + article.title)


def _outlet(values: dict[str, Any]) -> Outlet:
    articles = tuple(_article(number, table) for number, table in enumerate(values.pop("article"), start=1))
    return Outlet(**{**values, "format": Format(values["format"]), "articles": articles})


def _article(number: int, table: dict[str, Any]) -> Article:
    guid = table.get("guid")
    name = _NOT_IN_SLUGS.sub("-", (guid or "").rpartition("/")[2].lower()).strip("-")
    categories = tuple(table["categories"])
    return Article(
        **{**table, "slug": f"{number}-{name or 'article'}", "guid": guid, "categories": categories}
    )
