"""Links of articles: patterns, and what addresses tell."""

from datetime import UTC, datetime
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.sources.links import fits, is_same_site, path_date, slug_title


@pytest.mark.parametrize(
    ("link", "pattern", "expected"),
    [
        ("https://a.example/news/x", "/news/*", True),
        ("https://a.example/news/x/y", "/news/*", False),
        ("https://a.example/news/x/y", "/news/**", True),
        ("https://a.example/news", "/news/**", True),
        ("https://a.example/news/x/y/z", "/news/**/z", True),
        ("https://a.example/news/z", "/news/**/z", True),
        ("https://a.example/a/z/b/z", "/**/z", True),
        ("https://a.example/a/z/b", "/**/z", False),
        ("https://a.example/2026/11/some-words", "/20[0-9][0-9]/*/*-*", True),
        ("https://a.example/about/11/some-words", "/20[0-9][0-9]/*/*-*", False),
        ("https://a.example/view?id=5&lang=en", "/view?id=*", True),
        ("https://a.example/view", "/view?id=*", False),
        ("https://a.example/news/x", "https://*.example/news/*", True),
        ("https://b.example/news/x", "https://a.example/**", False),
        ("https://a.example", "/", True),
        ("https://a.example/News/x", "/news/*", False),
    ],
)
def test_a_pattern_means_these_links(link, pattern, expected):
    assert fits(link, pattern) is expected


def naive(parts, patterns):
    if not patterns:
        return not parts
    if patterns[0] == "**":
        return any(naive(parts[skipped:], patterns[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], patterns[0]) and naive(parts[1:], patterns[1:])


@given(
    st.lists(st.sampled_from(["a", "b", "ab"]), max_size=6),
    st.lists(st.sampled_from(["a", "b", "*", "**", "?b"]), max_size=5),
)
def test_patterns_mean_what_they_plainly_say(parts, patterns):
    link, pattern = "/".join(["", *parts]), "/".join(["", *patterns])
    assert fits(f"https://a.example{link}", pattern) == naive(
        link.split("/") if parts else ["", ""], pattern.split("/")
    )


def test_a_hostile_link_takes_no_time():
    assert not fits(
        "https://a.example/" + "/".join("a" * 20 for _ in range(90)), "/**/*a*a*a*a*b/**/*a*a*b/**/c"
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/news/eu-and-asia-12345.html", "Eu and asia"),
        ("/12345-eu_and+asia", "Eu and asia"),
        ("/eu-and-asia/12345/", "Eu and asia"),
        ("/ru/%D0%95%D0%A1-%D0%B8-%D0%90%D0%B7%D0%B8%D1%8F", "ЕС и Азия"),
        ("/elections-of-2026", "Elections of 2026"),
        ("/report-9f86d081884c7d65", ""),
        ("/budget", ""),
        ("/news/123", ""),
        ("/%ff%fe-\x00-words-here", "�� words here"),
        ("", ""),
    ],
)
def test_the_words_of_an_address_are_a_title(path, expected):
    assert slug_title(f"https://a.example{path}") == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/2026/11/21/title", datetime(2026, 11, 21, tzinfo=UTC)),
        ("/news/2026-11-21-title", datetime(2026, 11, 21, tzinfo=UTC)),
        ("/2026/13/45/title", None),
        ("/2026/11/title", None),
        ("/12026/11/21/title", None),
    ],
)
def test_the_day_in_an_address(path, expected):
    assert path_date(f"https://a.example{path}") == expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("http://a.example:8080/x", True),
        ("https://www.a.example/x", True),
        ("https://news.a.example/x", True),
        ("https://b.example/x", False),
        ("https://nota.example/x", False),
        ("https://[::1/x", False),
    ],
)
def test_sites_are_told_by_their_hosts(other, expected):
    assert is_same_site(other, "https://a.example/") is expected
