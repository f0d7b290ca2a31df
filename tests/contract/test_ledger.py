"""What is known of a match and its alerts; what a person asks for is told, once."""

from dataclasses import replace

import pytest

from syndicate.model import AlertDraft, DeliveryState, Suppressed
from syndicate.store.searching import ItemFilter
from tests.contract.making import (
    EU,
    HOUR,
    START,
    Watch,
    attempt,
    backfill_matches,
    backfilled,
    claim_alerts,
    entry,
    read,
    source,
)

SOURCES = [source("wire"), source("post")]
PLAIN = "Nothing of interest"
DAY = 24 * HOUR
BOTH = replace(EU, notify=("desk", "chat"))


@pytest.fixture
def store(store):
    store.configure(SOURCES, [EU.state])
    backfilled(store, EU, START - DAY)
    return store


def asked_for(store, watch=EU, since=START - DAY):
    """Apply a rule to what is stored, and tell its endpoints of that."""
    matches = [
        replace(
            match,
            alerts=tuple(
                AlertDraft(rule=watch.rule, endpoint=endpoint, is_asked_for=True) for endpoint in watch.notify
            ),
        )
        for match in backfill_matches(store, watch, since)
    ]
    return store.record_backfill(watch.state, since, matches)


def the_item(store, name="one"):
    return next(found.item for found in store.items(ItemFilter()) if found.item.guid == f"guid-{name}")


def ledger(store, *names, rule="eu"):
    """Return (endpoint, state, reason) of what the ledger has of these items' stories."""
    stories = [the_item(store, name).story for name in names or ("one",)]
    return [(alert.endpoint, alert.state, alert.reason) for alert in store.alerts_about(rule, stories)]


def endpoints(store):
    return sorted(status.endpoint for status in store.deliveries())


# -- what the ledger has


def test_an_alert_is_in_the_ledger_with_its_delivery(store):
    read(store, entry(), watches=[BOTH])
    item = the_item(store)
    desk, chat = store.alerts_about("eu", [item.story])
    assert (desk.endpoint, desk.state, desk.reason, desk.item) == ("desk", "alerted", None, item.id)
    assert (chat.endpoint, chat.story, chat.created_at) == ("chat", item.story, START)
    assert desk.delivery in {status.id for status in store.deliveries()}
    assert desk.delivery_state is DeliveryState.WAITING


def test_the_ledger_says_how_a_delivery_ended(store):
    read(store, entry())
    (delivery,) = claim_alerts(store)
    store.record_attempts([attempt(delivery, store)])
    (alert,) = store.alerts_about("eu", [the_item(store).story])
    assert (alert.delivery, alert.delivery_state) == (delivery.id, DeliveryState.DELIVERED)


@pytest.mark.parametrize("reason", Suppressed)
def test_the_ledger_says_why_an_alert_was_suppressed(store, reason):
    read(store, entry(), suppressed=reason)
    (alert,) = store.alerts_about("eu", [the_item(store).story])
    assert (alert.state, alert.reason) == ("suppressed", reason)
    assert (alert.delivery, alert.delivery_state) == (None, None)


def test_the_ledger_tells_stories_and_rules_apart(store):
    other = Watch(rule="eu-news", word="news")
    store.configure(SOURCES, [EU.state, other.state])
    for number in range(12):  # story 1 is not 11
        read(store, entry(str(number)), watches=[EU, other])
    for name in ("0", "10"):
        assert ledger(store, name) == [("desk", "alerted", None)]
    assert len(ledger(store, "0", "3", "11", rule="eu-news")) == 3
    assert ledger(store, "0", rule="news") == store.alerts_about("eu", []) == []


def test_the_ledger_names_the_item_of_the_story_that_was_told(store):
    read(store, entry("a"), suppressed=Suppressed.BASELINE)
    read(store, entry("a", "EU news elsewhere"), name="post")
    (alert,) = store.alerts_about("eu", [the_item(store, "a").story])
    told = next(found.item for found in store.items(ItemFilter()) if found.item.source == "post")
    assert (alert.item, alert.state) == (told.id, "alerted")


