"""The pages in a real browser: on a desk and a phone, by day and night, by keyboard, without scripts."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, expect, sync_playwright

from syndicate.model import WebSettings
from syndicate.web.app import create
from tests.browser import BROWSER, REMEDY, low_contrasts
from tests.contract.making import HOUR, START, entry
from tests.dashboard import HASH, PASSWORD, SOURCES, Dashboard, configuration, dashboard
from tests.served import served
from tests.support import ROOT, node_modules, require

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
    "/none",
)
CONTEXTS: dict[str, Any] = {
    "desk": {"viewport": {"width": 1280, "height": 900}},
    "night": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True},
    "large print": {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2},  # at 200%
}
TITLE = "Leaders of Central Asia and the European Union adopt a strategy in Samarkand"
PAYLOADS = [
    line
    for line in (ROOT / "tests/data/xss/payloads.txt").read_text(encoding="utf-8").split("\n")
    if line and not line.startswith("# ")
]


@pytest.fixture(scope="module")
def browser():
    chromium = require("chromium", REMEDY)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=[each for each in BROWSER if each != "--headless"]
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with dashboard(configuration(tmp_path_factory.mktemp("desk"))) as view:
        fill(view)
        yield view


def fill(view: Dashboard) -> None:
    view.clock.forward(24 * HOUR)
    view.report(
        "steppe",
        entry("a", TITLE, body=TITLE, language="en", published=START, author="Ann", categories=("EU",)),
        entry("b", "Water talks", body="Ministers talk. " * 40, language="en", published=START + HOUR),
    )
    view.report(
        "wahat",
        entry("c", "قادة آسيا الوسطى", body="اجتمع القادة.", language="ar", published=START + 2 * HOUR),
    )
    view.report("vestnik", entry("d", TITLE, body=TITLE, language="en", published=START + 3 * HOUR))
    many = [
        entry(f"e{n}", f"Central Asia, part {n}", body="Text.", published=START + timedelta(minutes=n))
        for n in range(40)
    ]
    view.report("vestnik", *many)


@pytest.fixture(scope="module")
def address(desk):
    with served(create(desk)) as found:
        yield found


@contextmanager
def page_in(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Open a page that fails its test if it complains, or asks anybody else for anything."""
    context: BrowserContext = browser.new_context(base_url=address, **options)
    page = context.new_page()
    complaints: list[str] = []

    def hear_dialog(dialog: Dialog) -> None:
        complaints.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def hear(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            complaints.append(f"{said.type} {said.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(f"script {error}"))
    page.on("dialog", hear_dialog)
    page.on("request", lambda asked: complaints.append(f"asked {asked.url}"))
    try:
        yield page
    finally:
        context.close()
    refused = "error Failed to load resource: the server responded with a status of 40[034]"
    allowed = re.compile(f"asked {re.escape(address)}/|{refused}")
    assert [each for each in complaints if not allowed.match(each)] == []


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
        assert len(titles(page)) == 13
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
        names = {"/": "Now", "/rules/water": "Rules", "/items/1": "Items", "/sources": "Sources"}
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


# --------------------------------------------------------------------------- hostile texts


def test_nothing_that_others_write_runs(browser, tmp_path):
    """As titles, texts, authors, tags, links, HTML of items; titles, words of rules; titles of sources."""
    assert len(PAYLOADS) > 60
    sources = SOURCES.replace("Steppe Wire", toml("Wire " + " ".join(PAYLOADS[:20]))[1:-1])
    rules = {f"rule-{number}": rule_that_is(payload) for number, payload in enumerate(PAYLOADS)}
    loaded = configuration(tmp_path, sources=sources, rules=rules)
    service = replace(loaded.config.service, title=" ".join(PAYLOADS[-20:]))
    with dashboard(replace(loaded, config=replace(loaded.config, service=service))) as view:
        hostile = [
            entry(
                f"{number}",
                f"Asia {payload}",
                body=f"Asia {payload} in a text.",
                summary=payload,
                content_html=f"<p>Asia</p>{payload}",
                author=payload,
                categories=(payload,),
                link=f"javascript:alert('{number}')" if number % 2 else f"https://news.example/{number}",
                language="en",
            )
            for number, payload in enumerate(PAYLOADS)
        ]
        view.report("steppe", *hostile)
        with served(create(view)) as address, page_in(browser, address) as page:
            for path in ("/", "/?rule=rule-1", "/rules", "/items", "/sources", "/items?q=asia"):
                looked_at(page, path)
            for number, payload in enumerate(PAYLOADS, 1):
                looked_at(page, f"/items/{number}?rule=rule-{number - 1}")
                expect(page.locator("h1")).to_have_text(f"Asia {payload}", use_inner_text=False)
                if number % 5 == 0:
                    looked_at(page, f"/rules/rule-{number}")
                    page.goto("/items")
                    page.get_by_label("Query").fill(payload)
                    page.get_by_label("Query").press("Enter")
                    expect(page.get_by_label("Query")).to_have_value(re.compile(".+"))


def rule_that_is(payload: str) -> str:
    """Return a rule with a payload for its title, and as a keyword if it can be one."""
    keyword = "x" if "*" in payload else f"x {payload}"
    return f'title = {toml(payload)}\nkeywords = ["Asia", {toml(keyword)}]'


def toml(text: str) -> str:
    """Return a text in one line as TOML has it, so that no variable is filled in."""
    text = text.replace("\t", " ").replace("$", "$$")
    escaped = "".join(f"\\u{ord(each):04x}" if each in '"\\' else each for each in text)
    return f'"{escaped}"'


def looked_at(page: Page, path: str) -> None:
    """Look at a page, and touch all that could be touched without leaving it."""
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200, path
    page.mouse.move(200, 300)
    protocols = page.locator("a[href]").evaluate_all("all => all.map(each => each.protocol)")
    assert set(protocols) <= {"http:", "https:", "mailto:"}
    assert page.locator("script:not([src]), iframe, object, embed, base, style").count() == 0
    assert page.locator("[onerror], [onload], [onfocus], main [hx-on], main [style]").count() == 0
