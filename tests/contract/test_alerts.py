"""Once per (rule, story, endpoint), for ever; and what is published."""

from dataclasses import replace

import pytest

from syndicate.model import Alert, Suppressed
from syndicate.store.protocol import RuleState
from syndicate.store.searching import ItemFilter
from tests.contract.making import (
    EU,
    HOUR,
    START,
    Watch,
    backfill_matches,
    backfilled,
    claim_alerts,
    claimed,
    entry,
    read,
    reading,
    recorded,
    shown,
    source,
    written,
)

SOURCES = [source("wire"), source("post")]
PLAIN = "Nothing of interest"
DAY = 24 * HOUR


@pytest.fixture
def store(store):
    store.configure(SOURCES, [EU.state])
    backfilled(store, EU, START - DAY)
    return store


def alerted(store):
    """Return (rule, endpoint) of every delivery there is."""
    return sorted((rule, status.endpoint) for status in store.deliveries() for rule, _ in status.alerts)


def feed_titles(store, rule="eu", limit=100):
    return [stored.item.title for stored in shown(store, rule, limit)]


def publish_all(store):
    store.feeds_published(written(store))


def stale(store):
    return [feed.id for feed in store.stale_feeds()]


# -- once


def test_a_match_alerts_each_endpoint_of_its_rule(store):
    result = read(store, entry(), watches=[replace(EU, notify=("desk", "chat"))])
    assert (result.matched, result.alerts, result.suppressed) == (1, 2, 0)
    assert alerted(store) == [("eu", "chat"), ("eu", "desk")]


def test_each_rule_alerts_for_itself(store):
    store.configure(SOURCES, [EU.state, RuleState(id="news", version="1", feed=True)])
    read(store, entry(), watches=[EU, Watch(rule="news", word="news")])
    assert alerted(store) == [("eu", "desk"), ("news", "desk")]


def test_an_item_that_does_not_match_alerts_nobody(store):
    assert read(store, entry(title=PLAIN)).alerts == 0
    assert alerted(store) == []


def test_an_edit_alerts_nobody_again(store):
    read(store, entry())
    for number in range(3):
        assert read(store, entry(title=f"EU news, edit {number}")).alerts == 0
    assert len(alerted(store)) == 1


def test_an_item_that_matches_no_longer_and_then_again_alerts_nobody_again(store):
    read(store, entry())
    read(store, entry(title=PLAIN))
    assert feed_titles(store) == []
    read(store, entry(title="EU news after all"))
    assert feed_titles(store) == ["EU news after all"]
    assert len(alerted(store)) == 1


def test_an_edit_that_first_makes_an_item_match_alerts_once(store):
    read(store, entry(title=PLAIN))
    assert read(store, entry()).alerts == 1
    assert read(store, entry(title="EU news, edited")).alerts == 0
    assert len(alerted(store)) == 1


def test_a_new_endpoint_is_not_told_of_old_matches(store):
    read(store, entry())
    read(store, entry(title="EU news, edited"), watches=[replace(EU, notify=("desk", "chat"))])
    assert alerted(store) == [("eu", "desk")]


def test_the_same_story_in_two_sources_alerts_once(store):
    read(store, entry("a"))
    result = read(store, entry("a", "EU news elsewhere"), name="post")
    assert (result.new, result.matched, result.alerts, result.suppressed) == (1, 1, 0, 0)
    assert len(alerted(store)) == 1
    assert len(feed_titles(store)) == 2


def test_the_same_story_twice_in_one_batch_alerts_once(store):
    polls = [reading(store, claimed(store, name), entry("a", f"EU in {name}")) for name in ("wire", "post")]
    first, second = store.record_polls(polls)
    assert (first.alerts, second.alerts) == (1, 0)


def test_front_pages_are_stories_of_their_own(store):
    read(store, entry("a", link="https://news.example/"), entry("b", link="https://news.example/"))
    assert len(alerted(store)) == 2


# -- suppressed


@pytest.mark.parametrize("reason", Suppressed)
def test_a_suppressed_alert_is_in_the_ledger_and_stays_suppressed(store, reason):
    result = read(store, entry(), suppressed=reason)
    assert (result.matched, result.alerts, result.suppressed) == (1, 0, 1)
    assert read(store, entry(title="EU news, edited")).alerts == 0
    assert read(store, entry(title=PLAIN)).alerts == 0
    assert read(store, entry(title="EU news again")).alerts == 0
    assert alerted(store) == []


@pytest.mark.parametrize("reason", [each for each in Suppressed if each is not Suppressed.SILENCED])
def test_news_of_another_source_is_told_though_it_was_suppressed_elsewhere(store, reason):
    read(store, entry(), suppressed=reason)
    assert read(store, entry(title="EU news elsewhere"), name="post").alerts == 1
    assert read(store, entry(title="EU news elsewhere, edited"), name="post").alerts == 0
    assert read(store, entry(title="EU news, edited")).alerts == 0
    assert len(alerted(store)) == 1


