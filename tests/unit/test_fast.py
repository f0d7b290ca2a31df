"""fast.read: as much of a document as feedparser gives, or nothing; and often enough it gives all of it."""

import json
import time
from collections import Counter
from dataclasses import fields

import pytest
from feedparser.mixin import _FeedParserMixin
from feedparser.sanitizer import _HTMLSanitizer
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.errors import ParseError
from syndicate.model import Document, Entry
from syndicate.sources import fast, fast_names, fast_readers, fast_values, feed
from tests.feed_strategies import FEEDS, corpus
from tests.support import ROOT

CASES = sorted((ROOT / "tests/data/feeds").glob("*.xml"))
SHAPES = [path for path in CASES if path.stem.startswith("shape_")]
URL = "https://feeds.example/main.xml"
MEDIA = ' xmlns:media="http://search.yahoo.com/mrss/"'
ITUNES = ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
FEWEST_READ = 0.8  # of usual feeds
FEWEST_ODD_READ = 0.2


def outcome(body: bytes, *, by_feedparser: bool) -> Document | str:
    try:
        return feed.parse(body, {}, URL, by_feedparser=by_feedparser)
    except ParseError as error:
        return str(error)


def assert_same(body: bytes) -> None:
    """Compare field by field, so that a difference is seen at a glance."""
    mine, reference = outcome(body, by_feedparser=False), outcome(body, by_feedparser=True)
    if isinstance(mine, Document) and isinstance(reference, Document):
        assert len(mine.entries) == len(reference.entries)
        for number, (entry, other) in enumerate(zip(mine.entries, reference.entries, strict=True)):
            for each in fields(Entry):
                assert (number, each.name, getattr(entry, each.name)) == (
                    number,
                    each.name,
                    getattr(other, each.name),
                )
    assert mine == reference


def is_read(body: bytes) -> bool:
    try:
        return feed.prepare(body, {}, URL).read is not None
    except ParseError:
        return False


def rss(item: str, root: str = "", channel: str = "") -> str:
    return f'<rss version="2.0"{root}><channel{channel}><title>T</title><item>{item}</item></channel></rss>'


def atom(entry: str) -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><entry>{entry}</entry></feed>'


# --------------------------------------------------------------------------- the same


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_is_the_same_as_from_feedparser(path):
    case = json.loads(path.with_suffix(".json").read_text())
    if case.get("headers"):
        return  # they only matter before the XML is looked at
    assert_same(path.read_bytes())


def test_a_corpus_is_the_same_as_from_feedparser(slow):
    read: Counter[tuple[bool, bool]] = Counter()
    for is_odd, text in corpus(20_000 if slow else 400):
        body = text.encode()
        read[is_odd, is_read(body)] += 1
        if is_read(body):
            assert_same(body)
    assert read[False, True] >= FEWEST_READ * (read[False, True] + read[False, False])
    assert read[True, True] >= FEWEST_ODD_READ * (read[True, True] + read[True, False])


@settings(max_examples=60, deadline=None)
@given(FEEDS)
def test_whatever_feed_there_is_is_the_same_as_from_feedparser(text):
    body = text.encode()
    assert_same(body)


@pytest.mark.parametrize("path", SHAPES, ids=lambda path: path.stem)
def test_what_is_usual_is_read(path):
    assert is_read(path.read_bytes())


@pytest.mark.parametrize("language", ["de", "", "not a language"])
@pytest.mark.parametrize("root", ["", ' xml:lang="en"'])
def test_the_language_of_media_is_that_of_the_titles_in_it(root, language):
    group = f'<media:group xml:lang="{language}"><media:title>a</media:title></media:group>'
    body = rss(f"{group}</item><item><title>b</title>", MEDIA + root).encode()
    assert is_read(body)
    assert_same(body)


@pytest.mark.parametrize(
    "text",
    [
        rss("", "".join(f" xmlns:P{number:x}='u'" for number in range(20_000))),
        rss("", "".join(f" xmlns:P{number:x}='{number}'" for number in range(20_000))),
        rss(f"<itunes:keywords>{','.join(map(str, range(40_000)))}</itunes:keywords>", ITUNES),
        rss(f"<author>{'a' * 900}@</author></item><item>" * 1000),
        rss(f"<author>a@{'a.' * 490}</author></item><item>" * 1000),
        rss(f"<enclosure url='{'x' * 12_000_000}'/>"),
        rss(f"<!--{'x' * 12_000_000}-->"),
    ],
    ids=["prefixes", "namespaces", "keywords", "words before @", "words behind @", "attribute", "comment"],
)
def test_nothing_takes_long(text):
    body = text.encode()
    began = time.process_time()
    fast.read(body)
    assert time.process_time() - began < 1


# --------------------------------------------------------------------------- what it must know of feedparser


def test_it_knows_every_element_that_feedparser_does_something_about():
    methods = dir(_FeedParserMixin)
    names = {name.removeprefix("_start_") for name in methods if name.startswith("_start_")}
    names |= {name.removeprefix("_end_") for name in methods if name.startswith("_end_")}
    reachable = {name for name in names if name == name.lower()}
    assert reachable == fast_names.HANDLED
    assert {*fast_readers.ENTRY_READERS, *fast_readers.RSS_READERS} <= reachable


