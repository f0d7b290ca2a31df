"""One request of a caller, redirects included: where it is, how long it has, how it went."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx

from syndicate.errors import LimitError, NetworkError, RefusedError
from syndicate.http.addresses import Target, joined
from syndicate.http.body import spelled_size
from syndicate.http.messages import Headers, Redirect, Response
from syndicate.http.trouble import LIBRARY_ERRORS, in_words

MAX_REDIRECTS = 5


class Trip:
    """Begins when it is made, in a running event loop, and ends at `deadline` on that loop's clock."""

    def __init__(self, limit: timedelta) -> None:
        self._clock = asyncio.get_running_loop().time
        self._limit_seconds = limit.total_seconds()
        self._started = self._clock()
        self.deadline = self._started + self._limit_seconds
        self.at: Target | None = None  # None until the first address has been read
        self.received = 0  # bytes of the body, as they came
        self.redirects: list[Redirect] = []

    @property
    def seconds_left(self) -> float:
        """Until the deadline; never nothing, since that would mean no limit."""
        return max(self.deadline - self._clock(), 0.001)

    def redirect(self, answer: httpx.Response) -> Target:
        """Go where an answer points, and return that.

        Raises:
            NetworkError: it leads nowhere, back, or to something that is no web address; LimitError: too far.
        """
        assert self.at is not None  # noqa: S101  there was an answer
        location = next((value for name, value in answer.headers.raw if name.lower() == b"location"), None)
        if location is None:
            raise NetworkError(f"it answered {answer.status_code} without saying where to (no Location)")
        before, reference = self.at, _text(location)
        try:
            self.at = joined(before, reference)
        except RefusedError as error:
            self._remember(answer, before, reference)
            raise RefusedError(f"refused: it redirects to {_shown(reference)}, and {error}") from error
        self._remember(answer, before, self.at.url)
        if any(self.at.url == hop.url_from for hop in self.redirects):
            raise NetworkError("its redirects go round in circles")
        if len(self.redirects) > MAX_REDIRECTS:
            raise LimitError(f"more than {MAX_REDIRECTS} redirects")
        return self.at

    def response(self, answer: httpx.Response, body: bytes) -> Response:
        """Return what came of it."""
        assert self.at is not None  # noqa: S101  there was an answer
        fields = tuple(answer.headers.raw)
        return Response(
            url=self.at.url,
            status=answer.status_code,
            fields=fields,
            headers=Headers(fields),
            body=body,
            redirects=tuple(self.redirects),
            elapsed=timedelta(seconds=self._clock() - self._started),
            received_bytes=self.received,
            certificate=answer.extensions.get("certificate"),
        )

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Turn what goes wrong inside into a NetworkError that says where and what."""
        try:
            yield
        except LIBRARY_ERRORS as error:
            told = NetworkError(self._lateness()) if type(error) is TimeoutError else in_words(error)
            raise type(told)(f"{self._place()}{told}{self._way()}") from error

    def _remember(self, answer: httpx.Response, before: Target, after: str) -> None:
        self.redirects.append(Redirect(status=answer.status_code, url_from=before.url, url_to=after))

    def _lateness(self) -> str:
        so_far = f"with {spelled_size(self.received)} of its body" if self.received else "without an answer"
        return f"timed out after {self._limit_seconds:g} s, {so_far}"

    def _place(self) -> str:
        return f"{self.at.authority}: " if self.at else ""

    def _way(self) -> str:
        if not self.redirects:
            return ""
        stops = [self.redirects[0].url_from, *(hop.url_to for hop in self.redirects)]
        return f" (redirects: {' -> '.join(map(_shown, stops))})"


def _text(location: bytes) -> str:
    """Return a Location as text: it should be ASCII, and is UTF-8 where it is not."""
    try:
        return location.decode("utf-8")
    except UnicodeDecodeError:
        return location.decode("latin-1")


def _shown(url: str) -> str:
    """Return an address that a server made up, short and safe to print."""
    plain = "".join(c if c.isprintable() else "?" for c in url)
    return plain if len(plain) <= 200 else plain[:199] + "…"
