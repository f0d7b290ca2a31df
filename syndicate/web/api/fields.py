"""What parameters and answers have in common."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from syndicate.config import duration

MOST = 100  # of anything, on a page
USUAL = 50
MAX_INTEGER = 2**63 - 1

_WHOLE = re.compile(r"[0-9]{1,9}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _whole(value: object) -> object:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("must be a whole number")
    return value


def _moment(text: str) -> str:
    moment_before(text, datetime(2026, 1, 1, tzinfo=UTC))
    return text


def moment_before(text: str, now: datetime) -> datetime:
    """Return the time that a text names: as RFC 3339 has it, or so long before now.

    Raises:
        ValueError: it names none.
    """
    if _TIME.fullmatch(text):
        return _in_utc(datetime.fromisoformat(text.upper()))
    if "T" in text.upper():
        raise ValueError("is no time: write one such as 2026-11-24T02:00:00Z")
    try:
        return now - duration(text)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # within a day of the first year or the last
        return moment.replace(tzinfo=UTC)


Moment = Annotated[
    str,
    AfterValidator(_moment),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "pattern": "^[0-9]{1,4}[smhdw]$"},
            ],
            "examples": ["7d", "2026-11-24T02:00:00Z"],
        }
    ),
]
Limit = Annotated[int, Field(ge=1, le=MOST), BeforeValidator(_whole)]
Cursor = Annotated[str, Field(min_length=1, max_length=300)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]

RULE_ID = {"type": "string", "description": "The id of a rule."}
SOURCE_ID = {"type": "string", "description": "The id of a source."}
DELIVERY_ID = {"type": "string", "description": "The id of a delivery: its webhook-id."}
ITEM_ID = {
    "type": "integer",
    "minimum": 1,
    "maximum": 10**18 - 1,
    "description": "The number of an item.",
}
