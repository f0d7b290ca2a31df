"""Killed at random moments while outlets keep publishing, the service loses nothing and invents nothing."""

import json
import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count

import pytest
from lxml import etree
from standardwebhooks import Webhook, WebhookVerificationError

from tests import atom_check
from tests.desk import Desk, endpoint, eventually, network, rule, service, source
from tests.outlets import Article, Asked, LocalServer, Reply, rss

OUTLETS = ("steppe", "vestnik", "ledger", "oasis")
SECRETS = {
    "/desk": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "/phone": "whsec_c2VjcmV0IG9mIHRoZSBwaG9uZSwgbG9uZyBlbm91Z2g=",
}
RULES = {"water": "aquifer", "rail": "locomotive"}
NOTIFY = {"water": ("/desk", "/phone"), "rail": ("/desk",)}
FEED_LIMIT = 100

Alert = tuple[str, int, str]  # rule, number of the article, endpoint


def number_of(title: str) -> int:
    """Return the number of an article, which it has wherever it is printed and however it is edited."""
    return int(title.partition("no. ")[2].partition(",")[0])


@dataclass
class Press:
    """Outlets that publish something new, edit something old or do nothing, each time they are asked."""

    chance: random.Random
    is_publishing: bool = False
    articles: dict[str, list[Article]] = field(default_factory=lambda: {name: [] for name in OUTLETS})
    versions: Counter[str] = field(default_factory=Counter)
    told: set[tuple[str, int]] = field(default_factory=set)  # (rule, article) that a baseline holds
    moved: set[int] = field(default_factory=set)  # articles whose address has changed
    shared: set[int] = field(default_factory=set)  # articles that several outlets have
    numbers: Iterator[int] = field(default_factory=count)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def publish_baseline(self) -> None:
        for name in OUTLETS:
            for words in ("plain", "aquifer", "aquifer locomotive", "plain"):
                self.publish(name, words)
        self.told = {(rule, number_of(article.title)) for rule, article in self.matching()}

    def answer(self, asked: Asked) -> Reply:
        name = asked.path.strip("/")
        with self.lock:
            if self.is_publishing and self.chance.random() < 0.8:
                self.change(name)
            etag = f'W/"{name},{self.versions[name]}"'
            if asked.headers.get("if-none-match") == etag:
                return Reply(status=304, headers={"etag": etag})
            return Reply(headers={"etag": etag, "content-type": "application/rss+xml"}, body=self.print(name))

    def change(self, name: str) -> None:
        act = self.chance.choice((self.publish, self.publish, self.publish_some, self.edit, self.repeat))
        act(name, self.chance.choice(("plain", "aquifer", "locomotive", "aquifer locomotive")))
        self.versions[name] += 1

    def publish(self, name: str, words: str) -> None:
        number = next(self.numbers)
        link = f"https://{name}.example/news/{number}"
        guid = self.chance.choice((link, f"tag:{name}.example,2026:{number}", f"no-{number}", None))
        self.articles[name].append(
            Article(
                link=link,
                guid=guid,
                title=f"{words} no. {number}",
                text=f"What happened, {number}.",
                published=datetime.now(UTC),
            )
        )

    def publish_some(self, name: str, words: str) -> None:
        for _ in range(3):
            self.publish(name, words)

    def edit(self, name: str, words: str) -> None:
        """Edit an article, so that it says more than before: what matched goes on matching."""
        place = self.chance.randrange(len(self.articles[name]))
        article = self.articles[name][place]
        self.articles[name][place] = replace(article, title=f"{article.title}, also {words}")
        # An address that others have printed stays: it alone says that theirs is the same story.
        if article.guid and number_of(article.title) not in self.shared and self.chance.random() < 0.5:
            self.articles[name][place] = replace(self.articles[name][place], link=f"{article.link}-moved")
            self.moved.add(number_of(article.title))

    def repeat(self, name: str, _words: str) -> None:
        """Report what another outlet reports, under its address: the same story."""
        other = self.chance.choice([each for each in OUTLETS if each != name])
        article = self.chance.choice(self.articles[other])
        number = number_of(article.title)
        if number not in self.moved | {number_of(each.title) for each in self.articles[name]}:
            self.articles[name].append(replace(article, guid=f"{name} {article.link}"))
            self.shared.add(number)

    def print(self, name: str) -> bytes:
        """Return the document: newest first, one article twice, guids in http or https as it happens."""
        printed = [self.spelled(article) for article in reversed(self.articles[name])]
        twice = self.spelled(self.chance.choice(printed))
        printed.insert(self.chance.randrange(len(printed)), twice)
        return rss(printed, title=name)

    def spelled(self, article: Article) -> Article:
        if article.guid and article.guid.startswith("http") and self.chance.random() < 0.5:
            return replace(article, guid=article.guid.replace("https:", "http:"))
        return article

    def matching(self) -> Iterator[tuple[str, Article]]:
        for article in (article for some in self.articles.values() for article in some):
            yield from ((rule, article) for rule, word in RULES.items() if word in article.title)

    def expected_alerts(self) -> set[Alert]:
        found = {(rule, number_of(article.title)) for rule, article in self.matching()}
        # What a baseline holds is told if another outlet reports it afterwards.
        quiet = {(rule, number) for rule, number in self.told if number not in self.shared}
        return {(rule, number, endpoint) for rule, number in found - quiet for endpoint in NOTIFY[rule]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An alert that arrived and whose signature holds."""

    id: str
    alert: Alert
    body: bytes
    is_taken: bool  # an answer said so


@dataclass
class Receiver:
    """Takes alerts; some only at the second or third try, and some answers break off."""

    chance: random.Random
    received: list[Received] = field(default_factory=list)
    forged: list[Asked] = field(default_factory=list)
    scripts: dict[str, list[Reply | None]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: Asked) -> Reply | None:
        with self.lock:
            reply = self.reply(asked.headers["webhook-id"])
            try:
                message = Webhook(SECRETS[asked.path]).verify(asked.body.decode(), dict(asked.headers))
            except WebhookVerificationError:
                self.forged.append(asked)
                return reply
            data = message["data"]
            self.received.append(
                Received(
                    id=asked.headers["webhook-id"],
                    alert=(data["rule"]["id"], number_of(data["item"]["title"]), asked.path),
                    body=asked.body,
                    is_taken=reply is not None and reply.status == 200,
                )
            )
            return reply

    def reply(self, delivery: str) -> Reply | None:
        busy = Reply(status=503, headers={"retry-after": "1"})
        good = Reply()
        breaks_off = Reply(is_cut=True, body=b"tha")
        scripts: tuple[list[Reply | None], ...] = ([], [], [], [busy], [busy, busy], [None], [breaks_off])
        if delivery not in self.scripts:
            self.scripts[delivery] = self.chance.choice(scripts).copy()
        script = self.scripts[delivery]
        return script.pop(0) if script else good


@pytest.fixture
def desk(tmp_path):
    return Desk(folder=tmp_path)


def write_configuration(desk: Desk, outlets: LocalServer, receiver: LocalServer) -> None:
    desk.write(
        service(),
        network(host_concurrency=8),
        *(source(name, f"{outlets.address}/{name}", interval="1s") for name in OUTLETS),
        *(
            endpoint(path.strip("/"), receiver.address + path, secret=secret)
            for path, secret in SECRETS.items()
        ),
        rules={
            identity: rule(word, notify=[path.strip("/") for path in NOTIFY[identity]])
            for identity, word in RULES.items()
        },
    )


def kill_starting(desk: Desk, chance: random.Random) -> None:
    """Start the service and kill it before it has done much."""
    process = desk.start()
    time.sleep(chance.uniform(0, 1.2))  # the moment itself, not a wait for something
    kill(desk, process)


def kill_working(desk: Desk, chance: random.Random, servers: Sequence[LocalServer]) -> None:
    """Start the service and kill it some milliseconds after it has made some requests."""

    def count() -> int:
        assert process.poll() is None, desk.log.read_text()[-3000:]
        return sum(len(server.asked) for server in servers)

    process = desk.start()
    wanted = count() + chance.randint(1, 6)
    try:
        eventually(lambda: count() >= wanted)
        time.sleep(chance.uniform(0, 0.1))
    finally:
        kill(desk, process)


def kill(desk: Desk, process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended by itself"
    said = desk.log.read_text()
    assert "Traceback" not in said
    assert "level=error" not in said


def run_until_quiet(desk: Desk, outlets: LocalServer) -> None:
    """Run the service until every outlet was read to its end and nothing waits to be delivered."""

    def polls() -> Counter[str]:
        return Counter(asked.path for asked in outlets.asked)

    with desk.running():
        # Who asks a third time has recorded the answer to the second.
        wanted = polls() + Counter({f"/{name}": 3 for name in OUTLETS})
        outlets.wait_for(lambda _: polls() >= wanted)
        eventually(lambda: not desk.json("deliveries", "--state", "waiting"), seconds=120)


def test_nothing_is_lost_or_invented_however_often_it_is_killed(desk, slow):
    chance = random.Random(20261124)
    press, receiver = Press(chance=random.Random(1)), Receiver(chance=random.Random(2))
    rounds = 200 if slow else 50
    press.publish_baseline()
    with LocalServer(press.answer) as outlets, LocalServer(receiver.answer) as endpoints:
        write_configuration(desk, outlets, endpoints)
        for _ in range(rounds // 5):  # while the database is made and the baseline read
            kill_starting(desk, chance)
        assert {poll["state"] for poll in desk.json("once", "--all")} <= {"ok", "unchanged"}
        assert receiver.received == []
        press.is_publishing = True
        for _ in range(rounds - rounds // 5):
            if chance.random() < 0.35:
                kill_starting(desk, chance)
            else:
                kill_working(desk, chance, [outlets, endpoints])
        press.is_publishing = False
        run_until_quiet(desk, outlets)
        check_items(desk, press)
        check_alerts(desk, press, receiver)
        check_files(desk, press)


def check_items(desk: Desk, press: Press) -> None:
    stored = desk.json("items", "--limit", "1000000")
    published = {
        (name, number_of(article.title)): article for name, some in press.articles.items() for article in some
    }
    named = [(item["source"], number_of(item["title"])) for item in stored]
    assert Counter(named) == Counter(published.keys())
    for name, item in zip(named, stored, strict=True):
        article = published[name]
        assert (item["title"], item["link"]) == (article.title, article.link)
        assert item["matches"] == sorted(name for name, word in RULES.items() if word in article.title)
    assert len({item["id"] for item in stored}) == len(stored)


def check_alerts(desk: Desk, press: Press, receiver: Receiver) -> None:
    expected = press.expected_alerts()
    assert len(expected) > 50, "too little happened for this to show anything"
    assert receiver.forged == []
    assert {received.alert for received in receiver.received if received.is_taken} == expected
    ids: defaultdict[Alert, set[str]] = defaultdict(set)
    contents: defaultdict[str, set[tuple[bytes, str]]] = defaultdict(set)
    for received in receiver.received:
        ids[received.alert].add(received.id)
        contents[received.id].add((received.body, received.alert[2]))
    assert ids.keys() == expected
    assert {len(some) for some in ids.values()} == {1}
    assert {len(some) for some in contents.values()} == {1}
    deliveries = desk.json("deliveries", "--limit", "1000000")
    assert {delivery["state"] for delivery in deliveries} == {"delivered"}
    assert Counter(delivery["id"] for delivery in deliveries) == Counter(contents.keys())
    tries = Counter(received.id for received in receiver.received)
    assert max(tries.values()) > 1, "no delivery was tried twice"


def check_files(desk: Desk, press: Press) -> None:
    with sqlite3.connect(desk.database) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    db.close()
    for name in RULES:
        document = (desk.folder / f"feeds/{name}.atom").read_bytes()
        assert atom_check.problems(document) == []
        matching = Counter(
            (article.link, article.title) for rule, article in press.matching() if rule == name
        )
        entries = Counter(entries_of(document))
        assert entries <= matching
        assert entries.total() == min(matching.total(), FEED_LIMIT)
        newest = desk.json("items", "--rule", name, "--limit", str(FEED_LIMIT))
        assert entries == Counter((item["link"], item["title"]) for item in newest)
    assert not list((desk.folder / "feeds").glob(".*"))
    assert "Traceback" not in desk.log.read_text()
    assert json.loads(desk.call("check", "--json").out) == []


def entries_of(document: bytes) -> Iterator[tuple[str, str]]:
    atom = "{http://www.w3.org/2005/Atom}"
    for entry in etree.fromstring(document).iterfind(f"{atom}entry"):
        links = [link.get("href", "") for link in entry.iterfind(f"{atom}link")]
        yield links[0], entry.findtext(f"{atom}title", "")
