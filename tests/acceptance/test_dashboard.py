"""The pages in a real browser: on a desk and a phone, by day and night, by keyboard, without scripts."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, expect, sync_playwright

from syndicate.errors import Problem
from syndicate.model import DeliveryState, SilenceDraft, WebSettings
from syndicate.web.app import create
from tests.browser import BROWSER, REMEDY, low_contrasts
from tests.contract.making import HOUR, START, attempt, claim_alerts, entry
from tests.dashboard import HASH, PASSWORD, SOURCES, Dashboard, configuration, dashboard
from tests.outlets import LocalServer, Reply
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
CONTEXTS: dict[str, Any] = {
    "desk": {"viewport": {"width": 1280, "height": 900}},
    "night": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True},
    "large print": {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2},  # at 200%
}
NIGHT = """
[[endpoint]]
id = "night"
url = "https://night.example/hook"
quiet_hours = ["00:00-23:00"]
max_per_hour = 3
"""
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
    with dashboard(configuration(tmp_path_factory.mktemp("desk"), sources=SOURCES + NIGHT)) as view:
        fill(view)
        trouble(view)
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


def trouble(view: Dashboard) -> None:
    """Have a delivery arrive, one be given up, and one disable the endpoint; a silence; an edit refused."""
    view.report(
        "steppe", *(entry(f"t{n}", f"Central Asia, told {n}", published=START) for n in range(3)), alerts=True
    )
    sent, dead, last = claim_alerts(view.store)
    error = "the receiver answered 410 (gone)"
    view.store.record_attempts(
        [
            attempt(sent, view.store, answer="thanks"),
            attempt(
                dead, view.store, state=DeliveryState.DEAD, status=400, error="no", answer="<p>no</p>" * 30
            ),
            attempt(
                last,
                view.store,
                state=DeliveryState.WAITING,
                status=410,
                error=error,
                next_attempt_at=view.now(),
                is_last=True,
            ),
        ]
    )
    rename(view, {sent.id: "msg_sent", dead.id: "msg_dead", last.id: "msg_last"})
    ends = view.now() + HOUR
    view.store.add_silence(SilenceDraft(author="ann", reason="A summit", expires_at=ends, rule="water"))
    view.refused = (
        Problem(
            file="rules/water.toml",
            line=3,
            column=11,
            text="this ( is never closed",
            excerpt="water AND (treaty\n          ^",
        ),
    )


def rename(view: Dashboard, names: dict[str, str]) -> None:
    """Give deliveries ids that can be known beforehand."""
    with view.store._connections.write() as db:
        db.execute("PRAGMA defer_foreign_keys = ON")
        for before, after in names.items():
            db.execute("UPDATE deliveries SET id = ? WHERE id = ?", [after, before])
            for table in ("alerts", "attempts"):
                db.execute(f"UPDATE {table} SET delivery = ? WHERE delivery = ?", [after, before])


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
        names = {"/": "Now", "/rules/water": "Rules", "/items/1": "Items", "/sources": "Sources"}
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


# --------------------------------------------------------------------------- hostile texts


def test_nothing_that_others_write_runs(browser, tmp_path):
    """As titles, texts, authors, tags, links, HTML of items; titles, words of rules; titles of sources."""
    assert len(PAYLOADS) > 60
    sources = SOURCES.replace("Steppe Wire", toml("Wire " + " ".join(PAYLOADS[:20]))[1:-1])
    rules = {f"rule-{number}": rule_that_is(payload) for number, payload in enumerate(PAYLOADS)}
    rules["rule-1"] += '\nnotify = ["desk"]'
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
        view.report("steppe", *hostile, alerts=True)
        deliveries = answered_by(view, PAYLOADS)
        with served(create(view)) as address, page_in(browser, address) as page:
            for path in ("/", "/?rule=rule-1", "/rules", "/items", "/sources", "/items?q=asia"):
                looked_at(page, path)
            of_alerts = ("/alerts", "/alerts?state=dead", "/alerts/silences", "/alerts/endpoints/desk")
            for path in (*of_alerts, "/system", *(f"/alerts/{delivery}" for delivery in deliveries[::5])):
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


def answered_by(view: Dashboard, payloads: list[str]) -> list[str]:
    """Have each delivery say a payload, be answered by it and fail by it; return their ids."""
    deliveries = claim_alerts(view.store)
    view.store.freeze_bodies(
        [(each.id, each.token, text.encode()) for each, text in zip(deliveries, payloads, strict=False)]
    )
    view.store.record_attempts(
        [
            attempt(each, view.store, state=DeliveryState.DEAD, status=400, error=payload, answer=payload)
            for each, payload in zip(deliveries, payloads, strict=False)
        ]
    )
    ends = view.now() + HOUR
    for payload in payloads:
        view.store.add_silence(SilenceDraft(author=payload, reason=payload, expires_at=ends, text=payload))
    view.refused = tuple(Problem(file=payload, line=1, text=payload, excerpt=payload) for payload in payloads)
    return [each.id for each in deliveries]


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
