"""A real mail server on a port of its own, which answers as a test says and keeps what it took."""

import asyncio
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support import ROOT

CERTIFICATES = ROOT / "tests/data/addresses"
AUTHORITY = str(CERTIFICATES / "authority.pem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A mail that the server took."""

    sender: str
    recipients: tuple[str, ...]
    body: bytes
    was_encrypted: bool
    user: str | None  # that logged in
    named: str  # how the client called itself


def tls_context(certificate: str = "good") -> ssl.SSLContext:
    """Return how the server encrypts, by one of the certificates of tests/data."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
    return context


class MailServer:
    """Takes mail.

    Args:
        starttls: by which a connection can be encrypted once it is there; None: it offers none.
        tls: by which each connection is encrypted from its beginning.
        login: the user and the password without which nothing is taken.
    """

    def __init__(
        self,
        *,
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
        utf8: bool = True,
    ) -> None:
        self.taken: list[Taken] = []
        self.replies: dict[str, list[str]] = {}  # by sender, recipient, or "" for the mail; the last stays
        self._changed = threading.Condition()
        self._starttls, self._tls, self._login, self._utf8 = starttls, tls, login, utf8
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._ready = threading.Event()
        self._protocols: list[SMTP] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    def wait_for(self, what: Callable[[Sequence[Taken]], bool]) -> None:
        """Wait until what was taken fulfils a condition."""
        with self._changed:
            assert self._changed.wait_for(lambda: what(self.taken), timeout=60)

    # -- what aiosmtpd calls

    async def handle_RCPT(  # noqa: N802  its name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self._reply(address)
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self._reply(address)
        if reply.startswith("250"):
            envelope.mail_from = address
        return reply

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self._reply("")
        if reply.startswith("250"):
            assert envelope.mail_from is not None
            assert isinstance(envelope.original_content, bytes)
            with self._changed:
                self.taken.append(
                    Taken(
                        sender=envelope.mail_from,
                        recipients=tuple(envelope.rcpt_tos),
                        body=envelope.original_content,
                        was_encrypted=self._tls is not None or _is_encrypted(session),
                        user=_user(session),
                        named=str(session.host_name),
                    )
                )
                self._changed.notify_all()
        return reply

    def _reply(self, recipient: str) -> str:
        replies = self.replies.get(recipient, ["250 fine"])
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        is_right = (data.login.decode(), data.password.decode()) == self._login
        return AuthResult(success=is_right, handled=False, auth_data=data)

    def _protocol(self) -> SMTP:
        with warnings.catch_warnings(action="ignore"):  # a login on a connection in the clear
            made = self._made()
        self._protocols.append(made)
        return made

    def _made(self) -> SMTP:
        return SMTP(
            self,
            enable_SMTPUTF8=self._utf8,
            hostname="mail.test",
            tls_context=self._starttls,
            authenticator=self._authenticate if self._login else None,
            auth_required=self._login is not None,
            auth_require_tls=False,
            loop=self._loop,
        )

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(self._protocol, sock=self._socket, ssl=self._tls)
        )
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for protocol in self._protocols:
            if protocol.transport is not None:
                protocol.transport.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()


def _is_encrypted(session: object) -> bool:
    """Say whether STARTTLS was done; the type of `ssl` says that it always was."""
    return getattr(session, "ssl", None) is not None


def _user(session: object) -> str | None:
    data = getattr(session, "auth_data", None)
    return None if data is None else str(data.login.decode())
