"""Items with their texts, and matches of theirs, as JSON values. Prints nothing."""

from syndicate.backfill import Known, subject_of
from syndicate.model import FoundItem, StoredMatch
from syndicate.report import item_head_json, item_json
from syndicate.report_trials import quote_json, score_json, snippet_json
from syndicate.report_words import Values, time_json
from syndicate.rules.text import field_texts
from syndicate.trial import Quote

_NO_RULES = Known(rules={}, tags={})


def whole_item_json(found: FoundItem) -> Values:
    """Return an item with all its texts."""
    item = found.item
    return {
        **item_json(found),
        "updated": time_json(item.updated),
        "revision": item.revision,
        "changed_at": time_json(item.changed_at),
        "author": item.author,
        "categories": list(item.categories),
        "summary": item.summary,
        "body": item.body,
        "content_html": item.content_html,
        "enclosures": [
            {"url": each.url, "type": each.type, "length_bytes": each.length_bytes}
            for each in item.enclosures
        ],
    }


def match_json(stored: StoredMatch) -> Values:
    """Return a match: the rule, and why it holds."""
    match = stored.match
    texts = (
        field_texts(subject_of(stored.item, _NO_RULES)) if stored.revision == stored.item.revision else None
    )
    quotes = (
        Quote(hit=hit, text=None if texts is None else texts[hit.field][hit.start : hit.end])
        for hit in match.hits
    )
    return {
        "rule": match.rule,
        "version": match.rule_version,
        "revision": stored.revision,
        "matched_at": time_json(stored.matched_at),
        "ended_at": time_json(stored.ended_at),
        "evidence": [quote_json(quote) for quote in quotes],
        "snippet": snippet_json(match.snippet),
        "score": score_json(match.score),
    }


def told_match_json(stored: StoredMatch) -> Values:
    """Return a match with its item."""
    return {**match_json(stored), "item": item_head_json(stored.item)}
