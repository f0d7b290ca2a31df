"""What was learned of a source, as JSON and back. Times are whole seconds since 1970, lengths are seconds."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from syndicate.model import Habit, Hints, Learned, Notice, Trouble, TroubleKind
from syndicate.store.rows import Row, json_text, time_of, time_text

Values = dict[str, Any]


def learned_of(row: Row | None) -> Learned:
    """Return what a row of `learned` holds; nothing where there is none."""
    if row is None:
        return Learned()
    columns = ",".join((row["habit"], row["hints"], row["listed"], row["troubles"]))
    habit, hints, listed, troubles = json.loads(f"[{columns}]")  # at once, since every claim reads them
    return Learned(
        habit=_habit_of(habit),
        hints=_hints_of(hints),
        listed=tuple(listed),
        troubles=tuple(_trouble_of(values) for values in troubles),
    )


def learned_values(learned: Learned) -> Mapping[str, str]:
    """Return the columns of `learned` but for `listed`."""
    return {
        "habit": json_text(_habit_values(learned.habit)),
        "hints": json_text({name: value for name, value in asdict(learned.hints).items() if value}),
        "troubles": json_text([_trouble_values(trouble) for trouble in learned.troubles]),
    }


def notice_json(notice: Notice) -> str:
    """Return what is told of a source as JSON."""
    return json_text(
        {
            "kind": notice.kind,
            "since": time_text(notice.since),
            "text": notice.text,
            "is_over": notice.is_over,
        }
    )


def notice_of(said: str) -> Notice:
    """Return what the JSON tells of a source."""
    values = json.loads(said)
    return Notice(
        kind=TroubleKind(values["kind"]),
        since=time_of(values["since"]),
        text=values["text"],
        is_over=values["is_over"],
    )


def _habit_values(habit: Habit) -> Values:
    return {
        "since": habit.since and _seconds(habit.since),
        "depth": habit.depth,
        "arrivals": [_seconds(moment) for moment in habit.arrivals],
        "silences": [[week, round(length.total_seconds())] for week, length in habit.silences],
        "delays": [round(delay.total_seconds()) for delay in habit.delays],
        "hurry": habit.hurry and habit.hurry.total_seconds(),
        "hurry_until": habit.hurry_until and _seconds(habit.hurry_until),
    }


def _habit_of(values: Values) -> Habit:
    return Habit(
        since=_moment(values.get("since")),
        depth=values.get("depth", 0),
        arrivals=tuple(datetime.fromtimestamp(each, UTC) for each in values.get("arrivals", ())),
        silences=tuple((week, timedelta(seconds=length)) for week, length in values.get("silences", ())),
        delays=tuple(timedelta(seconds=delay) for delay in values.get("delays", ())),
        hurry=timedelta(seconds=values["hurry"]) if values.get("hurry") else None,
        hurry_until=_moment(values.get("hurry_until")),
    )


def _hints_of(values: Values) -> Hints:
    tuples = {name: tuple(values.get(name, ())) for name in ("skip_hours", "skip_days", "hubs")}
    return Hints(**{**values, **tuples})


def _trouble_values(trouble: Trouble) -> Values:
    return {
        "kind": trouble.kind,
        "since": time_text(trouble.since),
        "text": trouble.text,
        "polls": trouble.polls,
        "is_told": trouble.is_told,
    }


def _trouble_of(values: Values) -> Trouble:
    return Trouble(**{**values, "kind": TroubleKind(values["kind"]), "since": time_of(values["since"])})


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
