"""All formats are valid whatever outlets send, say the same, and are read back to what was written."""

import io
import json
from dataclasses import replace
from hashlib import sha256

import feedparser
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from syndicate.feeds import atom, jsonfeed, rss
from syndicate.feeds.entries import EntrySettings, FeedEntry, Outlet
from syndicate.feeds.writing import PAGES_VERSION
from syndicate.feeds.xml import line, web_iri
from syndicate.model import Document, Entry, StoredMatch
from syndicate.model.feeds import FullText
from syndicate.sources import kinds
from tests import atom_check, jsonfeed_check, rss_check
from tests.published import FEED, HOUR, ITEM, NOON, awkward, described, items, matches, stored

FORMATS = {"atom": (atom, atom_check), "json": (jsonfeed, jsonfeed_check), "rss": (rss, rss_check)}
URL = "https://news.example/feeds/x"
EXAMPLES = 2000  # with --slow
FEWER_EXAMPLES = 60
TEXT_READ = 1000  # characters that are compared; readers keep so many at least


def numbered(pairs) -> list[StoredMatch]:
    return [
        stored(replace(item, id=number, entry_id=f"urn:x:{number}"), match)
        for number, (item, match) in enumerate(pairs, start=1)
    ]


def ids_and_titles(kind: str, document: bytes) -> list[tuple[str, str]]:
    if kind == "json":
        return [(item["id"], item["title"]) for item in json.loads(document)["items"]]
    parsed = feedparser.parse(io.BytesIO(document), sanitize_html=False, resolve_relative_uris=False)
    assert not parsed.bozo
    return [(entry.id, line(entry.title)) for entry in parsed.entries]


def repaired(text: str) -> str:
    """Return what feedparser makes of UTF-8 that someone read as Latin-1: it takes that for a mistake."""
    try:
        return line(text.encode("iso-8859-1").decode())
    except UnicodeError:
        return text


def assert_reads_back(kind: str, document: bytes, entries: list[FeedEntry]) -> None:
    found = ids_and_titles(kind, document)
    assert [id_ for id_, _ in found] == [entry.id for entry in entries]
    for (_, title), entry in zip(found, entries, strict=True):
        # Readers of RSS disagree whether a title that looks like HTML is HTML.
        is_plain = kind != "rss" or not set(entry.title) & {"<", "&"}
        assert not is_plain or title in (entry.title, repaired(entry.title))


def read(document: bytes) -> Document:
    found = kinds.parse(document, {}, URL)
    assert found.title == FEED.title
    return found


def assert_says_the_same(documents: dict[str, bytes], entries: list[FeedEntry]) -> None:
    """Compare what our own parsers find in each format."""
    found = {kind: read(document).entries for kind, document in documents.items()}
    for entry, *read_back in zip(entries, *found.values(), strict=True):
        assert {each.guid for each in read_back} == {entry.id}
        is_kept = repaired(entry.content_html) == line(entry.content_html)  # not taken for a mistake
        first, *others = (told(each, with_text=is_kept) for each in read_back)
        assert others == [first] * len(others)


def told(entry: Entry, *, with_text: bool) -> dict[str, object]:
    """Return what every format has to say, as far as readers keep it."""
    return {
        "link": entry.link and repaired(entry.link),
        "text": entry.body[:TEXT_READ] if with_text else None,
        "date": entry.published or entry.updated,  # RSS has but one
        "language": entry.language,
        "files": sorted(repaired(file.url) for file in entry.enclosures),
    }


