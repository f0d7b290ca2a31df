"""Feeds as they are written: RSS of all versions, RDF and Atom, with everything that is usual in them; an odd
one also has what few have, and some of what nobody should write. All are well-formed.

`FEEDS` is a strategy of hypothesis, which finds a small feed where one fails. `corpus` casts dice instead: it
is the same at each run, and ten times as fast.
"""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from random import Random
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "georss": "http://www.georss.org/georss",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "openSearch": "http://a9.com/-/spec/opensearchrss/1.0/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "thr": "http://purl.org/syndication/thread/1.0",
    "xhtml": "http://www.w3.org/1999/xhtml",
    "yandex": "http://news.yandex.ru",
}
DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())

TEXTS = (
    "",
    " ",
    "News",
    "  two\n lines ",
    "AT&T &copy; 2026",
    "Q&amp;A &#8217;s",
    "Ақтау қаласы",
    "Новости: саммит ЕС",
    "cafÃ© mojibake",
    "naïve café",
    "win\x93dows\x94 \x85",
    "using <table> and </b>",
    "it's <i>here</i> &lt;b&gt;",
    "日本語",
    "a\u00a0b\u2028c\u200bd",
    "http://x.example/?a=1&b=2;c",
    "<p>One</p><p>two &amp; three</p>",
    'See <a href="/more?a=1&amp;b=2">more</a><br/>here',
    "<script>alert(1)</script>seen",
    '<img src="pic.jpg" alt="x">&nbsp;&mdash; “quoted”',
    "<div><ul><li>a<li>b</ul></div>",
    "1 < 2 & 3 > 2",
    "<b>bold",
    "a <video>clip</video> b",
    "</nothing> &amp;",
)
LINKS = (
    "https://a.example/1",
    "https://a.example/1?a=1&b=2",
    "/relative/2",
    "http:////slashes.example/x",
    "javascript:alert(1)",
    "tag:a.example,2026:1",
    "urn:uuid:60a76c80-d399-11d9-b93C-0003939e0af6",
    "12345",
    "?p=3&amp;q=4",
    "https://[bad/",
    "mailto:a@b.example",
    "",
    "https://пример.рф/путь",
    "https://a.example/a b",
)
DATES = (
    "Mon, 23 Nov 2026 10:00:00 GMT",
    "Mon, 23 Nov 2026 10:00:00 +0600",
    "23 Nov 2026 10:00 +0530",
    "Tuesday, 3 March 2026 01:02:03 EST",
    "Sat, 07 Sep 2026 00:00:00 +05:00",
    "2026-11-23T10:00:00Z",
    "2026-11-23T10:00:00.123+06:00",
    "2026-11-23T10:00-05:30",
    "2026-11-23t10:00:00z",
    "2026-11-23 10:00:00",
    "2026-11-23",
    "1960-01-01",
    "",
)
ODD_DATES = (
    "Thu, 31 Dec 2026 23:59:60 GMT",
    "2026-11",
    "20261123",
    "2026-11-23T10:00:00+0600",
    "2026-02-30T00:00:00Z",
    "Mon, 23 Nov 26 10:00:00 GMT",
    "Mon, 23 Nov 2026",
    "23/11/2026 10:00",
    "Fri, 2006/09/15 08:19:53 EDT",
    "Fri, 2006/13/15 08:19:53 EDT",
    "yesterday",
    "1700000000",
)
PEOPLE = (
    "Jane Doe",
    "jane@a.example (Jane Doe)",
    "Jane <jane@a.example>",
    "jane@a.example",
    "Ержан Қазы",
    "A, B & C",
    "<b>Jane</b>",
    "()",
)
ODD_PEOPLE = ("", "x" * 1001)
TYPES = ("text", "html", "text/html", "HTML", "plain", "text/plain")
ODD_TYPES = ("xhtml", "image/png", "application/xml", "")
LANGUAGES = ("en", "ru-RU", "kk_KZ", "", "not a language")
RELATIONS = ("alternate", "self", "enclosure", "via", "ALTERNATE", "replies", "")
XHTML = (
    '<div xmlns="http://www.w3.org/1999/xhtml"><p>One &amp; <b>two</b></p></div>',
    '<xhtml:div><xhtml:p class="a">x<xhtml:br/>y</xhtml:p></xhtml:div>',
    "<div>a</div><div>b</div>",
    '\n<div><a href="/x?a=1&amp;b=2" REL="Next" title="&quot;q&quot;">l</a></div>\n',
    "just text &lt;b&gt;",
    "<p>one</p> tail",
    "<div><div>in</div></div>",
    "",
)
ODD_XHTML = (
    '<div xml:lang="ru">да</div>',
    "<div><svg><title>x</title></svg></div>",
    "<section><title>x</title></section>",
)


