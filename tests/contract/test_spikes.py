"""How much there is of a rule by the hour, and its spikes, each told once."""

from dataclasses import replace

import pytest

from syndicate.model import Ongoing, PollState, SilenceDraft, Spike, SpikeAlert, SpikeStep, Suppressed, Window
from syndicate.store.searching import ItemFilter
from tests.contract.making import (
    EU,
    HOUR,
    MINUTE,
    START,
    Watch,
    attempt,
    backfilled,
    claim_alerts,
    claimed,
    entry,
    failed,
    read,
    reading,
    recorded,
    silenced,
    source,
)

SOURCES = [source("wire"), source("post"), source("late")]
DAY = 24 * HOUR
NEWS = Watch(rule="news", word="news")
NOW = Window(begins=START, ends=START + HOUR)
NEXT = Window(begins=START + HOUR, ends=START + 2 * HOUR)


@pytest.fixture
def store(store):
    store.configure(SOURCES, [EU.state, NEWS.state])
    assert store.skip_backfill([EU.state, NEWS.state])
    return store


def read_late(store, *entries, name="late"):
    """Poll a source and find what may have been there for hours."""
    poll = reading(store, claimed(store, name), *entries)
    return recorded(
        store, replace(poll, changes=tuple(replace(each, came_late=True) for each in poll.changes))
    )


def counts(store, *windows, rule="eu"):
    return store.story_counts([rule], windows or [NOW])[rule]


# --------------------------------------------------------------------------- volumes


def test_stories_are_counted_in_the_hour_in_which_they_came(store, clock):
    read(store, entry("a"))
    clock.forward(HOUR - MINUTE)
    read(store, entry("b"))
    clock.forward(MINUTE)
    read(store, entry("c"))
    assert counts(store, NOW, NEXT) == (2, 1)
    assert counts(store, Window(begins=START + MINUTE, ends=START + HOUR + MINUTE)) == (2,)


def test_dates_of_publishers_make_no_difference(store):
    dates = [START - 9 * DAY, START, START + 9 * DAY]
    read(store, *(entry(str(number), published=date) for number, date in enumerate(dates)))
    assert counts(store) == (3,)


def test_a_story_counts_once_however_many_tell_it_and_in_its_first_hour(store, clock):
    read(store, entry("a"))
    read(store, entry("a", "EU news elsewhere"), name="post")
    clock.forward(HOUR)
    read(store, entry("a", "EU news at last"), name="late")
    read(store, entry("b"), name="late")
    assert len(store.items(ItemFilter())) == 4
    assert counts(store, NOW, NEXT) == (1, 1)


def test_rules_are_counted_apart(store):
    read(store, entry("a", "EU alone"), entry("b"), watches=[EU, NEWS])
    assert store.story_counts(["eu", "news"], [NOW]) == {"eu": (2,), "news": (1,)}


def test_what_came_late_is_not_counted_nor_is_a_story_that_it_began(store, clock):
    read_late(store, entry("a"))
    clock.forward(HOUR)
    read(store, entry("a", "EU news elsewhere"), entry("b"))
    assert counts(store, NOW, NEXT) == (0, 1)


def test_a_match_that_has_ended_is_not_counted(store):
    read(store, entry("a"), entry("b"))
    read(store, entry("a", "Nothing of interest"))
    assert counts(store) == (1,)


def test_an_hour_in_which_nothing_came_is_known_if_somebody_looked(store, clock):
    clock.forward(MINUTE)
    read(store)
    clock.forward(2 * HOUR)
    recorded(store, failed(claimed(store), store))  # looked, and saw nothing
    after = Window(begins=START + 2 * HOUR, ends=START + 3 * HOUR)
    assert counts(store, NOW, NEXT, after) == (0, None, None)


def test_a_window_is_known_if_each_hour_of_it_is(store, clock):
    read(store)
    half = Window(begins=START + HOUR / 2, ends=START + HOUR * 3 / 2)
    assert counts(store, half) == (None,)
    clock.forward(HOUR)
    read(store)
    assert counts(store, half) == (0,)


def test_what_a_hub_sends_shows_that_somebody_looks(store):
    poll = reading(store, claimed(store), entry("a"))
    recorded(store, replace(poll, state=PollState.PUSHED))
    assert counts(store) == (1,)