def test_what_is_suppressed_later_takes_nothing_back(store):
    assert read(store, entry()).alerts == 1
    assert read(store, entry(), name="post", suppressed=Suppressed.BASELINE).suppressed == 0
    assert len(alerted(store)) == 1


def test_a_suppressed_alert_holds_for_its_endpoint_only(store):
    read(store, entry(), suppressed=Suppressed.BASELINE)
    result = read(store, entry(title="EU elsewhere"), name="post", watches=[replace(EU, notify=("chat",))])
    assert result.alerts == 1


def test_an_edit_that_first_makes_a_baseline_item_match_alerts(store):
    read(store, entry(title=PLAIN), suppressed=Suppressed.BASELINE)
    assert read(store, entry()).alerts == 1


# -- rules over what is stored


def test_a_new_rule_is_to_be_applied_once(store):
    rules = [EU.state, RuleState(id="new", version="1", feed=True)]
    assert store.configure(SOURCES, rules) == ("new",)
    assert store.configure(SOURCES, rules) == ("new",)  # until it was
    backfilled(store, Watch(rule="new", word="news"), START - DAY)
    assert store.configure(SOURCES, rules) == ()


def test_an_edited_rule_is_to_be_applied_again(store):
    assert store.configure(SOURCES, [EU.state]) == ()
    assert store.configure(SOURCES, [replace(EU, version="2").state]) == ("eu",)
    assert store.configure(SOURCES, [replace(EU, version="2").state]) == ("eu",)
    backfilled(store, replace(EU, version="2"), START - DAY)
    assert store.configure(SOURCES, [replace(EU, version="2").state]) == ()


def test_a_rule_that_comes_back_is_to_be_applied_again(store):
    """Nothing was matched against it while it was away."""
    store.configure(SOURCES, [])
    read(store, entry(), watches=[])
    assert store.configure(SOURCES, [EU.state]) == ("eu",)
    assert backfilled(store, EU, START - DAY).matched == 1
    assert feed_titles(store) == ["EU news"]
    assert store.configure(SOURCES, [EU.state]) == ()


def test_a_backfill_fills_the_feed_and_alerts_nobody(store):
    read(store, entry(), entry("two", PLAIN), watches=[])
    publish_all(store)
    result = backfilled(store, EU, START - DAY)
    assert (result.matched, result.alerts, result.suppressed) == (1, 0, 1)
    assert feed_titles(store) == ["EU news"]
    assert stale(store) == ["eu"]
    assert alerted(store) == []
    assert read(store, entry(title="EU news, edited")).alerts == 0


def test_a_backfill_replaces_the_matches_of_the_rule_in_its_window(store, clock):
    read(store, entry("old", "EU old"))
    clock.forward(2 * DAY)
    read(store, entry("a", "EU alone"), entry("b", "EU with strategy"), entry("c", "strategy alone"))
    edited = replace(EU, word="strategy", version="2")
    store.configure(SOURCES, [edited.state])
    backfilled(store, edited, clock.now - DAY)
    assert sorted(feed_titles(store)) == ["EU old", "EU with strategy", "strategy alone"]
    versions = {stored.item.guid: stored.match.rule_version for stored in shown(store, "eu", 10)}
    assert versions == {"guid-old": "1", "guid-b": "2", "guid-c": "2"}
    hits = {stored.item.guid: stored.match.hits[0].term for stored in shown(store, "eu", 10)}
    assert hits["guid-b"] == "strategy"


def test_a_backfill_ends_no_match_that_a_poll_found_meanwhile(store):
    edited = replace(EU, version="2")
    store.configure(SOURCES, [edited.state])
    read(store, entry("a"), watches=[EU])
    found = backfill_matches(store, edited, START - DAY)
    read(store, entry("b", "EU meanwhile"), watches=[edited])
    store.record_backfill(edited.state, START - DAY, found)
    assert sorted(feed_titles(store)) == ["EU meanwhile", "EU news"]


def test_a_backfill_does_not_undo_what_an_edit_decided_meanwhile(store):
    edited = replace(EU, version="2")
    store.configure(SOURCES, [edited.state])
    read(store, entry("a", "EU one"), entry("b", "EU two"), watches=[])
    found = backfill_matches(store, edited, START - DAY)
    read(store, entry("a", PLAIN), entry("b", "Two, the EU"), watches=[edited])
    store.record_backfill(edited.state, START - DAY, found)
    (stored,) = shown(store, "eu", 10)
    assert (stored.item.title, stored.revision) == ("Two, the EU", 2)
    assert stored.match.hits[0].start == len("Two, the ")


def test_a_match_names_the_revision_that_its_evidence_is_of(store):
    read(store, entry())
    assert shown(store, "eu", 1)[0].revision == 1
    read(store, entry(title="More EU news"))
    (stored,) = shown(store, "eu", 1)
    assert (stored.revision, stored.match.hits[0].start) == (2, 5)


# -- feeds


def test_a_configured_feed_is_stale_until_published(store):
    assert stale(store) == ["eu"]
    publish_all(store)
    assert stale(store) == []


