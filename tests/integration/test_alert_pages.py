"""The pages about what goes out: what they show, and what pressing their buttons does."""

import html
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest

from syndicate.model import DeliveryState, SilenceDraft
from syndicate.web.alerts import DELIVERIES, body_text
from syndicate.web.app import create
from tests.contract.making import HOUR, LEASE, MINUTE, START, attempt, claim_alerts, entry, retried
from tests.dashboard import RULES, SOURCES, configuration, dashboard
from tests.outlets import LocalServer, Reply
from tests.served import served, visitor

HOSTILE = "<img src=x onerror=alert(1)>\"'&"
TITLE = "Leaders of Central Asia adopt a strategy"
GONE = "the receiver answered 410 (gone)"


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


def text_of(page, status=200):
    """Return what a page says to a person, in one line."""
    assert page.status_code == status, page.text
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))


def told(view, *names):
    """Have the endpoint desk be told of an item for each name; return their deliveries, claimed."""
    for name in names or ("a",):
        view.report("steppe", entry(name, f"{TITLE}, {name}", language="en"), alerts=True)
    return claim_alerts(view.store)


def ended(view, delivery, state=DeliveryState.DELIVERED, **fields):
    view.store.record_attempts([attempt(delivery, view.store, state=state, **fields)])


def given_up(view, delivery, error="the receiver answered 500", answer="<h1>Oops</h1>"):
    ended(view, delivery, DeliveryState.DEAD, status=500, error=error, answer=answer)


def disabled(view, delivery):
    ended(
        view,
        delivery,
        DeliveryState.WAITING,
        status=410,
        error=GONE,
        next_attempt_at=view.now(),
        is_last=True,
    )


def token_in(page):
    (token,) = set(re.findall(r'name="csrf" value="(\w+)"', page.text))
    return token


