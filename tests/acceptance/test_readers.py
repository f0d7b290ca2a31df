"""Real feed readers subscribe to a served feed: they show each entry once, and ask politely."""

import re
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import escape
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.desk import Desk, eventually, network, rule, service, source
from tests.mail import MailServer
from tests.outlets import Article, Asked, LocalServer, Reply, feed
from tests.readers import LOCK, Feedparser, Newsboat, PackageReader, Read, Rss2email, parse

NOT_RELAYED = ("connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding")
ATOM_AND_RSS = ("atom", "rss")
FORMATS_BY_READER = {
    "feedparser": ATOM_AND_RSS,
    "newsboat": ATOM_AND_RSS,
    "reader": (*ATOM_AND_RSS, "json"),
    "rss2email": ATOM_AND_RSS,
}


@pytest.fixture
def readers(tmp_path: Path) -> Iterator[Mapping[str, Callable[[], Read]]]:
    """Return by name how to set up a reader that has read nothing yet."""
    with MailServer() as mails:
        yield {
            "feedparser": lambda: Feedparser().read,
            "newsboat": lambda: Newsboat(tmp_path / "newsboat").read,
            "reader": lambda: PackageReader(tmp_path / "reader").read,
            "rss2email": lambda: Rss2email(tmp_path / "rss2email", mails).read,
        }


@dataclass
class Relay:
    """What stands before the service as a proxy would, and sees what readers ask and get."""

    behind: str = ""
    statuses: list[int] = field(default_factory=list)

    def answer(self, asked: Asked) -> Reply:
        headers = {name: value for name, value in asked.headers.items() if name not in NOT_RELAYED}
        with closing(HTTPConnection(urlsplit(self.behind).netloc, timeout=30)) as connection:
            connection.request("GET", asked.path, headers=headers)
            response = connection.getresponse()
            self.statuses.append(response.status)
            fields = {
                name.lower(): value
                for name, value in response.getheaders()
                if name.lower() not in NOT_RELAYED
            }
            return Reply(status=response.status, headers=fields, body=response.read())


@dataclass
class Outlet:
    """An outlet's articles, newest first."""

    articles: list[Article] = field(default_factory=list)

    def publish(self, *titles: str) -> None:
        for title in titles:
            number = len(self.articles)
            link = f"https://outlet.example/{number}"
            published = datetime.now(UTC) - timedelta(days=1) + timedelta(minutes=number)
            article = Article(link=link, guid=link, title=title, text=text(title), published=published)
            self.articles.insert(0, article)

    def edit(self, title: str, new: str) -> None:
        place = next(place for place, each in enumerate(self.articles) if each.title == title)
        self.articles[place] = replace(self.articles[place], title=new, text=text(new))

    def answer(self, _: Asked) -> Reply:
        return feed(self.articles)


def text(title: str) -> str:
    """Return an article's HTML, longer than any passage that explains a match."""
    return escape(f"{title}. {'What else there is to say of it. ' * 20}{last_words(title)}")


def last_words(title: str) -> str:
    return f"So it ends: {title}!"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A service that runs, the outlet it watches, and where readers reach its feed."""

    outlet: Outlet
    relay: Relay
    base_url: str

    def address(self, form: str) -> str:
        return f"{self.base_url}/feeds/water.{form}"

    def wait_until_served(self, words: str, form: str) -> None:
        def is_served() -> bool:
            with urllib.request.urlopen(f"{self.relay.behind}/feeds/water.{form}") as response:
                return words.encode() in response.read()

        eventually(is_served)


@contextmanager
def running(folder: Path, *titles: str, **keys: object) -> Iterator[Scene]:
    """Run the service over an outlet with articles of these titles; `keys` are of the rule."""
    outlet, relay, desk = Outlet(), Relay(), Desk(folder=folder)
    outlet.publish(*titles)
    with LocalServer(outlet.answer) as outlets, LocalServer(relay.answer) as relays:
        desk.write(
            service(base_url=relays.address),
            network(),
            source("outlet", outlets.address, interval="1s"),
            rules={"water": rule("water", "вода", "су", title="Water, вода, су", **keys)},
        )
        with desk.running() as relay.behind:
            yield Scene(outlet=outlet, relay=relay, base_url=relays.address)


@pytest.mark.parametrize(
    ("name", "form"), [(name, form) for name, forms in FORMATS_BY_READER.items() for form in forms]
)
def test_a_reader_shows_every_entry_once_and_asks_again_only_for_what_changed(tmp_path, readers, name, form):
    first = ["Water in the west", "Су туралы", "Вода и водоканал", "Water & <power>"]
    read = readers[name]()
    with running(tmp_path, "Football", *first) as scene:
        scene.wait_until_served("Water in the west", form)
        address, statuses = scene.address(form), scene.relay.statuses
        shown = read(address)
        assert Counter(each.title for each in shown) == Counter(first)
        assert {each.title: each.link for each in shown} == {
            each.title: each.link for each in scene.outlet.articles if each.title in first
        }
        assert [each.title for each in shown if last_words(each.title) not in each.text] == []

        assert Counter(read(address)) == Counter(shown)  # newsboat keeps no validators of its first time
        statuses.clear()
        assert Counter(read(address)) == Counter(shown)
        assert statuses == [304]

        scene.outlet.edit("Water in the west", "Water in the west, corrected")
        scene.outlet.publish("Water in the east", "More football", "Су тағы да")
        for words in ("corrected", "in the east", "тағы"):
            scene.wait_until_served(words, form)

        statuses.clear()
        later = read(address)
        titles = ["Water in the west, corrected", *first[1:], "Water in the east", "Су тағы да"]
        assert Counter(each.title for each in later) == Counter(titles)
        assert [each.title for each in later if last_words(each.title) not in each.text] == []
        old, new = ({each.id: each.title for each in some} for some in (shown, later))
        assert {(old[each], new[each]) for each in old if old[each] != new[each]} == {
            ("Water in the west", "Water in the west, corrected")
        }
        assert Counter(read(address)) == Counter(later)
        assert statuses == [200, 304]


@pytest.mark.parametrize("form", ATOM_AND_RSS)
def test_feedparser_walks_from_the_newest_entry_to_the_first(tmp_path, form):
    titles = [f"Water on day {number}" for number in range(1, 10)]
    with running(tmp_path, *titles, feed={"limit": 2}) as scene:
        scene.wait_until_served("prev-archive", form)
        documents, address = [], scene.address(form)
        while address:
            parsed = parse(address)
            documents.append(parsed.entries)
            older = [link.href for link in parsed.feed.links if link.rel == "prev-archive"]
            address = older[0] if older else ""
    head, *pages = documents
    assert len(pages) == 4
    assert [len(page) for page in pages] == [2] * 4
    assert {entry.title for page in documents for entry in page} == set(titles)
    assert Counter(entry.id for page in pages for entry in page).most_common(1)[0][1] == 1
    assert "Water on day 9" in {entry.title for entry in head}
    assert "Water on day 1" in {entry.title for entry in pages[-1]}


def test_the_lock_names_no_host():
    assert re.findall(r"://|^\s*-(?!-hash=)\S*|[ /]index", LOCK.read_text(), re.MULTILINE) == []
