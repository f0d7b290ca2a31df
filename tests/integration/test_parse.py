"""parse: the same document from a thread and from a process, which is ended when it takes too long."""

import asyncio
import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from syndicate.errors import ParseError
from syndicate.model import Address, Document, Kind
from syndicate.sources import feed, kinds
from syndicate.sources.parse import PROCESSES, dump, load, parse
from tests.support import ROOT

CASES = sorted((ROOT / "tests/data/feeds").glob("*.xml"))
URL = "https://feeds.example/main.xml"
PADDING = b"<!--" + b"x" * feed.LIGHT_BYTES + b"-->"
SMALL = (ROOT / "tests/data/feeds/atom10.xml").read_bytes()
LARGE = SMALL + PADDING
ENDLESS = b"<rss><channel>" + b"<" * 14_000_000  # takes a minute


def children() -> list[int]:
    """Return the processes that this one has started and that have not ended."""
    tasks = Path("/proc/self/task").glob("*/children")
    pids = [int(pid) for task in tasks for pid in task.read_text().split()]
    return [pid for pid in pids if b"syndicate.sources.parse" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def until_a_child_runs() -> int:
    async with asyncio.timeout(30):
        while not children():  # noqa: ASYNC110  nobody tells when a process has started
            await asyncio.sleep(0.01)
    return children()[0]


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="NOT TESTED, /proc is missing")


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["thread", "process"])
def test_a_document_is_the_same_wherever_it_is_parsed(body):
    assert asyncio.run(parse(body, {"Content-Language": "en"}, URL)) == feed.parse(SMALL, {}, URL)


def test_an_error_is_the_same_wherever_it_is_found():
    page = b"<html><head><title>Not here</title></head></html>"
    for body in (page, page + PADDING):
        with pytest.raises(ParseError, match="an HTML page titled “Not here”, not a feed"):
            asyncio.run(parse(body, {}, URL))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_document_survives_the_way_between_processes(path):
    try:
        document = feed.parse(path.read_bytes(), {}, URL)
    except ParseError:
        return
    assert load(dump(document)) == document


@pytest.mark.parametrize("name", ["jsonfeeds/version_1_1.feed", "sitemaps/news.xml", "sitemaps/index.xml"])
def test_what_is_no_feed_in_xml_survives_that_way_as_well(name):
    document = kinds.parse((ROOT / "tests/data" / name).read_bytes(), {}, URL, Address(url=URL))
    assert document.entries or document.parts
    assert load(dump(document)) == document


@pytest.mark.parametrize(
    ("name", "padding", "said"),
    [
        ("jsonfeeds/version_1_1.feed", b" ", {}),
        ("sitemaps/news.xml", b"<!-- -->", {"kind": Kind.SITEMAP}),
        ("webpages/selectors.html", b"<!-- -->", {"item": "li.release", "title": ".headline"}),
    ],
    ids=["json", "sitemap", "page"],
)
def test_other_kinds_are_the_same_wherever_they_are_parsed(name, padding, said):
    said = Address(url=URL, **said)
    body = (ROOT / "tests/data" / name).read_bytes()
    large = body + padding * (kinds.LIGHT_PAGE_BYTES // len(padding))
    assert not kinds.may_be_light(large)
    parsed = [asyncio.run(parse(each, {}, URL, said)) for each in (body, large)]
    assert parsed[0] == parsed[1] == kinds.parse(body, {}, URL, said)


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["thread", "process"])
def test_what_is_packed_is_the_same_wherever_it_is_unpacked(body):
    packed = gzip.compress(body)
    assert kinds.may_be_light(packed)
    assert asyncio.run(parse(packed, {}, URL)) == feed.parse(SMALL, {}, URL)


@needs_proc
def test_what_takes_too_long_is_given_up_and_leaves_no_process():
    with pytest.raises(ParseError, match="takes more than 1 s to read"):
        asyncio.run(parse(ENDLESS, {}, URL, deadline_seconds=1))
    assert children() == []


@needs_proc
def test_a_cancelled_caller_leaves_no_process():
    async def cancel() -> None:
        task = asyncio.create_task(parse(ENDLESS, {}, URL))
        await until_a_child_runs()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert children() == []

    asyncio.run(cancel())


@needs_proc
def test_a_process_that_is_killed_is_a_parse_error():
    async def kill() -> None:
        task = asyncio.create_task(parse(ENDLESS, {}, URL))
        os.kill(await until_a_child_runs(), 9)
        with pytest.raises(ParseError, match="cannot be read within 112 MiB"):
            await task

    asyncio.run(kill())


@needs_proc
def test_few_processes_run_at_once_and_none_stops_the_small_ones_or_the_loop():
    async def crowd() -> None:
        tasks = [
            asyncio.create_task(parse(ENDLESS, {}, URL, deadline_seconds=1)) for _ in range(PROCESSES + 1)
        ]
        await until_a_child_runs()
        small = await asyncio.gather(*(parse(SMALL, {}, URL) for _ in range(20)))
        assert all(isinstance(document, Document) for document in small)
        most = 0
        while not all(task.done() for task in tasks):
            most = max(most, len(children()))
            await asyncio.sleep(0.01)
        assert most <= PROCESSES
        assert {type(task.exception()) for task in tasks} == {ParseError}

    asyncio.run(crowd())


@needs_proc
def test_a_process_knows_none_of_our_secrets(monkeypatch):
    monkeypatch.setenv("SYNDICATE_TEST_SECRET", "whsec_dGVzdA==")

    async def look() -> bytes:
        task = asyncio.create_task(parse(ENDLESS, {}, URL))
        pid = await until_a_child_runs()
        environment = await asyncio.to_thread(Path(f"/proc/{pid}/environ").read_bytes)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return environment

    environment = asyncio.run(look())
    assert b"PYTHONPATH=" in environment
    assert b"SECRET" not in environment


@pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED, memory limits are not enforced everywhere")
def test_a_process_cannot_take_more_memory_than_it_may():
    code = "from syndicate.sources.parse import _limit; _limit(); bytearray(2 << 30)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "MemoryError" in result.stderr
