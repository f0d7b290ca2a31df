"""The feed of health: what is the matter with sources and endpoints, and letters that nobody took.

It is for whoever runs the service, so its address is secret, and it is in no list.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from html import escape

from syndicate.feeds.direction import Direction
from syndicate.feeds.documents import FeedDocument
from syndicate.feeds.entries import RULE_SCHEME, Category, EntrySource, FeedEntry, whole_seconds
from syndicate.feeds.explain import paragraphs
from syndicate.feeds.page import FeedPages
from syndicate.feeds.site import FORMATS, Site
from syndicate.feeds.xml import legal, line
from syndicate.model import DeliveryStatus
from syndicate.model.feeds import Feed, FeedSettings
from syndicate.model.health import DeadLetter, HealthNotice, HealthReport

ID = "health"
MOST_NAMED = 5  # rules or sources that a letter was about


def health_feed(token: str) -> Feed:
    """Return the feed of health, at its secret address."""
    return Feed(
        id=ID,
        title="Health",
        about="What is the matter with sources and endpoints, and deliveries that nobody took",
        settings=FeedSettings(token=token),
    )


def documents(
    report: HealthReport, site: Site, pages: FeedPages, titles: Mapping[str, str]
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the feed of health: their names, relative to the folder of feeds, and contents.

    Args:
        titles: of sources, by id, which stands for one missing.
    """
    feed = health_feed(report.token)
    entries = health_entries(report, site.title, titles)

    def head(extension: str) -> FeedDocument:
        document = site.document(feed, report.feed_id, report.created_at, extension)
        return replace(document, hubs=())  # which are not told of it

    for each in (*FORMATS, site.page(feed, pages)):
        yield f"{feed.name}{each.extension}", each.render(head(each.extension), entries)


def health_entries(report: HealthReport, author: str, titles: Mapping[str, str]) -> list[FeedEntry]:
    """Return the entries, the newest first; for the other arguments, see `documents`."""
    origin = EntrySource(id=report.feed_id, title=line(author) or "Syndicate", feed_url=None, link=None)
    entries = [
        *(_of_notice(each, origin, titles) for each in report.notices),
        *(_of_letter(each, origin) for each in report.dead),
    ]
    return sorted(entries, key=lambda entry: (entry.updated, entry.id), reverse=True)


def _of_notice(notice: HealthNotice, origin: EntrySource, titles: Mapping[str, str]) -> FeedEntry:
    if notice.endpoint is not None:
        who, command = f"Endpoint {notice.endpoint}", "endpoints"
    else:
        source = notice.source or ""
        who, command = line(titles.get(source, "")) or source, f"sources show {source}"
    text = line(notice.text)
    return _entry(
        origin,
        f"notice {notice.id}",
        notice.noticed_at,
        title=f"{who}: {text}",
        text=text,
        commands=[f"./run {command}"],
        kind="over" if notice.is_over else "begun",
    )


def _of_letter(letter: DeadLetter, origin: EntrySource) -> FeedEntry:
    delivery = letter.delivery
    tries = "once" if delivery.attempts == 1 else f"{delivery.attempts} times"
    text = f"Delivery {delivery.id} was tried {tries}, and is tried no more. It was about {_about(delivery)}."
    if delivery.last_error:
        text += f" The last time: {line(delivery.last_error)}"
    return _entry(
        origin,
        f"dead {delivery.id} {letter.died_at.isoformat()}",
        letter.died_at,
        title=f"Endpoint {delivery.endpoint}: a delivery was given up",
        text=text,
        commands=[f"./run deliveries show {delivery.id}", f"./run deliveries replay {delivery.id}"],
        kind="dead",
    )


def _about(delivery: DeliveryStatus) -> str:
    subjects = [
        *(f"rule {rule}" for rule, _ in delivery.alerts),
        *(f"source {source}" for source in delivery.sources),
        *(f"endpoint {endpoint}" for endpoint in delivery.endpoints),
        *(f"a spike of rule {rule}" for rule in delivery.spikes),
    ]
    names = list(dict.fromkeys(subjects))
    rest = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{rest}" or "nothing that is still known"


def _entry(  # noqa: PLR0913  named where it is called
    origin: EntrySource,
    name: str,
    instant: datetime,
    *,
    title: str,
    text: str,
    commands: list[str],
    kind: str,
) -> FeedEntry:
    shown = "\n".join(f"<p><code>{escape(legal(command))}</code></p>" for command in commands)
    return FeedEntry(
        id=uuid.uuid5(uuid.UUID(origin.id), name).urn,
        title=legal(title),
        link=None,
        published=whole_seconds(instant),
        updated=whole_seconds(instant),
        author=origin.title,
        categories=(Category(term=kind, scheme=f"{RULE_SCHEME}#health"),),
        language="en",
        direction=Direction.LTR,
        summary=text,
        content_html=f"{paragraphs(text)}{shown}",
        enclosures=(),
        source=origin,
        story=0,
        reasons=(),
        reports=(),
        is_explained=False,
    )
