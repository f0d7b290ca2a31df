"""How much is claimed ahead for an endpoint: much for a quick one, nothing for one that is slow or fails."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from syndicate.alerts.lane import AHEAD, MOST_AHEAD, Lane, Ready
from syndicate.model import Attempt, Delivery, DeliveryState, Endpoint

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
QUICK = timedelta(milliseconds=2)


def lane(at_once: int = 4, waiting: int = 0) -> Lane:
    made = Lane(endpoint=Endpoint(id="desk", url="https://desk.example/"), at_once=at_once)
    made.queue.extend(ready(str(number)) for number in range(waiting))
    return made


def ready(identity: str) -> Ready:
    delivery = Delivery(
        id=identity,
        endpoint="desk",
        token="t",
        body=b"{}",
        created_at=NOW,
        attempts=0,
        tries=0,
        lease_until=NOW,
        alerts=(),
    )
    return Ready(delivery=delivery, body=b"{}")


def attempt(lasts: timedelta, *, is_taken: bool = True, status: int | None = 200) -> Attempt:
    return Attempt(
        delivery="1",
        endpoint="desk",
        token="t",
        started_at=NOW,
        duration=lasts,
        status=status,
        error=None if is_taken else "no",
        answer="",
        state=DeliveryState.DELIVERED if is_taken else DeliveryState.WAITING,
        next_attempt_at=None,
    )


def after(made: Lane, *attempts: Attempt) -> Lane:
    for each in attempts:
        made.note(each)
    return made


def test_nothing_is_claimed_ahead_for_an_endpoint_that_is_not_known():
    assert lane(at_once=3).depth == 3


def test_much_is_claimed_ahead_for_one_that_is_quick():
    assert after(lane(), *[attempt(QUICK)] * 20).depth == MOST_AHEAD


def test_one_slow_answer_is_enough_to_claim_nothing_ahead():
    made = after(lane(), *[attempt(QUICK)] * 20)
    assert after(made, attempt(AHEAD * 2)).depth == 4


def test_nothing_is_claimed_ahead_for_one_that_fails_however_quickly():
    made = after(lane(), *[attempt(QUICK)] * 20)
    assert after(made, attempt(QUICK, is_taken=False, status=500)).depth == 4


def test_what_is_too_far_ahead_is_given_back_the_last_first_claimed():
    made = lane(waiting=10)
    surplus = made.note(attempt(QUICK, is_taken=False, status=None))
    assert [each.delivery.id for each in surplus] == ["4", "5", "6", "7", "8", "9"]
    assert [each.delivery.id for each in made.queue] == ["0", "1", "2", "3"]


def test_attempts_in_a_row_without_an_answer_are_counted():
    silent = attempt(QUICK, is_taken=False, status=None)
    made = after(lane(), silent, silent)
    assert made.unanswered == 2
    assert after(made, attempt(QUICK, is_taken=False, status=500)).unanswered == 0
    assert after(made, silent, attempt(QUICK, status=None)).unanswered == 0  # taken, by what has no status


@given(
    at_once=st.integers(1, 64),
    lasting=st.lists(st.floats(0, 60).map(lambda seconds: timedelta(seconds=seconds)), max_size=30),
    last=st.floats(0, 60).map(lambda seconds: timedelta(seconds=seconds)),
)
def test_what_is_claimed_is_sent_soon_if_the_endpoint_stays_as_it_was(at_once, lasting, last):
    made = after(lane(at_once), *map(attempt, (*lasting, last)))
    assert at_once <= made.depth <= max(MOST_AHEAD, at_once)
    assert made.depth == at_once or made.depth * last <= at_once * AHEAD


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 300))
def test_the_queue_never_stays_longer_than_may_be_claimed_and_nothing_is_lost(taken, waiting):
    made = lane(waiting=waiting)
    given_back: list[Ready] = []
    for is_taken in taken:
        given_back = made.note(attempt(QUICK, is_taken=is_taken)) + given_back
        assert len(made.queue) <= made.depth
    left = [each.delivery.id for each in (*made.queue, *given_back)]
    assert left == [str(number) for number in range(waiting)]
