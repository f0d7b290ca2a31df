"""The pages over real HTTP, on a real database: what they show, and what they say when there is nothing."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from syndicate.errors import StoreError
from syndicate.loading import take_over
from syndicate.web.app import create
from syndicate.web.filters import MOST_CHOICES
from tests.contract.making import HOUR, START, entry
from tests.dashboard import RULES, SOURCES, configuration, dashboard
from tests.served import TLS, SomeView, served, visitor

ALIKE = "Leaders of Central Asia and the European Union adopt a strategy in Samarkand"
TEXT = f"{ALIKE}. Energy and gas were left out."
GLACIERS = "Ледники Центральной Азии"
HOSTILE = "<img src=x onerror=alert(1)>\"'&"


@pytest.fixture
def desk(tmp_path):
    with dashboard(configuration(tmp_path)) as view:
        view.clock.forward(24 * HOUR)
        yield view


@pytest.fixture
def client(desk):
    with (
        served(create(desk)) as address,
        visitor(address) as found,
    ):
        yield found


def text_of(page):
    """Return what a page says to a person, in one line."""
    assert page.status_code == 200, page.text
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))


def told(desk):
    desk.report(
        "steppe",
        entry("a", ALIKE, body=TEXT, language="en", published=START),
        entry("b", "Football", body="A match in Europe.", language="en", published=START + HOUR),
    )
    desk.clock.forward(HOUR)
    desk.report(
        "vestnik",
        entry("c", GLACIERS, body="Ледники тают.", language="ru", published=START + 2 * HOUR),
        entry("d", ALIKE, body=TEXT, language="en", published=START + 3 * HOUR),
    )


# --------------------------------------------------------------------------- now


def test_stories_are_shown_newest_first_with_all_that_is_known_of_them(desk, client):
    told(desk)
    page = client.get("/")
    assert page.text.index("Ледники") < page.text.index("Leaders of")
    assert page.text.count('<li class="story"') == 2
    for part in (
        "Степной вестник",
        "<mark>Ледники</mark> <mark>Центральной Азии</mark>",
        'dir="auto" lang="ru"',
        '<a class="original" href="https://news.example/c" rel="noopener noreferrer">',
        '<a href="/rules/central-asia" dir="auto" lang="">Central Asia</a>',
        '<a href="/rules/water" dir="auto" lang="">Water &amp; ice</a>',
        "Also reported by",
        'title="24 Nov 2026, 04:00 UTC">23 hours ago</time>',
    ):
        assert part in page.text, part
    assert "Football" not in page.text


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("rule=water", "Ледники", "Football"),
        ("rule=scored", "Leaders", "Ледники"),
        ("source=vestnik&language=en", "Leaders", "Ледники"),
        ("language=ru", "Ледники", "Leaders"),
        ("period=24h&rule=central-asia", "Ледники", "Football"),
    ],
)
def test_stories_can_be_filtered_and_the_form_keeps_what_was_chosen(desk, client, query, shown, hidden):
    told(desk)
    page = client.get(f"/?{query}")
    stories = "".join(re.findall(r'<ol class="stories.*?</ol>', page.text, re.DOTALL))
    assert shown in stories
    assert hidden not in stories
    for value in query.replace("&", "=").split("=")[1::2]:
        assert f'<option value="{value}" selected>' in page.text


def test_a_filter_that_names_nothing_is_said_so(client):
    page = client.get("/?rule=watr")
    assert page.status_code == 400
    assert "There is no rule “watr”" in page.text
    assert client.get("/?before=x").status_code == 400
    assert client.get("/items?before=x").status_code == 400
    assert client.get("/items?q=water&before=x").status_code == 400


def test_older_stories_are_a_page_away_each_once(desk, client):
    desk.report(
        "steppe",
        *(entry(f"{n}", f"Central Asia {n}", published=START + timedelta(minutes=n)) for n in range(65)),
    )
    path, found, pages = "/", [], 0
    while path:
        page, pages = client.get(path).text, pages + 1
        found += [
            re.sub("</?mark>", "", title) for title in re.findall(r"<mark>Central Asia</mark> \d+", page)
        ]
        link = re.search(r'href="(/\?before=[^"]+)" rel="next"', page)
        path = html.unescape(link[1]) if link else ""
    assert found == [f"Central Asia {n}" for n in reversed(range(65))]
    assert pages == 3


def test_a_part_of_the_page_has_what_came_after_and_nothing_else(desk, client):
    told(desk)
    assert 'data-live="/live?after=4"' in client.get("/").text
    desk.report("steppe", entry("e", "Central Asia again", published=START + 4 * HOUR))
    part = client.get("/?after=4", headers={"HX-Request": "true"}).text
    assert "again" in part
    assert "Ледники" not in part
    assert "<html" not in part
    assert 'data-live="/live?after=5"' in part
    assert "hx-swap-oob" in part


def test_matches_are_drawn_by_day_and_can_be_read_as_a_table(desk, client):
    told(desk)
    page = client.get("/").text
    assert page.count("<rect") == 3
    assert "<title>24 Nov: 2 Central Asia</title>" in page or "<title>24 Nov: 3 Central Asia</title>" in page
    assert '<th scope="row">24 Nov 2026</th>' in page
    assert "<svg" not in client.get("/?source=steppe").text, "days are of all sources"


def test_when_there_is_nothing_the_page_says_what_to_do(client):
    page = client.get("/")
    assert "Nothing has been polled yet." in page.text
    assert 'href="/sources"' in page.text
    assert "Nothing has come in yet." in client.get("/items").text
    assert "It has matched nothing yet" in client.get("/rules").text
    assert "It holds for nothing that is stored." in client.get("/rules/water").text
    assert "Nothing polled yet." in client.get("/sources").text


def test_when_no_rule_has_held_the_page_leads_to_rules_and_items(desk, client):
    desk.report("steppe", entry("b", "Football"))
    page = client.get("/")
    assert "No rule has held for an item yet." in page.text
    assert 'href="/rules"' in page.text
    assert "No story fits these filters." in client.get("/?rule=water").text


# --------------------------------------------------------------------------- rules


def test_rules_are_listed_with_how_to_subscribe(desk, client):
    told(desk)
    page = client.get("/rules")
    said = text_of(page)
    for part in (
        "3 matches in 30 days",
        "alerts go to desk",
        "For alerts only; publishes no feed.",
        "آسيا الوسطى",
    ):
        assert part in said, part
    assert 'href="http://127.0.0.1:8080/feeds/central-asia.atom"' in page.text
    assert 'href="http://127.0.0.1:8080/feeds/index.opml"' in page.text
    assert "feeds/scored.atom" not in page.text


def test_rules_are_found_by_their_words(client):
    assert 'id="rule-water"' in client.get("/rules?q=ICE").text
    assert 'id="rule-central-asia"' not in client.get("/rules?q=ICE").text
    assert "No rule has these words." in client.get("/rules?q=none").text
    assert "No rule has these words." in client.get("/rules?from=50").text
    assert client.get("/rules?from=x").status_code == 200


def test_a_long_list_of_rules_comes_in_pages(tmp_path):
    many = {f"rule-{n:03}": f'keywords = ["word{n}"]' for n in range(120)}
    found, path = [], "/rules?q=word"
    with dashboard(configuration(tmp_path, rules=many)) as view, served(create(view)) as address:
        while path:
            page = httpx.get(address + path, trust_env=False, verify=TLS).text
            found += re.findall(r'id="rule-(rule-\d+)"', page)
            link = re.search(r'href="(/rules\?[^"]+)" rel="next"', page)
            path = html.unescape(link[1]) if link else ""
    assert found == sorted(many)


def test_a_rule_that_was_edited_tells_what_it_asked_for_before(desk, client):
    assert "What it asked for before" not in client.get("/rules/water").text
    desk.clock.forward(HOUR)
    edited = configuration(desk.loaded.config.path.parent, rules={**RULES, "water": 'keywords = ["water"]'})
    take_over(edited, desk.store)
    desk.loaded = edited
    said = text_of(client.get("/rules/water"))
    assert "What it asked for before" in said
    assert "(water AND (treaty OR talks)) OR ледник*" in said


def test_an_id_is_typed_where_there_are_too_many_to_choose_from(tmp_path):
    many = {f"rule-{number:03}": f'keywords = ["word{number}"]' for number in range(MOST_CHOICES + 1)}
    with dashboard(configuration(tmp_path, rules=many)) as view, served(create(view)) as address:
        page = httpx.get(f"{address}/?rule=rule-007", trust_env=False, verify=TLS).text
    assert '<input name="rule" value="rule-007"' in page
    assert '<select name="source"' in page


def test_a_rule_has_a_page_with_all_that_its_file_says(desk, client):
    told(desk)
    said = text_of(client.get("/rules/central-asia"))
    for part in (
        "Центральная Азия",
        "rules/central-asia.toml",
        "The EU and Central Asia agreed.",
        "does not match Football in Europe.",
        "Steppe Wire 1 matches, 33 percent",
        "Ледники Центральной Азии",
    ):
        assert part in said, part
    assert desk.loaded.known.rules["central-asia"].version in said
    assert "ледник*" in text_of(client.get("/rules/water"))
    scored = text_of(client.get("/rules/scored"))
    assert "3 points or more of:" in scored
    assert "football -3" in scored
    assert client.get("/rules/none").status_code == 404


# --------------------------------------------------------------------------- items


def test_all_items_are_listed_and_can_be_filtered(desk, client):
    told(desk)
    page = client.get("/items").text
    assert page.count('<li class="story"') == 4
    assert "A match in Europe." in page
    assert client.get("/items?source=vestnik").text.count('<li class="story"') == 2
    assert client.get("/items?rule=scored").text.count('<li class="story"') == 2


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("football", ["Football"]),
        ("ледник", ["Ледники Центральной Азии"]),
        ("title:leaders AND energy", [ALIKE, ALIKE]),
        ("rule:water", ["Ледники Центральной Азии"]),
        ("football -europe", []),
        ("/Foot.*ll/", ["Football"]),
    ],
)
def test_items_are_found_by_the_language_of_the_rules(desk, client, query, titles):
    told(desk)
    page = client.get("/items", params={"q": query}).text
    found = [
        re.sub("</?mark>", "", title) for title in re.findall(r'<h2.*?><a href="/items/\d+">(.*?)</a>', page)
    ]
    assert found == titles
    assert html.escape(query) in page


def test_a_query_with_a_mistake_shows_where_it_is(client):
    page = client.get("/items", params={"q": '"Central Asia" AND (water'})
    assert page.status_code == 400
    assert "This ( is never closed." in page.text
    assert 'aria-invalid="true"' in page.text
    assert client.get("/items", params={"q": "rule:none"}).status_code == 400
    assert client.get("/items", params={"q": "x" * 2001}).status_code == 400


def test_a_search_that_finds_little_says_how_far_it_looked_and_goes_on(desk, client):
    words = [entry(f"{n}", f"water {n}", body="Treaty." if n == 3 else "None.") for n in range(690)]
    desk.report("steppe", *words)
    path, pages, found = "/items?q=water+NOT+none", 0, []
    while path:
        page, pages = client.get(path).text, pages + 1
        found += re.findall(r"</mark> (\d+)</a>", page)
        link = re.search(r'href="(/items\?[^"]+)" rel="next">Look further', page)
        path = html.unescape(link[1]) if link else ""
    assert (found, pages) == (["3"], 7)


def test_search_results_come_in_pages_each_once(desk, client):
    desk.report("steppe", *(entry(f"{n}", f"Water number {n}") for n in range(95)))
    path, found = "/items?q=water", []
    while path:
        page = client.get(path).text
        found += re.findall(r"</mark> number (\d+)</a>", page)
        link = re.search(r'href="(/items\?[^"]+)" rel="next"', page)
        path = html.unescape(link[1]) if link else ""
    assert sorted(map(int, found)) == list(range(95))


def test_an_item_has_a_page_with_its_text_its_story_and_its_rules(desk, client):
    told(desk)
    page = client.get("/items/1")
    said = text_of(page)
    for part in ("Energy and gas were left out.", "Rules that hold for it", "Also reported by", "revision 1"):
        assert part in said, part
    assert 'href="/items/4"' in page.text
    assert '<div class="text" hx-disable dir="auto" lang="en">' in page.text
    for path in ("/items/99", "/items/x", "/items/-1", "/items/٣", "/items/" + "9" * 30):
        assert client.get(path).status_code == 404


def test_why_a_rule_holds_or_not_is_explained(desk, client):
    told(desk)
    assert "The rule central-asia holds for it." in text_of(client.get("/items/1?rule=central-asia"))
    why_not = client.get("/items/2?rule=water")
    assert "The rule water does not hold for it." in text_of(why_not)
    assert "does not occur in title or body" in text_of(why_not)
    assert client.get("/items/1?rule=none").status_code == 400


def test_times_are_told_in_the_zone_of_the_service(tmp_path):
    with dashboard(configuration(tmp_path, service='time_zone = "Asia/Almaty"')) as view:
        view.clock.forward(24 * HOUR)
        view.report("steppe", entry("a", "Central Asia", published=START))
        with served(create(view)) as address:
            page = httpx.get(f"{address}/items/1?rule=central-asia", trust_env=False, verify=TLS).text
            assert 'title="24 Nov 2026, 07:00 +05"' in page
            assert "2026-11-24 07:00" in page
            assert 'title="24 Nov 2026, 07:00 +05"' in httpx.get(address, trust_env=False, verify=TLS).text


def test_the_html_of_an_item_is_cleaned_again_and_loads_nothing(desk, client):
    """As if it had come in before something was known to be dangerous."""
    desk.report("steppe", entry("a", "Central Asia"))
    markup = (
        '<p onclick="x()">Text <img src="https://spy.example/a.png"><b>bold</b></p><script>x()</script>'
        '<a href="javascript:x()">a</a> <a href="https://b.example/">b</a><div hx-get="/logout">c</div>'
    )
    with desk.store._connections.write() as db:
        db.execute("UPDATE items SET content_html = ?", [markup])
    page = client.get("/items/1").text
    text = page[page.index('<div class="text"') : page.index("</article>")]
    assert "<b>bold</b>" in text
    assert 'href="https://b.example/"' in text
    for part in ("onclick", "<img", "spy.example", "<script", "javascript:", "hx-get"):
        assert part not in text, part


# --------------------------------------------------------------------------- all pages


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/rules",
        "/rules/central-asia",
        "/items",
        "/items?q=asia",
        "/items/1",
        "/sources",
        "/sources/steppe",
    ],
)
def test_whatever_others_write_is_shown_as_text(tmp_path, path):
    sources = SOURCES.replace("Steppe Wire", HOSTILE.replace('"', '\\"'))
    rules = {"central-asia": f"title = '''{HOSTILE}'''\nkeywords = [\"Asia\", '''{HOSTILE}''']"}
    loaded = configuration(tmp_path, service="", sources=sources, rules=rules)
    config = replace(loaded.config, service=replace(loaded.config.service, title=HOSTILE))
    with dashboard(replace(loaded, config=config)) as view, served(create(view)) as address:
        hostile = entry("a", f"Asia {HOSTILE}", body=f"Asia {HOSTILE}", author=HOSTILE, categories=(HOSTILE,))
        view.report("steppe", hostile)
        page = httpx.get(address + path, trust_env=False, verify=TLS)
    assert page.status_code == 200
    assert "<img" not in page.text
    assert "&lt;img src=x onerror=alert(1)&gt;&#34;&#39;&amp;" in page.text


def test_behind_a_path_of_a_proxy_all_links_keep_it(tmp_path):
    with dashboard(configuration(tmp_path, service='base_url = "https://localhost/news"')) as view:
        told(view)
        with served(create(view)) as address:
            for path in (
                "/",
                "/rules",
                "/rules/water",
                "/items?q=asia",
                "/items/1",
                "/sources",
                "/alerts",
                "/system",
                "/none",
            ):
                page = httpx.get(address + path, trust_env=False, verify=TLS).text
                links = re.findall(r'(?:href|src|action|hx-get|data-live)="([^"]*)"', page)
                assert len(links) > 5
                inner = [link for link in links if not link.startswith(("https://", "#"))]
                assert [link for link in inner if not link.startswith("/news/")] == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/rules",
        "/items",
        "/items?q=a",
        "/items/1",
        "/sources",
        "/sources/steppe",
        "/alerts",
        "/alerts/x",
        "/alerts/silences",
        "/alerts/endpoints/desk",
        "/system",
    ],
)
def test_a_database_that_does_not_answer_is_said_so(desk, path):
    class Broken:
        def __getattr__(self, name):
            raise StoreError("database is locked: /secret/path")

    with served(create(replace(desk, store=Broken()))) as address:
        response = httpx.get(address + path, trust_env=False, verify=TLS)
        assert (response.status_code, response.headers["retry-after"]) == (503, "10")
        assert "The database does not answer at the moment" in response.text
        assert "secret" not in response.text
        assert httpx.get(f"{address}/healthz", trust_env=False, verify=TLS).status_code == 200


def test_an_error_of_our_own_shows_no_insides(tmp_path):
    view = SomeView(feeds_folder=Path(tmp_path))  # which has no store
    with served(create(view)) as address:
        response = httpx.get(address, trust_env=False, verify=TLS)
    assert response.status_code == 500
    assert "Something went wrong" in response.text
    assert "Assertion" not in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]
