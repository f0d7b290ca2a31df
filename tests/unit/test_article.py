"""The article in a page, what robots.txt asks, and when an article replaces what the feed has."""

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.model import Entry
from syndicate.sources.article import with_article
from syndicate.sources.extract import article
from syndicate.sources.robots import LONGEST_DELAY, MAX_BYTES, read_robots
from syndicate.sources.sanitise import MAX_HTML
from syndicate.sources.worth import MIN_ARTICLE
from tests.pages import PAGES, outcome_of

URL = "https://example.org/news/1"

# --------------------------------------------------------------------------- the article in a page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_gives_its_article_and_nothing_around_it(page):
    outcome = outcome_of(page)
    assert outcome.missing == []
    assert outcome.unwanted == []
    assert outcome.why == outcome.expected_why


@pytest.mark.parametrize(
    "page",
    [
        "",
        " ",
        "\0",
        "<",
        "plain words",
        "https://example.org/",
        "<html></html>",
        "<!doctype html><p>",
        "\ud800",
    ],
)
def test_what_is_no_page_gives_hardly_any_text(page):
    assert len(article(page).text) < MIN_ARTICLE


def test_text_is_clean_whatever_the_page_hides_in_it():
    words = (
        "Central\u200b Asia\x07 and\u202e the cafe\u0301 were mentioned in the report of the working group. "
        * 5
    )
    text = article(f"<html><body><article><p>{words}</p></article></body></html>").text
    assert text.startswith("Central Asia and the café were mentioned")


def test_text_is_capped_as_the_bodies_of_feeds_are():
    sentence = "The working group met for the {}th time on Tuesday and spoke of water, rails and rates."
    paragraphs = "".join(f"<p>{sentence.format(number)}</p>" for number in range(2000))
    text = article(f"<html><body><article>{paragraphs}</article></body></html>").text
    assert MAX_HTML * 0.9 < len(text) <= MAX_HTML


# --------------------------------------------------------------------------- what is left out


PRUNED = (
    "<html><body><div id='a' class='x'><div class='x'><p>Inner part.</p></div></div>"
    "<article><p>"
    + "The ministers spoke of water, rails and rates until late. " * 6
    + "</p></article></body></html>"
)


@pytest.mark.parametrize("prune", [[".x"], ["#a", ".x"], [".x .x", ".x"], ["div"], ["div", "div", "div *"]])
def test_elements_that_are_pruned_are_gone_with_what_is_in_them(prune):
    text = article(PRUNED, prune).text
    assert "Inner part" not in text
    assert "The ministers spoke" in text


@pytest.mark.parametrize("prune", [["html"], [":root"], ["body"], ["html, body"]])
def test_the_whole_page_is_never_pruned(prune):
    assert "The ministers spoke" in article(PRUNED, prune).text


@pytest.mark.parametrize(
    ("head", "canonical"),
    [
        ('<link rel="canonical" href=" https://a.example/1 ">', "https://a.example/1"),
        ("<link rel='Canonical shortlink' href='/1'>", "/1"),
        ("", ""),
        ('<link rel="alternate" href="/1">', ""),
        ('<link rel="canonical" href="/1"><link rel="canonical" href="/2">', ""),
        ('<link rel="canonical" href="/1"><link rel="canonical" href="/1">', "/1"),
        ('<link rel="canonical">', ""),
    ],
)
def test_a_page_says_what_its_address_is(head, canonical):
    found = article(f"<html><head>{head}</head><body><p>Text</p></body></html>")
    assert found.canonical == canonical


def test_what_is_pruned_does_not_come_back_from_a_script():
    script = json.dumps({"@type": "NewsArticle", "articleBody": "The metro is closed today. " * 30})
    page = (
        f'<html><head><script type="application/ld+json">{script}</script></head><body><p>x</p></body></html>'
    )
    assert "metro" not in article(page, [".x"]).text


TAGS = st.lists(
    st.sampled_from(
        ["<div class=x>", "<p>", "</p>", "</div>", "<b class=x>", "<table><tr>", "word", "<a>", "<li>"]
    ),
    max_size=40,
)
SELECTORS = st.lists(
    st.sampled_from([".x", "*", "p", "div div", ".x > .x", "b, p", "li ~ li", ":not(p)", ":has(b)", "tr"]),
    max_size=4,
)


@given(TAGS, SELECTORS)
@settings(max_examples=60, deadline=None)
def test_no_page_with_no_selectors_raises(tags, prune):
    article("".join(tags), prune)


@pytest.mark.parametrize(
    ("line", "is_link"),
    [
        ("Onion prices rise for the fourth week", True),
        ("Read also: Onion prices rise for the fourth week", True),
        ("Onion prices rise for the fourth week, and garlic follows them", False),
    ],
)
def test_lines_that_are_links_are_known_as_such(line, is_link):
    text = line.replace(
        "Onion prices rise for the fourth week", '<a href="/x">Onion prices rise for the fourth week</a>'
    )
    sentence = "The ministers spoke of water, rails and rates until late in the evening of that day. "
    around = f"<p>{sentence * 4}</p>"
    found = article(f"<html><body><article>{around}<p>{text}</p>{around}</article></body></html>")
    assert line in found.lines
    assert (found.lines.index(line) in found.links) is is_link


