"""Mail handed to a real server: how it is spoken to, who gets what, and what its answers mean."""

import asyncio
import time
from datetime import timedelta
from ipaddress import ip_network

import pytest

from syndicate.alerts.channels.channel import addressed, render
from syndicate.alerts.channels.message import Mail
from syndicate.alerts.mailing import Mailed, Mailer
from syndicate.alerts.outcome import Closed, Later, Refused, Taken
from syndicate.http import Client
from syndicate.model import NetworkSettings, SmtpSecurity, SmtpSettings
from syndicate.model.channels import Email
from tests.channel_cases import MESSAGES
from tests.mail import AUTHORITY, MailServer, tls_context

EDITOR, CHIEF = "editor@desk.example", "chief@desk.example"
EMAIL = Email(sender="news@desk.example", recipients=(EDITOR, CHIEF))
LOOPBACK = (ip_network("127.0.0.0/8"),)
WITHIN = timedelta(seconds=10)


def mail(settings=EMAIL, case="match") -> Mail:
    sent = addressed(settings, render(settings, MESSAGES[case]), "msg_1")
    assert isinstance(sent, Mail)
    return sent


def settings(port, security=SmtpSecurity.NONE, **others) -> SmtpSettings:
    return SmtpSettings(host="127.0.0.1", port=port, security=security, **others)


def sent(*mails, smtp, allow=LOOPBACK, within=WITHIN) -> list[Mailed]:
    """Return what came of handing these over, one after the other, to one mailer."""

    async def work() -> list[Mailed]:
        async with Client(NetworkSettings(allow_private=allow)) as client:
            mailer = Mailer(client, smtp, within)
            return [await mailer.send(each, "msg_1") for each in mails]

    return asyncio.run(work())


def one(*mails, **how) -> Mailed:
    (came,) = sent(*mails, **how)
    return came


def encrypted(security, context, login=None) -> MailServer:
    if security is SmtpSecurity.TLS:
        return MailServer(tls=context, login=login)
    return MailServer(starttls=context, login=login)


# --------------------------------------------------------------------------- how it is spoken to


@pytest.mark.parametrize("case", MESSAGES)
def test_a_mail_arrives_byte_for_byte(case):
    with MailServer() as server:
        assert one(mail(case=case), smtp=settings(server.port)) == Mailed(
            outcome=Taken(), code=250, text="250 fine"
        )
    (taken,) = server.taken
    assert taken.body == render(EMAIL, MESSAGES[case])
    assert (taken.sender, taken.recipients) == ("news@desk.example", (EDITOR, CHIEF))
    assert taken.named == "[127.0.0.1]"


@pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
def test_it_is_encrypted_and_logged_in(security, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", AUTHORITY)
    with encrypted(security, tls_context(), login=("news", "hunter2")) as server:
        smtp = settings(server.port, security, user="news", password="hunter2")
        assert one(mail(), smtp=smtp).outcome == Taken()
    (taken,) = server.taken
    assert (taken.was_encrypted, taken.user) == (True, "news")


@pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
@pytest.mark.parametrize(
    ("certificate", "trusts", "words"),
    [
        ("good", False, "its certificate is signed by an authority we do not trust"),
        ("expired", True, "its certificate has expired"),
        ("other-name", True, "its certificate is for another address"),
    ],
)
def test_a_bad_certificate_is_not_spoken_to(security, certificate, trusts, words, monkeypatch):
    if trusts:
        monkeypatch.setenv("SSL_CERT_FILE", AUTHORITY)
    with encrypted(security, tls_context(certificate)) as server:
        came = one(mail(), smtp=settings(server.port, security))
    assert isinstance(came.outcome, Later)
    assert words in came.outcome.reason
    assert came.code is None
    assert server.taken == []


def test_a_server_that_offers_no_encryption_gets_neither_mail_nor_password():
    with MailServer() as server:
        smtp = settings(server.port, SmtpSecurity.STARTTLS, user="news", password="hunter2")
        came = one(mail(), smtp=smtp)
    assert isinstance(came.outcome, Later)
    assert "what security or user in [smtp] asks for: STARTTLS" in came.outcome.reason
    assert server.taken == []


def test_a_wrong_password_is_for_a_person_to_mend_and_is_not_told(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", AUTHORITY)
    with MailServer(login=("news", "right"), starttls=tls_context()) as server:
        smtp = settings(server.port, SmtpSecurity.STARTTLS, user="news", password="hunter2")
        came = one(mail(), smtp=smtp)
    assert isinstance(came.outcome, Closed)
    assert "configure a user and a password that the server takes" in came.outcome.reason
    assert came.code == 535
    assert "hunter2" not in str(came)


def test_an_address_beyond_ascii_needs_a_server_that_takes_such():
    beyond = mail(Email(sender="news@desk.example", recipients=("редакция@desk.example",)))
    with MailServer(utf8=True) as able:
        assert one(beyond, smtp=settings(able.port)).outcome == Taken()
        assert able.taken[0].recipients == ("редакция@desk.example",)
    with MailServer(utf8=False) as unable:
        came = one(beyond, smtp=settings(unable.port))
        assert isinstance(came.outcome, Later)
        assert "SMTPUTF8" in came.outcome.reason


# --------------------------------------------------------------------------- where it may go


def test_a_private_address_is_refused_unless_allowed():
    with MailServer() as server:
        came = one(mail(), smtp=settings(server.port), allow=())
    assert isinstance(came.outcome, Later)
    assert "refused: 127.0.0.1, which is not public" in came.outcome.reason
    assert server.taken == []


def test_a_name_that_leads_to_a_private_address_is_refused():
    with MailServer() as server:
        smtp = SmtpSettings(host="localhost", port=server.port, security=SmtpSecurity.NONE)
        came = one(mail(), smtp=smtp, allow=())
        assert isinstance(came.outcome, Later)
        assert "refused: its name leads to" in came.outcome.reason
        assert server.taken == []
        assert one(mail(), smtp=smtp, allow=(*LOOPBACK, ip_network("::1"))).outcome == Taken()


# --------------------------------------------------------------------------- what answers mean


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        ({"": ["451 try later"]}, Later),
        ({"": ["554 spam"]}, Refused),
        ({EDITOR: ["450 greylisted"], CHIEF: ["450 greylisted"]}, Later),
        ({EDITOR: ["550 nobody"], CHIEF: ["550 nobody"]}, Closed),
        ({EDITOR: ["550 nobody"], CHIEF: ["450 greylisted"]}, Later),
        ({EDITOR: ["421 closing"], CHIEF: ["421 closing"]}, Later),
    ],
)
def test_4xx_is_not_yet_and_5xx_is_never_for_the_mail_or_for_all_of_its_recipients(replies, outcome):
    with MailServer() as server:
        server.replies = replies
        came = one(mail(), smtp=settings(server.port))
    assert isinstance(came.outcome, outcome)
    (word,) = {reply[4:] for reply in next(iter(replies.values()))}
    assert word in str(came.outcome)
    assert server.taken == []


@pytest.mark.parametrize(
    ("reply", "outcome", "words"),
    [
        ("553 not your address", Closed, "553: not your address: configure a sender that the server takes"),
        ("451 later", Later, "451: later"),
    ],
)
def test_a_sender_that_the_server_refuses_is_for_a_person_to_mend_and_no_mail_is_lost(reply, outcome, words):
    with MailServer() as server:
        server.replies = {EMAIL.sender: [reply]}
        came = one(mail(), smtp=settings(server.port))
    assert isinstance(came.outcome, outcome)
    assert words in came.outcome.reason


def test_a_server_that_refuses_the_connection_is_tried_again():
    assert isinstance(lied_to(b"554 go away\r\n").outcome, Later)


