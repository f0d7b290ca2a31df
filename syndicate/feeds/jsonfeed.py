"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/).

What other formats say in the text, the object `_syndicate` of an item says in values: its source, the rules
that hold, their terms and passage with the places of the terms (in code points), its story, and who else has
it.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from syndicate.feeds.documents import FeedDocument, Frame
from syndicate.feeds.entries import Enclosure, FeedEntry, Report
from syndicate.feeds.explain import Reason
from syndicate.feeds.xml import line
from syndicate.model import Score

MEDIA_TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"

Json = dict[str, Any]


def render(feed: FeedDocument, entries: Sequence[FeedEntry]) -> bytes:
    """Return a valid JSON Feed, its items in the order given. The same input gives the same bytes."""
    written = frame(feed, feed.updated(entry.updated for entry in entries))
    return written.filled([render_entry(entry) for entry in entries])


def frame(feed: FeedDocument, updated: datetime) -> Frame:
    """Return the document around items that `render_entry` wrote; see `atom.frame`."""
    head = _encoded(_of_feed(feed, updated)).removesuffix(b"}")
    return Frame(before=head + b', "items": [\n', between=b",\n", after=b"\n]}\n")


def render_entry(entry: FeedEntry) -> bytes:
    """Return an entry as it stands in a document: a line."""
    return _encoded(_item(entry))


def _encoded(values: Json) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode()


def _of_feed(feed: FeedDocument, updated: datetime) -> Json:
    ours = {
        "id": feed.feed_id,
        "updated": updated.isoformat(),
        "version": feed.version,
        "current_url": feed.head_url,
        "newer_url": feed.newer_url,
    }
    return _present(
        {
            "version": VERSION,
            "title": feed.name,
            "home_page_url": feed.page_url,
            "feed_url": feed.self_url,
            "description": feed.about,
            "next_url": feed.older_url,
            "hubs": [{"type": "WebSub", "url": hub} for hub in feed.hubs],
            "_syndicate": _present(ours),
        }
    )


def _item(entry: FeedEntry) -> Json:
    return _present(
        {
            "id": entry.id,
            "url": entry.link,
            "title": entry.title,
            "content_html": entry.content_html,
            "summary": entry.summary,
            "image": entry.image,
            "date_published": entry.published and entry.published.isoformat(),
            "date_modified": entry.updated.isoformat(),
            "authors": [{"name": entry.author}],
            "tags": [category.label or category.term for category in entry.categories],
            "language": entry.language,
            "attachments": list(map(_attachment, entry.enclosures)),
            "_syndicate": _of_item(entry),
        }
    )


def _attachment(enclosure: Enclosure) -> Json:
    attachment: Json = {"url": enclosure.url, "mime_type": enclosure.likely_type}
    if enclosure.length_bytes is not None:
        attachment["size_in_bytes"] = enclosure.length_bytes
    return attachment


def _of_item(entry: FeedEntry) -> Json:
    source = entry.source
    return _present(
        {
            "source": _present({"title": source.title, "feed_url": source.feed_url, "url": source.link}),
            "direction": entry.direction,
            "rules": [_rule(reason, is_explained=entry.is_explained) for reason in entry.reasons],
            "story": entry.story,
            "outlets": list(map(_report, entry.reports)),
        }
    )


def _rule(reason: Reason, *, is_explained: bool) -> Json:
    rule: Json = {"id": reason.rule, "title": reason.title}
    if not is_explained:
        return rule
    passage = reason.passage
    rule |= {
        "terms": [{"term": term.text, "fields": term.fields} for term in reason.terms],
        "passage": {"field": passage.field, "text": passage.text, "marks": passage.marks},
    }
    return rule if reason.score is None else rule | {"score": _score(reason.score)}


def _score(score: Score) -> Json:
    parts = [{"term": line(term), "weight": weight} for term, weight in score.parts]
    return {"total": score.total, "threshold": score.threshold, "parts": parts}


def _report(report: Report) -> Json:
    return _present({"title": report.outlet, "item_title": report.title, "url": report.link})


def _present(values: Mapping[str, Any]) -> Json:
    """Return the values without those that say nothing."""
    return {key: value for key, value in values.items() if value}
