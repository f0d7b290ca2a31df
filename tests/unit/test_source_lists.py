"""Lists of sources come in from any reader, whole or with every reason why not, and go out as OPML 2.0."""

import json
from contextlib import suppress
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.errors import ParseError
from syndicate.sources.opml import MAX_FEEDS, ListedSource, lost_tags, read, render
from syndicate.sources.sanitise import clean_line
from tests.opml_check import mistakes
from tests.support import ROOT

CASES = sorted((ROOT / "tests/data/opml").glob("*.opml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_list_is_read_whole_or_refused_with_the_reason(path):
    expected = json.loads(path.with_suffix(".json").read_text())
    if "error" in expected:
        with pytest.raises(ParseError) as error:
            read(path.read_bytes())
        assert str(error.value) == expected["error"]
        return
    found = read(path.read_bytes())
    sources = [
        {
            "line": each.line,
            "title": each.title,
            "url": each.url,
            "tags": [*each.tags],
            "language": each.language,
        }
        for each in found.sources
    ]
    assert sources == expected["sources"]
    assert [[each.line, each.title, each.why] for each in found.unusable] == expected["unusable"]


def test_the_encoding_of_the_response_is_heard():
    body = '<opml><body><outline text="Новости" xmlUrl="http://a.example/"/></body></opml>'.encode("koi8-r")
    assert read(body, "text/x-opml; charset=koi8-r").sources[0].title == "Новости"


def test_a_list_without_end_is_refused():
    outlines = b'<outline xmlUrl="http://a.example/"/>' * (MAX_FEEDS + 1)
    with pytest.raises(ParseError, match="more than 20,000 feeds"):
        read(b"<opml><body>" + outlines + b"</body></opml>")


@given(st.binary(max_size=200) | st.text(alphabet='<>/="& opmlbodyutineURx', max_size=200).map(str.encode))
def test_whatever_comes_in_is_read_or_refused(body):
    for document in (body, b"<opml><body>" + body + b"</body></opml>"):
        with suppress(ParseError):
            read(document)


# --------------------------------------------------------------------------- out


def test_the_first_tag_is_the_folder_and_the_others_are_categories():
    sources = [
        ListedSource(
            title="A & Ä", url="https://a.example/?x=1&y=2", tags=("asia", "one", "two"), language="kk"
        ),
        ListedSource(title="", url="https://b.example/"),
        ListedSource(title="C", url="https://c.example/", tags=("eu",)),
        ListedSource(title="D", url="https://d.example/", tags=("asia",)),
    ]
    body = ElementTree.fromstring(render("Desk", sources)).find("body")
    assert body is not None
    assert [(outline.get("text"), [each.get("text") for each in outline]) for outline in body] == [
        ("asia", ["A & Ä", "D"]),
        ("https://b.example/", []),
        ("eu", ["C"]),
    ]
    assert body[0][0].attrib == {
        "type": "rss",
        "text": "A & Ä",
        "title": "A & Ä",
        "xmlUrl": "https://a.example/?x=1&y=2",
        "language": "kk",
        "category": "one,two",
    }


def test_what_a_category_cannot_hold_is_told():
    source = ListedSource(title="A", url="https://a.example/", tags=("first/one", "a,b", "c/d", "e"))
    assert lost_tags([source, source]) == ("a,b", "c/d")
    assert read(render("", [source])).sources[0].tags == ("first/one", "e")


LINES = st.text(min_size=1, max_size=20).map(lambda text: clean_line(text, 100)).filter(bool)
CATEGORIES = LINES.map(lambda text: clean_line(text.replace(",", "").replace("/", ""), 100)).filter(bool)
LISTED = st.builds(
    ListedSource,
    title=LINES,
    url=st.from_regex(r"https?://[a-z]{1,5}\.example/[a-z0-9?&=<>{}'\"%|~é-]{0,20}", fullmatch=True),
    tags=st.tuples(LINES) | st.just(()) | st.tuples(LINES, CATEGORIES, CATEGORIES),
    language=st.none() | st.sampled_from(["en", "uz-Latn"]),
).filter(lambda each: len(set(each.tags)) == len(each.tags))


def in_folders(sources: list[ListedSource]) -> list[ListedSource]:
    """Return sources in the order in which their folders, or they themselves, come first."""
    places: dict[object, int] = {}
    marks = [each.tags[:1] or number for number, each in enumerate(sources)]
    return sorted(sources, key=lambda each: places.setdefault(marks[sources.index(each)], len(places)))


@given(st.lists(LISTED, min_size=1, max_size=6, unique_by=lambda each: each.url))
def test_what_goes_out_comes_in_again(sources):
    document = render("Desk", sources)
    found = read(document)
    assert found.unusable == ()
    assert [replace(each, line=0) for each in found.sources] == in_folders(sources)
    assert render("Desk", found.sources) == document
    assert mistakes(document) == []
