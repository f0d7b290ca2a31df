"""An alert by every format: a rule matches, and the service sends what the format's renderer gives."""

import base64
import json
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from email import message_from_bytes, policy
from zoneinfo import ZoneInfo

import pytest

from syndicate.alerts.channels.channel import render
from syndicate.alerts.channels.message import AlertText, Kind, Marked, Message
from syndicate.model.channels import (
    Apprise,
    Channel,
    Discord,
    Email,
    Matrix,
    Mattermost,
    Ntfy,
    Slack,
    Teams,
    Telegram,
    Template,
)
from tests.desk import endpoint, network, rule, service, source
from tests.mail import MailServer
from tests.outlets import Article, LocalServer, Reply, feed

ALMATY = ZoneInfo("Asia/Almaty")
PUBLISHED = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
WATER = Article(
    link="https://outlet.example/1", title="Water in the west", text="There is water.", published=PUBLISHED
)
BODY = '{"text": {{ text | tojson }}, "id": {{ id | tojson }}}'
GOOD = {
    "/slack-token": b"ok",
    "/mattermost-token": b"ok",
    "/bot1:telegram-token/sendMessage": b'{"ok":true}',
    "/": b'{"event":"message"}',
}


def answer(asked):
    if asked.path.startswith("/_matrix/"):
        return Reply(body=b'{"event_id":"$1"}')
    return Reply(body=GOOD.get(asked.path, b""), status=200 if asked.path in GOOD else 202)


def channels(address: str) -> dict[str, Channel]:
    host = address.removeprefix("http://")
    return {
        "slack": Slack(url=f"{address}/slack-token"),
        "discord": Discord(url=f"{address}/discord-token"),
        "teams": Teams(url=f"{address}/teams-token"),
        "mattermost": Mattermost(url=f"{address}/mattermost-token"),
        "telegram": Telegram(token="1:telegram-token", chat="-1", url=address),
        "ntfy": Ntfy(topic="ntfy-topic", url=address),
        "matrix": Matrix(url=address, room="!desk:example.org", token="matrix-token"),
        "email": Email(sender="news@desk.example", recipients=("editor@desk.example",)),
        "apprise": Apprise(url=f"json://{host}/apprise-token"),
        "template": Template(url=f"{address}/template-token", template=BODY, method="PUT"),
    }


def tables(address: str) -> list[str]:
    settings = {
        "slack": {"url": f"{address}/slack-token"},
        "discord": {"url": f"{address}/discord-token"},
        "teams": {"url": f"{address}/teams-token"},
        "mattermost": {"url": f"{address}/mattermost-token"},
        "telegram": {"url": address, "token": "1:telegram-token", "chat": "-1"},
        "ntfy": {"url": address, "topic": "ntfy-topic"},
        "matrix": {"url": address, "room": "!desk:example.org", "token": "matrix-token"},
        "apprise": {"url": f"json://{address.removeprefix('http://')}/apprise-token"},
        "template": {"url": f"{address}/template-token", "template": BODY, "method": "PUT"},
    }
    mail = (
        '[[endpoint]]\nid = "email"\nformat = "email"\nsender = "news@desk.example"\n'
        'recipients = ["editor@desk.example"]\n'
    )
    return [mail, *(endpoint(name, format=name, **keys) for name, keys in settings.items())]


@pytest.fixture
def mail():
    with MailServer() as server:
        yield server


def write(desk, outlets, receiver, mail):
    desk.write(
        service(base_url="https://desk.example", time_zone="Asia/Almaty"),
        network(),
        f'[smtp]\nhost = "127.0.0.1"\nport = {mail.port}\nsecurity = "none"\n',
        source("outlet", f"{outlets.address}/outlet", title="An outlet", baseline=False),
        *tables(receiver.address),
        rules={"water": rule("water", notify=list(channels("http://x")), title="Water!")},
    )


def frozen(desk) -> dict[str, tuple[str, bytes, datetime]]:
    """Return id, body and time of the delivery to each endpoint."""
    with closing(sqlite3.connect(desk.database)) as connection:
        rows = connection.execute("SELECT endpoint, id, body FROM deliveries").fetchall()
    made = {each["id"]: datetime.fromisoformat(each["created_at"]) for each in desk.json("deliveries")}
    return {name: (identity, bytes(body), made[identity]) for name, identity, body in rows}


