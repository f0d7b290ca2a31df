"""A feed's page for people stands alone, runs nothing, and shows whatever outlets send as text."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from syndicate.feeds.page import LATEST, FeedPages, Format, ListedPage
from syndicate.feeds.site import Site
from syndicate.model.feeds import Feed
from tests.published import FEED, ITEM, awkward, described, items, matches, page_of, stored

PAGES = FeedPages()
FORMATS = (
    Format(name="Atom", media_type="application/atom+xml", url="https://news.example/x.atom"),
    Format(name="JSON Feed", media_type="application/feed+json", url="https://news.example/x.json"),
)
LOADING = "script, img, iframe, object, embed, form, base, video, link[rel=stylesheet], [http-equiv=refresh]"


def first(place: LexborHTMLParser | LexborNode, selector: str) -> LexborNode:
    found = place.css_first(selector)
    assert found is not None
    return found


def test_a_page_says_how_to_subscribe_and_what_is_new():
    page = LexborHTMLParser(page_of(described(stored()), FORMATS))
    links = [(link.attributes["type"], link.attributes["href"]) for link in page.css("link[rel=alternate]")]
    assert links == [(each.media_type, each.url) for each in FORMATS]
    assert [code.text() for code in page.css("code")] == [each.url for each in FORMATS]
    (article,) = page.css("article")
    assert first(article, "h3 a").attributes["href"] == ITEM.link
    assert first(article, "time").attributes["datetime"] == "2026-03-02T11:00:00+00:00"
    assert first(article, "mark").text() == "Central Asia"


def test_an_empty_feed_has_a_page_as_well():
    assert b"Nothing has matched yet" in page_of([], FORMATS)


def test_only_the_latest_are_shown():
    feed = Feed(id="x", title="X", about="News", rules=("x",))
    form = Site(title="News", base_url="https://news.example").page(feed, PAGES)
    page = LexborHTMLParser(form.render(FEED, described(stored()) * (LATEST + 1)))
    assert len(page.css("article")) == LATEST


def test_the_policy_allows_the_style_of_the_page_and_nothing_else():
    document = page_of(described(stored()), FORMATS).decode()
    (style,) = re.findall("<style>(.*?)</style>", document, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert PAGES.policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    meta = first(LexborHTMLParser(document), "meta[http-equiv=Content-Security-Policy]")
    assert meta.attributes["content"] == PAGES.policy


@given(st.lists(st.tuples(items, matches), max_size=3), awkward)
def test_whatever_outlets_send_a_page_loads_and_runs_nothing(pairs, title):
    entries = described(*(stored(item, match) for item, match in pairs))
    document = page_of(entries, FORMATS, replace(FEED, title=title, description=title))
    page = LexborHTMLParser(document)
    assert page.css(LOADING) == []
    for node in page.css("*"):
        assert not any(name.startswith("on") or name == "style" for name in node.attributes)
    for link in page.css("a"):
        assert re.match("https?://", link.attributes["href"] or "", re.IGNORECASE)


def test_the_list_names_every_feed_and_how_to_have_all():
    listed = ListedPage(
        title="Water <b>", description="News", page_url="x.html", feed_url="https://news.example/x.atom"
    )
    page = LexborHTMLParser(PAGES.index("News & more", "index.opml", [listed]))
    assert first(page, "h1").text() == "News & more"
    assert [link.attributes["href"] for link in page.css("a")] == ["index.opml", "x.html"]
    assert first(page, "h3").text() == "Water <b>"
    assert b"No feed has been published yet" in PAGES.index("x", "index.opml", [])