def test_whom_the_server_refuses_for_ever_is_told_and_the_others_get_it():
    with MailServer() as server:
        server.replies = {EDITOR: ["550 nobody"]}
        came = one(mail(), smtp=settings(server.port))
    assert came == Mailed(outcome=Taken(), code=250, text=f"250 fine; not taken for {EDITOR}: 550 nobody")
    assert [taken.recipients for taken in server.taken] == [(CHIEF,)]


def test_whom_the_server_asks_to_wait_gets_it_with_the_next_try_and_nobody_gets_it_twice():
    with MailServer() as server:
        server.replies = {EDITOR: ["450 greylisted", "450 greylisted", "250 fine"]}
        first, second, third = sent(mail(), mail(), mail(), smtp=settings(server.port))
    assert first.outcome == Later(reason=f"the mail server did not take it for {EDITOR}: 450 greylisted")
    assert isinstance(second.outcome, Later)
    assert third.outcome == Taken()
    assert [taken.recipients for taken in server.taken] == [(CHIEF,), (EDITOR,)]


def test_who_is_refused_in_the_end_keeps_nothing_from_the_others():
    with MailServer() as server:
        server.replies = {EDITOR: ["450 greylisted", "550 nobody"]}
        first, second = sent(mail(), mail(), smtp=settings(server.port))
    assert isinstance(first.outcome, Later)
    assert second == Mailed(outcome=Taken(), code=550, text=f"{EDITOR}: 550 nobody")
    assert [taken.recipients for taken in server.taken] == [(CHIEF,)]


# --------------------------------------------------------------------------- servers that fail


@pytest.mark.parametrize("form", ["hunter2", "aHVudGVyMg==", "AG5ld3MAaHVudGVyMg=="])
def test_a_server_that_repeats_the_password_is_told_without_it(form):
    async def work() -> Mailed:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 mail.test\r\n")
            await reader.readline()
            writer.write(b"250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n")
            while await reader.readline():
                writer.write(f"535 no such password as {form} for news\r\n".encode())
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server, Client(NetworkSettings(allow_private=LOOPBACK)) as client:
            smtp = settings(server.sockets[0].getsockname()[1], user="news", password="hunter2")
            return await Mailer(client, smtp, WITHIN).send(mail(), "msg_1")

    came = asyncio.run(work())
    assert form not in str(came)
    assert came.text == "535 no such password as *** for news"


def lied_to(greeting: bytes, within=WITHIN) -> Mailed:
    """Return what comes of a server that says this and no more."""

    async def work() -> Mailed:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(greeting)
            if not greeting:
                await reader.read()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server, Client(NetworkSettings(allow_private=LOOPBACK)) as client:
            port = server.sockets[0].getsockname()[1]
            return await Mailer(client, settings(port), within).send(mail(), "msg_1")

    return asyncio.run(work())


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "did not answer in SMTP"),
        (b"220", "closed the connection"),
        (b"554 go away\r\n", "554: go away"),
        (b"421 busy\r\n", "421: busy"),
        (b"220 hello\r\n", "closed the connection"),
        (b"\xff\xfe\x00" * 5000, "mail server"),
    ],
)
def test_what_is_no_mail_server_is_told_in_words(greeting, words):
    came = lied_to(greeting)
    assert not isinstance(came.outcome, Taken)
    assert words in came.outcome.reason
    assert "Traceback" not in came.outcome.reason


def test_nobody_waits_longer_for_a_server_than_is_allowed():
    started = time.monotonic()
    came = lied_to(b"", within=timedelta(seconds=0.3))
    assert isinstance(came.outcome, Later)
    assert "did not answer within 0.3 s" in came.outcome.reason
    assert time.monotonic() - started < 5


def test_a_port_where_nobody_listens_is_told():
    came = one(mail(), smtp=settings(1))
    assert came.outcome == Later(reason="127.0.0.1:1: no connection: connection refused")
