"""Handing mail to the server (RFC 5321, 3207, 8314): the one place that speaks SMTP.

smtplib blocks, so it speaks on a thread, over a connection that was made and judged before. A mail to several
is handed over for those whom the server takes; those whom it wants to be asked for again are remembered, so
that the next try is for them alone. What is remembered is lost with the process, and they get it twice then.
"""

import smtplib
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from syndicate.alerts.blocking import in_thread
from syndicate.alerts.channels.email import outcome
from syndicate.alerts.channels.message import Mail
from syndicate.alerts.outcome import Closed, Later, Outcome, Refused, Taken
from syndicate.errors import NetworkError
from syndicate.http import Client
from syndicate.http.trouble import in_words
from syndicate.model import SmtpSecurity, SmtpSettings

HIDDEN = b"***"
SHORTEST_SECRET = 4  # what is shorter is none, and would be found everywhere
REMEMBERED = 10_000  # deliveries that some recipients have, and some have not

Reply = tuple[int, str]  # code, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailed:
    """What came of handing a mail over."""

    outcome: Outcome
    code: int | None = None  # of the server's last reply, None when none came
    text: str = ""  # all that it said of this mail


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replies:
    """What the server said: of each recipient, and of the whole."""

    of_recipients: Mapping[str, Reply]
    of_mail: Reply | None = None  # None: there was no recipient to hand it over for


class Mailer:
    """Hands mail to the configured server."""

    def __init__(self, client: Client, settings: SmtpSettings, within: timedelta) -> None:
        self._client = client
        self._settings = settings
        self._within = within
        self._taken: dict[str, set[str]] = {}  # by delivery, recipients for whom the server has it

    async def send(self, mail: Mail, delivery: str) -> Mailed:
        """Return what came of one try for those who have not got it."""
        taken = self._taken.pop(delivery, set())
        waiting = [each for each in mail.recipients if each not in taken]
        try:
            replies = await self._replies(mail, waiting)
        except smtplib.SMTPResponseException as error:
            mailed = _of_refusal(error)
        except (smtplib.SMTPException, NetworkError, OSError) as error:
            mailed = Mailed(outcome=Later(reason=self._trouble(error)))
        else:
            mailed = _of_replies(replies, is_taken=bool(taken))
            taken |= _accepted(replies)
        if taken and isinstance(mailed.outcome, Later):
            self._remember(delivery, taken)
        return mailed

    def _remember(self, delivery: str, taken: set[str]) -> None:
        self._taken[delivery] = taken
        if len(self._taken) > REMEMBERED:
            del self._taken[next(iter(self._taken))]

    async def _replies(self, mail: Mail, waiting: Sequence[str]) -> _Replies:
        connection = await self._client.dial(self._settings.host, self._settings.port)
        connection.settimeout(self._within.total_seconds())
        talk = _Talk(connection, self._settings, self._client.tls)
        return await in_thread(lambda: talk.hand_over(mail, waiting), self._within, talk.end)

    def _trouble(self, error: Exception) -> str:
        """Return why there was no reply, and what to do where that is known."""
        where = f"{self._settings.host}:{self._settings.port}"
        match error:
            case NetworkError():
                return str(error)
            case smtplib.SMTPServerDisconnected():
                return f"{where}: the mail server closed the connection"
            case smtplib.SMTPNotSupportedError():
                return f"{where}: the mail server lacks what security or user in [smtp] asks for: {error}"
            case TimeoutError():
                return f"{where}: the mail server did not answer within {self._within.total_seconds():g} s"
            case OSError() if not isinstance(error, smtplib.SMTPException):
                return f"{where}: {in_words(error)}"
            case _:
                return f"{where}: {error}"


@dataclass(slots=True)
class _Talk:
    """One connection, spoken over by a thread; `end` may be called from another."""

    connection: socket.socket
    settings: SmtpSettings
    context: ssl.SSLContext
    _ends: list[socket.socket] = field(init=False)

    def __post_init__(self) -> None:
        self._ends = [self.connection]

    def hand_over(self, mail: Mail, recipients: Sequence[str]) -> _Replies:
        try:
            return self._handed_over(mail, recipients)
        finally:
            self.end()

    def end(self) -> None:
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _handed_over(self, mail: Mail, recipients: Sequence[str]) -> _Replies:
        settings = self.settings
        if settings.security is SmtpSecurity.TLS:
            self.connection = self.context.wrap_socket(self.connection, server_hostname=settings.host)
            self._ends.append(self.connection)
        with closing(_Session(self.connection, settings)) as session:
            self._begin(session)
            replies = _replies(session, mail, recipients)
            with suppress(smtplib.SMTPException, OSError):  # it has what it has
                session.quit()
            return replies

    def _begin(self, session: smtplib.SMTP) -> None:
        settings = self.settings
        if settings.security is SmtpSecurity.STARTTLS:
            session.starttls(context=self.context)
            if isinstance(session.sock, socket.socket):
                self._ends.append(session.sock)
        session.ehlo_or_helo_if_needed()
        if settings.user is not None and settings.password is not None:
            session.login(settings.user, settings.password)


