"""What is told of endpoints, as JSON."""

import json
from datetime import timedelta

import pytest

from syndicate.model import EndpointState, EndpointStatus
from syndicate.report_deliveries import endpoint_json


@pytest.mark.parametrize(
    ("lasted", "told"), [(None, None), (timedelta(), 0), (timedelta(milliseconds=12.4), 12)]
)
def test_how_long_attempts_last_is_a_number_also_when_they_take_no_time(lasted, told):
    status = EndpointStatus(
        id="desk",
        state=EndpointState.OK,
        since=None,
        reason=None,
        attempts=1,
        taken=0,
        median=lasted,
        p95=lasted,
        waiting=0,
        due=0,
        oldest_waiting_at=None,
        dead=0,
    )
    shown = json.loads(json.dumps(endpoint_json(status, None)))
    assert (shown["median_ms"], shown["p95_ms"]) == (told, told)
