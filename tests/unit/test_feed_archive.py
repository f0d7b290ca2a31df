"""Whoever reads a feed's head, and the pages before it that he has not read yet, misses nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.feeds import atom
from syndicate.feeds.archive import (
    count_pages,
    head_document,
    head_entries,
    numbers_of,
    page_document,
    page_name,
    page_of,
)
from syndicate.feeds.documents import FeedDocument
from syndicate.model import ListedEntry
from tests.atom_check import problems
from tests.published import FEED, HOUR, ITEM, NOON, described, stored

Versions = dict[int, int]  # revision by item


def listed(number: int, item: int, *, revision: int = 1, age: int = 0) -> ListedEntry:
    """Return an entry that is so many hours old."""
    return ListedEntry(
        number=number,
        item=item,
        instant=NOON - HOUR * age,
        state=str(revision),
        rules=("x",),
        sources=("steppe",),
    )


def versions(shown: Iterable[ListedEntry]) -> Versions:
    return {each.item: int(each.state) for each in shown}


@dataclass
class Published:
    """A feed as it comes about: what its publisher would keep."""

    limit: int
    listed: dict[int, ListedEntry] = field(default_factory=dict)  # by item
    last_number: int = 0

    def add(self, item: int, age: int) -> None:
        """Add an item, or a revision of one that is there."""
        old = self.listed.get(item)
        self.last_number += 1
        revision = int(old.state) + 1 if old else 1
        self.listed[item] = listed(self.last_number, item, revision=revision, age=age)

    def withdraw(self, item: int) -> None:
        self.listed.pop(item, None)

    def head(self) -> list[ListedEntry]:
        return head_entries(self.listed.values(), self.last_number, self.limit)

    def page(self, page: int) -> list[ListedEntry]:
        return [each for each in self.listed.values() if each.number in numbers_of(page, self.limit)]

    @property
    def pages(self) -> int:
        return count_pages(self.last_number, self.limit)

    @property
    def current(self) -> Versions:
        return versions(self.listed.values())


@dataclass
class Reader:
    """Reads the head, and then back as far as it has not been before (RFC 5005 4.2)."""

    known: Versions = field(default_factory=dict)
    pages_read: int = 0

    def poll(self, feed: Published) -> None:
        documents = [feed.page(page) for page in range(self.pages_read + 1, feed.pages + 1)]
        for document in [*documents, feed.head()]:  # what is newer replaces what is older
            self.known |= versions(document)
        self.pages_read = feed.pages


kinds_of_steps = st.sampled_from(["add", "add", "add", "withdraw", "poll"])
steps = st.lists(st.tuples(kinds_of_steps, st.integers(1, 12), st.integers(0, 99)), max_size=60)


@given(steps, st.integers(1, 5))
def test_a_reader_that_polls_now_and_then_knows_all_that_is_current(happened, limit):
    feed, reader = Published(limit), Reader()
    for step, item, age in [*happened, ("poll", 0, 0)]:
        match step:
            case "add":
                feed.add(item, age)
            case "withdraw":
                feed.withdraw(item)
            case _:
                reader.poll(feed)
                assert reader.known | feed.current == reader.known


@given(steps, st.integers(1, 5))
def test_a_full_page_gains_nothing_and_loses_only_what_is_in_a_later_document_or_withdrawn(happened, limit):
    feed, seen = Published(limit), dict[int, Versions]()
    for step, item, age in happened:
        if step == "withdraw":
            feed.withdraw(item)
        else:
            feed.add(item, age)
        pages = {page: versions(feed.page(page)) for page in range(1, feed.pages + 1)}
        for page, before in seen.items():
            assert pages[page].items() <= before.items()
            for lost in before.keys() - pages[page].keys():
                current = feed.listed.get(lost)
                assert current is None or page_of(current.number, limit) > page
        seen = pages


@given(steps, st.integers(1, 5))
def test_whoever_reads_all_finds_each_entry_as_it_is_now_and_the_head_keeps_to_its_limit(happened, limit):
    feed = Published(limit)
    for step, item, age in happened:
        if step == "add":
            feed.add(item, age)
        else:
            feed.withdraw(item)
    found = Versions()
    for page in range(1, feed.pages + 1):
        entries = versions(feed.page(page))
        assert len(entries) <= limit
        assert not entries.keys() & found.keys()
        found |= entries
    head = versions(feed.head())
    assert len(head) == min(limit, len(feed.listed))
    assert found | head == feed.current


def test_the_head_fills_up_with_the_newest_and_keeps_its_order():
    entries = [listed(number, item=number, age=age) for number, age in enumerate([1, 9, 5, 7], start=1)]
    head = head_entries(entries, 4, 3)
    assert [each.item for each in head] == [1, 3, 4]  # the last is on no page yet, though others are newer


def test_of_two_at_one_instant_the_item_that_was_stored_later_comes_first():
    assert [each.item for each in head_entries([listed(1, item=7), listed(2, item=5)], 2, 9)] == [7, 5]


@pytest.mark.parametrize(("number", "page"), [(1, 1), (100, 1), (101, 2), (200, 2), (201, 3)])
def test_a_number_is_on_one_page(number, page):
    assert page_of(number, 100) == page
    assert number in numbers_of(page, 100)


def test_pages_of_another_limit_are_other_documents():
    assert page_name("central-asia", 3, 100) == "central-asia/100-3"
    assert page_name("central-asia", 3, 50) != page_name("central-asia", 3, 100)


def url_of(page: int) -> str:
    return f"https://news.example/feeds/{page_name('x', page, 2)}.atom"


def links(feed: FeedDocument) -> tuple[str | None, str | None, str | None]:
    return feed.head_url, feed.older_url, feed.newer_url


def test_documents_name_each_other():
    feed = replace(FEED, hubs=("https://hub.example/",))
    assert links(head_document(feed, url_of, 1, 2)) == (None, None, None)
    head = head_document(feed, url_of, 7, 2)
    assert links(head) == (None, url_of(3), None)
    assert head.hubs == feed.hubs
    pages = [page_document(feed, url_of, page, 3) for page in (1, 2, 3)]
    assert [page.self_url for page in pages] == [url_of(1), url_of(2), url_of(3)]
    assert links(pages[0]) == (FEED.self_url, None, url_of(2))
    assert links(pages[1]) == (FEED.self_url, url_of(1), url_of(3))
    assert links(pages[2]) == (FEED.self_url, url_of(2), None)
    assert not any(page.hubs for page in pages)


def test_every_document_of_a_feed_is_valid():
    entries = described(*(stored(replace(ITEM, id=item, entry_id=f"urn:x:{item}")) for item in range(5)))
    documents = [(head_document(FEED, url_of, 5, 2), entries[:2])]
    documents += [(page_document(FEED, url_of, page, 2), entries[page : page + 2]) for page in (1, 2)]
    for document, shown in documents:
        assert problems(atom.render(document, shown)) == []