def expected(identity: str, at: datetime) -> Message:
    alert = AlertText(
        kind=Kind.MATCH,
        title=Marked(text="Water in the west", marks=((0, 5),)),
        outlet="An outlet",
        at=PUBLISHED.astimezone(ALMATY),
        rule="Water!",
        rule_id="water",
        passage=Marked(text="There is water.", marks=((9, 14),)),
        link=WATER.link,
        story=1,
    )
    return Message(id=identity, at=at.astimezone(ALMATY), alerts=(alert,), more="https://desk.example/")


def test_an_alert_reaches_every_format_byte_for_byte(desk, pages, outlets, mail):
    pages["/outlet"] = feed([WATER])
    with LocalServer(answer) as receiver:
        write(desk, outlets, receiver, mail)
        desk.call("once", "--strict")
        kept = frozen(desk)
        for name, channel in channels(receiver.address).items():
            identity, body, at = kept[name]
            assert body == render(channel, expected(identity, at)), name
        received = {asked.body: asked for asked in receiver.asked}
        for name in set(kept) - {"email", "apprise"}:
            assert kept[name][1] in received, name
        methods = {name: received[kept[name][1]].method for name in ("slack", "matrix", "template")}
        assert methods == {"slack": "POST", "matrix": "PUT", "template": "PUT"}
        assert received[kept["matrix"][1]].headers["authorization"] == "Bearer matrix-token"
        assert [taken.body for taken in mail.taken] == [kept["email"][1]]
        (handed,) = (json.loads(asked.body) for asked in receiver.at("/apprise-token"))
        assert handed["message"] == json.loads(kept["apprise"][1])["text"]
    assert {each["state"] for each in desk.json("deliveries")} == {"delivered"}


def test_mail_about_a_story_forms_a_thread_and_tells_who_else_reports_it(desk, pages, outlets, mail):
    desk.write(
        service(),
        network(),
        f'[smtp]\nhost = "127.0.0.1"\nport = {mail.port}\nsecurity = "none"\n',
        *(
            source(name, f"{outlets.address}/{name}", title=f"The {name}", baseline=False)
            for name in ("a", "b")
        ),
        tables("http://127.0.0.1:1")[0],
        rules={"water": rule("water", notify=["email"], title="Water!", escalate=2)},
    )
    for pages["/a"], pages["/b"] in [(feed([WATER]), feed([])), (feed([WATER]), feed([WATER]))]:
        desk.call("once", "--all", "--strict")
    first, second = (message_from_bytes(taken.body, policy=policy.default) for taken in mail.taken)
    assert first["Message-ID"] != second["Message-ID"]
    for name in ("References", "In-Reply-To", "List-Id"):
        assert first[name]
        assert first[name] == second[name]
    texts = [
        base64.b64decode(taken.body.split(b"\r\n\r\n")[2].split(b"--=")[0]).decode() for taken in mail.taken
    ]
    assert "Also reported" not in texts[0]
    assert texts[1].startswith("More sources report it\r\n")
    assert "Rule: Water! · Also reported by The a" in texts[1]


def test_a_mail_server_that_tells_the_password_is_not_quoted(desk, pages, outlets):
    pages["/a"] = feed([WATER])
    with MailServer(login=("news", "hunter22")) as mail:
        mail.replies = {"": ["554 not with hunter22"]}
        desk.write(
            service(),
            network(),
            f'[smtp]\nhost = "127.0.0.1"\nport = {mail.port}\nsecurity = "none"\nuser = "news"\n'
            'password = "${MAIL_PASSWORD}"\n',
            source("a", f"{outlets.address}/a", baseline=False),
            tables("http://127.0.0.1:1")[0],
            rules={"water": rule("water", notify=["email"])},
        )
        said = desk.call("once", "--all", MAIL_PASSWORD="hunter22")
        tried = desk.call("endpoints", "test", "email", MAIL_PASSWORD="hunter22", status=None)
    everything = said.out + said.err + tried.out + tried.err
    assert "554 not with ***" in everything
    assert "hunter22" not in everything + desk.database.read_bytes().decode("latin-1")


