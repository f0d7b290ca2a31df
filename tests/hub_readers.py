"""Subscribers of our hub on this machine, which answer as a test wants."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.outlets import Asked, LocalServer, Reply


@dataclass(slots=True, kw_only=True)
class Reader:
    """A subscriber on a server of its own; each field may be set anew at any time."""

    reply: Reply = field(default_factory=Reply)  # to what is pushed
    verdict: Reply | None = None  # what it answers who asks whether it means it; None: it does
    server: LocalServer = field(init=False)

    def answer(self, asked: Asked) -> Reply:
        if asked.method == "POST":
            return self.reply
        challenge = _said(asked).get("hub.challenge", "")
        return self.verdict or Reply(body=challenge.encode())

    @property
    def callback(self) -> str:
        return f"{self.server.address}/callback?of=water"

    @property
    def pushed(self) -> list[Asked]:
        """What was pushed, in order."""
        return [asked for asked in self.server.asked if asked.method == "POST"]

    @property
    def questions(self) -> list[Mapping[str, str]]:
        """What it was asked, or told, by a GET, in order."""
        return [_said(asked) for asked in self.server.asked if asked.method == "GET"]

    def wait_for(self, *, questions: int = 0, pushes: int = 0) -> None:
        """Wait until so much has come."""
        self.server.wait_for(lambda _: len(self.questions) >= questions and len(self.pushed) >= pushes)

    def form(self, topic: str, **said: str) -> dict[str, str]:
        """Return what it asks a hub, to subscribe unless told otherwise."""
        asked = {"mode": "subscribe", "topic": topic, "callback": self.callback, **said}
        return {f"hub.{name}": value for name, value in asked.items()}


@contextmanager
def reading() -> Iterator[Reader]:
    """Run a subscriber."""
    reader = Reader()
    with LocalServer(reader.answer) as reader.server:
        yield reader


def _said(asked: Asked) -> Mapping[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(asked.path).query).items()}
