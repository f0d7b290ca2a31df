"""Feeds to be published: a usual one, and strategies of hypothesis for whatever outlets send."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from syndicate.feeds.documents import FeedDocument
from syndicate.feeds.entries import EntrySettings, FeedEntry, Outlet, describe
from syndicate.feeds.page import FeedPages
from syndicate.feeds.page import Format as PageFormat
from syndicate.feeds.select import Selected, selected
from syndicate.model import Enclosure, Hit, Item, Match, NumberedMatches, Score, Snippet, StoredMatch

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

FEED = FeedDocument(
    feed_id="urn:uuid:7a7c0a86-95f4-4a27-8d4c-0e3e4ad7a9a1",
    title="Central Asia",
    self_url="http://127.0.0.1:8080/feeds/central-asia.atom",
    description="News that matches the rule Central Asia & neighbours",
    page_url="http://127.0.0.1:8080/",
    version="0.1.0",
    updated_when_empty=NOON,
)

SETTINGS = EntrySettings(
    rule_titles={"central-asia": "Central Asia & neighbours"},
    outlets={
        "steppe": Outlet(
            title="Steppe Wire", feed_url="https://steppe.example/rss", link="https://steppe.example/"
        )
    },
)

ITEM = Item(
    id=1,
    source="steppe",
    entry_id="urn:uuid:00000000-0000-4000-8000-000000000001",
    revision=1,
    story=1,
    guid="1",
    link="https://steppe.example/water",
    title="Water talks open in Almaty",
    body="Delegations met in Central Asia.\n\nThey agreed on <nothing> yet.",
    summary="Delegations met.",
    content_html="",
    author="Aigerim N.",
    categories=("water", "diplomacy", "water", " "),
    language="en",
    published=NOON - HOUR,
    updated=None,
    first_seen=NOON,
    changed_at=NOON,
    noticed_at=NOON - HOUR,
    enclosures=(Enclosure(url="https://steppe.example/a.mp3", type="audio/mpeg", length_bytes=12),),
)

MATCH = Match(
    rule="central-asia",
    rule_version="v1",
    hits=(
        Hit(term="Central Asia", field="body", start=19, end=31),
        Hit(term="Almaty", field="title", start=20, end=26),
        Hit(term="Almaty", field="body", start=0, end=6),
    ),
    snippet=Snippet(text="met in Central Asia.", field="body", marks=((7, 19),)),
)


def stored(item: Item = ITEM, match: Match = MATCH) -> StoredMatch:
    return StoredMatch(item=item, match=match, revision=item.revision, matched_at=item.changed_at)


def described(*matches: StoredMatch, settings: EntrySettings = SETTINGS) -> list[FeedEntry]:
    """Return the entries of these matches, the newest first."""
    return [describe(each, settings) for each in newest_first(shown(*matches))]


def newest_first(entries: Iterable[Selected]) -> list[Selected]:
    """Return them as a feed does that is ordered by when they were published."""
    return sorted(entries, key=lambda each: (each.item.order, each.item.id), reverse=True)


def page_of(entries: Sequence[FeedEntry], formats: Sequence[PageFormat], feed: FeedDocument = FEED) -> bytes:
    """Return the page for people of a feed."""
    pages = FeedPages()
    return pages.frame(feed, formats).filled([pages.entry(entry) for entry in entries])


def shown(*matches: StoredMatch) -> list[Selected]:
    """Return an entry for each item of these matches."""
    by_item: dict[int, list[StoredMatch]] = {}
    for match in sorted(matches, key=lambda match: match.match.rule):
        by_item.setdefault(match.item.id, []).append(match)
    return [selected(NumberedMatches(number=1, matches=tuple(found))) for found in by_item.values()]


YEAR_1, YEAR_9990 = datetime(1, 1, 1, tzinfo=UTC), datetime(9990, 1, 1, tzinfo=UTC)
instants = st.integers(0, (YEAR_9990 - YEAR_1) // HOUR).map(lambda hours: YEAR_1 + HOUR * hours)
awkward = st.text(
    st.characters()
    | st.sampled_from("\x00\x0b\x1f\x7f\x9f\ud800\udfff\ufffe\uffff\u202e\u2028<>&\"']]>\r\n\t "),
    max_size=40,
)
titles = st.sampled_from(
    (
        "<b>bold</b> & more",
        "مياه <i>آسيا</i>",
        "a &amp; b",
        "\u202emirrored",
        "]]>",
        "<script>alert(1)</script>",
    )
)
items = st.builds(
    Item,
    id=st.integers(1, 9),
    source=st.sampled_from(["steppe", "unknown"]),
    entry_id=st.just(""),
    revision=st.integers(1, 3),
    story=st.just(1),
    guid=st.none() | awkward,
    link=st.none() | awkward | awkward.map("https://a.example/{}".format),
    title=awkward | titles,
    body=awkward,
    summary=awkward,
    content_html=awkward,
    author=awkward,
    categories=st.lists(awkward, max_size=3).map(tuple),
    language=st.none() | awkward | st.sampled_from(["ru", "kk-Cyrl", "en-GB"]),
    published=st.none() | instants,
    updated=st.none() | instants,
    first_seen=instants,
    changed_at=instants,
    noticed_at=instants,
    enclosures=st.lists(
        st.builds(
            Enclosure,
            url=awkward | awkward.map("https://a.example/{}".format),
            type=st.none() | awkward,
            length_bytes=st.none() | st.integers(-1, 2**70),
        ),
        max_size=2,
    ).map(tuple),
)
matches = st.builds(
    Match,
    rule=st.just("central-asia"),
    rule_version=st.just("v1"),
    hits=st.lists(
        st.builds(
            Hit, term=awkward, field=st.sampled_from(["title", "body"]), start=st.just(0), end=st.just(1)
        ),
        max_size=3,
    ).map(tuple),
    score=st.none()
    | st.builds(
        Score,
        threshold=st.just(4.0),
        total=st.just(4.5),
        parts=st.lists(st.tuples(awkward, st.floats(-9, 9)), max_size=3).map(tuple),
    ),
    snippet=st.builds(
        Snippet,
        text=awkward,
        field=st.just("body"),
        marks=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=4).map(tuple),
    ),
)
