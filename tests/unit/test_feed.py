"""feed.parse: data/feeds/NAME.xml gives what NAME.json says; and whatever the bytes, nothing else happens.

In NAME.json what is left out has its default. `headers` and `url` are the response's.
"""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.errors import ParseError
from syndicate.sources import feed, outline
from tests.expected import assert_clean, assert_text, expected_document
from tests.support import ROOT

CASES = sorted((ROOT / "tests/data/feeds").glob("*.xml"))
URL = "https://feeds.example/main.xml"


def rss(items: str, head: str = "") -> bytes:
    return f'<rss version="2.0"><channel><title>T</title>{head}{items}</channel></rss>'.encode()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_body_gives_what_its_case_says(path):
    case = json.loads(path.with_suffix(".json").read_text())
    arguments = path.read_bytes(), case.get("headers", {}), case.get("url", URL)
    if "error" in case:
        with pytest.raises(ParseError) as raised:
            feed.parse(*arguments)
        assert str(raised.value) == case["error"]
    else:
        assert feed.parse(*arguments) == expected_document(case["document"])


@pytest.mark.parametrize("name", ["/etc/hostname", "file:///etc/hostname", "https://127.0.0.1:1/"])
def test_a_body_that_names_a_file_or_an_address_is_never_opened(name):
    with pytest.raises(ParseError, match="text that begins"):
        feed.parse(name.encode(), {}, URL)


# --------------------------------------------------------------------------- bounds


def test_entries_beyond_the_limit_are_left_out_and_counted():
    items = "".join(f"<item><title>{number}</title></item>" for number in range(outline.MAX_ENTRIES + 5))
    document = feed.parse(rss(items), {}, URL)
    assert [entry.title for entry in document.entries] == [str(n) for n in range(outline.MAX_ENTRIES)]
    assert document.problems == ("entries after the first 2,000, left out: 5",)


@pytest.mark.parametrize("last", ["<item/>", '<item a="x>y"/>', "<item></item>", '<item a="/>"></item>'])
def test_what_is_cut_behind_an_entry_with_nothing_in_it_stays_well_formed(last):
    items = "<item><title>a</title></item>" * (outline.MAX_ENTRIES - 1)
    document = feed.parse(rss(items + last + "<item><title>b</title></item>" * 2), {}, URL)
    assert len(document.entries) == outline.MAX_ENTRIES - 1
    assert not any("leniently" in problem for problem in document.problems)


@pytest.mark.parametrize("attribute", ['role="a>b"', "role='\">'"])
def test_a_long_author_whose_tag_has_an_angle_in_it_stays_well_formed(attribute):
    author = f"<contributor {attribute}>{'x' * 2000}</contributor>"
    body = rss(f"<item><title>A</title>{author}<author>J &amp; K</author></item>")
    document = feed.parse(body, {}, URL, by_feedparser=True)
    assert not document.problems
    assert document.entries[0].author == "J & K"


def test_entries_beyond_the_limit_are_left_out_of_broken_xml_too():
    items = "".join(f"<item><title>{number}<br></title></item>" for number in range(outline.MAX_ENTRIES + 5))
    document = feed.parse(rss(items), {}, URL)
    assert len(document.entries) == outline.MAX_ENTRIES
    assert "entries after the first 2,000, left out" in document.problems


def test_long_lines_are_cut_and_said():
    long = "x" * 5000
    items = f"<item><title>{long}</title><author>{long}</author><category>{long}</category></item>"
    document = feed.parse(rss(items), {}, URL)
    (entry,) = document.entries
    assert (len(entry.title), len(entry.author), len(entry.categories[0])) == (1000, 300, 200)
    assert entry.title.endswith("x…")
    assert document.problems == (
        "titles, authors or categories longer than allowed, cut to at most 1,000: 3",
    )


def test_many_categories_and_enclosures_are_cut_and_said():
    tags = "".join(f"<category>c{number}</category>" for number in range(60))
    files = "".join(f'<enclosure url="https://e.example/{number}"/>' for number in range(30))
    document = feed.parse(rss(f"<item><title>t</title>{tags}{files}</item>"), {}, URL)
    assert (len(document.entries[0].categories), len(document.entries[0].enclosures)) == (50, 20)
    assert document.problems == (
        "entries with more than 50 categories, cut: 1",
        "entries with more than 20 enclosures, cut: 1",
    )


