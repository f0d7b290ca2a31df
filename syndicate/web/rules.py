"""The rules: what each asks for, how much it finds, and how to subscribe to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from syndicate.feeds.site import FORMATS
from syndicate.loading import Loaded
from syndicate.model import Example, RuleText
from syndicate.rules.rule import Rule
from syndicate.store.pages import Shown
from syndicate.web.charts import Chart, chart
from syndicate.web.recent import Listing, recent_days, rule_chart
from syndicate.web.render import Pages
from syndicate.web.view import View

RULES = 50  # on a page
STORIES = 10  # on the page of a rule
SOURCES = 10  # whose share is shown
VERSIONS = 20  # the last ones, that its page shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Where to subscribe to a rule's feed."""

    formats: Sequence[tuple[str, str]]  # the name of each, and the file
    is_listed: bool  # False: at an address that pages do not tell


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRule:
    """A rule as the list shows it."""

    rule: Rule
    feed: Subscription | None
    spark: Chart
    last_match: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How much of what a rule finds is of a source."""

    source: str
    title: str
    matches: int
    percent: float


class RulePages:
    """Answers GET of `/rules` and `/rules/ID`."""

    def __init__(self, view: View, pages: Pages) -> None:
        self._view = view
        self._pages = pages

    def listing(self, request: Request) -> Response:
        """Return the list of rules, those that match some words alone."""
        loaded = self._view.loaded
        words = request.query_params.get("q", "").strip()[:200]
        first = min(_number(request.query_params.get("from", "")), len(loaded.rules))
        wanted = [rule for rule in loaded.rules if _is_about(rule, words)]
        some = wanted[first : first + RULES]
        values = {
            "now": self._view.now(),
            "words": words,
            "total": len(loaded.rules),
            "found": len(wanted),
            "rules": self._listed(loaded, some),
            "newer": str(max(first - RULES, 0)) if first else None,
            "older": str(first + RULES) if first + RULES < len(wanted) else None,
        }
        return self._pages.page(request, "rules.html", values)

    def one(self, request: Request) -> Response:
        """Return the page of a rule."""
        loaded, now = self._view.loaded, self._view.now()
        found = [rule for rule in loaded.rules if rule.id == request.path_params["rule"]]
        if not found:
            return self._pages.error(request, 404, "There is no such rule.")
        (rule,) = found
        text = next(text for text in loaded.config.rules if text.id == rule.id)
        feed = _subscription(loaded, rule.id)
        stories = self._view.store.pages.stories(Shown(rule=rule.id, limit=STORIES + 1))
        values = {
            "now": now,
            "rule": rule,
            "text": text,
            "feed": feed,
            "listed": self._listed(loaded, [rule])[0],
            "chart": rule_chart(self._view, [rule.id], now),
            "versions": self._view.store.pages.rule_versions(rule.id, VERSIONS),
            "shares": self._shares(loaded, rule.id, now),
            "examples": _examples(text),
            "listing": Listing(stories=tuple(stories[:STORIES]), older=None),
            "has_more": len(stories) > STORIES,
            "rule_titles": {rule.id: rule.title for rule in loaded.rules},
            "source_titles": _titles(loaded),
            "alternates": [(rule.title, feed.formats[0][1])] if feed and feed.is_listed else [],
        }
        return self._pages.page(request, "rule.html", values)

    def _listed(self, loaded: Loaded, rules: Sequence[Rule]) -> list[ListedRule]:
        ids = [rule.id for rule in rules]
        days, since = recent_days(self._view.now())
        pages = self._view.store.pages
        counts, last = pages.matches_by_day(since, ids), pages.last_matches(ids)
        return [
            ListedRule(
                rule=rule,
                feed=_subscription(loaded, rule.id),
                spark=chart(days, {rule.id: rule.title}, counts),
                last_match=last.get(rule.id),
            )
            for rule in rules
        ]

    def _shares(self, loaded: Loaded, rule: str, now: datetime) -> list[Share]:
        _, since = recent_days(now)
        matches = self._view.store.pages.matches_by_source(rule, since)
        total = sum(matches.values())
        titles = _titles(loaded)
        return [
            Share(source=source, title=titles.get(source, source), matches=count, percent=100 * count / total)
            for source, count in list(matches.items())[:SOURCES]
        ]


def _titles(loaded: Loaded) -> Mapping[str, str]:
    return {source.id: source.title for source in loaded.config.sources}


def _is_about(rule: Rule, words: str) -> bool:
    texts = " ".join((rule.id, rule.title, *rule.terms)).casefold()
    return all(word in texts for word in words.casefold().split())


def _subscription(loaded: Loaded, rule: str) -> Subscription | None:
    for feed in loaded.config.feeds:
        if feed.id == rule:
            formats = [(each.name, f"{feed.name}{each.extension}") for each in FORMATS]
            return Subscription(formats=formats if feed.is_listed else (), is_listed=feed.is_listed)
    return None


def _examples(text: RuleText) -> list[tuple[Example, bool]]:
    """Return a rule's examples, and whether it has to hold for each; one that failed is never in force."""
    return [*((each, True) for each in text.match), *((each, False) for each in text.no_match)]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
