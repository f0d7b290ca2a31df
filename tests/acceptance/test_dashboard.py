"""The pages in a real browser: on a desk and a phone, by day and night, by keyboard, without scripts."""

import re
from dataclasses import replace
from ipaddress import ip_network

import pytest
from playwright.sync_api import Page, expect

from syndicate.model import WebSettings
from syndicate.web.app import create
from tests.browser import low_contrasts
from tests.browsing import CONTEXTS, NIGHT, fill, page_in, trouble
from tests.contract.making import claim_alerts, entry
from tests.dashboard import HASH, PASSWORD, SOURCES, configuration, dashboard
from tests.outlets import LocalServer, Reply
from tests.served import served
from tests.support import ROOT, node_modules

AXE = "axe-core@4.14.1"
PATHS = (
    "/",
    "/?rule=water",
    "/?rule=central-asia&period=24h",
    "/rules",
    "/rules/central-asia",
    "/rules/scored",
    "/items",
    "/items?q=water",
    "/items?q=(water",
    "/items/1?rule=water",
    "/items/3",
    "/sources",
    "/sources/steppe",
    "/sources/wahat",
    "/add",
    "/lab",
    "/lab?q=water",
    "/lab?q=(water",
    "/lab?q=water+or+ice&rule=central-asia&item=1",
    "/lab?edit=central-asia",
    "/alerts",
    "/alerts?endpoint=desk&state=dead",
    "/alerts/msg_dead",
    "/alerts/msg_sent",
    "/alerts/silences",
    "/alerts/endpoints/desk",
    "/alerts/endpoints/night",
    "/system",
    "/none",
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with dashboard(configuration(tmp_path_factory.mktemp("desk"), sources=SOURCES + NIGHT)) as view:
        fill(view)
        trouble(view)
        yield view


@pytest.fixture(scope="module")
def address(desk):
    with served(create(desk)) as found:
        yield found


def titles(page: Page) -> list[str]:
    return page.locator(".story .headline").all_inner_texts()


# --------------------------------------------------------------------------- whatever is seen by, and how


@pytest.mark.parametrize("seen", CONTEXTS)
def test_every_page_fits_and_can_be_used_by_everybody(browser, address, seen):
    axe = (node_modules(AXE) / "axe-core/axe.min.js").read_text()
    with page_in(browser, address, **CONTEXTS[seen]) as page:
        for path in PATHS:
            page.goto(path)
            root = page.locator("html")
            assert root.evaluate("each => each.scrollWidth <= each.clientWidth"), f"{path} is too wide"
            page.evaluate(axe)
            found = page.evaluate(
                "kinds => axe.run({runOnly: kinds})",
                ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
            )
            wrong = [
                (each["id"], each["impact"], [node["html"] for node in each["nodes"]][:3])
                for each in found["violations"]
            ]
            assert wrong == [], path
            assert found["passes"], path


def test_nothing_moves_while_a_page_loads(browser, address):
    shifts = """() => new Promise(done => {
        let sum = 0;
        new PerformanceObserver(list => list.getEntries().forEach(each => { sum += each.value; }))
            .observe({type: "layout-shift", buffered: true});
        requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
    })"""
    for seen in ("desk", "phone"):
        with page_in(browser, address, **CONTEXTS[seen]) as page:
            for path in PATHS:
                page.goto(path)
                assert page.evaluate(shifts) < 0.01, path


def test_text_has_enough_contrast_by_day_and_by_night():
    css = (ROOT / "syndicate/web/static/style.css").read_text()
    assert low_contrasts(css, ("text", "quiet", "link", "good", "bad"), ("page", "card", "chip")) == []
    assert low_contrasts(css, ("marked",), ("mark",)) == []
    assert low_contrasts(css, ("card",), ("link",)) == []  # what is new


def test_items_are_shown_in_their_own_language_and_direction(browser, address):
    with page_in(browser, address) as page:
        page.goto("/items/3")
        for part in (page.locator("h1"), page.locator(".text")):
            expect(part).to_have_attribute("lang", "ar")
            assert part.evaluate("each => getComputedStyle(each).direction") == "rtl"
        assert page.locator("body").evaluate("each => getComputedStyle(each).direction") == "ltr"


# --------------------------------------------------------------------------- without scripts


def test_without_javascript_everything_can_be_found(browser, address):
    with page_in(browser, address, java_script_enabled=False) as page:
        page.goto("/")
        assert len(titles(page)) == 30
        page.get_by_role("link", name="Older").click()
        assert len(titles(page)) == 16
        page.get_by_role("link", name="Now").click()
        page.get_by_role("combobox", name="Rule").select_option("Water & ice")
        page.get_by_role("button", name="Show").click()
        assert titles(page) == ["Water talks"]
        page.get_by_role("link", name=re.compile("Text and reasons.*Water talks")).click()
        page.get_by_role("combobox", name="Rule").select_option("Central Asia")
        page.get_by_role("button", name="Explain").click()
        expect(page.get_by_text("The rule central-asia does not hold for it.")).to_be_visible()
        page.get_by_role("link", name="Items").first.click()
        page.get_by_label("Query").fill("title:talks")
        page.get_by_label("Query").press("Enter")
        assert titles(page) == ["Water talks"]
        expect(page.get_by_role("button", name="Keys")).to_be_hidden()
        page.get_by_role("link", name="Rules").first.click()
        expect(page.get_by_role("button", name="Copy")).to_have_count(0)


def test_the_page_that_one_is_on_is_marked(browser, address):
    with page_in(browser, address) as page:
        names = {"/": "Now", "/rules/water": "Rules", "/items/1": "Items", "/sources/steppe": "Sources"}
        names |= {"/add": "Sources", "/lab?edit=water": "Lab"}
        names |= {"/alerts/msg_dead": "Alerts", "/system": "System"}
        for path, name in names.items():
            page.goto(path)
            assert page.locator("nav [aria-current=page]").all_inner_texts() == [name]


# --------------------------------------------------------------------------- by keyboard


def test_stories_are_walked_and_opened_by_keys(browser, address):
    with page_in(browser, address) as page:
        page.goto("/?rule=central-asia")
        first, second = page.locator(".story").nth(0), page.locator(".story").nth(1)
        page.keyboard.press("j")
        expect(first).to_be_focused()
        page.keyboard.press("j")
        expect(second).to_be_focused()
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("k")
        page.keyboard.press("k")
        expect(first).to_be_focused()
        page.context.route("https://news.example/**", lambda route: route.fulfill(body="an article"))
        with page.context.expect_page() as opened:
            page.keyboard.press("o")
        assert opened.value.url == first.locator("a.original").get_attribute("href")
        assert opened.value.evaluate("window.opener") is None


def test_keys_lead_to_the_search_and_are_text_there(browser, address):
    with page_in(browser, address) as page:
        page.goto("/items")
        page.keyboard.press("/")
        expect(page.get_by_label("Query")).to_be_focused()
        page.keyboard.type("jko/?")
        expect(page.get_by_label("Query")).to_have_value("jko/?")


def test_keys_are_listed_and_can_be_switched_off(browser, address):
    with page_in(browser, address) as page:
        page.goto("/")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.get_by_label("Use these keys").uncheck()
        page.get_by_role("button", name="Close").click()
        page.keyboard.press("j")
        expect(page.locator(".story:focus")).to_have_count(0)
        page.reload()
        page.keyboard.press("j")
        expect(page.locator(".story:focus")).to_have_count(0)
        page.get_by_role("button", name="Keys").click()
        page.get_by_label("Use these keys").check()
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        expect(page.locator(".story").first).to_be_focused()


def test_with_another_key_held_down_they_are_the_browsers(browser, address):
    with page_in(browser, address) as page:
        page.goto("/")
        for key in ("Control+j", "Alt+j", "Meta+j"):
            page.keyboard.press(key)
            expect(page.locator(".story:focus")).to_have_count(0)


def test_the_first_stop_leads_past_the_navigation_and_each_stop_can_be_seen(browser, address):
    with page_in(browser, address) as page:
        page.goto("/")
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        for _ in range(12):
            page.keyboard.press("Tab")
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid", page.evaluate("document.activeElement.outerHTML")
        page.goto("/")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("combobox", name="Rule")).to_be_focused()


