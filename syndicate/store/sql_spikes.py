"""Volumes of rules, by the hour, and their spikes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from syndicate.model import Headline, Ongoing, Spike, SpikeStep, Window
from syndicate.store.rows import json_text, text_or_none, time_of, time_or_none, time_text
from syndicate.store.spikes import spike_json
from syndicate.store.sql import Connection
from syndicate.store.sql_deliveries import insert_delivery

HEADLINES = 5
_HOUR = timedelta(hours=1)
_ARRIVALS = """
    FROM json_each(:windows) AS asked
    CROSS JOIN items i ON i.first_seen >= json_extract(asked.value, '$[0]')
        AND i.first_seen < json_extract(asked.value, '$[1]') AND NOT i.came_late
    CROSS JOIN stories s ON s.id = i.story AND s.first_seen >= json_extract(asked.value, '$[0]')
"""  # items of stories that began in a window, in the hour that they tell


def note_watched(db: Connection, now: datetime) -> None:
    """Note that somebody looks in this hour, so that one in which nothing comes is known to be such."""
    db.execute("INSERT INTO watched_hours (hour) VALUES (?) ON CONFLICT DO NOTHING", [_hour(now)])


def story_counts(
    db: Connection, rules: Collection[str], windows: Sequence[Window]
) -> Mapping[str, tuple[int | None, ...]]:
    """See `Store.story_counts`."""
    watched = _watched(db, windows)
    since = _matched_since(db, rules)
    counted = _counted(db, rules, windows)
    return {
        rule: tuple(
            counted.get((rule, number), 0)
            if is_watched and rule in since and since[rule] <= window.begins
            else None
            for number, (window, is_watched) in enumerate(zip(windows, watched, strict=True))
        )
        for rule in rules
    }


def ongoing_spikes(db: Connection) -> Mapping[str, Ongoing]:
    """See `Store.ongoing_spikes`."""
    rows = db.execute("SELECT rule, began_at, calm_since FROM spikes WHERE ended_at IS NULL")
    return {
        row["rule"]: Ongoing(began_at=time_of(row["began_at"]), calm_since=time_or_none(row["calm_since"]))
        for row in rows
    }


def record_spikes(db: Connection, steps: Sequence[SpikeStep], now: datetime) -> int:
    """See `Store.record_spikes`."""
    alerts = 0
    for step in steps:
        if step.began is not None:
            alerts += _begin(db, step.began, step.endpoints, now)
        elif step.ongoing is not None:
            db.execute(
                "UPDATE spikes SET calm_since = ?, ended_at = ?"
                " WHERE rule = ? AND began_at = ? AND ended_at IS NULL",
                [
                    text_or_none(step.ongoing.calm_since),
                    time_text(now) if step.is_over else None,
                    step.rule,
                    time_text(step.ongoing.began_at),
                ],
            )
    return alerts


def _begin(db: Connection, spike: Spike, endpoints: Sequence[str], now: datetime) -> int:
    """Enter a spike, unless another process was faster; return how many alerts are due."""
    said = spike_json(spike, _headlines(db, spike))
    entered = db.execute(
        "INSERT INTO spikes (rule, began_at, said) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [spike.rule, time_text(now), said],
    )
    if not entered.rowcount:
        return 0
    return sum(_alert(db, spike.rule, endpoint, said, now) for endpoint in endpoints)


def _alert(db: Connection, rule: str, endpoint: str, said: str, now: datetime) -> bool:
    """Enter an alert with its delivery, unless the ledger has it."""
    dedup_key = f"spike {rule} {_hour(now)} {endpoint}"
    entered = db.execute(
        "INSERT INTO alerts (dedup_key, kind, rule, endpoint, state, created_at, said)"
        " VALUES (?, 'spike', ?, ?, 'alerted', ?, ?) ON CONFLICT DO NOTHING",
        [dedup_key, rule, endpoint, time_text(now), said],
    )
    if not entered.rowcount:
        return False
    delivery = insert_delivery(db, endpoint, now)
    db.execute("UPDATE alerts SET delivery = ? WHERE dedup_key = ?", [delivery, dedup_key])
    return True


def _headlines(db: Connection, spike: Spike) -> tuple[Headline, ...]:
    rows = db.execute(
        f"""
        SELECT i.story, i.id, o.slug, i.title, i.link, i.first_seen
        FROM items i JOIN sources o ON o.id = i.source WHERE i.id IN (
            SELECT min(i.id) {_ARRIVALS}
            CROSS JOIN matches m ON m.rule = :rule AND m.item = i.id AND m.ended_at IS NULL
            GROUP BY i.story
        ) ORDER BY i.id DESC LIMIT {HEADLINES}
        """,
        {"windows": _windows([spike.hour]), "rule": spike.rule},
    )
    return tuple(
        Headline(
            story=row["story"],
            item=row["id"],
            source=row["slug"],
            title=row["title"],
            link=row["link"],
            first_seen=time_of(row["first_seen"]),
        )
        for row in rows
    )


def _counted(
    db: Connection, rules: Collection[str], windows: Sequence[Window]
) -> Mapping[tuple[str, int], int]:
    """Return the stories of each rule and window, by its number, of which there are any."""
    rows = db.execute(
        f"""
        SELECT m.rule, asked.key AS window, count(DISTINCT i.story) AS stories {_ARRIVALS}
        CROSS JOIN matches m ON m.item = i.id AND m.ended_at IS NULL
        WHERE +m.rule IN (SELECT value FROM json_each(:rules))  -- +: found by the item, however many rules
        GROUP BY m.rule, asked.key
        """,
        {"windows": _windows(windows), "rules": json_text(list(rules))},
    )
    return {(row["rule"], row["window"]): row["stories"] for row in rows}


def _watched(db: Connection, windows: Sequence[Window]) -> list[bool]:
    """Return for each window whether somebody looked in every hour that it is part of."""
    if not windows:
        return []
    first, last = min(each.begins for each in windows), max(each.ends for each in windows)
    rows = db.execute(
        "SELECT hour FROM watched_hours WHERE hour BETWEEN ? AND ?", [_hour(first), _hour(last)]
    )
    hours = {row["hour"] for row in rows}
    return [hours.issuperset(_hours(window)) for window in windows]


def _matched_since(db: Connection, rules: Collection[str]) -> Mapping[str, datetime]:
    """Return since when all items were looked at by each rule that is known, as it is now."""
    rows = db.execute(
        "SELECT id, coalesce(matched_since, (SELECT created_at FROM installation)) AS since FROM rules"
        " WHERE version IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
        [json_text(list(rules))],
    )
    return {row["id"]: time_of(row["since"]) for row in rows}


def _windows(windows: Sequence[Window]) -> str:
    return json_text([[time_text(window.begins), time_text(window.ends)] for window in windows])


def _hours(window: Window) -> Iterator[str]:
    """Yield the hours of the clock that a window is part of."""
    moment = window.begins.replace(minute=0, second=0, microsecond=0)
    while moment < window.ends:
        yield _hour(moment)
        moment += _HOUR


def _hour(moment: datetime) -> str:
    return time_text(moment)[:13]
