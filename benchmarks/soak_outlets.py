"""The outlets of soak.py: what they publish, and when.

Every outlet publishes by the hour of its day and the day of its week, at a rate of its own (half of them
less than twelve articles a day, a few more than a hundred), and lists the newest ones. Some articles are
edited, some appear at two outlets under one link.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

HOUR, DAY = 3600, 86_400
QUIET_END = 3 * HOUR  # at the end, in which nothing new appears and nothing fails: all is polled once more
BY_HOUR = (1, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 10, 10, 11, 11, 10, 9, 8, 6, 5, 4, 3, 2)
BY_DAY = (1, 1, 1, 1, 1, 0.45, 0.4)  # from Monday
WORDS = [
    "agreement", "border", "budget", "central", "cooperation", "corridor", "council", "customs", "delegation",
    "development", "economy", "energy", "european", "exports", "forum", "gas", "glacier", "investment",
    "market", "meeting", "minister", "parliament", "partners", "pipeline", "policy", "railway", "region",
    "river", "strategy", "summit", "trade", "transport", "union", "visa", "water",
]  # fmt: skip
MENTIONING, EDITED, SHARED = 0.2, 0.02, 0.03  # shares of all articles


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What there is to be."""

    outlets: int
    rules: int
    begin: float  # seconds since 1970
    end: float
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What an outlet publishes."""

    link: str
    at: float
    title: str
    text: str
    rule: int | None  # which rule holds for it, of all
    edited_at: float | None


@dataclass(slots=True, kw_only=True)
class Outlet:
    """One source."""

    number: int
    depth: int
    validators: str  # etag, date, none
    redirect: int | None  # the status that its configured address answers with; None: the document
    has_pages: bool  # its document has no texts, but each article has a page
    outage: tuple[float, float]  # from, until
    articles: list[Article] = field(default_factory=list)
    times: list[float] = field(default_factory=list)  # of the articles, oldest first

    @property
    def host(self) -> str:
        """Where it is, an address of its own."""
        return f"127.1.{self.number // 256}.{self.number % 256}"

    @property
    def path(self) -> str:
        """Where its document is asked for."""
        return "/feed" if self.redirect is None else "/old"

    def listed(self, now: float) -> list[Article]:
        """Return what its document has now, newest first."""
        count = bisect_right(self.times, now)
        return self.articles[max(count - self.depth, 0) : count][::-1]


def marker(rule: int) -> str:
    """Return the word that a rule looks for."""
    digits = []
    while rule or not digits:
        rule, digit = divmod(rule, 20)
        digits.append("bcdfghjklmnpqrstvwxz"[digit])
    return "quo" + "o".join(digits) + "ov"


def outlets_of(world: World) -> list[Outlet]:
    """Return outlets and all that they will publish until the end, and have in the ten days before."""
    dice = random.Random(17)
    outlets = [_outlet(number, world, dice) for number in range(world.outlets)]
    for outlet in outlets:
        rate = min(math.exp(dice.gauss(math.log(12), 0.9)), 150)  # articles a day
        outlet.depth = max(15, min(60, round(rate)))
        shift = dice.choice((0, 0, 1, 2, 5, 6)) * HOUR
        span = (world.begin - 10 * DAY + shift, world.end - QUIET_END + shift)
        outlet.articles = [
            _article(outlet, number, at - shift, world, dice)
            for number, at in enumerate(_moments(rate, span, dice))
        ]
    _share(outlets, world, dice)
    for outlet in outlets:
        outlet.articles.sort(key=lambda article: article.at)
        outlet.times = [article.at for article in outlet.articles]
    return outlets


def _outlet(number: int, world: World, dice: random.Random) -> Outlet:
    starts = dice.uniform(world.begin + HOUR, max(world.end - 12 * HOUR, world.begin + HOUR))
    lasts = dice.uniform(2, 6) * HOUR if dice.random() < 0.05 else 0
    return Outlet(
        number=number,
        depth=0,
        validators=dice.choice(("etag", "etag", "etag", "date", "none")),
        redirect=dice.choice((301, 302)) if dice.random() < 0.1 else None,
        has_pages=number % 40 == 7,
        outage=(starts, starts + lasts),
    )


def _moments(a_day: float, span: tuple[float, float], dice: random.Random) -> Iterator[float]:
    """Yield when something appears, by the outlet's own clock: the rate follows the hour and the day."""
    at, end = span
    busiest, mean = max(BY_HOUR), sum(BY_HOUR) / 24 * sum(BY_DAY) / 7
    while (at := at + dice.expovariate(a_day * busiest / mean / DAY)) < end:
        local = datetime.fromtimestamp(at, UTC)
        if dice.random() * busiest < BY_HOUR[local.hour] * BY_DAY[local.weekday()]:
            yield at


def _article(outlet: Outlet, number: int, at: float, world: World, dice: random.Random) -> Article:
    rule = dice.randrange(world.rules) if dice.random() < MENTIONING else None
    words = dice.choices(WORDS, k=60)
    if rule is not None:
        words.insert(dice.randrange(60), marker(rule))
    site = f"http://{outlet.host}:{world.port}" if outlet.has_pages else f"https://{outlet.number}.example"
    return Article(
        link=f"{site}/news/{number}",
        at=at,
        title=" ".join(dice.choices(WORDS, k=8)),
        text=" ".join(words),
        rule=rule,
        edited_at=at + dice.uniform(0.5, 2) * HOUR if dice.random() < EDITED else None,
    )


def _share(outlets: list[Outlet], world: World, dice: random.Random) -> None:
    """Have some articles appear a little later at another outlet, too."""
    takers = [outlet for outlet in outlets if not outlet.has_pages]
    for outlet in takers:
        for article in [each for each in outlet.articles if each.at > world.begin + HOUR]:
            at = article.at + dice.uniform(1, 60) * 60
            taker = dice.choice(takers)
            if dice.random() < SHARED and taker is not outlet and at < world.end - QUIET_END:
                taker.articles.append(replace(article, at=at, edited_at=None))


def document(outlet: Outlet, now: float) -> bytes:
    """Return what an outlet answers with."""
    entries = "".join(_entry(article, outlet, now) for article in outlet.listed(now))
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>Outlet {outlet.number}</title><link>https://{outlet.number}.example/</link>"
        f"<description>News</description>{entries}</channel></rss>"
    ).encode()


def _entry(article: Article, outlet: Outlet, now: float) -> str:
    is_edited = article.edited_at is not None and article.edited_at <= now
    title = f"Updated: {article.title}" if is_edited else article.title
    text = "" if outlet.has_pages else f"<description>{escape(f'<p>{article.text}</p>')}</description>"
    return (
        f"<item><title>{title}</title><link>{article.link}</link><guid>{article.link}</guid>{text}"
        f"<pubDate>{format_datetime(datetime.fromtimestamp(article.at, UTC))}</pubDate></item>"
    )


def version(outlet: Outlet, now: float) -> float:
    """Return when an outlet's document changed last."""
    listed = outlet.listed(now)
    edits = (article.edited_at for article in listed if article.edited_at and article.edited_at <= now)
    return max((*(article.at for article in listed), *edits), default=0.0)


def page(article: Article) -> bytes:
    """Return an article's own page, where its text is."""
    paragraphs = "".join(f"<p>{article.text.capitalize()}, {number} times.</p>" for number in range(3))
    return (
        f"<!doctype html><html lang='en'><head><title>{article.title}</title></head><body><nav>All news</nav>"
        f"<article><h1>{article.title}</h1>{paragraphs}</article><footer>The end</footer></body></html>"
    ).encode()
