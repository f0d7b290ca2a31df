"""kinds.parse: data/KIND/NAME gives what NAME.json says; and whatever the bytes, nothing else happens.

In NAME.json what is left out has its default. `headers` and `url` are the response's, `address` is what the
configuration says beside the url.
"""

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.errors import ParseError
from syndicate.model import Address, Document, Kind, Source
from syndicate.sources import kinds, markup, outline, sitemap
from tests.claims import FIRST_CLAIM
from tests.expected import assert_clean, assert_text, expected_document
from tests.support import ROOT

DATA = ROOT / "tests/data"
CASES = [
    path
    for folder, ending in (("jsonfeeds", "*.feed"), ("sitemaps", "*.xml*"), ("webpages", "*.html"))
    for path in sorted((DATA / folder).glob(ending))
]
FEEDS = sorted((DATA / "feeds").glob("*.xml"))
URLS = {
    "jsonfeeds": "https://feeds.example/main.json",
    "sitemaps": "https://a.example/sitemap.xml",
    "webpages": "https://pages.example/news",
}
URL = "https://a.example/news"
CLAIM = replace(
    FIRST_CLAIM,
    source=Source(id="wire", title="Wire", urls=(URL,)),
    url=URL,
    address=URL,
    due_at=datetime(2026, 11, 24, tzinfo=UTC),
)


def address(url: str, **values: str) -> Address:
    kind = Kind(values.pop("kind")) if "kind" in values else None
    return Address(url=url, kind=kind, **values)


def parse(body: bytes, headers=None, url: str = URL, **values: str):
    return kinds.parse(body, headers or {}, url, address(url, **values))


def case_of(path: Path):
    return json.loads((path.parent / f"{path.name.partition('.')[0]}.json").read_text())


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_body_gives_what_its_case_says(path):
    case = case_of(path)
    arguments = path.read_bytes(), case.get("headers", {}), case.get("url", URLS[path.parent.name])
    if "error" in case:
        with pytest.raises(ParseError) as raised:
            parse(*arguments, **case.get("address", {}))
        assert str(raised.value) == case["error"]
    else:
        assert parse(*arguments, **case.get("address", {})) == expected_document(case["document"])


def test_there_are_cases_of_each_kind():
    assert all(sum(path.parent.name == folder for path in CASES) >= 15 for folder in URLS)


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.stem)
def test_a_feed_is_a_feed_unless_it_is_another_kind(path):
    case = json.loads(path.with_suffix(".json").read_text())
    if "document" in case:
        found = parse(path.read_bytes(), case.get("headers", {}), case.get("url", URL))
        assert found.format == case["document"]["format"]


def test_a_page_is_no_document_where_nobody_said_anything_of_an_address():
    body = (DATA / "webpages/guessed_unasked.html").read_bytes()
    assert parse(body).format == "page"
    with pytest.raises(ParseError, match="an HTML page titled “Лента новостей"):
        kinds.parse(body, {}, URL)


def test_a_feed_behind_a_warning_of_its_server_is_a_feed():
    warning = b"<html><body>Warning: line 5</body></html>\n"
    body = warning + (DATA / "feeds/rss20.xml").read_bytes().partition(b"?>")[2]
    assert parse(body).format == "rss20"


# --------------------------------------------------------------------------- how it looks


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<rss>", Kind.FEED),
        (b"\xef\xbb\xbf \n<?xml version='1.0'?><!-- <html> --><!DOCTYPE x><feed xmlns='x'>", Kind.FEED),
        (b"<rdf:RDF xmlns:rdf='x'>", Kind.FEED),
        ("<rss>".encode("utf-16"), Kind.FEED),
        ('<?xml version="1.0"?><urlset>'.encode("utf-16-le"), Kind.SITEMAP),
        (b"<sm:sitemapindex xmlns:sm='x'>", Kind.SITEMAP),
        (b"<!DOCTYPE HTML PUBLIC 'x'><p>", Kind.PAGE),
        (b"<HTML>", Kind.PAGE),
        (b"<head>", Kind.PAGE),
        (b' {"version":', Kind.JSON),
        ('{"version":'.encode("utf-16"), Kind.JSON),
        (b"[", Kind.JSON),
        (b"<opml>", None),
        (b"Warning <b>x</b><rss>", None),
        (b"text", None),
        (b"<", None),
        (b"<!--", None),
        (b"", None),
    ],
)
def test_the_kind_is_told_by_the_beginning(body, kind):
    assert kinds.looks_like(body) is kind


