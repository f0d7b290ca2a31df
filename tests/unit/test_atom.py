"""Every published feed is valid, says why each entry is in it, and is the same bytes for the same matches."""

import subprocess
import sys
from dataclasses import replace

import pytest
from lxml import etree

from syndicate.feeds import atom
from syndicate.feeds.documents import FeedDocument
from syndicate.feeds.entries import EntrySettings
from syndicate.feeds.explain import Passage
from syndicate.feeds.xml import web_iri
from syndicate.model import Enclosure, Item, Score, Snippet, StoredMatch
from tests.atom_check import ATOM, XML, problems
from tests.published import FEED, HOUR, ITEM, MATCH, NOON, SETTINGS, described, stored
from tests.support import ROOT

WEIGHTED = replace(
    MATCH, score=Score(threshold=4, total=4.5, parts=(("Central Asia", 5.0), ("cup <x>", -0.5)))
)


def test_a_score_is_shown_with_its_sum():
    document = etree.fromstring(render(FEED, stored(match=WEIGHTED)))
    why = document.findtext("{*}entry/{*}content") or ""
    assert "Score: “Central Asia” 5, “cup &lt;x&gt;” -0.5: 4.5, where 4 is enough." in why


def render(feed: FeedDocument, *matches: StoredMatch, settings: EntrySettings = SETTINGS) -> bytes:
    return atom.render(feed, described(*matches, settings=settings))


def rendered(*items: Item) -> etree._Element:
    document = render(FEED, *map(stored, items))
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


def test_a_summary_is_html_so_that_no_reader_takes_it_for_the_better_text():
    summary = entry_of(replace(ITEM, summary="Fish & <chips>")).find(ATOM + "summary")
    assert summary is not None
    assert (summary.get("type"), summary.text) == ("html", "Fish &amp; &lt;chips&gt;")


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


def test_every_process_renders_the_same_bytes():
    program = (
        "import sys; sys.path.insert(0, '.')\n"
        "from syndicate.feeds import atom\n"
        "from tests.published import FEED, described, stored\n"
        "sys.stdout.buffer.write(atom.render(FEED, described(stored())))"
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
    assert outputs == {render(FEED, stored())}