# --------------------------------------------------------------------------- what replaces what


def entry(body: str, html: str) -> Entry:
    return Entry(guid="1", link=URL, title="Ferry", body=body, summary=body, content_html=html)


def test_a_longer_article_replaces_the_body():
    assert with_article(entry("x" * 150, "<p>x</p>"), "y" * 200).body == "y" * 200


@pytest.mark.parametrize("length", [10, 200])
def test_an_article_that_is_no_longer_replaces_nothing(length):
    before = entry("x" * 200, "<p>x</p>")
    assert with_article(before, "y" * length) == before


def test_the_html_of_the_feed_stays_unless_it_is_a_teaser():
    assert with_article(entry("x" * 150, "<p>x</p>"), "y" * 200).content_html == "<p>x</p>"


def test_the_html_of_a_teaser_becomes_the_article_in_escaped_paragraphs():
    text = "Trade < 5% & falling\n" + "y" * 200
    completed = with_article(entry("x", "<p>x</p>"), text)
    assert completed.content_html == "<p>Trade &lt; 5% &amp; falling</p><p>" + "y" * 200 + "</p>"
    assert completed.summary == "x"


# --------------------------------------------------------------------------- robots.txt


@pytest.mark.parametrize(
    ("text", "is_allowed"),
    [
        ("", True),
        ("User-agent: *\nDisallow:", True),
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow: /news/", False),
        ("User-agent: *\nDisallow: /news/\nAllow: /news/1", True),
        ("User-agent: *\nDisallow: /admin", True),
        ("User-agent: Other\nDisallow: /", True),
        ("User-agent: Syndicate\nDisallow: /\n\nUser-agent: *\nAllow: /", False),
        ("User-agent: syndicate/2.0\nDisallow: /", False),
        ("User-agent: syndicate\nAllow: /\n\nUser-agent: *\nDisallow: /", True),
        ("User-agent: Other\nUser-agent: SYNDICATE\nDisallow: /news", False),
        ("User-agent: Syn\nDisallow: /", True),
        ("User-agent: Syndicatebot\nDisallow: /", True),
        ("User-agent: *  # everybody\nDisallow: /*/1$", False),
        ("\ufeffUser-agent: *\nDisallow: /", False),
        ("User-agent: *\r\nDisallow: /\r\n", False),
        ("<!doctype html><title>Not found</title>", True),
    ],
)
def test_robots_txt_is_kept_to(text, is_allowed):
    assert read_robots(200, text.encode()).allows(URL) is is_allowed


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_where_there_is_no_robots_txt_everything_is_allowed(status):
    assert read_robots(status, b"User-agent: *\nDisallow: /").allows(URL)


@pytest.mark.parametrize("status", [304, 429, 500, 503])
def test_while_a_server_cannot_say_what_is_allowed_nothing_is(status):
    robots = read_robots(status, b"")
    assert not robots.allows(URL)
    assert robots.unknown == f"the server answered {status}"


@pytest.mark.parametrize(
    ("delay", "expected"),
    [
        ("5", timedelta(seconds=5)),
        ("0.5", timedelta(seconds=0.5)),
        ("3600", LONGEST_DELAY),
        ("-1", timedelta()),
        ("nan", timedelta()),
        ("soon", timedelta()),
    ],
)
def test_a_crawl_delay_is_kept_to_within_reason(delay, expected):
    text = f"User-agent: Other\nCrawl-delay: 9\n\nUser-agent: *\nCrawl-delay: {delay}\n"
    assert read_robots(200, text.encode()).delay == expected


def test_a_robots_txt_with_thousands_of_names_is_read_once_for_us():
    names = "".join(f"User-agent: bot-{number}\n" for number in range(5000))
    rules = "".join(f"Disallow: /section/{number}/\n" for number in range(5000))
    robots = read_robots(200, (names + "User-agent: *\n" + rules).encode())
    assert robots.allows(URL)
    assert not robots.allows("https://example.org/section/4999/x")


@given(
    st.lists(
        st.sampled_from(["User-agent: *", "Disallow: ", "Allow:", "/", "*", "$", "%", "http://[", "é", ":"])
    )
)
def test_no_robots_txt_raises(words):
    read_robots(200, "\n".join(["User-agent: *", "Disallow: " + "".join(words), *words]).encode()).allows(URL)


@given(st.binary(max_size=200))
def test_no_bytes_for_a_robots_txt_raise(body):
    read_robots(200, body).allows(URL)


def test_no_more_of_a_robots_txt_is_read_than_the_limit():
    padding = b"#" * MAX_BYTES
    assert read_robots(200, padding + b"\nUser-agent: *\nDisallow: /").allows(URL)
