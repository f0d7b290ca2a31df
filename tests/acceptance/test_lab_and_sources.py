"""The lab and the pages of sources, used as a person does: typing, pressing, with scripts and without."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from syndicate.model import BadAnswer
from syndicate.web.app import create
from tests.browsing import CONTEXTS, fill, page_in
from tests.contract.making import claimed, failed, recorded
from tests.dashboard import RULES, SOURCES, Dashboard, configuration, dashboard
from tests.outlets import Article, LocalServer, Pages, Reply, feed
from tests.served import served

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
OPEN = '[network]\nallow_private = ["127.0.0.0/8"]\nhost_interval = "0s"\n'


@pytest.fixture
def desk(tmp_path) -> Iterator[Dashboard]:
    with dashboard(configuration(tmp_path, web="edit = true", sources=OPEN + SOURCES)) as view:
        fill(view)
        yield view


@pytest.fixture
def address(desk):
    with served(create(desk)) as found:
        yield found


def query(page: Page):
    return page.get_by_label("Query, as in a rule")


def count(page: Page):
    return page.locator("#what")


# --------------------------------------------------------------------------- the lab


def test_what_a_query_finds_follows_what_is_typed(browser, address):
    with page_in(browser, address) as page:
        page.goto("/lab")
        query(page).press_sequentially("water OR")
        expect(page.get_by_role("alert")).to_contain_text("after OR")
        expect(page.locator("#wrong mark")).to_have_count(1)
        query(page).press_sequentially(" samarkand")
        expect(count(page)).to_have_text("3 items")
        expect(page.locator("#wrong mark")).to_have_count(0)
        expect(page.locator(".stories mark").filter(has_text="Water")).to_have_count(1)
        assert "q=water%20OR%20samarkand" in page.url
        page.reload()
        expect(count(page)).to_have_text("3 items")
        expect(query(page)).to_be_visible()


def test_what_was_typed_beside_the_query_stays_when_that_is_edited(browser, address):
    with page_in(browser, address) as page:
        page.goto("/lab?q=water")
        page.get_by_label("Id, and name of its file").fill("ice")
        page.get_by_label("Title").fill("Ice")
        page.get_by_role("heading", name="Lab").click()
        page.keyboard.press("/")
        expect(query(page)).to_be_focused()
        page.keyboard.press("End")
        page.keyboard.type(" OR samarkand")
        expect(page.locator("#toml")).to_contain_text("query = 'water OR samarkand'")
        expect(page.get_by_label("Id, and name of its file")).to_have_value("ice")
        page.get_by_role("button", name="Save as a rule").click()
        expect(page.get_by_role("status").first).to_contain_text("Saved.")
        expect(page.get_by_label("ice.toml")).to_have_value("title = \"Ice\"\nquery = 'water OR samarkand'\n")


def test_where_the_service_does_not_answer_that_is_said_and_nothing_lost(browser, desk):
    with served(create(desk)) as address, page_in(browser, address) as page:
        page.goto("/lab?edit=water")
        page.evaluate("document.querySelector('[name=csrf]').value = '0'.repeat(64)")
        page.get_by_label("water.toml").press_sequentially("# x")
        expect(page.get_by_role("alert")).to_contain_text("Reload the page")
        expect(page.get_by_label("water.toml")).to_have_value(re.compile("# x"))


def test_a_mistake_is_marked_exactly_where_it_is_typed(browser, address):
    same = """() => {
        const [text, marks] = ["text", "wrong"].map(id => getComputedStyle(document.getElementById(id)));
        const [one, other] = ["text", "wrong"].map(id => document.getElementById(id).getBoundingClientRect());
        const names = ["fontFamily", "fontSize", "lineHeight", "letterSpacing", "paddingLeft", "paddingTop",
            "borderLeftWidth", "whiteSpace", "direction"];
        return names.filter(name => text[name] !== marks[name])
            .concat(Math.abs(one.left - other.left) + Math.abs(one.top - other.top) < 1 ? [] : ["place"]);
    }"""
    for seen in ("desk", "phone"):
        with page_in(browser, address, **CONTEXTS[seen]) as page:
            page.goto("/lab?q=water+AND+AND+ice")
            expect(page.locator("#wrong mark")).to_have_text("AND")
            assert page.evaluate(same) == []


@SCRIPTS
def test_a_query_is_compared_explained_and_saved_as_a_rule(browser, desk, address, scripts):
    with page_in(browser, address, java_script_enabled=scripts) as page:
        page.goto("/lab")
        query(page).fill("samarkand")
        page.get_by_label("Compared with").select_option("Central Asia")
        page.get_by_role("button", name="Try").click()
        expect(page.locator("#change ~ p").first).to_contain_text("no more")
        page.get_by_role("button", name="Why", exact=False).last.click()
        expect(page.locator(".explanation")).to_contain_text("samarkand")
        page.get_by_label("Id, and name of its file").fill("samarkand")
        page.get_by_label("Title").fill("The city")
        page.get_by_role("button", name="Save as a rule").click()
        expect(page.get_by_role("status").first).to_contain_text("Saved.")
    saved = desk.loaded.config.service.rules / "samarkand.toml"
    assert saved.read_text() == "title = \"The city\"\nquery = 'samarkand'\n"


@SCRIPTS
def test_an_edit_of_a_rule_is_tried_and_saved(browser, desk, address, scripts):
    file = desk.loaded.config.service.rules / "water.toml"
    with page_in(browser, address, java_script_enabled=scripts) as page:
        page.goto("/rules/water")
        page.get_by_role("link", name="try an edit").click()
        text = page.get_by_label("water.toml")
        expect(text).to_have_value(RULES["water"])
        text.fill("title = 'Water'\nquery = 'samarkand AND ('\n")
        page.get_by_role("button", name="Try").click()
        expect(page.get_by_role("alert")).to_contain_text("this ( is never closed (line 2)")
        text.fill("title = 'Water'\nquery = 'samarkand'\n")
        page.get_by_role("button", name="Try").click()
        expect(page.locator("#change ~ p").first).to_contain_text("+2")
        assert file.read_text() == RULES["water"]
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status").first).to_contain_text("Saved.")
    assert file.read_text() == "title = 'Water'\nquery = 'samarkand'\n"


def test_the_rule_can_be_copied(browser, address):
    with page_in(browser, address, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto("/lab")
        query(page).fill("samarkand")
        button = page.get_by_role("button", name="Copy as TOML")
        expect(button).to_be_visible()
        button.click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == "title = \"My rule\"\nquery = 'samarkand'\n"


@SCRIPTS
def test_what_takes_long_is_counted_while_one_looks(browser, desk, scripts):
    with (
        served(create(desk, look_seconds=0)) as address,
        page_in(browser, address, java_script_enabled=scripts) as page,
    ):
        page.goto("/lab?q=text+OR+central+OR+water+OR+europe")
        for _ in range(0 if scripts else 5):
            further = page.get_by_role("button", name="Look further")
            if further.count():
                further.click()
        expect(count(page)).not_to_contain_text("so far")
        expect(page.locator("#what ~ p").first).to_contain_text("looked at")


# --------------------------------------------------------------------------- sources


@SCRIPTS
def test_a_source_is_paused_resumed_and_refreshed(browser, address, scripts):
    with page_in(browser, address, java_script_enabled=scripts) as page:
        page.goto("/sources")
        page.get_by_role("link", name="Steppe Wire").click()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("status")).to_contain_text("Paused")
        expect(page.locator(".lead .state")).to_contain_text("paused")
        page.get_by_role("button", name="Resume").click()
        expect(page.locator(".lead .state")).to_contain_text("working")
        page.get_by_role("button", name="Refresh now").click()
        expect(page.get_by_role("status")).to_have_text("Due now.")


def test_a_source_that_fails_is_found_first_with_what_it_answered(browser, desk, address):
    answer = BadAnswer(
        url="https://wahat.example/rss",
        status=500,
        headers=(("server", "camel"),),
        body="<h1>Out of order</h1>",
        length_bytes=21,
    )
    recorded(desk.store, failed(claimed(desk.store, "wahat"), desk.store, bad_answer=answer))
    with page_in(browser, address) as page:
        page.goto("/sources")
        expect(page.locator(".attention")).to_have_text("1 source needs attention.")
        page.locator(".story h2 a").first.click()
        expect(page.get_by_role("heading", name="صحيفة الواحة")).to_be_visible()
        expect(page.locator("#failure ~ details pre")).to_contain_text("server: camel")
        expect(page.locator("#failure ~ details pre")).to_contain_text("<h1>Out of order</h1>")


@SCRIPTS
def test_a_source_is_added_by_its_address(browser, desk, address, scripts):
    pages = Pages()
    pages["/rss"] = feed([Article(link="https://news.example/1", title="Rain & snow", text="x")])
    pages["/"] = Reply(
        body=b'<html><head><link rel="alternate" type="application/rss+xml" href="/rss"></head></html>',
        headers={"Content-Type": "text/html"},
    )
    with LocalServer(pages.answer) as outlet, page_in(browser, address, java_script_enabled=scripts) as page:
        page.goto("/sources")
        page.get_by_role("link", name="Add a source").click()
        page.get_by_label("Address").fill(outlet.address)
        page.get_by_role("button", name="Look").click()
        expect(page.locator(".headlines")).to_have_text("Rain & snow")
        expect(page.get_by_role("radio")).to_be_checked()
        page.get_by_label("Id", exact=True).fill("rain")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("Added.")
    assert f'url = "{outlet.address}/rss"' in desk.loaded.config.path.read_text()