def test_a_configuration_makes_feeds_stale_as_their_bytes_depend_on_it(store):
    publish_all(store)
    store.configure(SOURCES, [EU.state])
    assert stale(store) == ["eu"]


@pytest.mark.parametrize(
    ("before", "after", "is_stale"),
    [(PLAIN, PLAIN + " still", False), (PLAIN, "EU", True), ("EU", "EU still", True), ("EU", PLAIN, True)],
)
def test_a_feed_is_stale_when_a_match_comes_changes_or_ends(store, before, after, is_stale):
    read(store, entry(title=before))
    publish_all(store)
    read(store, entry(title=after))
    assert stale(store) == (["eu"] if is_stale else [])


def test_a_poll_without_changes_makes_no_feed_stale(store):
    read(store, entry())
    publish_all(store)
    read(store, entry())
    assert stale(store) == []


def test_a_match_recorded_while_publishing_keeps_the_feed_stale(store):
    done = written(store)
    read(store, entry())
    store.feeds_published(done)
    assert stale(store) == ["eu"]
    publish_all(store)
    assert stale(store) == []


def test_an_older_generation_published_late_may_have_replaced_the_file_so_it_is_made_again(store):
    older = written(store)
    read(store, entry())
    publish_all(store)
    store.feeds_published(older)
    assert stale(store) == ["eu"]
    publish_all(store)
    assert stale(store) == []


def test_a_feed_id_never_changes(store, clock):
    (before,) = store.stale_feeds()
    assert before.feed_id.startswith("urn:uuid:")
    assert before.created_at == START
    clock.forward(HOUR)
    store.configure(SOURCES, [])
    store.configure(SOURCES, [replace(EU, version="2").state])
    (after,) = store.stale_feeds()
    assert (after.feed_id, after.created_at) == (before.feed_id, before.created_at)


def test_feeds_have_ids_of_their_own(store):
    store.configure(SOURCES, [EU.state, RuleState(id="other", version="1", feed=True)])
    assert len({feed.feed_id for feed in store.stale_feeds()}) == 2


@pytest.mark.parametrize("rules", [[], [replace(EU, feed=False).state]], ids=["removed", "alerts only"])
def test_a_feed_that_is_published_no_longer_is_retired(store, rules):
    assert store.retired_names() == []
    store.configure(SOURCES, rules)
    assert store.retired_names() == ["eu"]
    assert stale(store) == []
    store.configure(SOURCES, [EU.state])
    assert store.retired_names() == []
    assert stale(store) == ["eu"]


def test_a_rule_for_alerts_only_has_no_feed(store):
    store.configure(SOURCES, [RuleState(id="quiet", version="1", feed=False)])
    assert "quiet" not in stale(store) + store.retired_names()


def test_a_feed_shows_its_newest_matches(store, clock):
    for number in range(5):
        read(store, entry(str(number), f"EU {number}"), entry(f"plain{number}", PLAIN))
        clock.forward(HOUR)
    assert feed_titles(store, limit=3) == ["EU 4", "EU 3", "EU 2"]


def test_a_feed_keeps_what_removed_sources_brought(store):
    read(store, entry())
    store.configure([source("post")], [EU.state])
    assert feed_titles(store) == ["EU news"]


def test_matches_that_hold_are_counted(store):
    read(store, entry("a"), entry("b"), entry("c"))
    read(store, entry("a", PLAIN))
    assert store.match_counts()["eu"] == 2


# -- what an alert tells


def test_a_delivery_carries_the_item_and_why_it_matched(store):
    read(store, entry())
    (delivery,) = claim_alerts(store)
    (alert,) = delivery.alerts
    assert isinstance(alert, Alert)
    assert (alert.kind, alert.rule, alert.created_at) == ("match", "eu", START)
    assert alert.stored.item == store.items(ItemFilter())[0].item
    assert alert.stored.match == EU.match("EU news")


def test_a_match_that_an_edit_has_ended_keeps_its_last_evidence(store):
    read(store, entry())
    read(store, entry(title=PLAIN))
    (delivery,) = claim_alerts(store)
    (alert,) = delivery.alerts
    assert isinstance(alert, Alert)
    assert (alert.stored.item.title, alert.stored.revision) == (PLAIN, 1)
    assert alert.stored.match == EU.match("EU news")


def test_a_rule_may_be_gone_when_its_alert_is_delivered(store):
    read(store, entry())
    store.configure([], [])
    (delivery,) = claim_alerts(store)
    assert [alert.rule for alert in delivery.alerts if isinstance(alert, Alert)] == ["eu"]


def test_all_that_follows_from_a_poll_is_reported(store):
    read(store, entry("a"), entry("b", PLAIN))
    result = recorded(
        store,
        reading(store, claimed(store), entry("a", "EU edited"), entry("b"), entry("c"), entry("d", PLAIN)),
    )
    assert result.source == "wire"
    assert (result.new, result.changed, result.matched, result.alerts) == (2, 2, 2, 2)
