"""Where feeds may be is seen in pages as they are, and the best of what is found comes first."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.sources.leads import (
    MAX_LINKED,
    MAX_NAMED,
    Found,
    Via,
    common_leads,
    page_leads,
    ranked,
)
from tests.support import ROOT

NOW = datetime(2026, 11, 27, tzinfo=UTC)
PAGES = sorted((ROOT / "tests/data/pages").glob("*.html"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_leads_to_what_it_names_and_links_to(page):
    case = json.loads(page.with_suffix(".json").read_text())
    leads = page_leads(page.read_text(), case["url"])
    assert [[lead.via, lead.url, lead.title] for lead in leads] == case["leads"]


def test_of_many_leads_the_first_are_kept():
    named = "".join(f'<link rel="alternate" type="text/xml" href="/{number}">' for number in range(500))
    linked = "".join(f'<a href="/rss/{number}">{number}</a>' for number in range(500))
    leads = page_leads(named + linked, "https://outlet.example/")
    assert [lead.url for lead in leads] == [
        *(f"https://outlet.example/{number}" for number in range(MAX_NAMED)),
        *(f"https://outlet.example/rss/{number}" for number in range(MAX_LINKED)),
    ]


@given(st.text(alphabet="<>\"'= /ahreflinkbsd&;#é\0", max_size=300))
def test_whatever_a_page_is_it_leads_to_web_addresses(markup):
    for lead in page_leads(f"<link rel=feed href={markup}<a href='{markup}'>", "https://outlet.example/"):
        parts = urlsplit(lead.url)
        assert parts.scheme in ("http", "https")
        assert parts.hostname


@pytest.mark.parametrize(
    ("url", "first"),
    [
        ("https://outlet.example", "https://outlet.example/feed"),
        ("https://outlet.example/", "https://outlet.example/feed"),
        ("https://outlet.example:8443/en?a=b", "https://outlet.example:8443/en/feed"),
        ("https://outlet.example/en/", "https://outlet.example/en/feed"),
        ("https://outlet.example/en/index.html", "https://outlet.example/en/feed"),
    ],
)
def test_paths_are_guessed_below_the_address_first(url, first):
    guesses = [lead.url for lead in common_leads(url)]
    assert guesses[0] == first
    assert len(guesses) == len(set(guesses)) <= 13
    root = f"https://{urlsplit(url).netloc}"
    for path in ("feed", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feed.json"):
        assert f"{root}/{path}" in guesses


def found(name: str, via: Via = Via.NAMED, **values: object) -> Found:
    values = {"format": "rss20", "entries": 10, "newest": NOW - timedelta(hours=1), "title": name} | values
    return Found(url=f"https://outlet.example/{name}", via=via, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (found("guessed", Via.GUESSED), found("sitemap", Via.ROBOTS, format="sitemap")),
        (found("s", Via.ROBOTS, format="sitemap"), found("i", Via.ROBOTS, format="sitemap index")),
        (found("i", Via.ROBOTS, format="sitemap index"), found("page", Via.GIVEN, format="page")),
        (found("named"), found("linked", Via.LINKED)),
        (found("linked", Via.LINKED), found("comments/feed")),
        (found("linked", Via.LINKED), found("a", title="Comments on The Outlet")),
        (found("linked", Via.LINKED), found("a", title="Комментарии к записи")),
        (found("comments-policy"), found("linked", Via.LINKED)),
        (found("linked", Via.LINKED), found("stale", newest=NOW - timedelta(days=100))),
        (found("linked", Via.LINKED), found("undated", newest=None)),
        (found("undated", newest=None), found("stale", newest=NOW - timedelta(days=100))),
        (found("stale", newest=NOW - timedelta(days=100)), found("empty", entries=0, newest=None)),
    ],
)
def test_the_better_comes_first(better, worse):
    assert ranked([better, worse], NOW) == ranked([worse, better], NOW) == (better, worse)


def test_what_is_equally_good_stays_in_the_order_of_the_page():
    assert ranked([found("b"), found("a")], NOW) == (found("b"), found("a"))
