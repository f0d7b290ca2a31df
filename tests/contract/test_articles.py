"""Pages of articles, what became of each item's page, and hosts that are left alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syndicate.model import ArticleNote, Block, Page, Suppressed
from syndicate.store.protocol import PAGE_AGE, HostPace
from tests.contract.making import HOUR, MINUTE, SECOND, claim_all, claimed, entry, reading, recorded, source

PAGE = Page(
    key="k",
    reading="r",
    host="news.example:443",
    fetched_at=None,  # type: ignore[arg-type]
    lines=("One line.", "A link"),
    links=(1,),
    blocks=(Block(hash="a", length=9, is_link=False), Block(hash="b", length=6, is_link=True)),
)


@pytest.fixture
def store(store):
    store.configure([source("wire"), source("other")], [])
    return store


def page(store, key="k", **fields) -> Page:
    return replace(PAGE, key=key, fetched_at=store.now(), **fields)


# --------------------------------------------------------------------------- pages


def test_a_page_is_found_as_it_was_kept_by_any_source(store, clock):
    kept = page(store)
    store.keep_page("wire", kept)
    clock.forward(HOUR)
    assert store.page("k", "r", store.now() - HOUR) == kept
    assert store.page("k", "other selectors", store.now() - HOUR) is None
    assert store.page("other", "r", store.now() - HOUR) is None
    assert store.page("k", "r", store.now() - MINUTE) is None


def test_of_a_page_that_is_read_again_the_later_reading_is_kept(store, clock):
    store.keep_page("wire", page(store))
    clock.forward(HOUR)
    later = page(store, lines=("Another line.",), links=())
    store.keep_page("wire", later)
    assert store.page("k", "r", store.now() - PAGE_AGE) == later
    assert [each.key for each in store.pages_of("wire", PAGE.host)] == ["k"]


def test_old_pages_lose_their_text_and_are_still_compared_with(store, clock):
    store.keep_page("wire", page(store))
    clock.forward(PAGE_AGE + SECOND)
    store.keep_page("wire", page(store, "later"))
    assert store.page("k", "r", store.now() - 2 * PAGE_AGE) is None
    assert [(each.key, each.blocks) for each in store.pages_of("wire", PAGE.host)] == [
        ("k", PAGE.blocks),
        ("later", PAGE.blocks),
    ]


def test_the_last_pages_of_a_source_and_host_are_kept(store):
    for number in range(40):
        store.keep_page("wire", page(store, f"{number}"))
        store.keep_page("other", page(store, f"{number}"))
        store.keep_page("wire", page(store, f"elsewhere {number}", host="elsewhere.example:443"))
    assert [each.key for each in store.pages_of("wire", PAGE.host)] == [
        f"{number}" for number in range(16, 40)
    ]
    assert len(store.pages_of("other", PAGE.host)) == 24


def test_a_source_that_links_to_ever_other_hosts_keeps_so_many_pages(store):
    for number in range(250):
        store.keep_page("wire", page(store, f"{number}", host=f"h{number}.example:443"))
    kept = [number for number in range(250) if store.pages_of("wire", f"h{number}.example:443")]
    assert kept == list(range(50, 250))


# --------------------------------------------------------------------------- articles of items


def note(item, store, **fields) -> ArticleNote:
    return ArticleNote(
        **{
            "item": item,
            "told": "t",
            "has_text": False,
            "tries": 1,
            "since": store.now(),
            "next_try_at": store.now() + 5 * MINUTE,
            **fields,
        }
    )


def noted(store, *entries, **fields):
    """Record a poll with entries, for each of which a note is made."""
    poll = reading(store, claimed(store), *entries, watches=())
    notes = tuple(note(change.keys[0], store, **fields) for change in poll.changes)
    recorded(store, replace(poll, articles=notes))


def test_an_item_is_awaited_when_its_page_is_due(store, clock):
    noted(store, entry("one"), suppressed=Suppressed.BASELINE)
    assert store.awaited_articles("wire", 10) == []
    clock.forward(5 * MINUTE)
    (awaited,) = store.awaited_articles("wire", 10)
    assert awaited.entry == replace(entry("one"), published=None)
    assert (awaited.tries, awaited.told, awaited.suppressed) == (1, "t", Suppressed.BASELINE)
    assert awaited.since == clock.now - 5 * MINUTE
    assert store.awaited_articles("other", 10) == []


def test_what_is_not_to_be_asked_for_again_is_not_awaited(store, clock):
    noted(store, entry("one"), next_try_at=None)
    clock.forward(timedelta(days=365))
    assert store.awaited_articles("wire", 10) == []


def test_the_longest_due_are_awaited_first(store, clock):
    noted(store, entry("one"), next_try_at=store.now() + 2 * MINUTE)
    noted(store, entry("two"), next_try_at=store.now() + MINUTE)
    clock.forward(HOUR)
    assert [each.entry.guid for each in store.awaited_articles("wire", 10)] == ["guid-two", "guid-one"]
    assert len(store.awaited_articles("wire", 1)) == 1


def test_what_is_known_of_an_article_is_found_by_its_item(store):
    noted(store, entry("one"), has_text=True)
    (found,) = store.kept_articles([1, 2]).values()
    assert (found.told, found.has_text, found.body) == ("t", True, "The text of one.")
    assert store.kept_articles([]) == {}


def test_a_later_note_replaces_the_first(store, clock):
    noted(store, entry("one"))
    poll = reading(store, claimed(store))
    recorded(store, replace(poll, articles=(note(1, store, tries=2, next_try_at=None),)))
    clock.forward(HOUR)
    assert store.awaited_articles("wire", 10) == []


def test_a_note_under_a_stale_claim_changes_nothing(store, clock):
    stale = reading(store, claimed(store), entry("one"), watches=())
    clock.forward(HOUR)
    claimed(store)
    (result,) = store.record_polls([replace(stale, articles=(note("guid:guid-one", store),))])
    assert result.was_stale
    clock.forward(HOUR)
    assert store.awaited_articles("wire", 10) == []


# --------------------------------------------------------------------------- hosts


def test_a_host_that_is_left_alone_is_neither_polled_nor_asked(store, clock):
    store.leave_alone("https://wire.example/page", store.now() + HOUR)
    store.leave_alone("https://wire.example/other", store.now() + MINUTE)  # which ends no longer pause
    assert [claim.source.id for claim in claim_all(store)] == ["other"]
    pace = HostPace(interval=SECOND, concurrency=1)
    assert store.take_turn("https://wire.example/page", pace) is None
    clock.forward(HOUR)
    assert {claim.source.id for claim in claim_all(store)} == {"wire", "other"}


def test_a_turn_that_comes_too_late_is_left_to_others(store):
    pace = HostPace(interval=MINUTE, concurrency=1)
    now, address = store.now(), "https://news.example/page"
    assert store.take_turn(address, pace) == now
    assert store.take_turn(address, pace, latest=now + MINUTE) == now + MINUTE
    assert store.take_turn(address, pace, latest=now + HOUR) == now + MINUTE
    assert store.take_turn(address, pace, earliest=now + HOUR) == now + HOUR
    assert store.take_turn(address, pace) == now + HOUR + MINUTE
