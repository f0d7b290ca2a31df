"""Polls that change nothing but the times are recorded together, and as if they had been one by one."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import Poll, PollState, Source, Spent, Trust, Validators
from syndicate.store.sqlite import SqliteStore
from tests.contract.making import LEASE, MINUTE, NO_PACE, START, UNWRITABLE, Clock

COUNT = 4
SOURCES = [
    Source(id=f"source-{number}", title="A", urls=(f"https://{number}.example/feed",))
    for number in range(COUNT)
]

times = st.datetimes(START.replace(tzinfo=None), (START + timedelta(days=9)).replace(tzinfo=None)).map(
    lambda moment: moment.replace(tzinfo=START.tzinfo)
)
maybe_times = st.none() | times
texts = st.none() | st.sampled_from(["https://elsewhere.example/feed", "a", ""])
values = st.fixed_dictionaries(
    {
        "next_poll_at": times,
        "next_poll_why": st.sampled_from(["", "it publishes about every 5 min", UNWRITABLE]),
        "status": st.sampled_from([200, 304]),
        "validators": st.builds(
            Validators, etag=st.none() | st.binary(max_size=4), last_modified=st.none(), url=texts
        ),
        "body_hash": texts,
        "moved_to": texts,
        "moved_count": st.integers(0, 3),
        "adopted": st.none() | st.just("https://elsewhere.example:8080/feed"),
        "spent": st.builds(Spent, requests=st.integers(0, 3), received_bytes=st.integers(0, 99)),
        "trust": st.builds(
            Trust, unchanged_since=maybe_times, checked_at=maybe_times, strikes=st.integers(0, 2)
        ),
        "format": st.sampled_from(["", "rss20"]),
        "has_news": st.booleans(),
        "stale_until": maybe_times,
    }
)
made_due = st.lists(st.booleans(), min_size=COUNT, max_size=COUNT)


def kept(path, given, due, is_plain):
    """Return what is stored after a failed poll of each source, and then unchanged ones."""
    clock = Clock()
    with closing(SqliteStore(path, clock)) as store:
        store.configure(SOURCES, [])
        store.record_polls(
            [
                Poll(
                    claim=claim, ended_at=clock.now, state=PollState.FAILED, next_poll_at=clock.now,
                    status=500, error="it failed", held_until=clock.now + MINUTE,
                )
                for claim in store.claim_sources(limit=9, due_by=clock.now, lease=LEASE, pace=NO_PACE)
            ]
        )  # fmt: skip
        clock.forward(10 * MINUTE)
        claims = store.claim_sources(limit=9, due_by=clock.now, lease=LEASE, pace=NO_PACE)
        polls = [
            Poll(claim=claim, ended_at=clock.now, state=PollState.UNCHANGED, **each)
            for claim, each in zip(claims, given, strict=True)
        ]
        assert len(polls) == COUNT
        clock.forward(MINUTE)
        with closing(sqlite3.connect(path)) as db:
            for source, is_due in enumerate(due, 1):
                if is_due:  # by a hub, say
                    db.execute("UPDATE sources SET next_poll_at = ?, next_poll_why = 'asked' WHERE id = ?",
                               ["2026-11-24T03:00:00.000000Z", source])  # fmt: skip
            db.commit()
        # A source without a hub has none to doubt: that is told, and changes nothing.
        recorded = store.record_polls(polls if is_plain else [replace(poll, doubts=1) for poll in polls])
    with closing(sqlite3.connect(path)) as db:
        tables = [
            db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in ("sources", "addresses")
        ]
    return [(each.source, each.error is None, each.was_stale) for each in recorded], tables


@given(given=st.lists(values, min_size=COUNT, max_size=COUNT), due=made_due)
def test_plain_polls_are_recorded_together_as_they_would_be_one_by_one(tmp_path_factory, given, due):
    folder = tmp_path_factory.mktemp("stores")
    assert kept(folder / "plain.db", given, due, True) == kept(folder / "other.db", given, due, False)


def test_a_plain_poll_that_cannot_be_written_stops_no_other(tmp_path):
    values = [
        {"next_poll_at": START + LEASE, "next_poll_why": f"because of {number}"} for number in range(COUNT)
    ]
    values[1]["next_poll_why"] = UNWRITABLE
    recorded, (sources, _) = kept(tmp_path / "store.db", values, [False] * COUNT, True)
    assert [is_kept for _, is_kept, _ in recorded] == [True, False, True, True]
    assert all("because of" in str(row) for row in sources if row[1] != "source-1")


def test_a_plain_poll_is_recorded_once_and_under_its_own_lease_only(tmp_path):
    clock = Clock()
    with closing(SqliteStore(tmp_path / "store.db", clock)) as store:
        store.configure(SOURCES, [])
        first = store.claim_sources(limit=9, due_by=clock.now, lease=LEASE, pace=NO_PACE)
        clock.forward(2 * LEASE)
        second = store.claim_sources(limit=2, due_by=clock.now, lease=LEASE, pace=NO_PACE)
        polls = [
            Poll(claim=claim, ended_at=clock.now, state=PollState.UNCHANGED, next_poll_at=clock.now + LEASE)
            for claim in (*first, *second)
        ]
        taken = {claim.source.id for claim in second}
        stale = [each.was_stale for each in store.record_polls(polls)]
        assert stale == [*(claim.source.id in taken for claim in first), False, False]
        assert all(each.was_stale for each in store.record_polls(polls))