def test_a_new_rule_knows_what_it_was_applied_to(store, clock):
    read(store, entry("a"), watches=[EU])
    clock.forward(HOUR)
    read(store, entry("b"), watches=[EU])
    new = Watch(rule="new", word="EU")
    store.configure(SOURCES, [EU.state, new.state])
    assert counts(store, NOW, NEXT, rule="new") == (None, None)
    backfilled(store, new, START + HOUR)
    assert counts(store, NOW, NEXT, rule="new") == (None, 1)
    backfilled(store, new, START - DAY)
    assert counts(store, NOW, NEXT, rule="new") == (1, 1)
    backfilled(store, new, START + HOUR)  # the rest is as it was
    assert counts(store, NOW, NEXT, rule="new") == (1, 1)


def test_an_edited_rule_knows_nothing_of_what_its_former_version_was_applied_to(store, clock):
    read(store, entry("a"))
    clock.forward(HOUR)
    read(store, entry("b"))
    edited = replace(EU, version="2")
    store.configure(SOURCES, [edited.state])
    backfilled(store, edited, START + HOUR)
    assert counts(store, NOW, NEXT) == (None, 1)


def test_a_rule_that_nobody_knows_has_no_volume(store):
    read(store)
    assert counts(store, rule="other") == (None,)
    assert store.story_counts([], [NOW]) == {}
    assert store.story_counts(["eu"], []) == {"eu": ()}


# --------------------------------------------------------------------------- spikes

SPIKE = Spike(rule="eu", hour=NOW, count=42, usual=6, score=14.7, weeks=8)
BEGINS = SpikeStep(rule="eu", began=SPIKE, endpoints=("desk", "chat"))


def told(store):
    """Return the alerts about spikes that are on their way to the endpoint `chat`."""
    alerts = [alert for delivery in claim_alerts(store, "chat") for alert in delivery.alerts]
    return [alert for alert in alerts if isinstance(alert, SpikeAlert)]


def test_a_spike_that_begins_is_told_to_each_endpoint_at_once(store, clock):
    assert store.record_spikes([BEGINS]) == 2
    assert store.ongoing_spikes() == {"eu": Ongoing(began_at=clock.now)}
    desk, chat = claim_alerts(store, "desk", "chat")
    assert (desk.endpoint, chat.endpoint) == ("desk", "chat")
    (alert,) = desk.alerts
    assert isinstance(alert, SpikeAlert)
    assert (alert.kind, alert.rule, alert.created_at, alert.spike) == ("spike", "eu", clock.now, SPIKE)
    assert [status.spikes for status in store.deliveries()] == [("eu",), ("eu",)]
    assert all(status.alerts == status.sources == () for status in store.deliveries())


def test_it_is_told_with_the_newest_of_its_stories_and_who_had_them_first(store, clock):
    read_late(store, entry("before", "EU before"))
    for number in range(7):
        clock.forward(MINUTE)
        read(store, entry(str(number), f"EU {number}"), entry(f"other-{number}", "Nothing of interest"))
    read(store, entry("6", "EU six"), name="post")
    store.record_spikes([BEGINS])
    (alert,) = told(store)
    assert [(each.source, each.title) for each in alert.headlines] == [
        ("wire", f"EU {number}") for number in (6, 5, 4, 3, 2)
    ]
    first, item = alert.headlines[0], store.items(ItemFilter(id=alert.headlines[0].item))[0].item
    assert (first.story, first.link, first.first_seen) == (item.story, item.link, item.first_seen)
    assert first.first_seen == START + 7 * MINUTE


def test_what_is_told_stays_as_it_was_when_the_spike_began(store, clock):
    read(store, entry("a", "EU one"))
    store.record_spikes([BEGINS])
    clock.forward(MINUTE)
    read(store, entry("a", "EU two"))
    assert [each.title for alert in told(store) for each in alert.headlines] == ["EU one"]


def test_two_processes_that_see_a_spike_tell_it_once(store, clock):
    assert store.record_spikes([BEGINS]) == 2
    clock.forward(MINUTE)
    assert store.record_spikes([BEGINS]) == 0
    assert store.ongoing_spikes() == {"eu": Ongoing(began_at=clock.now - MINUTE)}
    assert len(store.deliveries()) == 2


def test_one_that_is_over_makes_room_for_the_next(store, clock):
    store.record_spikes([BEGINS])
    began = Ongoing(began_at=clock.now)
    calm = replace(began, calm_since=clock.now + HOUR)
    assert store.record_spikes([SpikeStep(rule="eu", ongoing=calm)]) == 0
    assert store.ongoing_spikes() == {"eu": calm}
    clock.forward(4 * HOUR)
    assert store.record_spikes([SpikeStep(rule="eu", ongoing=calm, is_over=True)]) == 0
    assert store.ongoing_spikes() == {}
    assert store.record_spikes([BEGINS]) == 2
    stale = SpikeStep(rule="eu", ongoing=calm, is_over=True)  # what another process knows of the former one
    store.record_spikes([stale])
    assert store.ongoing_spikes() == {"eu": Ongoing(began_at=clock.now)}
    assert len(claim_alerts(store)) == 2


