"""A hub on this machine that follows the Recommendation (https://www.w3.org/TR/websub/)."""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

import httpx

from tests.outlets import Asked, LocalServer, Reply


@dataclass(slots=True, kw_only=True)
class Subscriber:
    """Who is pushed to."""

    callback: str
    topic: str
    secret: str | None
    lease_seconds: int


@dataclass(slots=True, kw_only=True)
class Hub:
    """What a hub does with what it is asked; each field may be set anew at any time."""

    address: str = ""
    lease_seconds: int | None = None  # None: as asked for
    refuses: Reply | None = None  # what it answers instead of 202
    denies: str | None = None  # why it does not want to push
    verifies: bool = True
    method: str = "sha256"
    requests: list[dict[str, str]] = field(default_factory=list)  # what it was asked, in order
    verified: list[tuple[str, int]] = field(default_factory=list)  # mode and status of what it verified
    subscribers: dict[tuple[str, str], Subscriber] = field(default_factory=dict)  # by topic and callback
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _threads: list[threading.Thread] = field(default_factory=list)

    def answer(self, asked: Asked) -> Reply:
        """Answer a request to subscribe or unsubscribe (5.1), then verify it (5.3)."""
        request = dict(parse_qsl(asked.body.decode(), strict_parsing=True))
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
        if self.refuses:
            return self.refuses
        thread = threading.Thread(target=self.verify, args=(request,))
        self._threads.append(thread)
        thread.start()
        return Reply(status=202)

    def verify(self, request: Mapping[str, str]) -> None:
        """Ask a callback whether it means what was asked, or deny it."""
        if not self.verifies:
            return
        if self.denies is not None and request["hub.mode"] == "subscribe":
            status = self.get(request, {"hub.mode": "denied", "hub.reason": self.denies}).status_code
            self._note("denied", status)
            return
        mode, challenge = request["hub.mode"], secrets.token_urlsafe(8)
        lease = self.lease_seconds or int(request.get("hub.lease_seconds", "86400"))
        said = {"hub.mode": mode, "hub.challenge": challenge, "hub.lease_seconds": str(lease)}
        response = self.get(request, said)
        is_meant = response.is_success and response.text == challenge
        key = request["hub.topic"], request["hub.callback"]
        if is_meant and mode == "subscribe":
            self.subscribers[key] = Subscriber(
                callback=key[1], topic=key[0], secret=request.get("hub.secret"), lease_seconds=lease
            )
        elif is_meant:
            self.subscribers.pop(key, None)
        self._note(mode, response.status_code)

    def get(self, request: Mapping[str, str], said: Mapping[str, str]) -> httpx.Response:
        """Ask the callback of a request something about its topic."""
        query = urlencode({"hub.topic": request["hub.topic"], **said})
        return httpx.get(f"{request['hub.callback']}?{query}", trust_env=False, timeout=30)

    def _note(self, mode: str, status: int) -> None:
        with self._changed:
            self.verified.append((mode, status))
            self._changed.notify_all()

    def publish(
        self, body: bytes, content_type: str = "application/rss+xml", *, secret: str | None = None
    ) -> list[int]:
        """Push to all subscribers (7); return what each answers. Another secret may be signed with."""
        return [self.push(each, body, content_type, secret=secret) for each in self.subscribers.values()]

    def push(self, to: Subscriber, body: bytes, content_type: str, *, secret: str | None = None) -> int:
        """Push to one; return what it answers."""
        headers = {
            "content-type": content_type,
            "link": f'<{self.address}>; rel="hub", <{to.topic}>; rel="self"',
        }
        key = secret or to.secret
        if key:
            headers["x-hub-signature"] = signature(key, body, self.method)
        return httpx.post(to.callback, content=body, headers=headers, trust_env=False, timeout=30).status_code

    def wait_for(self, what: Callable[["Hub"], bool], seconds: float = 60) -> None:
        """Wait until something holds; looked at when it is asked, and has verified."""
        with self._changed:
            assert self._changed.wait_for(lambda: what(self), timeout=seconds), (self.requests, self.verified)

    def close(self) -> None:
        for thread in self._threads:
            thread.join()


def signature(secret: str, body: bytes, method: str = "sha256") -> str:
    """Return what a hub signs with, by the libraries of Python alone."""
    return f"{method}={hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()}"


@contextmanager
def running_hub() -> Iterator[Hub]:
    """Run a hub."""
    hub = Hub()
    with LocalServer(hub.answer) as server:
        hub.address = server.address
        yield hub
        hub.close()