# --------------------------------------------------------------------------- live


def test_new_stories_are_told_and_come_with_a_click(browser, tmp_path):
    with dashboard(configuration(tmp_path)) as view:
        fill(view)
        with served(create(view)) as address, page_in(browser, address) as page:
            page.goto("/")
            expect(page.locator("#news a")).to_be_hidden()
            for number in (1, 2):
                view.report("steppe", entry(f"n{number}", f"Central Asia, new {number}"))
                news = page.locator("#news a")
                expect(news).to_have_text("1 new", timeout=20_000)
                news.click()
                expect(page.locator(".story .headline").first).to_have_text(f"Central Asia, new {number}")
                expect(news).to_be_hidden()
            assert page.locator(".badge").all_inner_texts() == ["new", "new"]
            assert len(titles(page)) == 32
            page.get_by_role("link", name="Older").focus()
            page.keyboard.press("Enter")
            expect(page.locator(".story")).to_have_count(45)
            expect(page.locator(".story").nth(32)).to_be_focused()
            expect(page.get_by_role("link", name="Older")).to_have_count(0)


def test_the_address_of_a_feed_can_be_copied(browser, address):
    with page_in(browser, address, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto("/rules/water")
        page.get_by_role("button", name="Copy address of the feed of Water").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == "http://127.0.0.1:8080/feeds/water.atom"


# --------------------------------------------------------------------------- what goes out


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_delivery_that_was_given_up_is_found_and_sent_again(browser, tmp_path, scripts):
    with dashboard(configuration(tmp_path)) as view:
        fill(view)
        trouble(view)
        with (
            served(create(view)) as address,
            page_in(browser, address, java_script_enabled=scripts, **CONTEXTS["phone"]) as page,
        ):
            page.goto("/")
            page.get_by_role("link", name="Alerts").click()
            expect(page.get_by_role("heading", name="These need somebody")).to_be_visible()
            page.get_by_role("link", name="See why, and send again").click()
            expect(page.get_by_role("combobox", name="State")).to_have_value("dead")
            assert titles(page) == ["Central Asia, told 1"]
            page.get_by_role("link", name="Central Asia, told 1").click()
            expect(page.get_by_text("Answered 400")).to_be_visible()
            page.get_by_role("button", name="Send again").click()
            expect(page.get_by_role("status")).to_contain_text("It is due now")
            page.get_by_role("link", name="enables it").click()
            page.get_by_role("button", name="Enable").click()
            expect(page.get_by_role("status")).to_contain_text("It is enabled")
            assert {each.id for each in claim_alerts(view.store)} == {"msg_dead", "msg_last"}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_person_silences_alerts_and_ends_that_again(browser, tmp_path, scripts):
    with (
        dashboard(configuration(tmp_path)) as view,
        served(create(view)) as address,
        page_in(browser, address, java_script_enabled=scripts) as page,
    ):
        page.goto("/alerts")
        page.get_by_role("link", name="Add a silence").click()
        page.get_by_label("Rule").fill("watr")
        page.get_by_label("For how long").fill("2h")
        page.get_by_label("Who says so").fill("ann")
        page.get_by_label("Why").fill("Everybody knows")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("did you mean water?")
        expect(page.get_by_label("Why")).to_have_value("Everybody knows")
        page.get_by_label("Rule").fill("water")
        page.get_by_role("button", name="Add the silence").click()
        expect(page.get_by_role("status")).to_contain_text("The silence has begun.")
        assert [each.draft.rule for each in view.store.silences()] == ["water"]
        page.get_by_role("link", name="Alerts").first.click()
        page.get_by_role("button", name="End now the silence of rule water").click()
        expect(page.get_by_role("status")).to_contain_text("The silence has ended.")
        expect(page.get_by_role("heading", name="Ended")).to_be_visible()


def test_a_person_tries_an_endpoint_and_sees_what_it_answers(browser, tmp_path):
    with LocalServer(lambda asked: Reply(status=503, body=b"<b>closed for lunch</b>")) as receiver:
        sources = SOURCES.replace("https://desk.example/hook", f"{receiver.address}/hook")
        loaded = configuration(tmp_path, sources=sources)
        network = replace(loaded.config.network, allow_private=(ip_network("127.0.0.0/8"),))
        with (
            dashboard(replace(loaded, config=replace(loaded.config, network=network))) as view,
            served(create(view)) as address,
            page_in(browser, address) as page,
        ):
            page.goto("/alerts")
            page.get_by_role("link", name="desk", exact=True).click()
            page.get_by_role("button", name="Send a test to desk").click()
            expect(page.get_by_role("heading", name="It was not taken: answered 503")).to_be_visible()
            expect(page.get_by_text("<b>closed for lunch</b>")).to_be_visible()
            assert [asked.path for asked in receiver.asked] == ["/hook"]


# --------------------------------------------------------------------------- logging in


def test_a_person_logs_in_and_out(browser, desk):
    config = replace(desk.loaded.config, web=WebSettings(password=HASH))
    locked = replace(desk, loaded=replace(desk.loaded, config=config))
    with served(create(locked)) as address, page_in(browser, address) as page:
        page.goto("/items?q=water")
        assert page.url.startswith(f"{address}/login?next=")
        expect(page.get_by_label("Password")).to_be_focused()
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("That is not the password.")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Items", level=1)).to_be_visible()
        assert page.url == f"{address}/items?q=water"
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        page.go_back()
        page.reload()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
