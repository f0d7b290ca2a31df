"""Every published feed is valid, says why each entry is in it, and is the same bytes for the same matches."""

import io
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from syndicate.feeds import atom
from syndicate.feeds.documents import FeedDocument
from syndicate.feeds.entries import EntrySettings, Outlet, describe, updated
from syndicate.feeds.explain import Passage
from syndicate.feeds.select import Order, newest_first, select
from syndicate.feeds.xml import line, web_iri
from syndicate.model import Enclosure, Hit, Item, Match, Score, Snippet, StoredMatch
from tests.atom_check import ATOM, XML, problems
from tests.support import ROOT

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


WEIGHTED = replace(
    MATCH, score=Score(threshold=4, total=4.5, parts=(("Central Asia", 5.0), ("cup <x>", -0.5)))
)


def test_a_score_is_shown_with_its_sum():
    document = etree.fromstring(render(FEED, [stored(match=WEIGHTED)]))
    why = document.findtext("{*}entry/{*}content") or ""
    assert "Score: “Central Asia” 5, “cup &lt;x&gt;” -0.5: 4.5, where 4 is enough." in why


def render(feed: FeedDocument, matches: list[StoredMatch], settings: EntrySettings = SETTINGS) -> bytes:
    entries = [describe(each, settings) for each in newest_first(select(matches), Order.PUBLISHED)]
    return atom.render(feed, entries)


def stored(item: Item = ITEM, match: Match = MATCH) -> StoredMatch:
    return StoredMatch(item=item, match=match, revision=item.revision, matched_at=item.changed_at)


def rendered(*items: Item) -> etree._Element:
    document = render(FEED, [stored(item) for item in items])
    assert problems(document) == []
    return etree.fromstring(document)


def text(place: etree._Element, path: str) -> str:
    return place.findtext("/".join(ATOM + name for name in path.split("/")), default="")


def entry_of(item: Item) -> etree._Element:
    entry = rendered(item).find(ATOM + "entry")
    assert entry is not None
    return entry


def links(place: etree._Element) -> list[dict[str, str]]:
    return [
        {str(key): str(value) for key, value in link.attrib.items()} for link in place.iterfind(ATOM + "link")
    ]


def test_a_feed_says_what_it_is():
    feed = rendered(ITEM)
    assert text(feed, "id") == FEED.feed_id
    assert text(feed, "title") == "Central Asia"
    assert text(feed, "subtitle") == "News that matches the rule Central Asia & neighbours"
    assert text(feed, "updated") == "2026-03-02T11:00:00+00:00"
    assert text(feed, "generator") == "Syndicate"
    assert links(feed) == [
        {"rel": "self", "type": "application/atom+xml", "href": FEED.self_url},
        {"rel": "alternate", "type": "text/html", "href": FEED.page_url},
    ]


def test_an_entry_carries_what_the_outlet_said():
    entry = entry_of(ITEM)
    assert text(entry, "id") == ITEM.entry_id
    assert text(entry, "title") == ITEM.title
    assert text(entry, "author/name") == "Aigerim N."
    assert text(entry, "summary") == "Delegations met."
    assert text(entry, "published") == text(entry, "updated") == "2026-03-02T11:00:00+00:00"
    assert entry.get(XML + "lang") == "en"
    assert links(entry) == [
        {"rel": "alternate", "href": ITEM.link},
        {"rel": "enclosure", "href": "https://steppe.example/a.mp3", "type": "audio/mpeg", "length": "12"},
    ]
    terms = [category.get("term") for category in entry.iterfind(ATOM + "category")]
    assert terms == ["central-asia", "water", "diplomacy"]


def test_an_entry_names_its_outlet():
    source = entry_of(ITEM).find(ATOM + "source")
    assert source is not None
    assert text(source, "id") == "https://steppe.example/rss"
    assert text(source, "title") == "Steppe Wire"
    assert text(source, "updated") == "2026-03-02T11:00:00+00:00"
    assert [link["href"] for link in links(source)] == [
        "https://steppe.example/rss",
        "https://steppe.example/",
    ]