class _Session(smtplib.SMTP):
    """Speaks over a connection that is there already, and names itself by its address (RFC 5321 4.1.3)."""

    def __init__(self, connection: socket.socket, settings: SmtpSettings) -> None:
        self._connection = connection
        self._secrets = _secrets(settings)
        address = connection.getsockname()[0]
        name = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
        timeout = connection.gettimeout() or 1
        super().__init__(settings.host, settings.port, local_hostname=name, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._connection

    def getreply(self) -> tuple[int, bytes]:
        """Return what the server says, without the password: some repeat what they were told."""
        code, said = super().getreply()
        for secret in self._secrets:
            said = said.replace(secret, HIDDEN)
        return code, said


def _secrets(settings: SmtpSettings) -> tuple[bytes, ...]:
    """Return the password in each way in which a server is told it (RFC 4616, AUTH PLAIN; AUTH LOGIN)."""
    if settings.password is None or len(settings.password) < SHORTEST_SECRET:
        return ()
    password, user = settings.password.encode(), (settings.user or "").encode()
    return b64encode(b"\0%b\0%b" % (user, password)), b64encode(password), password


def _replies(session: smtplib.SMTP, mail: Mail, recipients: Sequence[str]) -> _Replies:
    code, said = session.mail(mail.sender, ["SMTPUTF8"] if mail.needs_smtputf8 else [])
    if code != 250:
        raise smtplib.SMTPSenderRefused(code, said, mail.sender)
    replies = {each: _reply(session.rcpt(each)) for each in recipients}
    if not any(_is_good(code) for code, _ in replies.values()):
        return _Replies(of_recipients=replies)
    return _Replies(of_recipients=replies, of_mail=_reply(session.data(mail.body)))


def _of_replies(replies: _Replies, *, is_taken: bool) -> Mailed:
    """Return what replies mean; `is_taken`: other recipients have got the mail with an earlier try."""
    refused = {each: reply for each, reply in replies.of_recipients.items() if not _is_good(reply[0])}
    told = "; ".join(f"{each}: {code} {said}" for each, (code, said) in refused.items())
    later = [reply for reply in refused.values() if not isinstance(outcome(*reply), Refused)]
    if replies.of_mail is None:
        code, _ = (later or list(refused.values()))[0]
        meant = outcome(code, told)
        if isinstance(meant, Refused):
            mend = f"{meant.reason}: configure recipients that the server takes"
            meant = Taken() if is_taken else Closed(reason=mend)
        return Mailed(outcome=meant, code=code, text=told)
    code, said = replies.of_mail
    text = f"{code} {said}" + (f"; not taken for {told}" if told else "")
    meant = outcome(code, said)
    if isinstance(meant, Taken) and later:
        return Mailed(
            outcome=Later(reason=f"the mail server did not take it for {told}"), code=code, text=text
        )
    return Mailed(outcome=meant, code=code, text=text)


def _accepted(replies: _Replies) -> set[str]:
    if replies.of_mail is None or not _is_good(replies.of_mail[0]):
        return set()
    return {each for each, (code, _) in replies.of_recipients.items() if _is_good(code)}


def _of_refusal(error: smtplib.SMTPResponseException) -> Mailed:
    """Return what it means that the server refused before it was told who is to get the mail."""
    code, said = error.smtp_code, _text(error.smtp_error)
    if not 200 <= code < 600:  # smtplib's -1: what came is no reply
        return Mailed(outcome=Later(reason=f"the mail server did not answer in SMTP: {said}"))
    meant = outcome(code, said)
    if isinstance(meant, Refused):  # which it says of us, and not of the mail
        match error:
            case smtplib.SMTPSenderRefused():
                meant = Closed(reason=f"{meant.reason}: configure a sender that the server takes")
            case _:
                meant = Later(reason=meant.reason)
    return Mailed(outcome=meant, code=code, text=f"{code} {said}")


def _is_good(code: int) -> bool:
    return 200 <= code < 300


def _reply(reply: tuple[int, bytes]) -> Reply:
    code, said = reply
    return code, _text(said)


def _text(said: bytes | str) -> str:
    return " ".join((said if isinstance(said, str) else said.decode(errors="replace")).split())