@pytest.fixture
def examples(slow):
    return settings(
        max_examples=EXAMPLES if slow else FEWER_EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def test_whatever_outlets_send_every_format_is_valid_and_reads_back(examples):
    texts = st.sampled_from(list(FullText))

    @examples
    @given(st.lists(st.tuples(items, matches), max_size=3), awkward, texts, st.booleans())
    def holds(pairs, title, full_text, explain):
        outlets = {"steppe": Outlet(title=title, feed_url=title, link=title)}
        how = EntrySettings(full_text=full_text, explain=explain, outlets=outlets)
        entries = described(*numbered(pairs), settings=how)
        feed = replace(FEED, title=title, description=title)
        for kind, (module, check) in FORMATS.items():
            document = module.render(feed, entries)
            assert check.problems(document) == []
            assert_reads_back(kind, document, entries)

    holds()


def test_every_format_says_the_same(examples):
    @examples
    @given(st.lists(st.tuples(items, matches), min_size=1, max_size=3))
    def holds(pairs):
        entries = described(*numbered(pairs))
        documents = {kind: module.render(FEED, entries) for kind, (module, _) in FORMATS.items()}
        assert_says_the_same(documents, entries)

    holds()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_body_of_a_megabyte_is_published(kind):
    module, check = FORMATS[kind]
    entries = described(stored(replace(ITEM, body="Су келіссөздері <b>&\x00 " * 60_000)))
    document = module.render(FEED, entries)
    assert len(document) > 2**20
    assert check.problems(document) == []
    assert_reads_back(kind, document, entries)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_empty_feed_is_valid(kind):
    module, check = FORMATS[kind]
    document = module.render(FEED, [])
    assert check.problems(document) == []
    assert ids_and_titles(kind, document) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_a_page_of_an_archive_names_the_head_and_its_neighbours(kind):
    module, check = FORMATS[kind]
    around = {"head_url": f"{URL}/head", "older_url": f"{URL}/1", "newer_url": f"{URL}/3"}
    page = replace(FEED, hubs=(f"{URL}/hub",), **around)  # type: ignore[arg-type]
    document = module.render(page, described(stored()))
    assert check.problems(document) == []
    if kind == "json":
        feed = json.loads(document)
        assert feed["next_url"] == f"{URL}/1"
        assert feed["_syndicate"]["current_url"] == f"{URL}/head"
        assert feed["_syndicate"]["newer_url"] == f"{URL}/3"
        assert feed["hubs"] == [{"type": "WebSub", "url": f"{URL}/hub"}]
    else:
        assert etree.fromstring(document).find(".//" + atom_check.ARCHIVE) is not None
        parsed = feedparser.parse(io.BytesIO(document))
        links = {link.rel: link.href for link in parsed.feed.links}
        assert (
            links.items()
            >= {
                "current": f"{URL}/head",
                "prev-archive": f"{URL}/1",
                "next-archive": f"{URL}/3",
                "hub": f"{URL}/hub",
            }.items()
        )


def test_our_own_reader_finds_the_hub_and_the_page_before(subtests):
    feed = replace(FEED, self_url=URL, older_url=f"{URL}/1", hubs=("https://hub.example/",))
    for kind, (module, _) in FORMATS.items():
        with subtests.test(kind):
            hints = kinds.parse(module.render(feed, described(stored())), {}, URL).hints
            assert hints.older == f"{URL}/1"
            assert hints.hubs == ("https://hub.example/",)
            assert hints.topic == URL


def test_entries_that_were_written_once_stand_in_several_documents():
    entries = described(stored(), stored(replace(ITEM, id=2, entry_id="urn:x:2", first_seen=NOON + HOUR)))
    for module, _ in FORMATS.values():
        pieces = [module.render_entry(entry) for entry in entries]
        whole = module.render(FEED, entries)
        updated = FEED.updated(entry.updated for entry in entries)
        assert module.frame(FEED, updated).filled(pieces) == whole
        assert all(piece in whole for piece in pieces)


def test_json_tells_in_values_what_others_tell_in_words():
    (item,) = json.loads(jsonfeed.render(FEED, described(stored())))["items"]
    ours = item["_syndicate"]
    assert ours["source"] == {
        "title": "Steppe Wire",
        "feed_url": "https://steppe.example/rss",
        "url": "https://steppe.example/",
    }
    assert ours["story"] == 1
    assert ours["direction"] == "ltr"
    (rule,) = ours["rules"]
    assert (rule["id"], rule["title"]) == ("central-asia", "Central Asia & neighbours")
    assert rule["terms"] == [
        {"term": "Central Asia", "fields": ["body"]},
        {"term": "Almaty", "fields": ["title", "body"]},
    ]
    text, marks = rule["passage"]["text"], rule["passage"]["marks"]
    assert [text[start:end] for start, end in marks] == ["Central Asia"]
    assert item["attachments"] == [
        {"url": "https://steppe.example/a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 12}
    ]


def test_json_tells_no_more_of_a_rule_than_its_name_where_nothing_is_explained():
    how = EntrySettings(explain=False)
    (item,) = json.loads(jsonfeed.render(FEED, described(stored(), settings=how)))["items"]
    assert item["_syndicate"]["rules"] == [{"id": "central-asia", "title": "central-asia"}]


def test_rss_has_one_enclosure_and_the_others_as_media():
    first = ITEM.enclosures[0]
    files = (first, replace(first, url="https://steppe.example/b.jpg", type=None, length_bytes=None))
    document = rss.render(FEED, described(stored(replace(ITEM, enclosures=files))))
    assert rss_check.problems(document) == []
    assert document.count(b"<enclosure ") == 1
    assert b'<media:content url="https://steppe.example/b.jpg"/>' in document


@pytest.mark.parametrize(
    ("check", "document", "complaint"),
    [
        (rss_check, b'<rss version="2.0"><channel/></rss>', "no title"),
        (rss_check, b"<rss/>", "the root is rss"),
        (jsonfeed_check, b"[]", "no object"),
        (jsonfeed_check, b'{"version": "https://jsonfeed.org/version/1.1", "title": "x"}', "no items"),
        (
            jsonfeed_check,
            b'{"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": [{"id": 1}]}',
            "item.id: 1 is no text",
        ),
        (atom_check, b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "no self link"),
    ],
)
def test_the_validators_find_mistakes(check, document, complaint):
    assert any(complaint in problem for problem in check.problems(document)), check.problems(document)


def test_only_what_is_on_the_web_is_linked():
    assert web_iri("https://a.example/plain?x=1") == "https://a.example/plain?x=1"
    assert web_iri("https://a.example/new\nline") == "https://a.example/new%20line"


def test_pages_that_are_written_otherwise_have_another_version():
    rendered = b"".join(module.render(FEED, described(stored())) for module, _ in FORMATS.values())
    # Who changes the one changes both: pages of archives are written again only for another version.
    assert (PAGES_VERSION, sha256(rendered).hexdigest()[:16]) == (2, "2cc2deebf1efc6bc")
