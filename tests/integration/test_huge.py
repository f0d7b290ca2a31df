"""Huge documents: what comes of them, and what they cost at most, polled by the real poller."""

import asyncio
import time
from pathlib import Path

import pytest

from syndicate.errors import ParseError
from syndicate.model import Document
from syndicate.sources import kinds
from syndicate.sources.parse import parse
from tests.costs import cost
from tests.expected import assert_clean
from tests.huge import HUGE, URL

MOST_MIB = 200
LONGEST_LAG_SECONDS = 0.25
TRIES = 3  # as others may keep the machine busy; one is enough to show that we do not
SHORT = 250_000  # bytes, that are read in a thread
USUAL = [
    *("texts-of-all-entries", "one-emoji", "many-titled-items", "many-links-that-grow", "deep"),
    *("many-attributes", "broken-in-one-entry", "gzip-of-zeros", "json-texts", "sitemap", "page-unasked"),
]
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="NOT TESTED, memory can be watched on Linux only"
)


@needs_proc
@pytest.mark.parametrize("name", HUGE)
def test_a_huge_document_costs_little_memory_and_never_stops_the_loop(name, slow):
    if not slow and name not in USUAL:
        pytest.skip("takes long: run with --slow")
    huge = HUGE[name]
    for _ in range(TRIES):
        found = cost(name)
        if found.lag < LONGEST_LAG_SECONDS:
            break
    assert found.memory < MOST_MIB, found
    assert found.lag < LONGEST_LAG_SECONDS, found
    assert (huge.says or huge.problem or "") in found.status, found
    assert "defect of Syndicate" not in found.status
    if huge.entries is not None:
        assert found.items <= huge.entries, found
        assert (found.items > 0) == (huge.entries > 0), found


@pytest.mark.parametrize("name", HUGE)
def test_a_document_of_that_shape_that_is_read_in_a_thread_never_stops_the_loop(name):
    body = HUGE[name].body(SHORT)
    assert kinds.may_be_light(body)
    lags: list[float] = []
    while len(lags) < TRIES and min(lags, default=1.0) >= LONGEST_LAG_SECONDS:
        lag, found = asyncio.run(timed(body, name))
        lags.append(lag)
        if isinstance(found, Document):
            assert_clean(found)
    assert min(lags) < LONGEST_LAG_SECONDS


async def timed(body: bytes, name: str) -> tuple[float, Document | ParseError]:
    """Return for how long the loop stopped while a document was read, and what came of it."""
    lag = 0.0

    async def tick() -> None:
        nonlocal lag
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0)
            lag = max(lag, time.perf_counter() - before)

    ticking = asyncio.create_task(tick())
    found: Document | ParseError
    try:
        found = await parse(body, {}, URL, HUGE[name].address_at(URL))
    except ParseError as error:
        found = error
    ticking.cancel()
    return lag, found
