"""The pace of an endpoint is told in sentences that a person understands."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syndicate.model import Cron, GroupBy, Grouping, Pace, QuietHours
from syndicate.web.pace_words import pace_sentences

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # a Tuesday
ALMATY = ZoneInfo("Asia/Almaty")


@pytest.mark.parametrize(
    ("pace", "sentences"),
    [
        (Pace(), []),
        (
            Pace(grouping=Grouping()),
            ["All alerts are told together, 30 s after the first of them, and then after every 5 min."],
        ),
        (
            Pace(grouping=Grouping(by=(GroupBy.RULE, GroupBy.SOURCE), wait=timedelta(minutes=3))),
            [
                (
                    "Alerts of the same rule and source are told together, 3 min after the first of them, "
                    "and then after every 5 min."
                )
            ],
        ),
        (
            Pace(grouping=Grouping(by=(GroupBy.EACH,))),
            ["Each alert is told by itself, 30 s after it came up."],
        ),
        (
            Pace(digest=Cron(minutes=(0,), hours=(8, 17)), zone=ALMATY),
            ["Everything is told together at fixed times, next on 24 Nov 2026 at 08:00 (Asia/Almaty)."],
        ),
        (Pace(max_per_hour=1), ["At most 1 delivery within an hour; what is more becomes one summary."]),
        (
            Pace(
                max_per_hour=20,
                quiet_hours=(
                    QuietHours(begins=22 * 60, ends=7 * 60 + 30),
                    QuietHours(weekdays=(5, 6), begins=0, ends=1440),
                ),
            ),
            [
                "At most 20 deliveries within an hour; what is more becomes one summary.",
                "Quiet from 22:00 to 07:30 (UTC).",
                "Quiet from 00:00 to 24:00, on Saturdays and Sundays (UTC).",
            ],
        ),
        (
            Pace(quiet_hours=(QuietHours(weekdays=(0, 2, 4), begins=0, ends=60),)),
            ["Quiet from 00:00 to 01:00, on Mondays, Wednesdays and Fridays (UTC)."],
        ),
    ],
)
def test_each_part_of_a_pace_is_a_sentence(pace, sentences):
    assert list(pace_sentences(pace, NOW)) == sentences
