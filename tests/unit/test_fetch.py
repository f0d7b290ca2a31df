"""Asking one address: what comes back is one of a few values."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from syndicate.errors import LimitError
from syndicate.http import Redirect, Response
from syndicate.http.messages import Headers
from syndicate.model import Address, Claim, Kind, Spent, Trust, Validators
from syndicate.sources.fetch import (
    HIDDEN,
    MAX_BEGINNING,
    MAX_FIELDS,
    MAX_VALUE,
    Failed,
    Fetched,
    Gone,
    NotModified,
    Outcome,
    bad_answer,
    fetch,
)
from tests.claims import FIRST_CLAIM

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
URL = "https://a.example/rss"
CLAIM = replace(
    FIRST_CLAIM,
    due_at=NOW,
)
KNOWN = replace(CLAIM, validators=Validators(etag=b'"\xff1"', last_modified=b"Tue", url=URL))


@dataclass
class Network:
    """Gives one answer, and remembers what it was asked."""

    answer: Response | LimitError
    asked: list[tuple[str, dict[str, bytes | str], str | None]] = field(default_factory=list)

    async def get(
        self, url: str, headers: Mapping[str, bytes | str], *, validators_of: str | None = None
    ) -> Response:
        self.asked.append((url, dict(headers), validators_of))
        if isinstance(self.answer, Response):
            return self.answer
        raise self.answer


def answer(status: int = 200, body: bytes = b"<rss/>", *redirects: Redirect, **fields: str) -> Response:
    raw = tuple((name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in fields.items())
    return Response(
        url=URL,
        status=status,
        fields=raw,
        headers=Headers(raw),
        body=body,
        redirects=redirects,
        elapsed=timedelta(),
    )


def fetched(given: Response | LimitError, claim: Claim = CLAIM) -> Outcome:
    return asyncio.run(fetch(Network(given), claim, NOW))  # type: ignore[arg-type]  # all that fetch asks of it


def test_what_was_given_is_sent_back_byte_for_byte():
    network = Network(answer(304))
    asyncio.run(fetch(network, KNOWN, NOW))  # type: ignore[arg-type]
    ((url, headers, validators_of),) = network.asked
    assert (url, validators_of) == (URL, URL)
    assert headers["if-none-match"] == b'"\xff1"'
    assert headers["if-modified-since"] == b"Tue"


@pytest.mark.parametrize(
    ("said", "first"),
    [
        (Address(url=URL), "application/atom+xml"),
        (Address(url=URL, kind=Kind.FEED), "application/atom+xml"),
        (Address(url=URL, kind=Kind.JSON), "application/feed+json"),
        (Address(url=URL, kind=Kind.SITEMAP), "application/xml"),
        (Address(url=URL, kind=Kind.PAGE), "text/html"),
        (Address(url=URL, item="li"), "text/html"),
    ],
)
def test_an_address_is_asked_for_what_it_is_said_to_have(said, first):
    network = Network(answer(200))
    claim = replace(CLAIM, source=replace(CLAIM.source, addresses=(said,)))
    asyncio.run(fetch(network, claim, NOW))  # type: ignore[arg-type]
    ((_, headers, _),) = network.asked
    assert str(headers["accept"]).partition(",")[0] == first


def test_what_has_lied_is_not_sent_and_what_was_sent_is_told():
    network = Network(answer(304))
    claim = replace(KNOWN, trust=Trust(without_etag=True))
    found = asyncio.run(fetch(network, claim, NOW))  # type: ignore[arg-type]
    ((_, headers, _),) = network.asked
    assert "if-none-match" not in headers
    assert isinstance(found, NotModified)
    assert found.answer.sent == replace(KNOWN.validators, etag=None)
    assert found.answer.validators == KNOWN.validators


def test_304s_that_outlast_the_habit_are_checked_without_conditions():
    doubted = replace(KNOWN, trust=Trust(unchanged_since=NOW - timedelta(days=30)))
    network = Network(answer(200, b"<rss/>"))
    found = asyncio.run(fetch(network, doubted, NOW))  # type: ignore[arg-type]
    ((_, headers, _),) = network.asked
    assert set(headers) == {"accept"}
    assert isinstance(found, Fetched)
    assert found.answer.sent == Validators()
    assert isinstance(fetched(answer(304, b""), doubted), Failed)


def test_requests_and_bytes_are_counted():
    found = fetched(replace(answer(200, b"<rss/>", hop(302)), received_bytes=5))
    assert isinstance(found, Fetched)
    assert found.answer.spent == Spent(requests=2, received_bytes=5)
    refused = fetched(replace(answer(503, b"", hop(302)), received_bytes=7))
    assert isinstance(refused, Failed)
    assert refused.spent == Spent(requests=2, received_bytes=7)
    gone = fetched(answer(410))
    assert isinstance(gone, Gone)
    assert gone.spent == Spent(requests=1)


def test_an_adopted_address_is_asked_without_conditions_where_there_are_none():
    network = Network(answer())
    asyncio.run(fetch(network, replace(CLAIM, address="https://b.example/rss"), NOW))  # type: ignore[arg-type]
    ((url, headers, _),) = network.asked
    assert url == "https://b.example/rss"
    assert set(headers) == {"accept"}


def test_a_document_comes_with_its_validators_and_freshness():
    found = fetched(answer(etag='"2"', last_modified="Wed", cache_control="max-age=600"))
    assert isinstance(found, Fetched)
    assert found.answer.validators == Validators(etag=b'"2"', last_modified=b"Wed", url=URL)
    assert found.answer.asked == timedelta(minutes=10)
    assert (found.body, found.body_hash) == (b"<rss/>", hashlib.sha256(b"<rss/>").hexdigest())


def test_a_304_keeps_what_it_leaves_out():
    found = fetched(answer(304, b"", etag='"2"'), KNOWN)
    assert isinstance(found, NotModified)
    assert found.answer.validators == Validators(etag=b'"2"', last_modified=b"Tue", url=URL)


@pytest.mark.parametrize("validators", [Validators(), Validators(url=URL)])
def test_a_304_that_nobody_asked_for_is_no_success(validators):
    """Else it would count as the baseline, and the first document would alert all that is old."""
    found = fetched(answer(304, b""), replace(CLAIM, validators=validators))
    assert isinstance(found, Failed)
    assert "304" in found.error


def test_the_same_bytes_as_before_are_not_read_again():
    same = replace(CLAIM, body_hash=hashlib.sha256(b"<rss/>").hexdigest())
    assert isinstance(fetched(answer(etag='"2"'), same), NotModified)


def test_gone_is_gone():
    gone = fetched(answer(410))
    assert isinstance(gone, Gone)
    assert gone.bad_answer == bad_answer(URL, 410, {}, b"<rss/>")


@pytest.mark.parametrize(
    ("status", "backs_off"),
    [(400, False), (403, False), (404, False), (429, True), (500, False), (503, True), (301, False)],
)
def test_other_answers_are_failures(status, backs_off):
    found = fetched(answer(status, retry_after="120"))
    assert isinstance(found, Failed)
    assert found.bad_answer == bad_answer(URL, status, {"retry-after": "120"}, b"<rss/>")
    assert replace(found, bad_answer=None) == Failed(
        status=status,
        error=f"the server answered {status}",
        asked=timedelta(minutes=2),
        backs_off_host=backs_off,
        url=URL,
    )


def test_of_a_bad_answer_its_beginning_is_shown_as_it_came_without_secrets():
    headers = {f"x-{n}": "v" * 600 for n in range(50)} | {"Set-Cookie": "session=1"}
    shown = bad_answer(URL, 500, {"Set-Cookie": "session=1", **headers}, b"\xff\x00<p>" * 1000)
    assert len(shown.headers) == MAX_FIELDS
    assert shown.headers[0] == ("Set-Cookie", HIDDEN)
    assert {len(value) for _, value in shown.headers[1:]} == {MAX_VALUE}
    assert shown.body.startswith("\ufffd\ufffd<p>")
    assert len(shown.body.encode("utf-8", "replace")) <= 4 * MAX_BEGINNING
    assert shown.length_bytes == 5000


def test_no_answer_is_a_failure_in_words():
    assert fetched(LimitError("too much")) == Failed(status=None, error="too much")


def hop(status, to="https://b.example/rss", origin=URL):
    return Redirect(status=status, url_from=origin, url_to=to)


@pytest.mark.parametrize(
    ("redirects", "expected"),
    [
        ([], None),
        ([hop(301)], "https://b.example/rss"),
        ([hop(308), hop(301, "https://c.example/rss", "https://b.example/rss")], "https://c.example/rss"),
        ([hop(302)], None),
        ([hop(301), hop(307, "https://c.example/rss", "https://b.example/rss")], None),
        ([hop(301, "http://b.example/rss")], None),
    ],
)
def test_only_permanent_redirects_that_keep_https_may_be_adopted(redirects, expected):
    found = fetched(answer(200, b"<rss/>", *redirects))
    assert isinstance(found, Fetched)
    assert found.answer.moved_to == expected