def test_the_content_is_the_article_and_then_why_it_is_here():
    content = text(entry_of(ITEM), "content")
    article, _, why = content.partition("<hr>")
    assert "<p>They agreed on &lt;nothing&gt; yet.</p>" in article
    assert "Matched by the rule <b>Central Asia &amp; neighbours</b>" in why
    assert "“Central Asia” in body, “Almaty” in title and body." in why
    assert "met in <mark>Central Asia</mark>." in why


def test_html_of_an_article_is_kept_as_it_was_stored():
    item = replace(ITEM, content_html="<p>Met in <em>Almaty</em>.</p>")
    assert text(entry_of(item), "content").startswith("<p>Met in <em>Almaty</em>.</p>\n<hr>")


def test_an_empty_feed_is_valid():
    assert text(rendered(), "updated") == "2026-03-02T12:00:00+00:00"


def test_the_newest_comes_first_and_a_date_in_the_future_pins_nothing():
    old = replace(ITEM, id=2, entry_id="urn:x:old", published=NOON - 9 * HOUR)
    pinned = replace(
        ITEM, id=3, entry_id="urn:x:future", published=NOON + 999 * HOUR, first_seen=NOON - 5 * HOUR
    )
    twin = replace(ITEM, id=4, entry_id="urn:x:twin")
    feed = rendered(old, ITEM, pinned, twin)
    ids = [entry.findtext(ATOM + "id") for entry in feed.iterfind(ATOM + "entry")]
    assert ids == ["urn:x:twin", ITEM.entry_id, "urn:x:future", "urn:x:old"]


@pytest.mark.parametrize(
    ("published", "claimed", "expected"),
    [
        (None, None, NOON),
        (NOON - HOUR, None, NOON - HOUR),
        (NOON + HOUR, None, NOON),
        (NOON - 2 * HOUR, NOON - HOUR, NOON - HOUR),
        (NOON - 2 * HOUR, NOON - 3 * HOUR, NOON - 2 * HOUR),
        (NOON - 2 * HOUR, NOON + HOUR, NOON),
        (None, NOON - 3 * HOUR, NOON - 3 * HOUR),
        (None, NOON + HOUR, NOON),
    ],
)
def test_a_first_revision_is_as_new_as_the_publisher_says_but_not_newer_than_we_saw_it(
    published, claimed, expected
):
    assert updated(replace(ITEM, published=published, updated=claimed)) == expected


instants = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(st.tuples(st.none() | instants, st.none() | instants), min_size=2, max_size=5), instants)
def test_updated_never_decreases_from_revision_to_revision(claims, first_seen):
    revisions = [
        replace(
            ITEM,
            revision=number,
            published=published,
            updated=claimed,
            first_seen=first_seen,
            changed_at=first_seen + HOUR * (number - 1),
        )
        for number, (published, claimed) in enumerate(claims, start=1)
    ]
    updates = [updated(item) for item in revisions]
    assert updates == sorted(updates)
    assert all(update <= item.changed_at for update, item in zip(updates, revisions, strict=True))


def test_an_entry_without_anything_is_valid():
    bare = replace(
        ITEM,
        link=None,
        title="",
        body="",
        summary="",
        author="",
        categories=(),
        language=None,
        published=None,
        enclosures=(),
        source="gone",
    )
    entry = entry_of(bare)
    assert text(entry, "title") == "Untitled"
    assert text(entry, "author/name") == "gone"


def test_a_missing_title_is_taken_from_the_text():
    assert text(entry_of(replace(ITEM, title=" ", summary="Snow in\nAstana")), "title") == "Snow in Astana"