def test_it_knows_every_namespace_with_such_elements():
    prefixes = {name.partition("_")[0] for name in fast_names.HANDLED if "_" in name} | {"", "rdf", "xml"}
    known = {uri.lower(): prefix.lower() for uri, prefix in _FeedParserMixin.namespaces.items()}
    assert {
        uri: prefix for uri, prefix in known.items() if prefix in prefixes
    } == fast_names.PREFIX_BY_NAMESPACE


def test_it_takes_the_same_for_html():
    assert _HTMLSanitizer.acceptable_elements == fast_values.ELEMENTS


@pytest.mark.parametrize(
    "text",
    [
        "a</b>",
        "a &amp; b",
        "</table> &copy;",
        "</nothing>",
        "&nothing;",
        "&#39;",
        "x </b",
        "<b> & ;",
        "</b> <x>",
    ],
)
def test_it_guesses_html_alike(text):
    assert fast_values.looks_like_html(text) == _FeedParserMixin.looks_like_html(text)


# --------------------------------------------------------------------------- what is left to feedparser


@pytest.mark.parametrize(
    "text",
    [
        f"<!DOCTYPE rss>{rss('')}",
        rss("<title>a</title")[:-20],
        rss("<title>a & b</title>"),
        rss("<title>\x01</title>"),
        rss("<title>\ud800</title>"),
        rss("<title><![CDATA[&#55296;]]></title>"),
        rss("<pubDate>yesterday</pubDate>"),
        rss("<pubDate>Mon, 23 Nov 2026 25:00:00 GMT</pubDate>"),
        rss("<description>a <b>b</b></description>"),
        rss(f"<author>{'x' * 1001}</author>"),
        rss("<category>c</category>" * 1001),
        rss("<x/>" * 1001),
        rss(f"<x>{'<y/>' * 1001}</x>"),
        rss(f"{'<media:group>' * 100}{'</media:group>' * 100}", MEDIA),
        rss("<links>x</links>"),
        rss("<date>x</date>"),
        rss("<x><title>of another</title></x>"),
        rss("<source><title>of another</title></source>"),
        rss('<title xml:base="https://b.example/">a</title>'),
        rss("<o:item/>", ' xmlns:o="urn:o"'),
        rss("<dc:creator>a</dc:creator>", ' xmlns:dc="urn:not-dublin-core"'),
        rss('<DC:x xmlns:DC="urn:o"/>'),
        rss('<o:x xmlns:o="urn: o"/>'),
        rss('<O:x xmlns:O="urn:o"/>', MEDIA.replace(":media", ":o")),
        rss('<o:x xmlns:o="urn:o"/><o:x xmlns:o="urn:other"/>'),
        rss("", ' xml:base="/relative"'),
        rss("", ' base="https://b.example/"'),
        rss("", ' xmlns="http://purl.org/rss/1.0/"'),
        rss("", channel=' href="https://a.example/"'),
        "<rss version='2.0'><channel/><channel/></rss>",
        '<feed xmlns="http://purl.org/atom/ns#" version="0.3"/>',
        atom("<author>Jane</author>"),
        atom('<content type="image/png">eA==</content>'),
        "<opml/>",
        "",
    ],
)
def test_what_is_unusual_is_left_to_feedparser(text):
    assert fast.read(text.encode(errors="surrogatepass")) is None
    if text.isprintable() and "\ud800" not in text:
        assert_same(text.encode())


def test_more_entries_than_are_kept_are_left_to_feedparser():
    assert fast.read(rss("</item><item>" * 2000).encode()) is None
    assert fast.read(rss("</item><item>" * 1999).encode()) is not None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_a_date_is_the_same_or_left_to_feedparser(written):
    assert_same(
        rss(f"<pubDate>{written.replace('<', '').replace('&', '')}</pubDate>").encode("utf-8", "replace")
    )


DAYS = st.sampled_from(("Mon, ", "Tue ", "sunday, ", ""))
MONTHS = st.sampled_from(("Jan", "feb", "Sept", "December", "Okt"))
ZONES = st.sampled_from(("GMT", "Z", "+0600", "-05:30", "EST", "pdt", "MSK", "UTC", "+6", ""))


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.builds(
            "{}{:02} {} {} {:02}:{:02}:{:02} {}".format,
            DAYS,
            st.integers(0, 32),
            MONTHS,
            st.integers(960, 2100),
            *(st.integers(0, high) for high in (24, 60, 60)),
            ZONES,
        ),
        st.builds(
            "{:04}-{:02}-{:02}{}{:02}:{:02}{}{}".format,
            st.integers(960, 2100),
            st.integers(0, 13),
            st.integers(0, 32),
            st.sampled_from(("T", " ", "t")),
            *(st.integers(0, high) for high in (24, 60)),
            st.sampled_from(("", ":59", ":30.999999999", ":60")),
            st.sampled_from(("", "Z", "z", "+06:00", "-0530", "+14:00", " GMT")),
        ),
    )
)
def test_a_usual_date_is_the_same(written):
    assert_same(rss(f"<pubDate>{written}</pubDate>").encode())
