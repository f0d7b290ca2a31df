"""The page about the machine: what is to be done and was done, how it grows, and what it was told to do."""

import html
import re
from contextlib import contextmanager
from dataclasses import replace

import pytest

from syndicate.backfill import state_of
from syndicate.config.shapes import NetworkTable, Service, SmtpTable, Table
from syndicate.config.web import WebTable
from syndicate.errors import Problem
from syndicate.model import DeliveryState, SmtpSettings
from syndicate.web.app import create
from syndicate.web.settings import HIDDEN, sections
from tests.contract.making import HOUR, MINUTE, attempt, claim_alerts, claimed, entry, failed, recorded
from tests.dashboard import HASH, SOURCES, configuration, dashboard
from tests.served import served, visitor

SECRET = "never-to-be-shown"
DIGEST = f"sha256:{'a1' * 32}"
TABLES: dict[str, type[Table]] = {
    "service": Service,
    "web": WebTable,
    "network": NetworkTable,
    "smtp": SmtpTable,
}
PROBLEM = Problem(
    file="rules/water.toml",
    line=4,
    column=11,
    text="this ( is never closed",
    excerpt="water AND (treaty\n          ^",
)


@pytest.fixture
def desk(tmp_path):
    with dashboard(configuration(tmp_path)) as view:
        view.clock.forward(24 * HOUR)
        yield view


@pytest.fixture
def client(desk):
    with browsing(desk) as found:
        yield found


@contextmanager
def browsing(view):
    with (
        served(create(view)) as address,
        visitor(address) as found,
    ):
        yield found


def said_by(found, path="/system"):
    page = found.get(path)
    assert page.status_code == 200, page.text
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))


def test_what_is_to_be_done_is_counted(desk, client):
    assert "running for 24 h: 3 sources, 3 rules, " in said_by(client)
    desk.report("steppe", entry("a", "Central Asia"), alerts=True)
    said = said_by(client)
    for part in ("Sources due 2 0 being polled", "Deliveries waiting 1 0 being sent", "Rules to apply 3"):
        assert part in said, part
    desk.clock.forward(3 * HOUR)
    assert "running for 27 h" in said_by(client)


def test_rules_that_were_applied_are_not_to_be_applied(desk, client):
    desk.store.skip_backfill([state_of(rule) for rule in desk.loaded.rules])
    assert "Rules to apply 0" in said_by(client)


def test_what_was_done_is_told_for_the_last_day_and_by_day(desk, client):
    assert "Nothing was polled or delivered." in said_by(client)
    desk.report("steppe", entry("old", "Central Asia"))
    desk.clock.forward(26 * HOUR)
    published = desk.now() - 10 * MINUTE
    desk.report("steppe", entry("a", "Central Asia again", published=published), alerts=True)
    recorded(desk.store, failed(claimed(desk.store, "wahat"), desk.store))
    (delivery,) = claim_alerts(desk.store)
    desk.clock.forward(MINUTE)
    desk.store.record_attempts([attempt(delivery, desk.store, state=DeliveryState.DELIVERED)])
    said = said_by(client)
    for part in (
        "Polls 2 1 failed",
        "New items 1",
        "New matches 1",
        "Attempts to deliver 1 1 taken",
        "From published to seen 10 min 10 min 1",
        "From seen to delivered 61 s 61 s 1",
        "From published to delivered 11 min 11 min 1",
        "26 Nov 2026 2 1 1 1 1 1",
        "25 Nov 2026 1 0 1 1 0 0",
    ):
        assert part in said, part
    assert 'aria-label="Polls in each of the last 24 hours: at most 2"' in client.get("/system").text


def test_growth_is_told_as_soon_as_it_is_known(desk, client):
    desk.report("steppe", entry("a", "Central Asia"))
    assert "Grown" not in said_by(client)
    desk.clock.forward(25 * HOUR)
    desk.report("steppe", *(entry(f"{n}", f"Title {n}", body="text " * 500) for n in range(300)))
    said = said_by(client)
    assert re.search(r"Size [\d.]+ MiB", said)
    assert re.search(r"Grown in the last 24 hours \+[\d.]+ (KiB|MiB)", said)
    assert "in the last 7 days" not in said
    assert re.search(r"Free on its disk [\d.]+ GiB", said)


def test_an_edit_that_was_refused_is_shown_with_its_place(desk, client):
    assert "Why the last edit was refused" not in said_by(client)
    desk.refused = (PROBLEM, Problem(file="config.toml", line=0, text="cannot be read"))
    for path in ("/system", "/alerts"):
        said = said_by(client, path)
        assert "! This needs somebody" in said
        assert "The configuration was edited and has 2 problems." in said
    page = client.get("/system").text
    assert "<code>rules/water.toml:4:11</code> this ( is never closed" in page
    assert "<pre" in page
    assert "water AND (treaty\n          ^</code>" in page
    assert "<code>config.toml</code> cannot be read" in page


def test_the_configuration_is_shown_without_anything_secret(tmp_path):
    endpoints = f"""
[[endpoint]]
id = "chat"
format = "slack"
url = "https://hooks.example/services/{SECRET}"

[[endpoint]]
id = "own"
url = "https://own.example/{SECRET}"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
headers = {{ authorization = "Bearer {SECRET}" }}

[[endpoint]]
id = "push"
format = "ntfy"
topic = "{SECRET}"
token = "tk_{SECRET}"
"""
    web = f"""
password = "{HASH}"

[[web.token]]
name = "archive"
digest = "{DIGEST}"
scopes = ["read", "test"]
"""
    loaded = configuration(tmp_path, web=web, sources=SOURCES + endpoints)
    smtp = SmtpSettings(host="mail.example", port=587, user="desk", password=SECRET)
    loaded = replace(loaded, config=replace(loaded.config, smtp=smtp))
    with dashboard(loaded) as view:
        open_to_us = replace(view.loaded.config, web=replace(view.loaded.config.web, password=None))
        with browsing(view) as locked:
            assert locked.get("/system").status_code == 401
        shown = {section.name: dict(section.values) for section in sections(view.loaded.config)}
        assert shown["web"]["password"] == shown["smtp"]["password"] == HIDDEN
        view.loaded = replace(view.loaded, config=open_to_us)
        with browsing(view) as found:
            pages = [found.get(path).text for path in ("/system", "/alerts", "/alerts/endpoints/own")]
    for section, table in TABLES.items():
        assert set(shown[section]) <= set(table.model_fields), "keys are those that people write"
    assert (shown["service"]["listen"], shown["web"]["images"]) == ("127.0.0.1:8080", "off")
    everything = " ".join([*pages, repr(shown)])
    assert shown["web"]["token"] == "archive (read, test)"
    for secret in (SECRET, "whsec_", HASH[-20:], DIGEST[-20:], "own.example/"):
        assert secret not in everything, secret
    assert shown["network"]["timeout"] == "30s"
    assert shown["network"]["max_bytes"] == "15 MiB"
    assert shown["endpoint own"]["headers"] == f"1 header, {HIDDEN}"
    assert shown["service"]["notify"] == "not set"
    assert "mail.example" in pages[0]
