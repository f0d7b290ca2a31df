"""What `endpoints` says."""

import json
from datetime import timedelta

import pytest

from syndicate.model import EndpointState, EndpointStatus
from syndicate.report_deliveries import endpoint_json


@pytest.mark.parametrize(
    ("length", "ms"),
    [(None, None), (timedelta(0), 0), (timedelta(microseconds=400), 0), (timedelta(seconds=1.2), 1200)],
)
def test_how_long_attempts_last_is_a_number_however_short(length, ms):
    status = EndpointStatus(
        id="desk",
        state=EndpointState.OK,
        since=None,
        reason=None,
        last_error=None,
        attempts=0 if length is None else 3,
        taken=0,
        median=length,
        p95=length,
        held=0,
        waiting=0,
        due=0,
        oldest_waiting_at=None,
        dead=0,
    )
    said = json.loads(json.dumps(endpoint_json(status, None)))
    assert (said["median_ms"], said["p95_ms"]) == (ms, ms)