# -- a match


def test_a_match_is_known_by_its_rule_and_item(store, clock):
    read(store, entry())
    clock.forward(HOUR)
    item = the_item(store)
    stored = store.stored_match("eu", item.id)
    assert (stored.item, stored.match, stored.revision) == (item, EU.match("EU news"), 1)
    assert (stored.matched_at, stored.ended_at) == (START, None)
    assert store.stored_match("other", item.id) is store.stored_match("eu", item.id + 1) is None


def test_a_match_that_ended_says_when(store, clock):
    read(store, entry())
    clock.forward(HOUR)
    read(store, entry(title=PLAIN))
    stored = store.stored_match("eu", the_item(store).id)
    assert (stored.ended_at, stored.revision, stored.item.revision) == (START + HOUR, 1, 2)
    clock.forward(HOUR)
    read(store, entry())
    assert store.stored_match("eu", the_item(store).id).ended_at is None


# -- applying a rule


def test_a_backfill_counts_what_is_new_in_the_feed_and_what_ends(store):
    read(store, entry("a", "EU alone"), entry("b", "EU with strategy"), entry("c", "strategy"))
    edited = replace(EU, word="strategy", version="2")
    store.configure(SOURCES, [edited.state])
    result = backfilled(store, edited, START - DAY)
    assert (result.matched, result.new, result.ended) == (2, 1, 1)
    again = backfilled(store, edited, START - DAY)
    assert (again.matched, again.new, again.ended) == (2, 0, 0)


def test_a_match_that_comes_back_is_new_in_the_feed(store):
    read(store, entry())
    store.configure(SOURCES, [replace(EU, version="2").state])
    store.record_backfill(replace(EU, version="2").state, START - DAY, [])
    assert backfilled(store, replace(EU, version="3"), START - DAY).new == 1


def test_what_an_edit_ends_is_counted(store):
    read(store, entry())
    assert read(store, entry(title=PLAIN)).ended == 1


@pytest.mark.parametrize("reason", Suppressed)
def test_what_was_suppressed_is_told_when_a_person_asks_for_it_once(store, reason):
    read(store, entry(), suppressed=reason)
    assert asked_for(store).alerts == 1
    assert ledger(store) == [("desk", "alerted", None)]
    assert asked_for(store).alerts == 0
    assert read(store, entry(title="EU news elsewhere"), name="post").alerts == 0
    assert endpoints(store) == ["desk"]


def test_what_was_told_is_not_told_again_when_a_person_asks_for_it(store):
    read(store, entry())
    assert asked_for(store).alerts == 0
    assert asked_for(store, BOTH).alerts == 1
    assert endpoints(store) == ["chat", "desk"]


def test_a_story_is_told_once_when_a_person_asks_for_it(store):
    for name in ("wire", "post"):
        read(store, entry(), name=name, suppressed=Suppressed.BASELINE)
    assert asked_for(store).alerts == 1
    assert endpoints(store) == ["desk"]


def test_a_backfill_that_nobody_asked_to_tell_leaves_what_was_suppressed(store):
    read(store, entry(), suppressed=Suppressed.BASELINE)
    assert backfilled(store, EU, START - DAY).alerts == 0
    assert ledger(store) == [("desk", "suppressed", Suppressed.BASELINE)]


# -- looking


def test_items_are_found_by_their_words_or_because_a_rule_holds(store):
    from syndicate.model import Wanted

    read(store, entry("a", "EU alone"), entry("b", "strategy alone"), entry("c", PLAIN))
    wanted = ItemFilter(any_of=(Wanted(column="words", words=("strategy",)),))

    def found(which):
        return sorted(found.item.guid for found in store.items(which))

    assert found(wanted) == ["guid-b"]
    assert found(replace(wanted, or_rule="eu")) == ["guid-a", "guid-b"]
    assert found(replace(wanted, or_rule="other")) == ["guid-b"]
    assert found(replace(wanted, any_of=(), or_rule="eu")) == ["guid-a"]
    assert found(replace(wanted, any_of=None, or_rule="eu")) == ["guid-a", "guid-b", "guid-c"]
