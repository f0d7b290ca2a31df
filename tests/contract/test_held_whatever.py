"""Every alert is told once or silenced, whatever comes: paces, floods, silences, urgent rules, crashes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from syndicate.alerts.pace import route
from syndicate.model import (
    Alert,
    Attempt,
    Cron,
    Delivery,
    DeliveryState,
    GroupBy,
    Grouping,
    Pace,
    QuietHours,
    SilenceDraft,
)
from syndicate.store.protocol import Floods, Store
from tests.contract.conftest import STORES
from tests.contract.making import (
    LEASE,
    MINUTE,
    Clock,
    Watch,
    attempt,
    entry,
    read,
    retried,
    source,
)
from tests.postgres import Server

URGENT = frozenset({"urgent"})
WATCHES = [Watch(rule="eu", word="EU"), Watch(rule="asia", word="Asia"), Watch(rule="urgent", word="Now")]
WORDS = ["EU", "Asia", "Now", "EU Asia", "EU Now"]
PACES = [
    Pace(),
    Pace(grouping=Grouping(by=(GroupBy.RULE,), wait=MINUTE, interval=10 * MINUTE)),
    Pace(max_per_hour=2),
    Pace(digest=Cron(minutes=(0,), hours=(8, 20))),
    Pace(quiet_hours=(QuietHours(begins=1 * 60, ends=9 * 60),), max_per_hour=3),
]
PLAIN = PACES[0]


@dataclass
class Desk:
    """An endpoint, what it was sent, and a store that is asked as the service asks it."""

    store: Store
    clock: Clock
    pace: Pace = PLAIN
    flood_after: int | None = None
    is_read: bool = False  # people read there
    recorded: int = 0  # attempts
    items: list[str] = field(default_factory=list)
    silences: list[int] = field(default_factory=list)
    sent: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)  # alerts, by delivery
    taken: list[str] = field(default_factory=list)  # deliveries, as they were taken

    def configure(self, pace: Pace, flood_after: int | None) -> None:
        self.pace, self.flood_after = pace, flood_after
        paced = ["desk"] if pace.holds_back else []
        self.store.configure([source()], [watch.state for watch in WATCHES], "", paced)

    def publish(self, words: list[str]) -> None:
        self.items += words
        news = [entry(str(number), f"{title} {number}") for number, title in enumerate(self.items)]
        read(self.store, *news, watches=WATCHES)

    def silence(self, rule: str, minutes: int) -> None:
        ends = self.store.now() + minutes * MINUTE
        draft = SilenceDraft(author="ann", reason="summit", expires_at=ends, rule=rule)
        self.silences.append(self.store.add_silence(draft).id)

    def expire(self) -> None:
        self.store.expire_silences(self.silences)

    def let_go(self) -> None:
        for endpoint in self.store.endpoints_to_route():
            self.store.route_held(
                endpoint,
                lambda held, past, now: route(held, self.pace, past, now, URGENT),
                interval=self.pace.grouping.interval if self.pace.grouping else timedelta(),
                urgent=URGENT,
            )

    def claim(self, most: int) -> list[Delivery]:
        if self.flood_after is not None:
            self.store.collapse_floods(
                Floods(
                    flood_after={"desk": self.flood_after},
                    read={"desk"} if self.is_read else (),
                    urgent=URGENT,
                )
            )
        claimed = self.store.claim_deliveries(limit=most, room={"desk": most}, lease=LEASE)
        fresh = [each for each in claimed if each.body is None]
        self.store.freeze_bodies([(each.id, each.token, said(each)) for each in fresh])
        return claimed

    def deliver(self, most: int, outcome: str) -> None:
        """Send what is due: it is taken, refused for now, taken and not recorded, or given back."""
        claimed = self.claim(most)
        if outcome == "given back":
            self.store.release_deliveries(claimed)
            return
        for each in claimed:
            body = each.body or said(each)
            alerts = tuple(
                (rule, int(item)) for rule, item in (one.split(":") for one in body.decode().split())
            )
            assert self.sent.setdefault(each.id, alerts) == alerts  # the same, in every try
            self.taken += [each.id] if outcome in {"taken", "lost"} else []
        if outcome != "lost":
            self.store.record_attempts([self.tried(each, outcome) for each in claimed])
            self.recorded += len(claimed)

    def tried(self, delivery: Delivery, outcome: str) -> Attempt:
        if outcome == "taken":
            return attempt(delivery, self.store)
        wait = MINUTE if outcome == "failed" else timedelta()
        return replace(retried(delivery, self.store, wait), is_last=outcome == "closed")

    def enable(self) -> None:
        self.store.enable_endpoint("desk")

    def step(self, minutes: int) -> None:
        self.clock.forward(minutes * MINUTE)

    def finish(self) -> None:
        """Work on, some minutes at a time, until nothing is under way."""
        for _ in range(1000):
            self.enable()
            self.let_go()
            self.deliver(100, "taken")
            states = {each.state for each in self.store.deliveries(limit=10_000)}
            if states <= {DeliveryState.DELIVERED}:
                return
            self.step(20)
        raise AssertionError("something is never let go")


def said(delivery: Delivery) -> bytes:
    """Return a body that names rule and item of each alert."""
    assert all(isinstance(alert, Alert) for alert in delivery.alerts)
    alerts = [alert for alert in delivery.alerts if isinstance(alert, Alert)]
    return " ".join(f"{alert.rule}:{alert.stored.item.id}" for alert in alerts).encode()


def steps(*outcomes: str) -> st.SearchStrategy[list[Any]]:
    """Return what may happen, given what may become of what is sent."""
    return st.lists(
        st.one_of(
            st.tuples(st.just("publish"), st.lists(st.sampled_from(WORDS), min_size=1, max_size=6)),
            st.tuples(st.just("configure"), st.sampled_from(PACES), st.sampled_from([None, 1, 3])),
            st.tuples(st.just("silence"), st.sampled_from(["eu", "asia", "urgent"]), st.integers(1, 300)),
            st.tuples(st.just("expire")),
            st.tuples(st.just("let_go")),
            st.tuples(st.just("enable")),
            st.tuples(st.just("deliver"), st.integers(1, 8), st.sampled_from(outcomes)),
            st.tuples(st.just("step"), st.sampled_from([-30, 1, 6, 45, 200])),
        ),
        max_size=25,
    )


TRIED = [("publish", ["EU"] * 4), ("deliver", 8, "failed"), ("step", 6)]  # in vain, and due again
FLOODED = [("configure", PLAIN, 1), ("step", 6), ("deliver", 8, "failed"), ("step", 6)]


@settings(max_examples=40, deadline=None)
@example(steps=[*TRIED, ("deliver", 8, "lost"), ("step", 6), ("deliver", 8, "failed"), *FLOODED])
@given(steps=steps("taken", "failed", "closed", "lost", "given back"))
def test_every_alert_is_told_in_one_delivery_or_silenced(postgres, steps):
    play(steps, postgres, is_read=False)


@settings(max_examples=40, deadline=None)
@example(steps=[*TRIED, *FLOODED])
@example(steps=[*TRIED, ("publish", ["EU", "Asia"]), *FLOODED, ("publish", ["EU"] * 2), *FLOODED])
@given(steps=steps("taken", "failed", "closed", "given back"))
def test_where_people_read_it_is_so_as_well_if_nothing_is_killed_that_was_taken(postgres, steps):
    play(steps, postgres, is_read=True)


def play(steps: list[Any], postgres: Callable[[], Server], *, is_read: bool) -> None:
    for opened in STORES.values():
        clock = Clock()
        with TemporaryDirectory() as folder, opened(Path(folder), clock, postgres) as store:
            desk = Desk(store, clock, is_read=is_read)
            desk.configure(PLAIN, None)
            for name, *arguments in steps:
                getattr(desk, name)(*arguments)
            desk.finish()
            check(desk)


def check(desk: Desk) -> None:
    expected = Counter(
        (watch.rule, number)
        for number, title in enumerate(desk.items, 1)
        for watch in WATCHES
        if watch.word in title
    )
    silenced = Counter(
        (rule, each.item)
        for rule in ("eu", "asia", "urgent")
        for each in desk.store.alerts_about(rule, range(1, len(desk.items) + 1))
        if each.state == "suppressed"
    )
    told = Counter(alert for identity in set(desk.taken) for alert in desk.sent[identity])
    assert told + silenced == expected
    deliveries = desk.store.deliveries(limit=10_000)
    assert {each.id for each in deliveries} == set(desk.taken)
    assert sum(each.attempts for each in deliveries) == desk.recorded
    for alerts in desk.sent.values():
        items = [item for _, item in alerts]
        assert items == sorted(items)
        assert not (len(alerts) > 1 and URGENT & {rule for rule, _ in alerts})
