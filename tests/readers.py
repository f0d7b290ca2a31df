"""Real feed readers, each asked to read an address once and to tell all that it has shown so far."""

import email
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default as mail_policy
from hashlib import sha256
from pathlib import Path
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from tests.mail import MailServer
from tests.support import ROOT, require, unavailable

LOCK = Path(__file__).parent / "acceptance/reader.lock"
READ_AND_LIST = """
import json, sys
import reader

database, address = sys.argv[1:]
subscriptions = reader.make_reader(database)
subscriptions.add_feed(address, exist_ok=True)
subscriptions.update_feed(address)
assert subscriptions.get_feed(address).last_exception is None
print(json.dumps([
    {"id": entry.id, "title": entry.title, "link": entry.link, "html": entry.get_content().value}
    for entry in subscriptions.get_entries()
]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An entry as a reader has it."""

    id: str
    title: str
    link: str
    text: str  # with single spaces


Read = Callable[[str], list[Shown]]  # reads an address once; returns all that was shown until now


def packages() -> Path:
    """Return where the programs are that reader.lock pins."""
    return installed() or unavailable(
        "reader and rss2email", "they need the network, this once; pip's words are above"
    )


def installed() -> Path | None:
    """Set up what reader.lock pins, once, then there without the network; None: it cannot be had."""
    folder = ROOT / ".venv/readers" / sha256(f"{LOCK.read_text()} {sys.version}".encode()).hexdigest()[:16]
    python, stamp = folder / "bin/python", folder / "stamp"
    if not stamp.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--clear", folder], check=True)
        pip = next(ROOT.glob("tools/pip-*.whl")) / "pip"
        words = ["install", "-qq", "--no-input", "--disable-pip-version-check", "--require-hashes"]
        constraint = ["--build-constraint", str(ROOT / "requirements-build.lock")]
        command = [str(python), "-I", str(pip), *words, "-r", str(LOCK), *constraint]
        if subprocess.run(command, check=False).returncode:
            return None
        stamp.touch()
    return folder / "bin"


class Newsboat:
    """Newsboat, with an empty home."""

    def __init__(self, home: Path) -> None:
        self._program = require("newsboat", "apt-get install newsboat")
        self._home = home
        home.mkdir()
        (home / "config").touch()

    def read(self, address: str) -> list[Shown]:
        home = self._home
        (home / "urls").write_text(f"{address}\n")
        files = ["-u", f"{home}/urls", "-C", f"{home}/config", "-c", f"{home}/cache.db"]
        environ = {"HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
        subprocess.run([self._program, *files, "-x", "reload"], env=environ, check=True, timeout=60)
        with closing(sqlite3.connect(home / "cache.db")) as db:
            rows = db.execute("SELECT guid, title, url, content FROM rss_item WHERE deleted = 0").fetchall()
        return [
            Shown(id=guid, title=title, link=url, text=text_of(content)) for guid, title, url, content in rows
        ]


class PackageReader:
    """The package `reader`, with an empty database."""

    def __init__(self, home: Path) -> None:
        self._python, self._database = packages() / "python", home.with_suffix(".db")

    def read(self, address: str) -> list[Shown]:
        command = [str(self._python), "-c", READ_AND_LIST, str(self._database), address]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60)
        return [
            Shown(id=each["id"], title=each["title"], link=each["link"], text=text_of(each["html"]))
            for each in json.loads(done.stdout)
        ]


@dataclass
class Feedparser:
    """A reader of a few lines on feedparser: keeps validators, and entries by id."""

    entry_by_id: dict[str, Shown] = field(default_factory=dict)
    etag: str | None = None
    modified: str | None = None

    def read(self, address: str) -> list[Shown]:
        parsed = parse(address, etag=self.etag, modified=self.modified)
        if parsed.status == 200:
            self.etag, self.modified = parsed.etag, parsed.modified
            assert len({entry.id for entry in parsed.entries}) == len(parsed.entries)
        self.entry_by_id |= {each.id: each for each in shown_by(parsed)}
        return list(self.entry_by_id.values())


def parse(address: str, **validators: str | None) -> Any:
    """Return what feedparser makes of an address, which it asks itself."""
    import feedparser

    parsed = feedparser.parse(address, **validators)
    assert parsed.status == 304 or not parsed.bozo, parsed
    return parsed


def shown_by(parsed: Any) -> list[Shown]:
    """Return the entries of what feedparser has parsed."""
    return [
        Shown(id=entry.id, title=entry.title, link=entry.link, text=text_of(entry.content[0].value))
        for entry in parsed.entries
    ]


class Rss2email:
    """rss2email, which sends a mail for each entry, and a reply to it when the entry has been edited."""

    def __init__(self, home: Path, mails: MailServer) -> None:
        self._program, self._mails = packages() / "r2e", mails
        self._config, self._data = home.with_suffix(".cfg"), home.with_suffix(".json")
        self._mail_by_id: dict[str, EmailMessage] = {}  # by Message-ID
        settings = {
            "to": "desk@example.org",
            "from": "feeds@example.org",
            "email-protocol": "smtp",
            "smtp-server": "127.0.0.1",
            "smtp-port": mails.port,
            "reply-changes": True,
            "body-width": -1,  # no lines are broken
            "wrap-links": False,
            "verbose": "warning",
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        self._config.write_text("\n".join(["[DEFAULT]", *lines, ""]))

    def read(self, address: str) -> list[Shown]:
        if not self._data.exists():
            self._call("add", "desk", address)
        self._call("run")
        for taken in self._mails.taken:
            mail = email.message_from_bytes(taken.body, policy=mail_policy)
            assert isinstance(mail, EmailMessage)
            if mail["Message-ID"] not in self._mail_by_id:
                self._mail_by_id[mail["Message-ID"]] = mail
        replied_to = {mail["In-Reply-To"] for mail in self._mail_by_id.values()}
        return [
            Shown(
                id=mail["X-RSS-ID"],
                title=mail["Subject"],
                link=mail["X-RSS-URL"],
                text=" ".join(mail.get_content().split()),
            )
            for identity, mail in self._mail_by_id.items()
            if identity not in replied_to
        ]

    def _call(self, *words: str) -> None:
        command = [str(self._program), "-c", str(self._config), "-d", str(self._data), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (0, ""), done  # it ends with 0 whatever happens


def text_of(html: str) -> str:
    """Return what a person reads of a piece of HTML."""
    return " ".join((LexborHTMLParser(html).text(separator=" ") or "").split())