@pytest.mark.parametrize("address", ["nosuch://hunter2/x", "tgram://hunter2/", "pover://hunter2"])
def test_an_address_that_apprise_does_not_know_is_not_told(desk, address):
    desk.write(
        service(),
        network(),
        source("a", "https://a.example/feed"),
        endpoint("pager", format="apprise", url=address),
        rules={"water": rule("water", notify=["pager"])},
    )
    said = desk.call("check", status=2)
    assert "url: Apprise knows no such address: see its documentation for the service" in said.out + said.err
    assert "hunter2" not in said.out + said.err


@pytest.mark.parametrize("name", sorted(channels("http://x")))
def test_a_sample_is_marked_in_every_format(desk, outlets, mail, name):
    with LocalServer(answer) as receiver:
        write(desk, outlets, receiver, mail)
        assert f"{name} took the sample" in desk.call("endpoints", "test", name, "--strict").out
        sent = [asked.body for asked in receiver.asked] + [
            base64.b64decode(taken.body.split(b"\r\n\r\n")[2].split(b"--=")[0]) for taken in mail.taken
        ]
    assert len(sent) == 1
    assert b"A test of Syndicate" in sent[0].replace(b"__", b"").replace(b"**", b"") or b"test" in sent[0]


def test_what_a_service_asks_for_and_says_is_heeded_and_no_secret_is_told(desk, pages, outlets, mail):
    pages["/outlet"] = feed([WATER])
    mail.replies = {"": ["451 later"]}

    def busy(asked):
        return Reply(status=429, body=b'{"retry_after": 64.5, "at": "' + asked.path.encode() + b'"}')

    with LocalServer(busy) as receiver:
        write(desk, outlets, receiver, mail)
        said = desk.call("once", "--all")
        deliveries = desk.json("deliveries")
    assert {each["state"] for each in deliveries} == {"waiting"}
    (discord,) = (each for each in deliveries if each["endpoint"] == "discord")
    waits = datetime.fromisoformat(discord["next_attempt_at"]) - datetime.fromisoformat(discord["created_at"])
    assert 60 < waits.total_seconds() < 90
    everything = said.out + said.err + json.dumps(deliveries) + desk.database.read_bytes().decode("latin-1")
    for secret in ("slack-token", "discord-token", "telegram-token", "matrix-token", "apprise-token"):
        assert secret not in everything, secret


def test_a_flood_is_one_message_where_people_read_and_each_alert_by_itself_elsewhere(
    desk, pages, outlets, mail
):
    def articles(count, name):
        return [Article(link=f"https://o.example/{name}{n}", title=f"Water {name}{n}") for n in range(count)]

    def sent():
        """Return how many messages each endpoint took."""
        paths = Counter(asked.path.partition("-token")[0].partition("/send/")[0] for asked in receiver.asked)
        return {"email": len(mail.taken), **paths}

    by_path = {"/slack", "/discord", "/teams", "/mattermost", "/bot1:telegram", "/apprise", "/"}
    people = by_path | {"email", "/_matrix/client/v3/rooms/%21desk%3Aexample.org"}
    programs = {"/template", "/standard"}
    pages["/outlet"] = feed(articles(20, "a"))
    with LocalServer(answer) as receiver:
        formats = [*channels("http://x"), "standard"]
        desk.write(
            service(),
            network(),
            f'[smtp]\nhost = "127.0.0.1"\nport = {mail.port}\nsecurity = "none"\n',
            source("outlet", f"{outlets.address}/outlet", baseline=False),
            endpoint("standard", f"{receiver.address}/standard"),
            *tables(receiver.address),
            rules={"water": rule("water", notify=formats)},
        )
        desk.call("once", "--strict")
        assert sent() == dict.fromkeys(people | programs, 20)
        pages["/outlet"] = feed(articles(21, "b"))
        desk.call("once", "--all", "--strict")
        assert sent() == dict.fromkeys(people, 21) | dict.fromkeys(programs, 41)
        types = {json.loads(asked.body)["type"] for asked in receiver.at("/standard")}
    assert types == {"alert.match"}
    assert desk.json("deliveries", "--state", "waiting") == []