def test_what_stands_before_the_root_is_not_looked_at_for_ever():
    assert kinds.looks_like(b"<!--x-->" * 1_000_000 + b"<rss>") is None


def test_gzip_is_taken_off_once():
    body = (DATA / "feeds/rss20.xml").read_bytes()
    assert kinds.unpacked(gzip.compress(body)) == body
    assert kinds.unpacked(gzip.compress(gzip.compress(body))) == gzip.compress(body)
    assert parse(gzip.compress(body)).format == "rss20"


def test_a_page_may_be_longer_than_a_feed_to_be_read_at_once():
    padding = b" " * 400_000
    assert kinds.may_be_light(b"<html>" + padding)
    assert not kinds.may_be_light(b"<rss>" + padding)
    assert not kinds.may_be_light(b"<html>" + padding + padding)


@pytest.mark.parametrize(
    ("before", "said", "present", "is_believed"),
    [
        ({}, {}, "page", True),
        ({"format": "page", "body_hash": "h"}, {}, "page", True),
        ({"format": "rss20", "body_hash": "h"}, {}, "page", False),
        ({"body_hash": "h"}, {}, "page", False),  # read by who read only feeds
        ({"format": "rss20", "body_hash": "h"}, {"kind": "page"}, "page", True),
        ({"format": "rss20", "body_hash": "h"}, {"link_pattern": "/news/*"}, "page", True),
        ({"format": "rss20", "body_hash": "h"}, {}, "sitemap", True),
    ],
)
def test_a_page_is_not_believed_where_something_else_was_before(before, said, present, is_believed):
    source = Source(id="wire", title="Wire", urls=(URL,), addresses=(address(URL, **said),))
    claim = replace(CLAIM, source=source, **before)
    why = kinds.unexpected(claim, Document(format=present, title="Sorry"))
    assert (why is None) is is_believed
    assert is_believed or "titled “Sorry”" in str(why)


# --------------------------------------------------------------------------- bounds


def json_feed(items: str) -> bytes:
    return f'{{"version": "https://jsonfeed.org/version/1.1", "items": [{items}]}}'.encode()


def test_items_of_a_json_feed_beyond_the_limit_are_left_out_and_counted():
    items = ",".join(f'{{"id": {number}}}' for number in range(outline.MAX_ENTRIES + 5))
    document = parse(json_feed(items))
    assert [entry.guid for entry in document.entries] == [str(n) for n in range(outline.MAX_ENTRIES)]
    assert document.problems == ("entries after the first 2,000, left out: 5",)


def test_long_fields_of_a_json_feed_are_cut_and_said():
    long = "x" * 5000
    tags = ",".join(f'"t{number}"' for number in range(60))
    files = ",".join(f'{{"url": "https://a.example/{number}"}}' for number in range(30))
    text = "word " * 20_000
    document = parse(
        json_feed(
            f'{{"id": "{long}", "title": "{long}", "authors": [{{"name": "{long}"}}], "tags": [{tags}],'
            f' "attachments": [{files}], "content_html": "<p>{text}</p>"}}'
        )
    )
    (entry,) = document.entries
    assert (len(entry.title), len(entry.author), len(entry.categories), len(entry.enclosures)) == (
        1000,
        300,
        50,
        20,
    )
    assert (entry.guid or "").startswith("sha256:")
    assert len(entry.body) <= 65_536
    assert set(document.problems) == {
        "guids of more than 2,000 characters, replaced by their hash: 1",
        "texts of more than 65,536 characters or too deeply nested, cut: 1",
        "titles, authors or categories longer than allowed, cut to at most 1,000: 2",
        "entries with more than 50 categories, cut: 1",
        "entries with more than 20 enclosures, cut: 1",
    }


def test_items_of_an_enormous_json_feed_are_kept_without_text():
    items = ",".join(f'{{"id": {number}, "content_text": "{"word " * 13_000}"}}' for number in range(200))
    document = parse(json_feed(items))
    assert len(document.entries) == 200
    assert document.entries[0].body
    assert not document.entries[-1].body
    assert "kept without text" in document.problems[0]


