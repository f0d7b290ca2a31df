"""What others write runs nowhere on the pages: hundreds of tries of ours, in a real browser."""

import re
from dataclasses import replace
from urllib.parse import quote

from playwright.sync_api import Page, expect

from syndicate.errors import Problem
from syndicate.model import BadAnswer, DeliveryState, SilenceDraft
from syndicate.web.app import create
from tests.browsing import page_in
from tests.contract.making import HOUR, attempt, claim_alerts, claimed, entry, failed, poll, recorded
from tests.dashboard import SOURCES, Dashboard, configuration, dashboard
from tests.outlets import Article, LocalServer, Pages, Reply, rss
from tests.served import served
from tests.support import ROOT

PAYLOADS = [
    line
    for line in (ROOT / "tests/data/xss/payloads.txt").read_text(encoding="utf-8").split("\n")
    if line and not line.startswith("# ")
]


def test_nothing_that_others_write_runs(browser, tmp_path, slow):
    """As titles, texts, authors, tags, links, HTML of items; titles, words of rules; titles, tags, remarks,
    errors and answers of sources; what receivers say; silences; mistakes in files; and what is typed."""
    assert len(set(PAYLOADS)) >= 300
    tags = f"tags = [{', '.join(map(toml, PAYLOADS[20:40]))}]"
    sources = SOURCES.replace("Steppe Wire", toml("Wire " + " ".join(PAYLOADS[:20]))[1:-1])
    sources = sources.replace('id = "steppe"', f'id = "steppe"\n{tags}')
    rules = {f"rule-{number}": rule_that_is(payload, number) for number, payload in enumerate(PAYLOADS)}
    rules["rule-0"] += '\nnotify = ["desk"]'
    loaded = configuration(tmp_path, sources=sources, rules=rules)
    service = replace(loaded.config.service, title=" ".join(PAYLOADS[-20:]))
    with dashboard(replace(loaded, config=replace(loaded.config, service=service))) as view:
        texts = PAYLOADS if slow else together(PAYLOADS, 5)
        hostile = [
            entry(
                f"{number}",
                f"Asia {text}",
                body=f"Asia {text} in a text.",
                summary=text,
                content_html=f"<p>Asia</p>{text}",
                author=text,
                categories=(text,),
                link=f"javascript:alert('{number}')" if number % 2 else f"https://news.example/{number}",
                language="en",
            )
            for number, text in enumerate(texts)
        ]
        view.report("steppe", *hostile, alerts=True)
        deliveries = answered_by(view, PAYLOADS)
        fail(view, PAYLOADS)
        with served(create(view)) as address, page_in(browser, address) as page:
            for path in ("/", "/?rule=rule-0", "/rules", "/items", "/sources", "/items?q=asia"):
                looked_at(page, path)
            for path in (
                "/sources/steppe",
                "/sources/wahat",
                "/lab?q=asia&rule=rule-1&item=3",
                "/lab?edit=rule-2",
            ):
                looked_at(page, path)
            of_alerts = ("/alerts", "/alerts?state=dead", "/alerts/silences", "/alerts/endpoints/desk")
            for path in (*of_alerts, "/system", *(f"/alerts/{delivery}" for delivery in deliveries[::5])):
                looked_at(page, path)
            for number, text in enumerate(texts, 1):
                looked_at(page, f"/items/{number}?rule=rule-{number - 1}")
                expect(page.locator("h1")).to_have_text(f"Asia {text}", use_inner_text=False)
            for number, payload in enumerate(PAYLOADS):
                if slow or number % 10 == 0:
                    looked_at(page, f"/rules/rule-{number}")
                    page.goto("/items")
                    page.get_by_label("Query").fill(payload)
                    page.get_by_label("Query").press("Enter")
                    expect(page.get_by_label("Query")).to_have_value(re.compile(".+"))
                    page.goto(f"/lab?q={quote(payload)}&rule=rule-{number}")
                    expect(page.get_by_label("Query, as in a rule")).to_have_value(re.compile(".+"))
                    page.goto(f"/add?address={quote(payload)}")
                    page.goto(f"/sources?q={quote(payload)}&done={quote(payload)}")
                    nothing_is_live(page)


def test_nothing_runs_that_is_found_at_an_address(browser, tmp_path):
    pages = Pages()
    for start in range(0, len(PAYLOADS), 5):
        titles = PAYLOADS[start : start + 5]
        articles = [
            Article(link=f"https://news.example/{n}", title=text, text="x") for n, text in enumerate(titles)
        ]
        body = rss(articles, title=" ".join(titles))
        pages[f"/{start}"] = Reply(body=body, headers={"Content-Type": "application/rss+xml"})
    loaded = configuration(
        tmp_path, sources=f'[network]\nallow_private = ["127.0.0.0/8"]\nhost_interval = "0s"\n{SOURCES}'
    )
    with (
        LocalServer(pages.answer) as outlet,
        dashboard(loaded) as view,
        served(create(view)) as address,
        page_in(browser, address) as page,
    ):
        for path in pages:
            page.goto("/add")
            page.get_by_label("Address").fill(f"{outlet.address}{path}")
            page.get_by_role("button", name="Look").click()
            expect(page.locator(".headlines li").first).to_be_visible()
            nothing_is_live(page)


def together(payloads: list[str], number: int) -> list[str]:
    """Return so many payloads at a time as one text."""
    return [" ".join(payloads[start : start + number]) for start in range(0, len(payloads), number)]


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


def fail(view: Dashboard, payloads: list[str]) -> None:
    """Have a source be answered by all payloads, and another be read with remarks that are some."""
    answer = BadAnswer(
        url=f"https://wahat.example/{payloads[0]}",
        status=500,
        headers=tuple((payload[:30], payload) for payload in payloads),
        body="\n".join(payloads),
        length_bytes=9,
    )
    error = " ".join(payloads[:60])
    recorded(view.store, failed(claimed(view.store, "wahat"), view.store, error=error, bad_answer=answer))
    remarks = tuple(payloads[60:120])
    told = {"document_title": payloads[1], "document_link": "javascript:alert(1)", "problems": remarks}
    recorded(view.store, poll(claimed(view.store, "vestnik"), view.store, **told))


def rule_that_is(payload: str, number: int) -> str:
    """Return a rule with a payload for its title, and as a keyword if it can be one; some hold for all."""
    keyword = "x" if "*" in payload else f"x {payload}"
    asks = ["Asia", keyword] if number % 25 == 0 else [keyword]
    return f"title = {toml(payload)}\nkeywords = [{', '.join(map(toml, asks))}]"


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
    nothing_is_live(page)


def nothing_is_live(page: Page) -> None:
    """Look for what could run, or lead where something runs."""
    protocols = page.locator("a[href]").evaluate_all("all => all.map(each => each.protocol)")
    assert set(protocols) <= {"http:", "https:", "mailto:"}
    assert page.locator("script:not([src]), iframe, object, embed, base, style").count() == 0
    assert (
        page.locator("[onerror], [onload], [onfocus], main [hx-on], main [style], [data-hx-on]").count() == 0
    )
