"""What the feed of health tells whoever runs the service: notices once, dead letters while they are dead."""

import pytest

from syndicate.model import DeliveryState, Gap, Notice, TroubleKind
from tests.contract.making import (
    EU,
    HOUR,
    MINUTE,
    SECOND,
    START,
    UNWRITABLE,
    attempt,
    claim_alerts,
    claimed,
    entry,
    failed,
    poll,
    read,
    reading,
    recorded,
    source,
)

SILENT = Notice(kind=TroubleKind.SILENT, since=START, text="it has published nothing for 3 days")
OVER = Notice(kind=TroubleKind.SILENT, since=START, text="it publishes again", is_over=True)


@pytest.fixture
def store(store):
    store.configure([source(), source("post")], [EU.state])
    store.publish_health(is_published=True)
    return store


def notices(store):
    return [(each.source or each.endpoint, each.text, each.is_over) for each in store.health(None).notices]


def test_there_is_none_unless_it_is_published(store):
    first = store.health(None)
    assert len(first.token) >= 32
    assert first.created_at == START
    store.publish_health(is_published=True)  # as at every start
    assert store.health(None) == first
    store.publish_health(is_published=False)
    assert store.health(None) is None
    assert store.retired_names() == [f"{first.token}/health"]
    store.publish_health(is_published=True)
    again = store.health(None)
    assert again.token != first.token
    assert again.feed_id == first.feed_id


def test_what_is_the_matter_with_a_source_is_noted_though_nobody_is_alerted(store, clock):
    known = store.health(None).changes
    assert store.health(known) is None
    recorded(store, failed(claimed(store), store, notices=(SILENT,)))
    clock.forward(HOUR)
    recorded(store, poll(claimed(store), store, notices=(OVER,)))
    report = store.health(known)
    assert notices(store) == [("wire", OVER.text, True), ("wire", SILENT.text, False)]
    assert [each.noticed_at for each in report.notices] == [START + HOUR, START]
    assert report.changes > known
    assert store.deliveries() == []


def test_gaps_are_noted_unless_archives_had_what_was_missed(store):
    gap = Gap(begins=START - HOUR, ends=START - MINUTE, found_at=START)
    recorded(store, poll(claimed(store), store, gap=gap))
    closed = Gap(begins=START - HOUR, ends=START - MINUTE, found_at=START, filled=3, is_closed=True)
    recorded(store, poll(claimed(store, "post"), store, gap=closed))
    text = "what it published from 2026-11-24 01:00 to 2026-11-24 01:59 UTC may be missing"
    assert notices(store) == [("wire", text, False)]


def test_a_poll_that_cannot_be_written_leaves_no_notice(store):
    bad = reading(store, claimed(store), entry(title=UNWRITABLE), notices=(SILENT,))
    assert store.record_polls([bad])[0].error
    assert notices(store) == []


def test_a_disabled_endpoint_is_noted(store):
    read(store, entry())
    (delivery,) = claim_alerts(store)
    refused = attempt(
        delivery,
        store,
        status=410,
        error="it answered 410",
        state=DeliveryState.WAITING,
        next_attempt_at=store.now(),
        is_last=True,
    )
    (told,) = store.record_attempts([refused])
    assert notices(store) == [("desk", told.text, False)]


def test_a_dead_letter_is_there_until_it_is_sent_again(store, clock):
    read(store, entry())
    known = store.health(None).changes
    (delivery,) = claim_alerts(store)
    clock.forward(MINUTE)
    dead = attempt(delivery, store, state=DeliveryState.DEAD, status=500, error="it answered 500")
    store.record_attempts([dead])
    report = store.health(known)
    (letter,) = report.dead
    assert (letter.delivery.id, letter.delivery.attempts, letter.delivery.last_error) == (
        delivery.id,
        1,
        "it answered 500",
    )
    assert letter.died_at == dead.started_at
    clock.forward(SECOND)
    store.replay_deliveries([delivery.id])
    assert store.health(report.changes).dead == ()


def test_what_is_delivered_is_no_change(store):
    read(store, entry())
    known = store.health(None).changes
    (delivery,) = claim_alerts(store)
    store.record_attempts([attempt(delivery, store)])
    assert store.health(known) is None
