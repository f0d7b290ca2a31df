"""The pace of an endpoint, and what in it says nothing."""

from collections.abc import Iterator
from datetime import tzinfo

from syndicate.config.shapes import EndpointTable
from syndicate.config.toml_file import TomlFile
from syndicate.config.toml_lines import Key
from syndicate.errors import Problem
from syndicate.model import GroupBy, Grouping, Pace

FLOOD_AFTER = 20  # at an endpoint where people read
GROUPING = ("group_by", "group_wait", "group_interval")


def pace(table: EndpointTable, zone: tzinfo) -> Pace:
    """Return the pace that a table asks for, in this time zone unless it names one."""
    return Pace(
        grouping=_grouping(table),
        digest=table.digest,
        max_per_hour=table.max_per_hour,
        quiet_hours=tuple(table.quiet_hours),
        zone=table.time_zone or zone,
    )


def flood_after(table: EndpointTable, usual: int | None) -> int | None:
    """Return how many alerts that are due at once are told each by itself; None: any number."""
    return usual if table.flood_after is None else table.flood_after or None


def pace_problems(file: TomlFile, key: Key) -> Iterator[Problem]:
    """Yield a problem for each key of an endpoint that has no effect beside the others."""
    yield from file.repeats(*key, "group_by")
    by = file.at(*key, "group_by")
    if isinstance(by, list) and "..." in by and len(by) > 1:
        yield file.mistake(
            (*key, "group_by"), '"..." makes each alert a group of its own: leave out the others'
        )
    if file.at(*key, "digest") is not None:
        for name in ("group_wait", "group_interval", "max_per_hour"):
            if file.at(*key, name) is not None:
                yield file.mistake((*key, name), "digest says when alerts are told: keep one of them")


def _grouping(table: EndpointTable) -> Grouping | None:
    if all(getattr(table, name) is None for name in GROUPING):
        return None
    usual = Grouping()
    return Grouping(
        by=tuple(map(GroupBy, table.group_by or ())),
        wait=usual.wait if table.group_wait is None else table.group_wait,
        interval=usual.interval if table.group_interval is None else table.group_interval,
    )
