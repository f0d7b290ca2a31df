"""Rules in force, as JSON values. Prints nothing."""

from collections.abc import Sequence
from datetime import datetime

from syndicate.config.durations import spelled
from syndicate.feeds.site import FORMATS, PAGE, Site
from syndicate.model import Example, RuleText, RuleVersion
from syndicate.model.feeds import Feed
from syndicate.report_words import Values, time_json
from syndicate.rules.rule import Rule


def rule_json(
    rule: Rule, text: RuleText, feed: Feed | None, site: Site, last_match: datetime | None
) -> Values:
    """Return a rule as a list has it.

    Args:
        feed: that it has of its own, None if it has none.
        last_match: when the newest item that it holds for counts as published; None: it holds for none.
    """
    return {
        "id": rule.id,
        "title": rule.title,
        "version": rule.version,
        "file": text.file,
        "line": text.line,
        "terms": list(rule.terms),
        "notify": list(rule.notify),
        "urgent": rule.urgent,
        "feed": _feed_json(feed, site) if feed else None,
        "last_match": time_json(last_match),
    }


def asked_json(text: RuleText) -> Values:
    """Return what a rule asks for, by the keys of its file."""
    return {
        "keywords": list(text.keywords),
        "query": text.query.text if text.query else None,
        "score": text.score
        and {
            "threshold": text.score.threshold,
            "terms": [{"term": each.query.text, "weight": each.weight} for each in text.score.terms],
        },
        "fold": text.fold,
        "sources": list(text.sources),
        "languages": list(text.languages),
        "since": text.since and spelled(text.since),
        "escalate": text.escalate,
        "renamed_from": list(text.renamed_from),
        "examples": {
            "match": [_example_json(each) for each in text.match],
            "no_match": [_example_json(each) for each in text.no_match],
        },
    }


def versions_json(versions: Sequence[RuleVersion]) -> list[Values]:
    """Return what a rule asked for, and since when."""
    return [
        {"version": each.version, "since": time_json(each.since), "terms": list(each.terms)}
        for each in versions
    ]


def _feed_json(feed: Feed, site: Site) -> Values:
    """Return where a feed is; nowhere, of one whose address is not told."""
    return {
        "is_listed": feed.is_listed,
        "page": site.url(feed.name, PAGE) if feed.is_listed else None,
        **{
            each.extension.removeprefix("."): site.url(feed.name, each.extension) if feed.is_listed else None
            for each in FORMATS
        },
    }


def _example_json(example: Example) -> Values:
    return {
        "title": example.title,
        "body": example.body,
        "language": example.language,
        "source": example.source,
    }
