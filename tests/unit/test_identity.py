"""Which entries are which items."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.model import Enclosure, Entry, KnownItem
from syndicate.sources.identity import content_hash, identify, items_by_entry, keys_of

ENTRY = Entry(guid="g", link="https://news.example/a", title="EU", body="Text")
ENTRIES = st.builds(
    Entry,
    guid=st.sampled_from((None, "", "g1", "g2", "http://news.example/1", "https://news.example/1")),
    link=st.sampled_from(
        (
            None,
            "https://news.example/",
            "https://news.example/1",
            "http://news.example/1/",
            "https://news.example/2",
        )
    ),
    title=st.sampled_from(("one", "two")),
    body=st.sampled_from(("", "text")),
)
DOCUMENTS = st.lists(ENTRIES, max_size=7)


def known(**item_by_key):
    return {
        key.replace("_", ":"): KnownItem(id=item, content_hash="", revision=1)
        for key, item in item_by_key.items()
    }


def keys(*entries):
    return [one.keys for one in identify(entries)]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (ENTRY, ["guid:g", "link:news.example/a"]),
        (replace(ENTRY, guid=" "), ["link:news.example/a"]),
        (replace(ENTRY, guid="https://news.example/a"), ["guid://news.example/a", "link:news.example/a"]),
        (replace(ENTRY, link="https://news.example/"), ["guid:g"]),
        (replace(ENTRY, guid=None, link=None), []),
    ],
)
def test_the_keys_of_an_entry_are_its_guid_and_its_link(entry, expected):
    assert list(keys_of(entry)) == expected


def test_the_hash_of_what_only_names_an_article_says_so():
    listed = replace(ENTRY, is_listed=True)
    assert content_hash(listed) == f"listed:{content_hash(ENTRY)}"


def test_the_same_entry_twice_is_one():
    assert len(identify([ENTRY, ENTRY])) == 1


def test_the_same_content_under_one_link_and_two_guids_is_one_entry_with_all_keys():
    assert keys(ENTRY, replace(ENTRY, guid="h"), replace(ENTRY, guid=None)) == [
        ("guid:g", "guid:h", "link:news.example/a")
    ]


def test_the_same_content_under_two_guids_without_links_is_two():
    bare = replace(ENTRY, link=None)
    assert keys(bare, replace(bare, guid="h")) == [("guid:g",), ("guid:h",)]


def test_a_guid_that_names_entries_that_differ_names_none():
    other = replace(ENTRY, link="https://news.example/b", title="Other")
    assert keys(ENTRY, other) == [("link:news.example/a",), ("link:news.example/b",)]


def test_a_link_that_names_entries_that_differ_names_none():
    assert keys(ENTRY, replace(ENTRY, guid="h", title="Other")) == [("guid:g",), ("guid:h",)]


def test_two_versions_of_an_article_are_one_entry_the_newer():
    old = replace(ENTRY, updated=datetime(2026, 11, 1, tzinfo=UTC))
    new = replace(ENTRY, body="More text", updated=datetime(2026, 11, 2, tzinfo=UTC))
    for document in ([old, new], [new, old]):
        (one,) = identify(document)
        assert one.entry == new
        assert one.keys == ("guid:g", "link:news.example/a")
        assert one.content_hash == content_hash(new)


def test_of_two_versions_without_dates_the_first_counts():
    (one,) = identify([ENTRY, replace(ENTRY, body="Other")])
    assert one.entry == ENTRY


def test_entries_with_guids_of_their_own_stay_apart_under_one_link_and_title():
    assert keys(ENTRY, replace(ENTRY, guid="h", body="Other")) == [("guid:g",), ("guid:h",)]


def test_entries_without_titles_that_differ_stay_apart_under_one_guid():
    bare = replace(ENTRY, title="", link=None)
    assert len(identify([bare, replace(bare, body="Other")])) == 2


def stored(one, item=1, key=None):
    entry = one.entry
    return {
        key or one.keys[0]: KnownItem(
            id=item, content_hash=one.content_hash, revision=1, guid=entry.guid, title=entry.title
        )
    }


def test_an_item_is_found_though_its_key_has_lost_its_trust():
    bare = replace(ENTRY, link=None)
    items = stored(*identify([bare]))
    assert ids([replace(bare, title="Other"), bare], items) == [None, 1]


def test_an_item_named_by_its_content_is_found_once_its_key_can_be_trusted():
    bare = replace(ENTRY, link=None)
    _, second = identify([replace(bare, title="Other"), bare])
    assert second.keys == (f"content:{second.content_hash}",)
    assert ids([bare], stored(second)) == [1]


def test_a_link_does_not_join_entries_whose_guid_and_title_differ():
    (one,) = identify([ENTRY])
    items = stored(one, key="link:news.example/a")
    assert ids([replace(ENTRY, guid="h", title="Other")], items) == [None]
    assert ids([replace(ENTRY, guid="h")], items) == [1]
    assert ids([replace(ENTRY, title="Other")], items) == [1]


def test_an_entry_without_a_key_is_named_by_its_content():
    bare = replace(ENTRY, guid=None, link=None)
    ((key,),) = keys(bare)
    assert key == f"content:{content_hash(bare)}"
    assert len(keys(bare, bare, replace(bare, title="Other"))) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Other"},
        {"body": "Other"},
        {"author": "Other"},
        {"categories": ("other",)},
        {"link": "https://news.example/b"},
        {"enclosures": (Enclosure(url="https://news.example/a.mp3", type=None, length_bytes=None),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_reader_sees_makes_another_content(change):
    assert content_hash(replace(ENTRY, **change)) != content_hash(ENTRY)


@pytest.mark.parametrize(
    "change",
    [
        {"guid": "other"},
        {"link": "http://www.news.example/a/?utm_source=rss"},
        {"published_raw": "now"},
        {"updated_raw": "now"},
        {"language": "en"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_no_reader_sees_is_the_same_content(change):
    assert content_hash(replace(ENTRY, **change)) == content_hash(ENTRY)


def test_a_lone_surrogate_has_a_hash():
    assert content_hash(replace(ENTRY, title="\ud800"))


@settings(max_examples=75, deadline=None)
@given(DOCUMENTS)
def test_no_key_names_two_entries_and_no_entry_is_without(entries):
    found = keys(*entries)
    every = [key for some in found for key in some]
    assert len(every) == len(set(every))
    assert all(found)


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS)
def test_of_every_title_of_a_document_an_entry_is_kept(entries):
    assert {one.entry.title for one in identify(entries)} == {entry.title for entry in entries}


@settings(max_examples=30, deadline=None)
@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_the_order_of_a_document_does_not_count(entries, random):
    shuffled = random.sample(entries, len(entries))
    assert sorted(map(sorted, keys(*shuffled))) == sorted(map(sorted, keys(*entries)))


# -- finding items


def ids(entries, items):
    return [item.id if item else None for item in items_by_entry(identify(entries), items)]


def test_an_item_is_found_by_any_key():
    assert ids([ENTRY], known(guid_g=1)) == [1]
    assert ids([ENTRY], {"link:news.example/a": KnownItem(id=2, content_hash="", revision=1)}) == [2]
    assert ids([ENTRY], {}) == [None]


def test_the_strongest_key_decides():
    other = KnownItem(id=2, content_hash="", revision=1)
    assert ids([ENTRY], {**known(guid_g=1), "link:news.example/a": other}) == [1]


def test_who_names_an_item_by_a_stronger_key_has_it():
    by_link = replace(ENTRY, guid="new", title="Other")
    by_guid = replace(ENTRY, link="https://news.example/moved")
    items = {**known(guid_g=1), "link:news.example/a": KnownItem(id=1, content_hash="", revision=1)}
    assert ids([by_link, by_guid], items) == [None, 1]


@settings(max_examples=75, deadline=None)
@given(DOCUMENTS, st.data())
def test_no_item_is_given_twice(entries, data):
    identified = identify(entries)
    every = [key for one in identified for key in one.keys]
    numbers = data.draw(st.lists(st.integers(1, 3), min_size=len(every), max_size=len(every)))
    items = {
        key: KnownItem(id=number, content_hash="", revision=1)
        for key, number in zip(every, numbers, strict=True)
        if number != 3
    }
    found = [item.id for item in items_by_entry(identified, items) if item]
    assert len(found) == len(set(found))


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS)
def test_a_document_read_again_brings_nothing_new(entries):
    identified = identify(entries)
    items = {
        key: KnownItem(id=number, content_hash=one.content_hash, revision=1)
        for number, one in enumerate(identified)
        for key in one.keys
    }
    assert [item and item.id for item in items_by_entry(identified, items)] == list(range(len(identified)))


@settings(max_examples=50, deadline=None)
@given(st.lists(DOCUMENTS, min_size=1, max_size=4))
def test_the_same_document_over_and_over_makes_no_item_after_the_first_time(documents):
    """Whatever was read before: `stored` learns keys as the store does."""
    stored: dict[str, int] = {}
    made = 0
    for document in [*documents, documents[-1], documents[-1]]:
        identified = identify(document)
        items = {key: KnownItem(id=item, content_hash="", revision=1) for key, item in stored.items()}
        before = made
        for one, item in zip(identified, items_by_entry(identified, items), strict=True):
            if item is None:
                made += 1
                stored[one.keys[0]] = made
            for key in one.keys:
                stored.setdefault(key, item.id if item else made)
    assert made == before
