"""Rules: what each asks for, where its matches go, and where to subscribe to it."""

from typing import Literal

from pydantic import Field, TypeAdapter

from syndicate.feeds.site import Site
from syndicate.model import TokenScope
from syndicate.report_rules import asked_json, rule_json, versions_json
from syndicate.rules.rule import Rule
from syndicate.web.api.cursors import cursor_of, place_of
from syndicate.web.api.fields import RULE_ID, USUAL, Cursor, Limit, Time
from syndicate.web.api.operation import (
    Answer,
    AnyOperation,
    ApiError,
    Asked,
    Fields,
    Lead,
    Nothing,
    Operation,
    Values,
)
from syndicate.web.view import View

PLACE = TypeAdapter(tuple[Literal["rules"], str])
VERSIONS = 20  # the last ones


class RulesQuery(Fields):
    """Which part of the list."""

    cursor: Cursor | None = None
    """Where the page begins: from the `next` of the page before."""
    limit: Limit = USUAL
    """How many rules the page has at most."""


class RuleFeed(Answer):
    """The feed of a rule. Addresses are null where lists of feeds do not name it."""

    is_listed: bool
    page: str | None
    atom: str | None
    json_feed: str | None = Field(alias="json")
    rss: str | None


class RuleSummary(Answer):
    """A rule."""

    id: str
    title: str
    version: str
    """Another one whenever the rule may hold for other items."""
    file: str
    line: int
    terms: list[str]
    """What it looks for, as its author wrote it."""
    notify: list[str]
    """The ids of the endpoints that are told."""
    urgent: bool
    feed: RuleFeed | None
    last_match: Time | None
    """When the newest item that it holds for was published, or first seen."""


class RulePage(Answer):
    """A page of rules, by their ids."""

    rules: list[RuleSummary]
    next: str | None
    """What follows the path in the address of the next page; null: there is none."""


class WeightedTerm(Answer):
    """A term of a weighted rule."""

    term: str
    weight: float


class RuleScore(Answer):
    """The terms of a weighted rule, and what they have to add up to."""

    threshold: float
    terms: list[WeightedTerm]


class Example(Answer):
    """A text that the rule has to hold for, or must not."""

    title: str
    body: str
    language: str | None
    source: str | None


class Examples(Answer):
    """The examples of a rule."""

    match: list[Example]
    no_match: list[Example]


class RuleVersion(Answer):
    """What the rule asked for."""

    version: str
    since: Time
    terms: list[str]


class WholeRule(RuleSummary):
    """A rule with all that its file says."""

    keywords: list[str]
    query: str | None
    score: RuleScore | None
    fold: bool
    sources: list[str]
    languages: list[str]
    since: str | None
    """As a length of time: only items published within so long before they are matched."""
    escalate: int | None
    renamed_from: list[str]
    examples: Examples
    versions: list[RuleVersion]
    """The last ones, the present one first."""


class Rules:
    """Answers what is asked of rules."""

    def __init__(self, view: View) -> None:
        self._view = view

    @property
    def operations(self) -> list[AnyOperation]:
        """What can be asked."""
        return [
            Operation(
                id="listRules",
                method="GET",
                path="/rules",
                scope=TokenScope.READ,
                summary="List the rules in force",
                about="In the order of their ids.",
                run=self.listing,
                answer=RulePage,
                query=RulesQuery,
                body=Nothing,
                leads_to=(Lead(id="getRule", name="rule", at="/rules/0/id"),),
            ),
            Operation(
                id="getRule",
                method="GET",
                path="/rules/{rule}",
                scope=TokenScope.READ,
                summary="A rule: what it asks for, and what it asked for before",
                about="By the keys of its file, as it is in force.",
                run=self.one,
                answer=WholeRule,
                query=Nothing,
                body=Nothing,
                names={"rule": RULE_ID},
            ),
        ]

    def listing(self, asked: Asked[RulesQuery, Nothing]) -> Values:
        """Return a page of rules."""
        query = asked.query
        first = "" if query.cursor is None else place_of(PLACE, query.cursor)[1]
        rules = sorted(
            (rule for rule in self._view.loaded.rules if rule.id > first), key=lambda rule: rule.id
        )
        shown = rules[: query.limit]
        cursor = cursor_of(PLACE, ("rules", shown[-1].id)) if len(rules) > query.limit else None
        return {
            "rules": self._summaries(shown),
            "next": asked.further(cursor=cursor) if cursor else None,
        }

    def one(self, asked: Asked[Nothing, Nothing]) -> Values:
        """Return a rule."""
        loaded = self._view.loaded
        rule = next((each for each in loaded.rules if each.id == asked.names["rule"]), None)
        if rule is None:
            raise ApiError(404, "There is no such rule.")
        text = next(each for each in loaded.config.rules if each.id == rule.id)
        versions = self._view.store.pages.rule_versions(rule.id, VERSIONS)
        return {**self._summaries([rule])[0], **asked_json(text), "versions": versions_json(versions)}

    def _summaries(self, rules: list[Rule]) -> list[Values]:
        config = self._view.loaded.config
        texts = {text.id: text for text in config.rules}
        feeds = {feed.id: feed for feed in config.feeds if feed.rules == (feed.id,)}
        last = self._view.store.pages.last_matches([rule.id for rule in rules])
        site = Site(title=config.service.title, base_url=config.service.base_url)
        return [
            rule_json(rule, texts[rule.id], feeds.get(rule.id), site, last.get(rule.id)) for rule in rules
        ]