def test_json_of_too_many_values_is_refused():
    with pytest.raises(ParseError, match="JSON of more than 1,500,000 values"):
        parse(json_feed("[]," * 800_000 + "[]"))


def urlset(*urls: str) -> bytes:
    return f"<urlset>{''.join(f'<url>{url}</url>' for url in urls)}</urlset>".encode()


def test_of_a_large_sitemap_the_newest_addresses_are_kept():
    dates = [f"2026-{month:02}-{day:02}" for month in range(1, 11) for day in range(1, 29)] * 10
    document = parse(
        urlset(
            *(f"<loc>https://a.example/{n}</loc><lastmod>{date}</lastmod>" for n, date in enumerate(dates))
        )
    )
    updated = [entry.updated for entry in document.entries]
    assert len(updated) == outline.MAX_ENTRIES
    assert updated == sorted(updated, reverse=True)
    assert f"{updated[-1]:%m}" == "03"
    assert document.problems == ("entries beyond the newest 2,000, left out: 800",)


@pytest.mark.parametrize("date", ["", "<lastmod>2026-11-24</lastmod>"], ids=["undated", "all of one date"])
def test_of_a_large_sitemap_that_tells_no_age_both_ends_are_kept(date):
    document = parse(urlset(*(f"<loc>https://a.example/{n}</loc>{date}" for n in range(2500))))
    numbers = [int((entry.link or "").rpartition("/")[2]) for entry in document.entries]
    assert numbers == [*range(1000), *range(1500, 2500)]


def test_of_an_enormous_sitemap_the_first_addresses_are_looked_at():
    document = parse(urlset(*("<loc>https://a.example/same</loc>",) * 100_001))
    assert document.problems == ("addresses after the first 100,000, left out: 1",)


def test_a_sitemap_with_an_endless_tag_is_refused():
    with pytest.raises(ParseError, match="a tag of more than 65,536 characters"):
        parse(b"<urlset " + b"a='b' " * 20_000 + b"></urlset>")


def test_parts_of_an_index_are_few():
    names = "".join(f"<sitemap><loc>https://a.example/s-{n}.xml</loc></sitemap>" for n in range(60_000))
    parts = parse(f"<sitemapindex>{names}</sitemapindex>".encode()).parts
    assert [part.url.rpartition("/")[2] for part in parts] == [
        "s-59999.xml",
        "s-59998.xml",
        "s-1.xml",
        "s-0.xml",
    ]
    assert len(parts) == sitemap.MAX_PARTS


def test_articles_of_a_page_beyond_the_limit_are_left_out_and_counted():
    items = "".join(f'<p><a href="/news/{n}-of-many">Headline number {n}</a></p>' for n in range(2005))
    document = parse(f"<html><body>{items}".encode(), kind="page")
    assert len(document.entries) == outline.MAX_ENTRIES
    assert document.problems == ("entries after the first 2,000, left out: 5",)


def test_a_page_is_read_up_to_a_limit():
    items = "".join(f'<p><a href="/news/{n}-of-many">Headline number {n}</a></p>' for n in range(5))
    body = f"<html><body>{items}{'x' * markup.MAX_PAGE}{items}".encode()
    assert parse(body, kind="page").problems == ("a page of more than 3 MiB, cut",)


@pytest.mark.parametrize(
    "junk",
    [
        "<div>" * 100_000,
        "".join(f"<p><b x={n}>" for n in range(30_000)),
        f"<a {' '.join(f'a{n}' for n in range(60_000))}>",
        f"<a {'/'.join(f'a{n}' for n in range(60_000))}>",
        '<a b="' * 60_000,
        "<!--" * 100_000,
        "<script>" * 60_000,
        "<svg>" * 100_000,
        "<a" * 200_000,
    ],
    ids=[
        "deep",
        "formatting",
        "attributes",
        "slashes",
        "quotes",
        "comments",
        "scripts",
        "drawings",
        "no end",
    ],
)
def test_what_would_keep_the_parser_busy_does_not_get_there(junk):
    bounded = markup.bounded(junk).text
    assert len(bounded) < 10_000
    assert markup.tree_of(junk).root is not None