def test_a_long_summary_is_cut_between_words():
    summary = text(entry_of(replace(ITEM, summary="слово " * 100)), "summary")
    assert len(summary) <= 300
    assert summary.endswith("слово…")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://a.example/x y", "https://a.example/x%20y"),
        ("https://a.example/новости?q=ё", "https://a.example/новости?q=ё"),
        ("https://a.example/100%", "https://a.example/100%25"),
        ("https://a.example/%D0%B0#a#b", "https://a.example/%D0%B0#a%23b"),
        ("HTTP://[2001:db8::1]:80/[x]", "HTTP://[2001:db8::1]:80/%5Bx%5D"),
        ("https://a.example/\x00\ud800ok", "https://a.example/ok"),
        ("https://a.example/line\nbreak", "https://a.example/line%20break"),
        ("https://a.example", "https://a.example"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//a.example/", None),
        ("https://", None),
        ("https://a b/", None),
        ("", None),
        (None, None),
    ],
)
def test_only_web_addresses_become_links(address, expected):
    assert web_iri(address) == expected


def test_a_script_address_is_no_link():
    bad = Enclosure(url="javascript:alert(1)", type="text/html", length_bytes=1)
    assert links(entry_of(replace(ITEM, link="javascript:alert(1)", enclosures=(bad,)))) == []


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ((), "a &lt; b"),
        (((0, 1), (4, 5)), "<mark>a</mark> &lt; <mark>b</mark>"),
        (((4, 5), (0, 1)), "<mark>a</mark> &lt; <mark>b</mark>"),
        (((0, 3), (2, 5)), "<mark>a &lt;</mark><mark> b</mark>"),
        (((2, 2), (3, 99), (-4, 1)), "<mark>a</mark> &lt; b"),
    ],
)
def test_marks_are_escaped_and_never_overlap(marks, expected):
    assert Passage.of(Snippet(text="a < b", field="body", marks=marks)).html == expected


awkward = st.text(
    st.characters()
    | st.sampled_from("\x00\x0b\x1f\x7f\x9f\ud800\udfff\ufffe\uffff\u202e\u2028<>&\"']]>\r\n\t "),
    max_size=40,
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
    title=awkward,
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
    snippet=st.builds(
        Snippet,
        text=awkward,
        field=st.just("body"),
        marks=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=4).map(tuple),
    ),
)


def repaired(text: str) -> str:
    """Return what feedparser makes of UTF-8 that someone read as Latin-1: it takes that for a mistake."""
    try:
        return line(text.encode("iso-8859-1").decode())
    except UnicodeError:
        return text


@given(st.lists(st.tuples(items, matches), max_size=4), awkward)
def test_whatever_outlets_send_the_feed_is_valid_and_reads_back(pairs, title):
    feed = replace(FEED, title=title)
    settings = EntrySettings(outlets={"steppe": Outlet(title=title, feed_url=title, link=title)})
    numbered = [
        stored(replace(item, id=number, entry_id=f"urn:x:{number}"), match)
        for number, (item, match) in enumerate(pairs)
    ]
    document = render(feed, numbered, settings)
    assert problems(document) == []
    parsed = feedparser.parse(io.BytesIO(document), sanitize_html=False, resolve_relative_uris=False)
    assert not parsed.bozo
    order = [match.item for match in sorted(numbered, key=lambda m: (m.item.order, m.item.id), reverse=True)]
    assert [entry.id for entry in parsed.entries] == [item.entry_id for item in order]
    for entry, item in zip(parsed.entries, order, strict=True):
        assert not line(item.title) or line(entry.title) in (line(item.title), repaired(line(item.title)))
        addresses = [link.href for link in entry.get("links", []) if link.rel == "alternate"]
        assert addresses == list(filter(None, [web_iri(item.link)]))


def test_every_process_renders_the_same_bytes():
    program = (
        "import sys; sys.path.insert(0, '.')\n"
        "from tests.unit.test_atom import FEED, render, stored\n"
        "sys.stdout.buffer.write(render(FEED, [stored()]))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone in [("1", "UTC"), ("2", "Asia/Almaty")]
    }
    assert outputs == {render(FEED, [stored()])}