def test_spikes_of_rules_are_apart(store):
    store.record_spikes([BEGINS])
    news = replace(BEGINS, rule="news", began=replace(SPIKE, rule="news"))
    assert store.record_spikes([news]) == 2
    assert store.ongoing_spikes().keys() == {"eu", "news"}


def test_a_spike_is_delivered_beside_alerts_about_items(store):
    read(store, entry("a"))
    store.record_spikes([replace(BEGINS, endpoints=("desk",))])
    about_item, about_spike = claim_alerts(store)
    assert [alert.kind for each in (about_item, about_spike) for alert in each.alerts] == ["match", "spike"]
    store.record_attempts([attempt(about_spike, store)])
    assert [status.state.value for status in store.deliveries()] == ["delivered", "waiting"]


def test_a_suppressed_alert_counts_as_its_match_does(store):
    read(store, entry("a"), suppressed=Suppressed.BACKFILL)
    assert counts(store) == (1,)


# --------------------------------------------------------------------------- renamed rules

RENAMED = replace(EU, rule="union", renamed_from=("eu",))
BACK = replace(EU, renamed_from=("union",))


def rename(store, *watches):
    return store.configure(SOURCES, [watch.state for watch in watches])


def test_a_renamed_rule_knows_what_it_was_applied_to(store, clock):
    read(store, entry("a"))
    clock.forward(HOUR)
    read(store, entry("b"))
    rename(store, RENAMED)
    assert counts(store, NOW, NEXT, rule="union") == (1, 1)


def test_a_rule_that_is_renamed_back_knows_what_it_was_applied_to(store, clock):
    read(store, entry("a"))
    rename(store, RENAMED)
    clock.forward(HOUR)
    read(store, entry("b"), watches=[RENAMED])
    assert rename(store, BACK) == ()  # nothing has to be applied anew
    assert counts(store, NOW, NEXT) == (1, 1)
    assert store.match_counts() == {"eu": 2}


@pytest.mark.parametrize(("version", "known"), [("1", (1, 1)), ("2", (None, 1))])
def test_what_was_renamed_before_that_was_said_knows_it_if_it_is_the_same(store, clock, version, known):
    read(store, entry("a"))
    clock.forward(HOUR)
    read(store, entry("b"))
    present = replace(RENAMED, version=version)
    rename(store, EU, replace(present, renamed_from=()))
    backfilled(store, present, START + HOUR)
    assert rename(store, present) == ()
    assert counts(store, NOW, NEXT, rule="union") == known


def test_a_renamed_rule_goes_on_with_its_spike_and_does_not_tell_it_again(store, clock):
    store.record_spikes([BEGINS])
    rename(store, RENAMED)
    assert store.ongoing_spikes() == {"union": Ongoing(began_at=START)}
    renamed = replace(BEGINS, rule="union", began=replace(SPIKE, rule="union"))
    assert store.record_spikes([renamed]) == 0
    ongoing = Ongoing(began_at=START, calm_since=START)
    store.record_spikes([SpikeStep(rule="union", ongoing=ongoing, is_over=True)])
    assert store.record_spikes([renamed]) == 0  # in the same hour
    assert [alert.rule for alert in told(store)] == ["union"]


def test_of_two_spikes_that_of_the_present_name_goes_on(store, clock):
    both = replace(RENAMED, renamed_from=())
    rename(store, EU, both)
    store.record_spikes([BEGINS])
    clock.forward(HOUR)
    store.record_spikes([replace(BEGINS, rule="union", began=replace(SPIKE, rule="union"))])
    rename(store, RENAMED)
    assert store.ongoing_spikes() == {"union": Ongoing(began_at=START + HOUR)}


def test_a_silence_of_a_renamed_rule_goes_on(store):
    draft = SilenceDraft(author="ann", reason="known", expires_at=START + HOUR, rule="eu")
    store.add_silence(draft)
    rename(store, RENAMED)
    read(store, entry("a"), watches=[RENAMED])
    assert silenced(store) == 1
    assert [each.draft.rule for each in store.silences()] == ["union"]