class Pick(Protocol):
    """Chooses one of several values."""

    def __call__(self, values: Sequence[T], /) -> T: ...


Make = Callable[[], str]


class Maker:
    """Makes the elements of one feed."""

    def __init__(self, pick: Pick, kind: str, *, is_odd: bool) -> None:
        self.pick, self.kind, self.is_odd = pick, kind, is_odd
        self.dates = DATES * 5 + ODD_DATES * is_odd
        self.people = PEOPLE * 5 + ODD_PEOPLE * is_odd
        self.types = TYPES * 5 + ODD_TYPES * is_odd

    # -- pieces

    def text(self, values: Sequence[str] = TEXTS) -> str:
        """Return a text as XML: escaped, as CDATA, in references, with a comment in it, or padded."""
        text = self.pick(values)
        escaped = escape(text, quote=False)
        match self.pick(("escaped", "escaped", "cdata", "references", "comment", "padded")):
            case "cdata":
                return f"<![CDATA[{text}]]>"
            case "references":
                return "".join(
                    f"&#{ord(letter)};" if letter in "<&>" or letter > "\x9f" else letter for letter in text
                )
            case "comment" if escaped[:1].isalnum():
                return f"{escaped[:1]}<!-- aside -->{escaped[1:]}"
            case "padded":
                return f"\n  {escaped}\n"
            case _:
                return escaped

    def attributes(self, **values: Sequence[str]) -> str:
        """Return some of these attributes; an underscore stands for the colon."""
        chosen = {name: self.pick(some) for name, some in values.items() if self.pick(range(3)) == 0}
        return "".join(
            f' {name.replace("_", ":")}="{escape(value, quote=True)}"' for name, value in chosen.items()
        )

    def element(self, names: str, inner: str, attributes: str = "") -> str:
        """Return an element of one of these names."""
        name = self.pick(names.split())
        start = f"{name}{attributes}"
        return f"<{start}/>" if not inner and self.pick((True, False)) else f"<{start}>{inner}</{name}>"

    def some(self, makers: Sequence[Make], most: int) -> str:
        """Return up to so many elements."""
        return "\n".join(self.pick(makers)() for _ in range(self.pick(range(most + 1))))

    # -- elements

    def lang(self) -> str:
        return self.attributes(xml_lang=LANGUAGES)

    def link_attributes(self) -> str:
        return self.attributes(href=LINKS, url=LINKS, rel=RELATIONS, type=self.types, length=TEXTS)

    def file_attributes(self) -> str:
        return self.attributes(
            url=LINKS,
            type=("audio/mpeg", "IMAGE/PNG", "x"),
            length=("0", "1234", "-1", "many"),
            fileSize=("99", "x"),
        )

    def content(self) -> str:
        names = "title title title description description summary content:encoded content"
        modes = ("escaped", "base64") if self.is_odd else ("xml",)
        attributes = self.attributes(type=self.types, xml_lang=LANGUAGES, mode=modes)
        return self.element(f"{names} dc:title media:title media:description", self.text(), attributes)

    def other_content(self) -> str:
        return self.element("dc:description itunes:summary itunes:subtitle rights", self.text(), self.lang())

    def title(self) -> str:
        return self.element("title", self.text(), self.lang())

    def link(self) -> str:
        attributes = self.link_attributes() if self.pick((True, False)) else ""
        return self.element("link", self.text(LINKS), attributes)

    def atom_link(self) -> str:
        return self.element("atom:link", "", self.link_attributes())

    def guid(self) -> str:
        permanent = self.attributes(isPermaLink=("true", "false", "TRUE"))
        return self.element("guid guid id", self.text(LINKS), permanent)

    def date(self) -> str:
        names = "pubDate dc:date published updated dcterms:modified created"
        return self.element(names, self.text(self.dates))

    def category(self) -> str:
        attributes = self.attributes(term=TEXTS, label=TEXTS, scheme=LINKS, domain=LINKS)
        return self.element("category category dc:subject media:category", self.text(), attributes)

    def keywords(self) -> str:
        return self.element("itunes:keywords media:keywords keywords", self.text(), self.lang())

    def itunes_category(self) -> str:
        return self.element("itunes:category", self.text(), self.attributes(text=TEXTS))

    def file(self) -> str:
        return self.element("enclosure enclosure media:thumbnail", "", self.file_attributes())

    def thumbnail(self) -> str:
        return self.element("media:thumbnail", self.text(LINKS), self.file_attributes())

    def language(self) -> str:
        return self.element("language dc:language", self.text(LANGUAGES))

    def ignored(self) -> str:
        names = "comments slash:comments yandex:full-text georss:point feedburner:origLink openSearch:title"
        return self.element(f"{names} media:credit dc:contributor thr:total", self.text(), self.lang())

    def unknown(self) -> str:
        inner = self.some([lambda: "<x>y</x>", lambda: self.element("slash:x", "z", self.lang())], 2)
        return self.element("unknown slash:unknown", inner, self.attributes(url=LINKS))

    def redeclared(self) -> str:
        post = self.element("post-id", self.text(), ' xmlns="com-wordpress:feed-additions:1"')
        creator = f' xmlns:d="{NAMESPACES["dc"]}"'
        return self.pick((post, self.element("d:subject", self.text(), creator)))

    def author(self) -> str:
        if self.kind == "atom" and not (self.is_odd and self.pick((True, False))):
            return self.person("author")
        return self.element("author dc:creator dc:creator itunes:author", self.text(self.people))

    def person(self, name: str) -> str:
        named = (
            self.element("name", self.text(PEOPLE), "") if not self.is_odd or self.pick((True, False)) else ""
        )
        parts = [
            lambda: self.element("email", self.text(PEOPLE)),
            lambda: self.element("uri", self.text(LINKS)),
            lambda: self.element("x", self.text(), self.attributes(url=LINKS)),
        ]
        return self.element(name, named + self.some(parts, 2))

    def contributor(self) -> str:
        return self.person("contributor")

    def xhtml(self) -> str:
        values = XHTML + ODD_XHTML * self.is_odd
        return self.element("content content summary title", self.pick(values), ' type="xhtml"')

    def image(self) -> str:
        return self.element("image source", self.text(LINKS))

    def media(self) -> str:
        inner = self.some(self.leaves(), 3) if self.pick((True, False)) else ""
        attributes = self.file_attributes() + self.lang()
        return self.element("media:content media:content media:group", inner, attributes)

    def strange(self) -> str:
        """Return what few have."""
        leaves = self.leaves()
        makers: list[Make] = [
            lambda: self.element("tags authors links body title_detail location date", self.text()),
            lambda: self.element("unknown", self.text(), self.attributes(base=LINKS)),
            lambda: self.element("title", self.text(), ' xmlns="urn:other"'),
            lambda: self.element("o:title", self.text(), ' xmlns:o="urn:other"'),
            lambda: self.element("dc:creator", self.text(PEOPLE), ' xmlns:dc="urn:not-dublin-core"'),
            lambda: self.element("description", "<b>not escaped</b>"),
            lambda: self.element("unknown source image author dc:creator", self.some(leaves, 2)),
            self.xhtml,
            self.contributor,
            self.author,
        ]
        return self.pick(makers)()

    def channel_image(self) -> str:
        return "<image><url>u</url><title>Logo</title><link>https://l.example/</link><width>x</width></image>"

    def around_only(self) -> str:
        return self.pick(
            (
                "<textInput><title>S</title><name>q</name><link>l</link></textInput>",
                "<skipHours><hour>1</hour><hour>2</hour></skipHours>",
                '<items><rdf:Seq><rdf:li rdf:resource="x"/></rdf:Seq></items>',
                '<itunes:category text="a"><itunes:category text="b"/></itunes:category>',
                "<sy:updatePeriod>hourly</sy:updatePeriod>",
                '<generator uri="https://g.example/" version="1">G</generator>',
                self.element("lastBuildDate", self.text(self.dates)),
                self.element("subtitle", self.text(), self.attributes(type=self.types)),
                self.element("managingEditor", "" if self.kind == "atom" else self.text(self.people)),
            )
        )

    # -- documents

    def leaves(self) -> list[Make]:
        """Return what makes elements that may stand in entries and around them."""
        return [
            *(self.title, self.link, self.atom_link, self.guid, self.date, self.category, self.keywords),
            *(self.itunes_category, self.file, self.thumbnail, self.language, self.ignored, self.unknown),
            *(self.redeclared,),
        ]

    def entry(self) -> str:
        """Return an entry."""
        usual = [*self.leaves(), self.content, self.content, self.content, self.other_content, self.author]
        usual += [self.author, self.contributor, self.image, self.media, self.media]
        usual += [self.xhtml] * 2 * (self.kind == "atom")
        attributes = self.attributes(xml_lang=LANGUAGES, rdf_about=LINKS, thr_count=TEXTS)
        if self.is_odd:
            usual.append(self.strange)
            attributes += self.pick(("", "", "", self.attributes(href=LINKS, xml_base=LINKS, lastmod=DATES)))
        name = "entry" if self.kind == "atom" else "item"
        return self.element(name, self.some(usual, 9), attributes)

    def around(self) -> str:
        """Return what stands around the entries."""
        usual = [*self.leaves(), self.author, self.channel_image, self.around_only, self.around_only]
        description = self.element("description subtitle", self.text()) if self.pick((True, False)) else ""
        return description + self.some([*usual, *[self.strange] * self.is_odd], 5)

    def document(self) -> str:
        """Return a feed."""
        around = self.around()
        entries = "".join(self.entry() for _ in range(self.pick(range(4))))
        later = self.around() if self.is_odd else ""
        root = self.attributes(xml_lang=LANGUAGES, lang=LANGUAGES, xml_base=("https://base.example/a/",))
        if self.is_odd:
            root = self.pick((root, root, self.attributes(xml_lang=LANGUAGES, xml_base=LINKS, base=LINKS)))
        match self.kind:
            case "atom":
                return f'<feed xmlns="{NAMESPACES["atom"]}" {DECLARED}{root}>{around}{entries}{later}</feed>'
            case "rdf":
                default = self.pick(("http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/"))
                channel = f'<channel rdf:about="https://r.example/">{around}</channel>'
                return f'<rdf:RDF xmlns="{default}" {DECLARED}{root}>{channel}{entries}</rdf:RDF>'
            case _:
                version = self.pick(("2.0", "2.0", "2.0", "0.91", "0.92", "0.93", "2.01", "1", ""))
                defaults = ("", f' xmlns="{NAMESPACES["atom"]}"', ' xmlns="urn:other"')
                default = self.pick(defaults) if self.is_odd else ""
                start = f'<rss version="{version}" {DECLARED}{default}{root}>'
                return f"{start}<channel>{around}{entries}{later}</channel></rss>"


def made_feed(pick: Pick, *, is_odd: bool) -> str:
    """Return a feed."""
    return Maker(pick, pick(("rss", "rss", "atom", "rdf")), is_odd=is_odd).document()


def corpus(count: int, seed: int = 0) -> Iterator[tuple[bool, str]]:
    """Yield as many feeds, the same for a seed, and whether each is odd."""
    dice = Random(seed)
    for number in range(count):
        is_odd = number % 2 == 1
        yield is_odd, made_feed(dice.choice, is_odd=is_odd)


@st.composite
def _feeds(draw: st.DrawFn) -> str:
    def pick(values: Sequence[T]) -> T:
        return values[draw(st.integers(0, len(values) - 1))]

    return made_feed(pick, is_odd=pick((False, True)))


FEEDS = _feeds()
