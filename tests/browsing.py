"""The pages in a browser that a person drives, and a desk for them to show."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, sync_playwright

from syndicate.errors import Problem
from syndicate.model import DeliveryState, SilenceDraft
from tests.browser import BROWSER, REMEDY
from tests.contract.making import HOUR, START, attempt, claim_alerts, entry
from tests.dashboard import Dashboard
from tests.support import require

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


@contextmanager
def driven() -> Iterator[Browser]:
    """Start a browser."""
    chromium = require("chromium", REMEDY)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=[each for each in BROWSER if each != "--headless"]
        )
        yield started
        started.close()


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
    said = "Failed to load resource: the server responded with a status of|Response Status Error Code"
    refused = f"error ({said}) 40[034]"
    allowed = re.compile(f"asked {re.escape(address)}/|{refused}")
    assert [each for each in complaints if not allowed.match(each)] == []


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