def test_an_ordinary_page_is_bounded_by_nothing():
    picture = f'<p><img src="data:image/png;base64,{"AAAA" * 5000}">'
    page = (
        '<ul><li><a href="/a?b=1&c=2" title="x > y">x<i class="icon"></i></a><li><b>y</b><br></ul>'
        f"{picture}{'<i class=a></i>' * 300}{'<p><td><a name=x>' * 300}"
    )
    assert markup.bounded(page) == markup.Bounded(text=page)


# --------------------------------------------------------------------------- whatever the bytes


def assert_only_good_things_come_of(body: bytes, said: Address) -> None:
    try:
        document = kinds.parse(body, {"date": "Tue, 24 Nov 2026 09:00:00 GMT"}, URL, said)
    except ParseError as error:
        assert_text(str(error))
        return
    assert_clean(document)


SEEDS = [path.read_bytes() for path in CASES if len(path.read_bytes()) < 10_000]
NASTY = [
    *(
        b"\0",
        b"\xff",
        b"\xd8\x00",
        b"\xe2\x80\xae",
        b"&#0;",
        b"&#99999999999;",
        b"&lt;",
        b"&",
        b"<",
        b">",
        b'"',
        b"'",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\\ud800",
        b"1e999",
        b"-",
        b"NaN",
        b"null",
        b"9" * 5000,
        b'"id":[]',
    ),
    *(b"<url>", b"</url>", b"<loc>", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"<sitemapindex>", b"<news:title>"),
    *(
        b"<a href='//[::1'>",
        b"<base href=':'>",
        b"<html lang='\0'>",
        b"<time datetime='99999'>",
        b"<svg><title>",
    ),
    *(
        b"javascript:alert(1)",
        b"<script>alert(1)</script>",
        b"<!--",
        b"-->",
        b"\x1f\x8b",
        b"<template>",
        b"<p",
    ),
]
ADDRESSES = st.sampled_from(
    [
        Address(url=URL),
        Address(url=URL, link_pattern="/*/**"),
        *(Address(url=URL, kind=kind) for kind in Kind),
        Address(url=URL, item="li, article, tr", title="h2, a", date="*"),
        Address(url=URL, link="a", date="time, span"),
    ]
)


@st.composite
def mutated(draw):
    """Draw a body that was good before something was put into it, taken out of it, or written over it."""
    body = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        length = draw(st.sampled_from([0, 0, 1, 5, 50]))
        piece = draw(st.one_of(st.sampled_from(NASTY), st.binary(max_size=4)))
        body = body[:start] + piece + body[start + length :]
    return body


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
ITEM_KEYS = [
    *(
        "id",
        "url",
        "external_url",
        "title",
        "content_html",
        "content_text",
        "summary",
        "image",
        "banner_image",
    ),
    *("date_published", "date_modified", "author", "authors", "tags", "language", "attachments"),
]
FEED_KEYS = ["title", "home_page_url", "next_url", "language", "author", "authors", "expired", "items"]


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(FEED_KEYS), VALUES),
    st.lists(st.dictionaries(st.sampled_from(ITEM_KEYS), VALUES)),
)
def test_whatever_types_the_values_of_a_json_feed_have_the_document_is_clean(feed, items):
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": items, **feed}
    assert_only_good_things_come_of(json.dumps(feed).encode(), Address(url=URL))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), ADDRESSES)
def test_any_bytes_give_a_document_or_a_parse_error(body, said):
    assert_only_good_things_come_of(body, said)


@settings(max_examples=120, deadline=None)
@given(mutated(), ADDRESSES)
def test_any_damaged_document_gives_a_clean_document_or_a_parse_error(body, said):
    assert_only_good_things_come_of(body, said)


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None)
@given(mutated(), ADDRESSES)
def test_very_many_damaged_documents_give_clean_documents_or_parse_errors(body, said):
    assert_only_good_things_come_of(body, said)


def test_what_is_said_of_an_address_is_passed_on_whole():
    said = Address(url=URL, kind=Kind.PAGE, item="li", link_pattern="/x/*")
    with pytest.raises(ParseError, match='item = "li" finds nothing'):
        kinds.parse(b"<html></html>", {}, URL, replace(said, url="https://elsewhere.example/"))
