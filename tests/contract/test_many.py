"""Much at once: many new items in a poll, many polls in a batch, many rules and feeds."""

import pytest

from syndicate.model import Enclosure, Suppressed, Wanted
from syndicate.store.protocol import RuleState
from syndicate.store.searching import ItemFilter
from tests.contract.making import (
    EU,
    HOUR,
    START,
    UNWRITABLE,
    Watch,
    backfilled,
    claim_all,
    claimed,
    entry,
    read,
    reading,
    recorded,
    source,
    written,
)

MANY = 530  # more than any statement takes
NEWS = Watch(rule="news", word="news")


@pytest.fixture
def store(store):
    store.configure([source("wire"), source("post"), source("mail")], [EU.state, NEWS.state])
    return store


def listed(store, **which):
    return [found.item for found in store.items(ItemFilter(**{"limit": 10_000, **which}))]


def test_many_new_items_are_kept_in_their_order_with_all_that_belongs_to_them(store):
    entries = [
        entry(
            str(number),
            f"EU news number{number}",
            published=START - number * HOUR,
            categories=(f"c{number}", "all"),
            enclosures=(Enclosure(url=f"https://e.example/{number}", type=None, length_bytes=number),),
        )
        for number in range(MANY)
    ]
    done = read(store, *entries, watches=[EU, NEWS], suppressed=Suppressed.BASELINE)
    assert (done.new, done.matched, done.suppressed, done.alerts) == (MANY, 2 * MANY, 2 * MANY, 0)
    items = listed(store)
    assert [item.title for item in items] == [each.title for each in entries]
    assert [item.categories for item in items] == [each.categories for each in entries]
    assert [item.enclosures for item in items] == [each.enclosures for each in entries]
    assert len({item.id for item in items}) == len({item.story for item in items}) == MANY
    assert len({item.entry_id for item in items}) == MANY
    for number in (0, 49, 50, 51, MANY - 1):
        (found,) = listed(store, any_of=[Wanted(column="words", words=(f"number{number}",))])
        assert found.title == f"EU news number{number}"
        assert store.stored_match("news", found.id).match.snippet.text == found.title


def test_many_known_items_are_known_again(store):
    entries = [entry(str(number)) for number in range(MANY)]
    read(store, *entries)
    assert read(store, *entries).new == 0
    changed = [entry(str(number), "EU news, changed") for number in range(MANY)]
    assert read(store, *changed, entry("new")).changed == MANY
    assert {item.revision for item in listed(store)} == {1, 2}


def test_items_of_one_batch_share_stories_and_no_entry_ids(store):
    claims = claim_all(store)
    same = entry("a", guid="https://news.example/a")
    done = store.record_polls([reading(store, claim, same, entry(claim.source.id)) for claim in claims])
    assert [each.new for each in done] == [2, 2, 2]
    shared = [item for item in listed(store) if item.link == same.link]
    assert len({item.story for item in shared}) == 1
    assert len({item.entry_id for item in shared}) == 3
    assert same.guid in {item.entry_id for item in shared}


def test_alerts_of_one_story_in_a_batch_are_one(store):
    claims = claim_all(store)
    done = store.record_polls([reading(store, claim, entry("a")) for claim in claims])
    assert [each.alerts for each in done] == [1, 0, 0]
    quiet = [
        reading(store, claimed(store, name), entry("b"), suppressed=Suppressed.BASELINE) for name in ("wire",)
    ]
    assert store.record_polls(quiet)[0].suppressed == 1
    assert read(store, entry("b"), name="post").alerts == 1  # news there, whatever it was elsewhere


def test_nothing_is_found_of_a_poll_that_cannot_be_written(store):
    claims = {claim.source.id: claim for claim in claim_all(store)}
    bad = reading(store, claims["wire"], entry("a", "EU lost"), entry("b", title=UNWRITABLE))
    good = reading(store, claims["post"], entry("c", "EU found"))
    late = reading(store, claims["mail"], entry("d", "EU found"))
    assert [bool(done.error) for done in store.record_polls([good, bad, late])] == [False, True, False]
    assert listed(store, any_of=[Wanted(column="words", words=("lost",))]) == []
    assert len(listed(store, any_of=[Wanted(column="words", words=("found",))])) == 2
    assert {item.story for item in listed(store)} == {1, 2}


def test_a_new_item_and_an_edited_one_are_recorded_together(store):
    read(store, entry("a"), entry("b", "plain"))
    poll = reading(store, claimed(store), entry("a", "EU news, more"), entry("c"), entry("b", "EU after all"))
    done = recorded(store, poll)
    assert (done.new, done.changed, done.matched, done.alerts) == (1, 2, 2, 2)
    assert sorted(item.title for item in listed(store)) == ["EU after all", "EU news", "EU news, more"]


# -- rules


def test_rules_need_not_be_applied_while_nothing_is_stored(store):
    rules = [EU.state, NEWS.state, RuleState(id="other", version="1", feed=True)]
    assert len(store.configure([source()], rules)) == 3
    assert store.skip_backfill(rules)
    assert store.configure([source()], rules) == ()


def test_rules_must_be_applied_once_something_is_stored(store):
    read(store, entry(), watches=[])
    assert not store.skip_backfill([EU.state])
    assert "eu" in store.configure([source()], [EU.state])
    assert backfilled(store, EU, START - HOUR).matched == 1


def test_several_feeds_are_published_at_once(store):
    done = written(store)
    assert [feed.id for feed in done] == ["eu", "news"]
    read(store, entry(), watches=[EU])
    store.feeds_published(done)
    assert [feed.id for feed in store.stale_feeds()] == ["eu"]
    store.feeds_published([])
