"""Watching the volumes of rules: count what came in the last hour, compare, record what follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

import structlog

from syndicate.alerts.spikes import (
    Judgement,
    Watched,
    beside_usual,
    judge,
    last_hour,
    may_be_spike,
    past_hours,
    step,
)
from syndicate.model import Config, Ongoing, SpikeStep
from syndicate.store.protocol import Store
from syndicate.store.thread import StoreThread

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How much there is of a rule, and what that means."""

    watched: Watched
    judgement: Judgement
    ongoing: Ongoing | None  # None: there is no spike


class SpikeWatch:
    """Tells the endpoints of rules with `spike` when there is far more than usual."""

    def __init__(self, *, store: Store, call: StoreThread, config: Config) -> None:
        self._store = store
        self._call = call
        self._watched = watched_rules(config)
        self._zone = config.service.time_zone

    async def look(self) -> int:
        """Return how many alerts are due now that were not before."""
        if not self._watched:
            return 0
        now = self._store.now()
        found = await self._call(volumes, self._store, self._watched, now, self._zone, only_doubtful=True)
        steps = [
            taken
            for volume in found
            if (taken := step(volume.watched, volume.judgement, volume.ongoing, now)) is not None
        ]
        if not steps:
            return 0
        alerts = await self._call(self._store.record_spikes, steps)
        for taken in steps:
            _log(taken)
        return alerts


def watched_rules(config: Config) -> tuple[Watched, ...]:
    """Return the rules of which it is to be told when there is far more than usual."""
    return tuple(
        Watched(rule=rule.id, settings=rule.spike, endpoints=rule.notify)
        for rule in config.rules
        if rule.spike is not None
    )


def volumes(
    store: Store, watched: Sequence[Watched], now: datetime, zone: tzinfo, *, only_doubtful: bool = False
) -> list[Volume]:
    """Return how much there is of each rule.

    Args:
        zone: in which past hours are the same hours.
        only_doubtful: leave those out of which nothing can follow, whatever is usual.
    """
    names = [each.rule for each in watched]
    counts = {rule: count or 0 for rule, (count,) in store.story_counts(names, [last_hour(now)]).items()}
    ongoing = store.ongoing_spikes()
    asked = [
        each
        for each in watched
        if not only_doubtful or may_be_spike(counts[each.rule], each.settings, ongoing.get(each.rule))
    ]
    if not asked:
        return []
    past = store.story_counts([each.rule for each in asked], past_hours(now, zone))
    return [_volume(each, counts, past, ongoing) for each in asked]


def _volume(
    watched: Watched,
    counts: Mapping[str, int],
    past: Mapping[str, tuple[int | None, ...]],
    ongoing: Mapping[str, Ongoing],
) -> Volume:
    return Volume(
        watched=watched,
        judgement=judge(counts[watched.rule], past[watched.rule], watched.settings),
        ongoing=ongoing.get(watched.rule),
    )


def _log(taken: SpikeStep) -> None:
    if taken.began is not None:
        spike = taken.began
        text = beside_usual(spike.count, spike.usual, spike.weeks)
        log.info("spike.begun", rule=taken.rule, text=text, endpoints=len(taken.endpoints))
    elif taken.is_over:
        log.info("spike.over", rule=taken.rule)
