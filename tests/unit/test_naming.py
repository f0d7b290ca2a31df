"""Sources get ids that people recognise, and the same address is known in all its spellings."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.config import identifier
from syndicate.sources.naming import address_key, new_id

URLS = st.from_regex(r"https?://[a-z0-9.-]{1,40}[a-z](:[0-9]{1,4})?(/[a-z0-9._-]{0,20}){0,3}", fullmatch=True)


@pytest.mark.parametrize(
    ("title", "url", "name"),
    [
        ("The Astana Times", "https://astanatimes.com/feed/", "astana-times"),
        ("Gazeta.uz", "https://www.gazeta.uz/ru/rss/", "gazeta-uz"),
        ("24.kg", "https://24.kg/rss/", "24-kg"),
        ("OC Media", "https://oc-media.org/feed/", "oc-media"),
        ("Central Asia – The Diplomat", "https://thediplomat.com/feed/", "central-asia-the-diplomat"),
        ("UN News - Global perspective Human stories", "https://news.un.org/rss.xml", "un-news"),
        ("Qazinform news feed", "https://qazinform.com/rss/en.xml", "qazinform"),
        ("Café Société", "https://cafe.example/", "cafe-societe"),
        ("Казинформ", "https://www.inform.kz/rss/rus.xml", "inform"),
        ("Новости - Tengrinews.kz", "https://tengrinews.kz/news.rss", "tengrinews-kz"),
        ("RSS", "https://24.kg/rss/", "24-kg"),
        ("Latest news", "https://kun.uz/news/rss", "kun"),
        ("", "https://kz.kursiv.media/feed/", "kursiv"),
        ("", "https://news.un.org/feed", "news-un-org"),
        ("", "https://www.gov.uk/search.atom", "gov-uk"),
        ("", "https://feeds.bbci.co.uk/news/rss.xml", "bbci"),
        ("", "http://127.0.0.1:8000/rss", "127-0-0-1"),
        ("", "http://localhost/rss", "localhost"),
        ("中文", "https://xn--fiq228c.example/", "xn-fiq228c"),
    ],
)
def test_an_id_is_made_of_a_short_title_or_the_host(title, url, name):
    assert new_id(title, url, None, ()) == name


def test_an_id_that_is_taken_gets_the_language_then_a_number():
    taken: list[str] = []
    for language in ("en", "ru", "ru", None, "kk-Cyrl"):
        taken.append(new_id("Kazinform", "https://inform.kz/", language, taken))
    assert taken == ["kazinform", "kazinform-ru", "kazinform-2", "kazinform-3", "kazinform-kk-cyrl"]


@given(st.text(max_size=80), URLS, st.none() | st.text(max_size=12), st.sets(st.text(max_size=5)))
def test_every_id_is_one_and_is_not_taken(title, url, language, taken):
    name = new_id(title, url, language, taken)
    assert identifier(name) == name
    assert new_id(title, url, language, {*taken, name}) not in {*taken, name}


@pytest.mark.parametrize(
    "other",
    [
        "http://outlet.example/feed",
        "https://Outlet.Example/feed/",
        "https://outlet.example:443/feed#top",
        "http://outlet.example:80/feed",
        "https://outlet.example./feed",
    ],
)
def test_an_address_is_the_same_in_all_its_spellings(other):
    assert address_key(other) == address_key("https://outlet.example/feed")


@pytest.mark.parametrize(
    "other",
    [
        "https://outlet.example/Feed",
        "https://outlet.example/feed?page=2",
        "https://outlet.example:8443/feed",
        "https://www.outlet.example/feed",
        "https://outlet.example/",
    ],
)
def test_other_addresses_are_others(other):
    assert address_key(other) != address_key("https://outlet.example/feed")


@given(URLS)
def test_an_address_keeps_its_key_without_its_scheme(url):
    assert address_key(url) == address_key(re.sub("^https?", "https", url)) or ":80" in url or ":443" in url
