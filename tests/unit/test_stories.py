"""What all spellings of an article's address have in common."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.stories import canonical_guid, canonical_link, story_keys, story_link

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


# --------------------------------------------------------------------------- stories


@pytest.mark.parametrize(
    "link",
    [
        "https://amp.news.example/2026/eu",
        "https://m.news.example/2026/eu",
        "https://mobile.news.example/2026/eu/",
        "https://www.m.news.example/2026/eu?utm_source=x",
        "https://news.example/amp/2026/eu",
        "https://news.example/2026/eu/amp",
        "https://news.example/2026/eu/amp/#top",
        "https://news.example/2026/eu.amp",
        "https://news.example/2026/eu?amp=1",
        "https://news.example/2026/eu?amp",
        "https://news.example/2026/eu?outputType=amp",
        "https://www.google.com/amp/s/news.example/2026/eu",
        "https://www.google.co.uk/amp/news.example/2026/eu",
        "https://google.kz/amp/s/amp.news.example/2026/eu/amp?amp_js_v=0.1",
        "https://news-example.cdn.ampproject.org/c/s/news.example/2026/eu?amp_gsa=1",
        "https://news-example.cdn.ampproject.org/v/s/news.example/2026/eu",
        "https://news-example.bing-amp.com/c/s/news.example/2026/eu",
        "https://www.google.com/amp/s/news-example.cdn.ampproject.org/c/s/news.example/2026/eu",
    ],
)
def test_amp_pages_and_mobile_hosts_are_the_article(link):
    assert story_link(link) == ARTICLE
    assert story_keys(link)[0] == f"link:{ARTICLE}"


@pytest.mark.parametrize("ending", ["/2026/eu.amp.html", "/2026/eu/amp.html", "/amp/2026/eu.html"])
def test_an_amp_page_keeps_its_own_ending(ending):
    assert story_link(f"https://news.example{ending}") == "news.example/2026/eu.html"


@pytest.mark.parametrize(
    "link",
    [
        "https://news.example/champ",
        "https://news.example/amplifiers/a",
        "https://news.example/stamp.html",
        "https://news.example/a?lamp=1",
        "https://m.example/a",
        "https://www.google.com/amplitude/s/news.example/a",
        "https://team.news.example/a",
        "https://[::1]/a",
        "https://news.example:8443/a?page=2",
        "https://news.example/?p=1",
    ],
)
def test_what_only_looks_like_amp_or_mobile_stays(link):
    assert story_link(link) == canonical_link(link)


@pytest.mark.parametrize("link", [None, "", "https://amp.news.example/", "https://news.example/amp", "x:y"])
def test_front_pages_are_no_story_on_other_hosts_either(link):
    assert story_link(link) is None


def test_the_address_that_a_page_names_comes_first():
    keys = story_keys("https://mirror.example/a?utm_source=x", "https://www.news.example/2026/eu/")
    assert keys == (f"link:{ARTICLE}", "link:mirror.example/a")


def test_an_item_is_still_found_as_it_was_before_mobile_hosts_were_seen_through():
    assert story_keys("https://m.news.example/2026/eu") == (f"link:{ARTICLE}", "link:m.news.example/2026/eu")


@pytest.mark.parametrize(
    "canonical", ["https://news.example/2026", "https://news.example/2026/", "https://m.news.example/2026"]
)
def test_a_section_that_all_its_articles_name_joins_none_of_them(canonical):
    assert story_keys(f"https://{ARTICLE}", canonical) == (f"link:{ARTICLE}",)


@pytest.mark.parametrize("canonical", ["https://news.example/", "", None, "/2026/eu", "javascript:x"])
def test_a_canonical_address_that_names_no_article_is_no_key(canonical):
    assert story_keys(f"https://{ARTICLE}", canonical) == (f"link:{ARTICLE}",)


MOBILE = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(
        (
            "https://www.google.com/amp/s/",
            "https://a-b.cdn.ampproject.org/c/",
            "https://",
            "http://",
        )
    ),
    st.lists(st.sampled_from(("www", "m", "amp", "mobile", "news")), max_size=4).map(
        lambda labels: ".".join([*labels, "example", "com"])
    ),
    st.lists(st.sampled_from(("/amp", "/a", ".amp", "/", ".html", "/c/s", "//")), max_size=5).map("".join),
    st.sampled_from(("", "?amp=1", "?p=1&amp", "?amp_x=1&utm_y=2", "#x", "#!/amp")),
)


@settings(max_examples=300, deadline=None)
@given(MOBILE | LINKS)
def test_looking_behind_an_address_again_finds_nothing_else(link):
    once = story_link(link)
    if once is not None:
        assert story_link(f"https://{once}") == once


@settings(max_examples=200, deadline=None)
@given(MOBILE | LINKS)
def test_spellings_of_one_address_are_of_one_story(link):
    canonical = canonical_link(link)
    if canonical is not None and "google" not in canonical and "cdn.ampproject" not in canonical:
        assert story_link(f"http://www.{canonical}") == story_link(link)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30) | st.text(max_size=20).map("https://www.google.com/amp/s/".__add__))
def test_no_text_is_too_odd_for_a_story(text):
    assert len(story_keys(text, text)) <= 2
