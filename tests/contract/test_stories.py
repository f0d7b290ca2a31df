"""Which items share a story, and why; once per (rule, story, endpoint), for ever."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syndicate.model import Alert, JoinedBy, SilenceDraft, Suppressed
from syndicate.store.protocol import STORY_WINDOW
from syndicate.store.searching import ItemFilter
from tests.contract.making import (
    HOUR,
    MINUTE,
    START,
    UNWRITABLE,
    Watch,
    backfilled,
    claim_alerts,
    claimed,
    entry,
    read,
    reading,
    shown,
    silenced,
    source,
)
from tests.told import texts

OUTLETS = ("wire", "post", "mail", "news", "echo", "star")
DAY = 24 * HOUR
RAIL = Watch(rule="rail", word="")  # for every title
THREE = replace(RAIL, escalate=3)


@pytest.fixture
def store(store):
    store.configure([source(name) for name in OUTLETS], [RAIL.state])
    backfilled(store, RAIL, START - DAY)
    return store


def told(text, name=None, **fields):
    """Return an entry of one of the labelled texts, with guid and link of its own."""
    found = texts("en")[text]
    return entry(name or text, **{"title": found.title, "body": found.body, "language": "en", **fields})


def publish(store, *entries, name="wire", watch=RAIL, **fields):
    return read(store, *entries, name=name, watches=[watch], **fields)


def the_item(store, name):
    """Return the newest item with the guid of a name."""
    found = (found.item for found in store.items(ItemFilter()) if found.item.guid == f"guid-{name}")
    return max(found, key=lambda item: item.id)


def story(store, name):
    return store.story_of(the_item(store, name).id)


def stories(store):
    return len({found.item.story for found in store.items(ItemFilter())})


def claimed_alerts(store):
    """Return the alert of each delivery that is due, oldest first."""
    found = []
    for delivery in claim_alerts(store):
        (alert,) = delivery.alerts
        assert isinstance(alert, Alert)
        found.append(alert)
    return found


def kinds(store):
    return [alert.kind for alert in store.alerts_about("rail", [the_item(store, "rail-a").story])]


# -- sharing a story


def test_rewritten_copy_shares_a_story_and_says_why(store):
    publish(store, told("rail-a"))
    result = publish(store, told("rail-c"), name="post")
    assert (result.new, result.matched, result.alerts) == (1, 1, 0)
    found = story(store, "rail-c")
    first = the_item(store, "rail-a")
    assert found.items == ((first.id, "wire"), (the_item(store, "rail-c").id, "post"))
    assert (found.joined.by, found.joined.other) == (JoinedBy.ALIKE, first.id)
    assert "% of the words" in found.joined.evidence
    assert story(store, "rail-a").joined is None


def test_items_of_one_batch_share_a_story_by_their_texts(store):
    polls = [
        reading(store, claimed(store, name), told(text), watches=[RAIL])
        for name, text in (("wire", "rail-a"), ("post", "rail-b"))
    ]
    assert [result.alerts for result in store.record_polls(polls)] == [1, 0]


def test_items_of_one_document_share_a_story_by_their_texts(store):
    assert publish(store, told("rail-a"), told("rail-b")).alerts == 1
    assert stories(store) == 1


@pytest.mark.parametrize("other", ["rail-next", "rail-other", "water-a"])
def test_another_event_is_another_story(store, other):
    publish(store, told("rail-a"))
    assert publish(store, told(other), name="post").alerts == 1
    assert story(store, other).items == ((the_item(store, other).id, "post"),)


def test_a_short_text_that_is_the_same_shares_a_story(store):
    body = "The border crossing at Bakhty is closed to lorries until noon on Friday."
    publish(store, entry("a", "Closed", body=body))
    assert publish(store, entry("b", "CLOSED!", body=body), name="post").alerts == 0
    assert story(store, "b").joined.by is JoinedBy.TEXT
    assert publish(store, entry("c", "Closed", body=f"{body} Police said so."), name="mail").alerts == 1


def test_a_text_that_is_the_same_shares_a_story_for_ever(store, clock):
    publish(store, told("rail-a"))
    clock.forward(400 * DAY)
    assert publish(store, told("rail-a", "again"), name="post").alerts == 0


def test_the_page_that_an_article_names_as_its_own_is_its_story(store):
    publish(store, entry("a"))
    mirrored = entry("b", link="https://mirror.example/9", canonical="https://news.example/a")
    assert publish(store, mirrored, name="post").alerts == 0
    assert story(store, "b").joined.by is JoinedBy.LINK


def test_a_link_that_is_the_same_counts_before_a_text_that_is_alike(store):
    publish(store, told("rail-a"), told("water-a"))
    publish(store, told("rail-b", link="https://news.example/water-a"), name="post")
    assert the_item(store, "rail-b").story == the_item(store, "water-a").story


def test_of_several_stories_a_text_joins_the_one_that_most_texts_alike_have(store):
    publish(store, told("rail-a"), watch=Watch(rule="rail", word="no such word"))
    publish(store, told("rail-b"), name="post")
    publish(store, told("rail-c"), name="mail")
    backfilled(store, RAIL, START - DAY)  # by which the first item can be found, in a story of its own
    assert publish(store, told("rail-copy"), name="news").alerts == 0
    assert the_item(store, "rail-copy").story == the_item(store, "rail-b").story
    assert the_item(store, "rail-b").story != the_item(store, "rail-a").story


# -- what is compared


def test_a_text_is_compared_with_those_of_the_last_days_only(store, clock):
    publish(store, told("rail-a"))
    clock.forward(STORY_WINDOW - MINUTE)
    assert publish(store, told("rail-b"), name="post").alerts == 0
    clock.forward(2 * MINUTE)
    publish(store, told("rail-c"), name="mail")
    assert story(store, "rail-c").joined.other == the_item(store, "rail-b").id
    clock.forward(STORY_WINDOW + MINUTE)
    assert publish(store, told("rail-copy"), name="news").alerts == 1


def test_days_later_new_texts_are_still_compared_with_one_another(store, clock):
    for day in range(5):
        clock.forward(2 * STORY_WINDOW)
        alerts = [
            publish(store, told(text, f"{text} {day}"), name=name).alerts
            for name, text in (("wire", "rail-a"), ("post", "rail-b"))
        ]
        assert alerts == ([1, 0] if day == 0 else [0, 0]), day  # later on, the texts are the same
    assert the_item(store, "rail-a 4").story == the_item(store, "rail-b 4").story


def test_what_no_rule_holds_for_is_compared_with_nothing(store):
    nothing = Watch(rule="rail", word="no such word")
    publish(store, told("rail-a"), watch=nothing)
    publish(store, told("rail-b"), name="post", watch=nothing)
    assert stories(store) == 2


def test_an_item_that_an_edit_makes_a_match_is_compared_with_from_then_on(store):
    nothing = Watch(rule="rail", word="no such word")
    publish(store, told("rail-a", title="Trains"), watch=nothing)
    publish(store, told("rail-a"))
    assert publish(store, told("rail-b"), name="post").alerts == 0


@pytest.mark.parametrize(("text", "by"), [("rail-b", JoinedBy.ALIKE), ("rail-a", JoinedBy.TEXT)])
def test_an_item_that_an_edit_makes_a_match_comes_to_the_story_that_was_told(store, text, by):
    teaser = told(text, "late", title="Trains", body="More soon.")
    publish(store, teaser, name="post", watch=Watch(rule="rail", word="no such word"))
    assert publish(store, told("rail-a")).alerts == 1
    assert publish(store, told(text, "late"), name="post").alerts == 0
    assert story(store, "late").items == (
        (the_item(store, "late").id, "post"),
        (the_item(store, "rail-a").id, "wire"),
    )
    assert story(store, "late").joined.by is by
    assert publish(store, entry("copy", link="https://news.example/late"), name="mail").alerts == 0


def test_an_item_that_others_share_a_link_with_stays_with_them(store):
    nothing = Watch(rule="rail", word="no such word")
    publish(store, entry("late", "Trains"), name="post", watch=nothing)
    publish(store, entry("copy", "Trains", link="https://news.example/late"), name="mail", watch=nothing)
    publish(store, told("rail-a"))
    publish(store, told("rail-b", "late"), name="post")
    assert the_item(store, "late").story == the_item(store, "copy").story != the_item(store, "rail-a").story


def test_an_item_stays_in_its_story_and_is_known_by_its_first_text(store):
    publish(store, told("rail-a"))
    publish(store, told("water-a"), name="post")
    before = the_item(store, "rail-a").story
    publish(store, told("water-b", "rail-a"))  # as in a live blog
    assert the_item(store, "rail-a").story == before
    publish(store, told("rail-b"), name="mail")
    publish(store, told("water-copy"), name="news")
    assert the_item(store, "rail-b").story == before
    assert the_item(store, "water-copy").story == the_item(store, "water-a").story != before


def test_what_a_new_rule_finds_among_stored_items_is_compared_with(store):
    publish(store, told("rail-a"), watch=Watch(rule="rail", word="no such word"))
    assert backfilled(store, RAIL, START - DAY).matched == 1
    assert publish(store, told("rail-b"), name="post").alerts == 1  # it is news: another source's
    assert the_item(store, "rail-b").story == the_item(store, "rail-a").story
    assert publish(store, told("rail-c"), name="mail").alerts == 0


def test_a_baseline_is_silent_and_is_compared_with(store):
    assert publish(store, told("rail-a"), suppressed=Suppressed.BASELINE).suppressed == 1
    assert publish(store, told("rail-b"), name="post").alerts == 1
    assert publish(store, told("rail-c"), name="mail").alerts == 0


def test_a_poll_that_cannot_be_written_leaves_nothing_to_compare_with(store):
    polls = [
        reading(
            store, claimed(store, "wire"), told("rail-a"), told("water-a", author=UNWRITABLE), watches=[RAIL]
        ),
        reading(store, claimed(store, "post"), told("rail-b"), watches=[RAIL]),
    ]
    failed, other = store.record_polls(polls)
    assert failed.error
    assert (other.error, other.alerts) == (None, 1)
    assert publish(store, told("rail-c"), name="mail").alerts == 0


def test_edits_of_an_item_within_one_poll_are_known_by_the_first_text(store):
    publish(store, told("rail-a", title="Trains"), watch=Watch(rule="rail", word="no such word"))
    poll = reading(store, claimed(store), told("rail-a"), watches=[RAIL])
    (edit,) = poll.changes
    (result,) = store.record_polls([replace(poll, changes=(edit, edit))])
    assert (result.error, result.alerts) == (None, 1)
    assert publish(store, told("rail-b"), name="post").alerts == 0


def test_a_bulletin_that_everybody_has_bounds_what_is_compared(store):
    many = [
        told("rail-a", f"bulletin-{number}", body=f"{texts('en')['rail-a'].body} {number} {number + 7}.5")
        for number in range(80)
    ]
    publish(store, *many)
    assert publish(store, told("rail-b"), name="post").alerts == 0
    assert stories(store) < 80


# -- more sources


def test_a_story_is_alerted_again_once_when_so_many_sources_carry_it(store):
    texts_by_outlet = dict(zip(OUTLETS, ("rail-a", "rail-b", "rail-c", "rail-copy"), strict=False))
    alerts = [
        publish(store, told(text), name=name, watch=THREE).alerts for name, text in texts_by_outlet.items()
    ]
    assert alerts == [1, 0, 1, 0]
    first, again = claimed_alerts(store)
    assert (first.kind, first.sources) == ("match", ())
    assert (again.kind, again.sources) == ("escalation", ("wire", "post", "mail"))
    assert again.stored.item.guid == "guid-rail-c"
    assert kinds(store) == ["match", "escalation"]
    (alert,) = (
        alert for alert in store.alerts_about("rail", [story(store, "rail-a").id]) if alert.kind != "match"
    )
    assert alert.sources == ("wire", "post", "mail")


def test_the_same_source_counts_once(store):
    for text in ("rail-a", "rail-b", "rail-c", "rail-copy"):
        publish(store, told(text), watch=THREE)
    assert kinds(store) == ["match"]


def test_a_source_counts_while_the_rule_holds_for_its_item(store):
    watch = replace(THREE, word="a")
    publish(store, told("rail-a"), watch=watch)
    publish(store, told("rail-b"), name="post", watch=watch)
    publish(store, told("rail-b", title="Noise"), name="post", watch=watch)
    assert publish(store, told("rail-c"), name="mail", watch=watch).alerts == 0
    assert publish(store, told("rail-copy"), name="news", watch=watch).alerts == 1
    again = claimed_alerts(store)[-1]
    assert (again.kind, again.sources) == ("escalation", ("wire", "mail", "news"))


def test_each_endpoint_is_told_again(store):
    both = replace(THREE, notify=("desk", "chat"))
    for name, text in zip(OUTLETS, ("rail-a", "rail-b", "rail-c"), strict=False):
        publish(store, told(text), name=name, watch=both)
    assert sorted(status.endpoint for status in store.deliveries()) == ["chat", "chat", "desk", "desk"]


@pytest.mark.parametrize("reason", Suppressed)
def test_what_is_no_news_does_not_alert_again_but_counts(store, reason):
    publish(store, told("rail-a"), watch=THREE)
    publish(store, told("rail-b"), name="post", watch=THREE)
    assert publish(store, told("rail-c"), name="mail", watch=THREE, suppressed=reason).alerts == 0
    assert publish(store, told("rail-copy"), name="news", watch=THREE).alerts == 1
    assert kinds(store) == ["match", "escalation"]


def test_a_first_alert_is_not_at_once_followed_by_another(store):
    for name, text in (("wire", "rail-a"), ("post", "rail-b")):
        publish(store, told(text), name=name, watch=THREE, suppressed=Suppressed.BASELINE)
    assert publish(store, told("rail-c"), name="mail", watch=THREE).alerts == 1
    assert kinds(store) == ["match"]
    assert publish(store, told("rail-copy"), name="news", watch=THREE).alerts == 1


def silence(store):
    return store.add_silence(SilenceDraft(author="ann", reason="known", expires_at=store.now() + HOUR)).id


def test_a_story_that_was_silenced_alerts_when_it_has_become_big(store, clock):
    silence(store)
    for name, text in (("wire", "rail-a"), ("post", "rail-b")):
        publish(store, told(text), name=name, watch=THREE)
        silenced(store)
    clock.forward(HOUR)
    publish(store, told("rail-c"), name="mail", watch=THREE)
    assert [(alert.kind, alert.sources) for alert in claimed_alerts(store)] == [
        ("escalation", ("wire", "post", "mail"))
    ]


def test_a_silence_also_holds_when_a_story_has_become_big_and_for_ever(store, clock):
    number = silence(store)
    for name, text in zip(OUTLETS, ("rail-a", "rail-b", "rail-c"), strict=False):
        publish(store, told(text), name=name, watch=THREE)
    assert silenced(store) == 2
    clock.forward(HOUR)
    assert publish(store, told("rail-copy"), name="news", watch=THREE).alerts == 0
    ledger = store.alerts_about("rail", [the_item(store, "rail-a").story])
    assert [(alert.kind, alert.silence) for alert in ledger] == [("match", number), ("escalation", number)]


@pytest.mark.parametrize("reason", [Suppressed.BASELINE, Suppressed.FALLBACK, Suppressed.BACKFILL])
def test_who_was_told_late_is_told_again_as_well(store, reason):
    publish(store, told("rail-a"), watch=THREE, suppressed=reason)
    for name, text in (("post", "rail-b"), ("mail", "rail-c")):
        publish(store, told(text), name=name, watch=THREE)
    assert kinds(store) == ["match", "escalation"]
    assert [alert.stored.item.source for alert in claimed_alerts(store)] == ["post", "mail"]


def test_an_escalation_that_was_sent_is_not_made_again_by_edits(store):
    for name, text in zip(OUTLETS, ("rail-a", "rail-b", "rail-c"), strict=False):
        publish(store, told(text), name=name, watch=THREE)
    for number in range(3):
        publish(store, told("rail-c", title=f"Trains, edit {number}"), name="mail", watch=THREE)
    assert kinds(store) == ["match", "escalation"]


# -- renamed rules

RENAMED = replace(RAIL, rule="railways", renamed_from=("trains", "rail"))


def rename(store, *watches):
    return store.configure(
        [source(name) for name in OUTLETS], [watch.state for watch in watches or (RENAMED,)]
    )


def test_a_renamed_rule_is_the_same_rule(store):
    publish(store, told("rail-a"))
    (feed,) = store.stale_feeds()
    assert rename(store) == ()  # nothing has to be applied anew
    assert [stored.item.guid for stored in shown(store, "railways", 9)] == ["guid-rail-a"]
    (renamed,) = store.stale_feeds()
    assert (renamed.id, renamed.feed_id, renamed.created_at) == ("railways", feed.feed_id, feed.created_at)
    assert store.retired_names() == ["rail"]
    assert store.match_counts() == {"railways": 1}


def test_a_renamed_rule_alerts_nobody_again(store):
    publish(store, told("rail-a"))
    rename(store)
    assert publish(store, told("rail-a", title="Trains"), watch=RENAMED).alerts == 0
    assert publish(store, told("rail-b"), name="post", watch=RENAMED).alerts == 0
    assert [alert.rule for alert in claimed_alerts(store)] == ["railways"]
    assert store.alerts_about("rail", [the_item(store, "rail-a").story]) == []


def test_a_renamed_rule_escalates_once(store):
    for name, text in zip(OUTLETS, ("rail-a", "rail-b", "rail-c"), strict=False):
        publish(store, told(text), name=name, watch=THREE)
    again = replace(RENAMED, escalate=3)
    rename(store, again)
    assert publish(store, told("rail-copy"), name="news", watch=again).alerts == 0


def test_rules_with_names_alike_stay_as_they_are(store):
    others = [replace(RAIL, rule=name) for name in ("rail-2", "rai")]
    rename(store, RAIL, *others)
    read(store, told("rail-a"), watches=[RAIL, *others])
    rename(store, RENAMED, *others)
    assert store.match_counts() == {"railways": 1, "rail-2": 1, "rai": 1}
    story = [the_item(store, "rail-a").story]
    assert [len(store.alerts_about(rule, story)) for rule in ("railways", "rail-2", "rai", "rail")] == [
        1,
        1,
        1,
        0,
    ]


def test_what_was_told_under_the_former_name_counts_where_the_new_one_came_first(store):
    """Somebody renames a file, sees what follows, and then says that it was a renaming."""
    publish(store, told("rail-a"))
    publish(store, told("water-a"), suppressed=Suppressed.BASELINE)
    forgotten = replace(RENAMED, renamed_from=())
    assert rename(store, forgotten) == ("railways",)
    backfilled(store, forgotten, START - DAY)
    assert rename(store) == ()
    assert store.match_counts() == {"railways": 2}
    assert publish(store, told("rail-b"), name="post", watch=RENAMED).alerts == 0
    assert publish(store, told("water-b"), name="post", watch=RENAMED).alerts == 1


def test_both_names_may_have_told_of_a_story_and_all_is_still_delivered(store):
    publish(store, told("rail-a"))
    forgotten = replace(RENAMED, renamed_from=())
    rename(store, forgotten)
    publish(store, told("rail-b"), name="post", watch=forgotten)
    rename(store)
    assert [alert.rule for alert in claimed_alerts(store)] == ["railways"] * 2
    assert publish(store, told("rail-c"), name="mail", watch=RENAMED).alerts == 0
    ledger = store.alerts_about("railways", [the_item(store, "rail-a").story])
    assert [store.items(ItemFilter(id=alert.item))[0].item.source for alert in ledger] == ["wire", "post"]


@pytest.mark.parametrize("reason", [None, Suppressed.BASELINE])
def test_another_rule_with_a_former_name_has_told_nothing(store, reason):
    publish(store, told("rail-a"), suppressed=reason)
    forgotten = replace(RENAMED, renamed_from=())
    rename(store, forgotten)
    publish(store, told("rail-b"), name="post", watch=forgotten, suppressed=reason)
    rename(store)
    rename(store, forgotten, RAIL)
    result = publish(store, told("rail-c"), name="mail", suppressed=Suppressed.BACKFILL)
    assert result.suppressed == 1  # entered in a ledger of its own


def test_a_process_that_knows_the_former_name_only_tells_nothing_again(store):
    publish(store, told("rail-a"))
    rename(store)
    assert publish(store, told("rail-b"), name="post").alerts == 0
    assert publish(store, told("water-a"), name="mail").alerts == 1
    rename(store)
    assert publish(store, told("water-b"), name="news", watch=RENAMED).alerts == 0
    assert [alert.rule for alert in claimed_alerts(store)] == ["railways"] * 2


def test_a_renamed_rule_may_stay_marked_as_that(store):
    publish(store, told("rail-a"))
    for _ in range(3):
        rename(store)
    assert store.match_counts() == {"railways": 1}


def test_what_was_removed_and_comes_back_renamed_is_applied_to_what_it_missed(store):
    publish(store, told("rail-a"))
    rename(store, Watch(rule="other"))
    assert rename(store) == ("railways",)
    assert store.match_counts() == {"railways": 1}


def test_the_former_name_may_be_given_to_another_rule_later(store):
    publish(store, told("rail-a"))
    rename(store)
    another = Watch(rule="rail", word="water", version="2")
    assert rename(store, replace(RENAMED, renamed_from=()), another) == ("rail",)
    backfilled(store, another, START - DAY)
    feeds = {feed.id: feed.feed_id for feed in store.stale_feeds()}
    assert feeds.keys() == {"rail", "railways"}
    assert feeds["rail"] != feeds["railways"]
    assert store.retired_names() == []


# -- sources that go and come back


@pytest.mark.parametrize("gone_for", [timedelta(hours=1), timedelta(days=40)])
def test_a_source_that_was_removed_alerts_nobody_again_under_whatever_id(store, clock, gone_for):
    publish(store, told("rail-a"))
    store.configure([source("post")], [RAIL.state])
    clock.forward(gone_for)
    store.configure([source(name) for name in ("wire", "wire-again", "post")], [RAIL.state])
    assert publish(store, told("rail-a", title="Trains")).alerts == 0
    moved = told("rail-a", "moved", link="https://elsewhere.example/1")
    assert publish(store, moved, name="wire-again").alerts == 0