def pressed(found, page, path, **fields):
    """Send the form of a page that goes to this path, as a browser does; return the page after it."""
    forms = re.findall(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', found.get(page).text, re.DOTALL)
    (form,) = {body for action, body in forms if action.partition("#")[0] == path}
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    answer = found.post(path, data={**hidden, **fields})
    if answer.status_code != 303:
        return answer
    return found.get(answer.headers["location"])


# --------------------------------------------------------------------------- deliveries


def test_deliveries_are_listed_with_what_they_tell_and_what_became_of_them(desk, client):
    sent, lost, tried = told(desk, "a", "b", "c")
    ended(desk, sent)
    given_up(desk, lost)
    desk.store.record_attempts([retried(tried, desk.store, HOUR)])
    told(desk, "d")
    said = text_of(client.get("/alerts"))
    for part in (
        f"{TITLE}, a ✓ delivered to desk · made just now · rule Central Asia · Steppe Wire · 1 attempt",
        f"{TITLE}, b ✕ given up",
        f"{TITLE}, c … waiting",
        "1 attempt · next in 1 hour the receiver answered 500",
        f"{TITLE}, d → being sent",
    ):
        assert part in said, part
    assert said.index(f"{TITLE}, d") < said.index(f"{TITLE}, a")


def test_they_can_be_filtered_and_the_form_keeps_what_was_chosen(desk, client):
    given_up(desk, told(desk, "a", "b")[0])
    page = client.get("/alerts?endpoint=desk&state=dead")
    assert f"{TITLE}, a" in page.text
    assert f"{TITLE}, b" not in page.text
    for value in ("desk", "dead"):
        assert f'<option value="{value}" selected>' in page.text
    assert "No delivery fits these filters." in text_of(client.get("/alerts?state=held"))
    for wrong in ("endpoint=desx", "state=lost", "before=x"):
        assert client.get(f"/alerts?{wrong}").status_code == 400
    said = text_of(client.get("/alerts?endpoint=desx"), 400)
    assert 'There is no endpoint “desx”; did you mean "desk"?' in said


def test_older_ones_are_a_page_away_each_once(desk, client):
    many = [str(n) for n in range(2 * DELIVERIES + 3)]
    told(desk, *many)
    path, found, pages = "/alerts", [], 0
    while path:
        page, pages = client.get(path).text, pages + 1
        found += re.findall(rf"{TITLE}, (\d+)</span>", page)
        link = re.search(r'href="(/alerts\?before=[^"]+)" rel="next"', page)
        path = html.unescape(link[1]) if link else ""
    assert found == many[::-1]
    assert pages == 3


def test_a_delivery_has_a_page_with_what_it_says_and_each_answer(desk, client):
    (first,) = told(desk)
    desk.store.freeze_bodies([(first.id, first.token, '{"title":"Лидеры"}'.encode())])
    desk.store.record_attempts([replace(retried(first, desk.store, MINUTE), answer="busy")])
    desk.clock.forward(MINUTE)
    given_up(desk, claim_alerts(desk.store)[0])
    page = client.get(f"/alerts/{first.id}")
    said = text_of(page)
    for part in (
        "Delivery to desk",
        "✕ given up",
        "2 attempts",
        f"{TITLE}, a",
        '{ "title": "Лидеры" }',
        "✕ Answered 500",
        "the receiver answered 500",
        "<h1>Oops</h1>",
        "busy",
        first.id,
    ):
        assert part in said, part
    assert 'href="/items/1?rule=central-asia#why"' in page.text
    assert text_of(client.get("/alerts/msg_none"), 404).count("There is no such delivery.") == 1


def test_an_attempt_without_an_answer_is_said_so(desk, client):
    (delivery,) = told(desk)
    ended(desk, delivery, DeliveryState.DEAD, status=None, error="connection refused")
    said = text_of(client.get(f"/alerts/{delivery.id}"))
    assert "✕ No answer" in said
    assert "connection refused" in said


def test_what_is_secret_of_an_endpoint_is_not_shown_in_what_it_is_sent(desk, tmp_path):
    secret = "https://desk.example/hooks/0123456789abcdef"
    sources = SOURCES.replace("https://desk.example/hook", secret)
    endpoint = configuration(tmp_path, sources=sources).config.endpoints[0]
    assert "0123456789abcdef" not in body_text(f'{{"to":"{secret}"}}'.encode(), endpoint)
    assert body_text(b'{"a":1}', endpoint) == '{\n  "a": 1\n}'
    assert body_text(b"plain \xff", endpoint) == "plain �"


def test_without_its_endpoint_what_it_is_sent_is_not_shown(desk, client):
    (delivery,) = told(desk)
    desk.store.freeze_bodies([(delivery.id, delivery.token, b"the body")])
    desk.loaded = replace(desk.loaded, config=replace(desk.loaded.config, endpoints=()))
    said = text_of(client.get(f"/alerts/{delivery.id}"))
    assert "the body" not in said
    assert "it is not known what of it is secret" in said
    assert "desk is not in the configuration: what is for it waits until it is." in said


def test_what_is_held_back_says_by_what_and_cannot_be_sent_by_hand(tmp_path):
    sources = SOURCES.replace('id = "desk"', 'id = "desk"\nmax_per_hour = 1')
    with dashboard(configuration(tmp_path, sources=sources)) as view, browsing(view) as found:
        told(view)
        (delivery,) = view.store.deliveries()
        page = found.get(f"/alerts/{delivery.id}")
        assert "It is held back by the pace of desk , or by a silence." in text_of(page)
        assert "replay" not in page.text


# --------------------------------------------------------------------------- sending again


def test_a_delivery_that_was_given_up_is_sent_again(desk, client):
    (delivery,) = told(desk)
    given_up(desk, delivery)
    for page in ("/alerts", f"/alerts/{delivery.id}"):
        said = text_of(pressed(client, page, f"/alerts/{delivery.id}/replay"))
        assert "It is due now, with all tries before it." in said
        assert "… waiting" in said
        (again,) = claim_alerts(desk.store)
        assert (again.id, again.tries) == (delivery.id, 0)
        given_up(desk, again)


def test_one_that_is_under_way_is_left_alone(desk, client):
    (delivery,) = told(desk)
    page = client.get(f"/alerts/{delivery.id}")
    assert "Send now" not in page.text
    token = token_in(client.get("/alerts/silences"))
    answer = client.post(f"/alerts/{delivery.id}/replay", data={"csrf": token})
    assert answer.headers["location"] == f"/alerts/{delivery.id}?done=under-way"
    assert "so it was left alone" in text_of(client.get(answer.headers["location"]))
    assert client.post("/alerts/msg_none/replay", data={"csrf": token}).status_code == 404


def test_all_to_an_endpoint_are_sent_again(desk, client):
    for delivery in told(desk, "a", "b"):
        given_up(desk, delivery)
    desk.clock.forward(2 * HOUR)
    (late,) = told(desk, "c")
    given_up(desk, late)
    page = "/alerts?endpoint=desk&state=dead"
    said = text_of(pressed(client, page, "/alerts/replay", since="1h"))
    assert "All of them are due now" in said
    assert [each.id for each in claim_alerts(desk.store)] == [late.id]
    assert "but for those that are being sent" in text_of(
        pressed(client, "/alerts?endpoint=desk", "/alerts/replay", since="24h")
    )
    assert "There was nothing to send again." in text_of(
        pressed(client, "/alerts?endpoint=desk", "/alerts/replay", state="held", since="30d")
    )
    page = "/alerts?endpoint=desk"
    assert pressed(client, page, "/alerts/replay", since="forever").status_code == 400
    assert pressed(client, page, "/alerts/replay", since="1h", endpoint="").status_code == 400


def test_words_of_an_address_are_never_repeated(client):
    for path in ("/alerts", "/alerts/silences", "/alerts/endpoints/desk"):
        assert "Forged" not in client.get(f"{path}?done=Forged").text


# --------------------------------------------------------------------------- endpoints


def test_endpoints_are_shown_with_how_they_are(desk, client):
    first, second, _ = told(desk, "a", "b", "c")
    ended(desk, first, duration=timedelta(milliseconds=35))
    given_up(desk, second)
    desk.clock.forward(LEASE)
    said = text_of(client.get("/alerts"))
    assert "desk ▲ failing standard · took 1 of 2 attempts, half of them within 35 ms" in said
    assert "1 waiting, the oldest made 5 minutes ago" in said
    assert "1 given up" in said
    said = text_of(client.get("/alerts/endpoints/desk"))
    for part in (
        "▲ failing since 5 minutes ago",
        "1 of 2 attempts",
        "Each alert is told at once.",
        "Central Asia",
    ):
        assert part in said, part
    assert text_of(client.get("/alerts/endpoints/none"), 404).count("There is no such endpoint.") == 1


def test_a_disabled_one_is_told_at_the_top_and_can_be_enabled(desk, client):
    delivery, _ = told(desk, "a", "b")
    disabled(desk, delivery)
    for path in ("/alerts", "/system"):
        said = text_of(client.get(path))
        assert "! This needs somebody" in said
        assert f"Nothing is sent to desk: {GONE}. 2 deliveries wait for it." in said
    assert "desk is disabled: what is for it waits" in text_of(client.get(f"/alerts/{delivery.id}"))
    page = "/alerts/endpoints/desk"
    assert f"! Nothing is sent to it {GONE}" in text_of(client.get(page))
    said = text_of(pressed(client, page, f"{page}/enable"))
    assert "It is enabled: what waits for it is due now" in said
    assert "Enable" not in client.get(page).text
    desk.clock.forward(LEASE)
    assert len(claim_alerts(desk.store)) == 2
    token = token_in(client.get(page))
    answer = client.post(f"{page}/enable", data={"csrf": token})
    assert "It was not disabled." in text_of(client.get(answer.headers["location"]))
    assert client.post("/alerts/endpoints/none/enable", data={"csrf": token}).status_code == 404
    assert client.post("/alerts/endpoints/none/test", data={"csrf": token}).status_code == 404


def test_one_that_is_configured_no_more_shows_what_waits_for_it(desk, client):
    told(desk)
    desk.loaded = replace(desk.loaded, config=replace(desk.loaded.config, endpoints=()))
    said = text_of(client.get("/alerts"))
    assert "1 delivery waits for desk, which is not in the configuration any more." in said
    assert "It is not in the configuration any more." in text_of(client.get("/alerts/endpoints/desk"))


def test_quiet_hours_now_in_force_are_told_by_the_clock_of_the_endpoint(tmp_path):
    pace = """
quiet_hours = ["06:00-09:00"]
max_per_hour = 3
group_by = ["rule"]
group_wait = "1m"
"""
    sources = SOURCES.replace('id = "desk"', f'id = "desk"{pace}')
    loaded = configuration(tmp_path, service='time_zone = "Asia/Almaty"', sources=sources)
    with dashboard(loaded) as view, browsing(view) as found:
        assert view.now() == START  # 07:00 there
        assert "Quiet hours now: what is not urgent waits until 24 Nov, 09:00" in text_of(
            found.get("/alerts")
        )
        said = text_of(found.get("/alerts/endpoints/desk"))
        for part in (
            "These are quiet hours: what is not urgent waits until 24 Nov 2026, 09:00",
            "Alerts of the same rule are told together, 60 s after the first of them",
            "At most 3 deliveries within an hour",
            "Quiet from 06:00 to 09:00 (Asia/Almaty).",
        ):
            assert part in said, part
        view.clock.forward(3 * HOUR)
        assert "No endpoint has quiet hours now." in text_of(found.get("/alerts"))


def test_a_test_is_sent_and_what_came_back_is_shown(tmp_path):
    replies = [Reply(status=204), Reply(status=500, body=b"<b>broken</b>")]
    with LocalServer(lambda asked: replies.pop(0)) as receiver:
        sources = SOURCES.replace("https://desk.example/hook", f"{receiver.address}/hook")
        loaded = configuration(tmp_path, sources=sources)
        network = replace(loaded.config.network, allow_private=(ip_network("127.0.0.0/8"),))
        loaded = replace(loaded, config=replace(loaded.config, network=network))
        with dashboard(loaded) as view, browsing(view) as found:
            page = "/alerts/endpoints/desk"
            said = text_of(pressed(found, page, f"{page}/test"))
            assert "✓ It was taken: answered 204" in said
            assert b"test" in receiver.asked[0].body
            said = text_of(pressed(found, page, f"{page}/test"))
            assert "✕ It was not taken: answered 500" in said
            assert "<b>broken</b>" in said
            assert "<b>broken" not in found.get(page).text
            assert view.store.deliveries() == []


def test_a_test_that_is_refused_says_why(desk, client):
    loaded = desk.loaded
    endpoints = (replace(loaded.config.endpoints[0], url="http://127.0.0.1:9/hook"),)
    desk.loaded = replace(loaded, config=replace(loaded.config, endpoints=endpoints))
    page = "/alerts/endpoints/desk"
    said = text_of(pressed(client, page, f"{page}/test"))
    assert "✕ It was not taken" in said
    assert "allow_private" in said


# --------------------------------------------------------------------------- silences


def test_a_silence_is_added_shown_and_ended(desk, client):
    assert "None. Everything is told." in text_of(client.get("/alerts/silences"))
    given = {"rule": "central-*", "length": "2h", "author": "ann", "reason": "Everybody knows"}
    said = text_of(pressed(client, "/alerts/silences", "/alerts/silences", **given))
    assert "The silence has begun." in said
    (silence,) = desk.store.silences()
    assert (silence.draft.rule, silence.ends_at) == ("central-*", desk.now() + 2 * HOUR)
    for page in ("/alerts", "/alerts/silences"):
        said = text_of(client.get(page))
        assert "rule central-*" in said
        assert "By ann : Everybody knows" in said
        assert "ends in 2 hours · 0 alerts not told" in said
    said = text_of(pressed(client, "/alerts", "/alerts/silences/1/end"))
    assert "The silence has ended." in said
    assert "ended just now" in said
    assert "Nothing is silenced." in text_of(client.get("/alerts"))
    token = token_in(client.get("/alerts/silences"))
    answer = client.post("/alerts/silences/1/end", data={"csrf": token})
    assert "That silence had ended already." in text_of(client.get(answer.headers["location"]))
    for none in ("2", "x", "9" * 30):
        assert client.post(f"/alerts/silences/{none}/end", data={"csrf": token}).status_code == 404


@pytest.mark.parametrize(
    ("given", "problem", "wrong"),
    [
        ({"rule": ""}, "Say what is silenced by at least one of Rule, Source, Tag, Endpoint and Text", None),
        ({"everything": "yes"}, "or by All alerts alone.", None),
        (
            {"rule": "central-asi"},
            "Rule: there is no 'central-asi' in the configuration; did you",
            "rule",
        ),
        ({"tag": "official"}, "Tag: there is no 'official' in the configuration.", "tag"),
        ({"length": ""}, "Say how long, by one of For how long and Until when.", None),
        ({"until": "2027-01-01T10:00"}, "Say how long, by one of For how long and Until when.", None),
        ({"length": "2"}, 'For how long: "2" needs a unit', "length"),
        ({"length": "0s"}, "For how long: it must end later than now.", "length"),
        ({"length": "", "until": "2026-11-24T10:00"}, "Until when: it must end later than now.", "until"),
        ({"length": "", "until": "soon"}, "Until when: 'soon' is no time", "until"),
        ({"author": " "}, "Who says so: must not be blank.", "author"),
        ({"reason": ""}, "Why: must not be blank.", "reason"),
    ],
)
def test_one_that_makes_no_sense_is_refused_with_the_reason_and_nothing_typed_is_lost(
    desk, client, given, problem, wrong
):
    good = {"rule": "water", "length": "2h", "author": "ann", "reason": "Thirst"}
    page = pressed(client, "/alerts/silences", "/alerts/silences", **{**good, **given})
    assert problem in text_of(page, 400)
    for name, value in {**good, **given}.items():
        if name != "everything":
            assert re.search(rf'name="{name}" value="{html.escape(value.strip())}"', page.text), name
    marked = re.findall(r'name="(\w+)"[^>]*aria-invalid="true"', page.text)
    assert marked == ([wrong] if wrong else [])
    assert desk.store.silences() == []


def test_when_it_ends_is_by_the_clock_of_the_service(tmp_path):
    with (
        dashboard(configuration(tmp_path, service='time_zone = "Asia/Almaty"')) as view,
        browsing(view) as found,
    ):
        given = {"everything": "yes", "until": "2026-11-25T08:00", "author": "ann", "reason": "Night"}
        pressed(found, "/alerts/silences", "/alerts/silences", **given)
        (silence,) = view.store.silences()
        assert silence.ends_at == START + 25 * HOUR
        assert "By the clock of Asia/Almaty." in text_of(found.get("/alerts/silences"))


def test_of_silences_that_have_ended_the_last_are_shown(desk, client):
    for number in range(33):
        draft = SilenceDraft(author="ann", reason=f"Reason {number}", expires_at=desk.now() + MINUTE)
        desk.store.add_silence(draft)
        desk.clock.forward(2 * MINUTE)
    said = text_of(client.get("/alerts/silences"))
    assert "And 3 earlier ones" in said
    assert said.index("Reason 32") < said.index("Reason 3 ")


# --------------------------------------------------------------------------- all pages


def test_when_there_is_nothing_the_page_says_what_to_do(tmp_path):
    alone = SOURCES.partition("[[endpoint]]")[0]
    rules = {"water": RULES["water"]}
    with dashboard(configuration(tmp_path, sources=alone, rules=rules)) as view, browsing(view) as found:
        said = text_of(found.get("/alerts"))
    assert "There is no endpoint, so nothing is sent to anybody." in said
    assert "[[endpoint]]" in said
    assert "Nothing was to be told yet." in said
    assert "Add a silence" in said


def test_deliveries_given_up_lately_need_somebody(desk, client):
    for delivery in told(desk, "a", "b"):
        given_up(desk, delivery)
    said = text_of(client.get("/alerts"))
    assert "2 deliveries of the last 7 days were given up, after all tries." in said
    desk.clock.forward(8 * 24 * HOUR)
    assert "need somebody" not in text_of(client.get("/alerts"))


@pytest.mark.parametrize(
    "page", ["/alerts", "/alerts/ID", "/alerts/silences", "/alerts/endpoints/desk", "/system"]
)
def test_whatever_others_write_is_shown_as_text(tmp_path, page):
    sources = SOURCES.replace("Steppe Wire", HOSTILE.replace('"', '\\"'))
    rules = {"central-asia": f"title = '''{HOSTILE}'''\nkeywords = [\"Asia\"]\nnotify = [\"desk\"]"}
    loaded = configuration(tmp_path, sources=sources, rules=rules)
    config = replace(loaded.config, service=replace(loaded.config.service, title=HOSTILE))
    with dashboard(replace(loaded, config=config)) as view, browsing(view) as found:
        view.report("steppe", entry("a", f"Asia {HOSTILE}"), alerts=True)
        (delivery,) = claim_alerts(view.store)
        view.store.freeze_bodies([(delivery.id, delivery.token, HOSTILE.encode())])
        ended(
            view,
            delivery,
            DeliveryState.WAITING,
            status=410,
            error=HOSTILE,
            answer=HOSTILE,
            next_attempt_at=view.now(),
            is_last=True,
        )
        draft = SilenceDraft(author=HOSTILE, reason=HOSTILE, expires_at=view.now() + HOUR, text=HOSTILE)
        view.store.add_silence(draft)
        shown = found.get(page.replace("ID", delivery.id))
    assert shown.status_code == 200
    assert "<img" not in shown.text
    assert "&lt;img src=x onerror=alert(1)&gt;&#34;&#39;&amp;" in shown.text


def test_behind_a_path_of_a_proxy_all_links_keep_it(tmp_path):
    with dashboard(configuration(tmp_path, service='base_url = "https://localhost/news"')) as view:
        (delivery,) = told(view)
        given_up(view, delivery)
        with browsing(view) as found:
            for path in ("/alerts", f"/alerts/{delivery.id}", "/alerts/silences", "/alerts/endpoints/desk"):
                links = re.findall(r'(?:href|src|action)="([^"]*)"', found.get(path).text)
                inner = [link for link in links if not link.startswith(("https://", "#"))]
                assert len(inner) > 5
                assert [link for link in inner if not link.startswith("/news/")] == []
            token = token_in(found.get("/alerts"))
            answer = found.post(f"/alerts/{delivery.id}/replay", data={"csrf": token})
            assert answer.headers["location"] == f"/news/alerts/{delivery.id}?done=due"