def test_a_long_text_is_cut_and_said():
    document = feed.parse(rss(f"<item><description>{'word ' * 20_000}</description></item>"), {}, URL)
    assert 65_000 < len(document.entries[0].body) <= 65_536
    assert document.problems == ("texts of more than 65,536 characters or too deeply nested, cut: 1",)


def test_entries_of_an_enormous_document_are_kept_without_text():
    items = f"<item><title>t</title><description>{'word ' * 13_000}</description></item>" * 50
    document = feed.parse(rss(items), {}, URL)
    assert len(document.entries) == 50
    assert document.entries[0].body
    assert not document.entries[-1].body
    assert "kept without text" in document.problems[0]


def test_a_long_author_is_cut_before_the_feed_parser_sees_it():
    prepared = feed.prepare(rss(f"<item><author>a@{'a-' * 50_000}</author></item>"), {}, URL)
    assert len(prepared.data) < 2000


@pytest.mark.parametrize(
    "body",
    [
        rss(f"<item><title>t</title><description>{'word ' * 1000}</description></item>" * 60),
        rss(f'<item a="{"x" * 9000}"/>'),
        rss("<a>" * 300 + "</a>" * 300),
        rss("<item>" + "<category>c</category>" * 1001 + "</item>"),
        rss("<item><title><b></title></item>" + " " * 40_000),
        rss(f"<item><keywords>{'a,b&#44;' * 3000}</keywords></item>"),
    ],
    ids=["many bytes", "long attribute", "deep", "many elements in an entry", "broken", "many keywords"],
)
def test_what_may_take_long_is_not_light(body):
    assert not feed.prepare(body, {}, URL, by_feedparser=True).is_light


@pytest.mark.parametrize("item", ["<a>" * 6000, "<item>" + "<category>c</category>" * 20_001 + "</item>"])
def test_monsters_are_refused_early(item):
    with pytest.raises(ParseError, match="which no feed has"):
        feed.prepare(rss(item), {}, URL)


def test_a_usual_feed_is_light():
    item = f"<item><title>t</title><description>{'&lt;p&gt;words&lt;/p&gt;' * 100}</description></item>"
    assert feed.prepare(rss(item * 35), {}, URL).is_light


# --------------------------------------------------------------------------- whatever the bytes


def assert_only_good_things_come_of(body: bytes, headers: dict[str, str]) -> None:
    try:
        document = feed.parse(body, headers, URL)
    except ParseError as error:
        assert_text(str(error))
        return
    assert_clean(document)


SEEDS = [path.read_bytes() for path in CASES]
NASTY = [
    *(
        b"&#55296;",
        b"&#99999999999;",
        b"&amp;lt;",
        b"&lt;",
        b"&",
        b"<",
        b">",
        b"]]>",
        b"<![CDATA[",
        b"<!--",
        b"-->",
    ),
    *(b"\0", b"\xff", b"\xd8\x00", b"\xe2\x80\xae", b"<item>", b"</item>", b"<svg><title>", b"http://["),
    *(
        b"<!DOCTYPE x [",
        b"<!ENTITY a 'b'>",
        b'<?xml version="1.0" encoding="utf-16"?>',
        b' xml:base="javascript:"',
    ),
    *(b"javascript:alert(1)", b"<script>alert(1)</script>", b"&lt;img src=x onerror=alert(1)&gt;"),
    *(b"<content type='application/xml' mode='base64'>", b"<summary type='html'>"),
]
HEADERS = st.sampled_from(
    [
        {},
        {"content-type": "text/html"},
        {"Content-Type": "text/xml; charset=utf-16"},
        {"content-language": "\0"},
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


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), HEADERS)
def test_any_bytes_give_a_document_or_a_parse_error(body, headers):
    assert_only_good_things_come_of(body, headers)


@settings(max_examples=80, deadline=None)
@given(mutated(), HEADERS)
def test_any_damaged_feed_gives_a_clean_document_or_a_parse_error(body, headers):
    assert_only_good_things_come_of(body, headers)


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None)
@given(mutated(), HEADERS)
def test_very_many_damaged_feeds_give_clean_documents_or_parse_errors(body, headers):
    assert_only_good_things_come_of(body, headers)
