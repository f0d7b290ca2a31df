"""What all spellings of an article's address have in common."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.stories import canonical_guid, canonical_link, story_keys

ARTICLE = "news.example/2026/eu"


@pytest.mark.parametrize(
    "link",
    [
        "https://news.example/2026/eu",
        "http://news.example/2026/eu",
        "HTTPS://NEWS.Example/2026/eu",
        "https://www.news.example/2026/eu/",
        "https://news.example:443/2026/eu",
        "http://news.example:80/2026/eu",
        "https://news.example/2026/eu#comments",
        "https://news.example/2026/eu?utm_source=rss&utm_medium=feed",
        "https://news.example/2026/eu?fbclid=1&UTM_Campaign=x&_hsenc=2#top",
    ],
)
def test_spellings_of_an_address_are_one_article(link):
    assert canonical_link(link) == ARTICLE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://news.example/a", "https://news.example/b"),
        ("https://news.example/?p=1", "https://news.example/?p=2"),
        ("https://news.example/a?page=2", "https://news.example/a"),
        ("https://news.example/#!/a", "https://news.example/#!/b"),
        ("https://news.example:8443/a", "https://news.example/a"),
        ("https://news.example/A", "https://news.example/a"),
        ("https://m.news.example/a", "https://news.example/a"),
    ],
)
def test_different_articles_differ(one, other):
    assert canonical_link(one) != canonical_link(other)


@pytest.mark.parametrize(
    "link",
    [
        None,
        "",
        "https://news.example",
        "https://news.example/",
        "https://www.news.example//?utm_source=rss#top",
        "ftp://news.example/a",
        "mailto:desk@news.example",
        "/relative",
        "https://",
        "https://[broken",
        "https://news.example:port/a",
        "https://news.example:0/a",
        "https://news.example:99999/a",
    ],
)
def test_front_pages_and_what_is_no_address_name_no_article(link):
    assert canonical_link(link) is None
    assert story_keys(link) == ()


def test_a_story_is_found_by_its_link():
    assert story_keys("https://www.news.example/2026/eu/") == (f"link:{ARTICLE}",)


@pytest.mark.parametrize(
    ("guid", "expected"),
    [
        ("12345", "12345"),
        ("  12345 ", "12345"),
        ("tag:news.example,2026:1", "tag:news.example,2026:1"),
        ("https://www.news.example/a/?utm_source=1#x", "//news.example/a/?utm_source=1#x"),
        ("http://news.example/a", "//news.example/a"),
        ("https://[broken", "https://[broken"),
    ],
)
def test_a_guid_is_compared_without_what_flips(guid, expected):
    assert canonical_guid(guid) == expected


QUERY = st.lists(
    st.tuples(st.sampled_from(("p", "utm_x", "q", "ы", "a b")), st.text(max_size=5)), max_size=3
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))
LINKS = st.builds(
    "{}://{}{}{}?{}#{}".format,
    st.sampled_from(("http", "https", "HTTP")),
    st.sampled_from(("news.example", "www.news.example", "пример.example", "news.example:8443")),
    st.sampled_from(("", "/")),
    st.text(alphabet="/ab%20é;=.", max_size=8),
    QUERY,
    st.sampled_from(("", "x", "!/a")),
)


@settings(max_examples=50, deadline=None)
@given(LINKS)
def test_making_an_address_canonical_again_changes_nothing(link):
    once = canonical_link(link)
    if once is not None:
        assert canonical_link(f"https://{once}") == once


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30) | st.text(max_size=20).map("https://news.example/".__add__))
def test_no_text_is_too_odd_to_be_compared(text):
    canonical_link(text)
    assert canonical_guid(canonical_guid(text)) == canonical_guid(text)


def test_a_lone_surrogate_in_a_query_is_survived():
    assert canonical_link("https://news.example/a?b=\ud800") == "news.example/a?b=%3F"
