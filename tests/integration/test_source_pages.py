"""The pages of sources over real HTTP: how each is, what was answered, and what a person does there."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from syndicate.model import BadAnswer, Gap, PollState
from syndicate.web.app import create
from tests.contract.making import HOUR, START, claim_all, claimed, entry, failed, poll, recorded
from tests.dashboard import SOURCES, configuration, dashboard
from tests.integration.test_pages import HOSTILE, text_of
from tests.outlets import Article, LocalServer, Pages, Reply, feed
from tests.served import served, visitor

ANSWER = BadAnswer(
    url="https://steppe.example/moved",
    status=404,
    headers=(("content-type", "text/html"), ("x-served-by", HOSTILE)),
    body="<title>Not here</title><script>alert(1)</script>",
    length_bytes=9_000,
)


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


def token(page):
    return re.findall(r'name="csrf" value="([0-9a-f]{64})"', page.text)[0]


def press(client, source, what):
    form = {"csrf": token(client.get(f"/sources/{source}"))}
    return client.post(f"/sources/{source}/{what}", data=form)


def break_down(desk, **fields):
    text = {"error": "the server answered 404", "status": 404, **fields}
    recorded(desk.store, failed(claimed(desk.store, "vestnik"), desk.store, **text))


# --------------------------------------------------------------------------- the list


def test_sources_are_listed_with_how_they_are_those_that_need_somebody_first(desk, client):
    desk.report("steppe", entry("a", published=START))
    break_down(desk)
    page = client.get("/sources")
    text = text_of(page)
    assert "3 sources: 1 working, 1 not polled yet, 1 failing." in text
    assert "1 source needs attention." in text
    places = [text.index(title) for title in ("Степной вестник", "Steppe Wire", "صحيفة الواحة")]
    assert places == sorted(places)
    assert "▲ failing" in text
    assert "● working" in text
    assert "the server answered 404" in text
    assert 'aria-label="Polls: 1 poll in the last 30 days, failures on 1 day"' in page.text
    assert 'aria-label="Polls: 1 poll in the last 30 days, none failed"' in page.text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"state": "failing"}, {"vestnik"}),
        ({"state": "attention"}, {"vestnik"}),
        ({"state": "new"}, {"wahat"}),
        ({"q": "wire"}, {"steppe"}),
        ({"q": "VESTNIK example"}, {"vestnik"}),
        ({"q": "steppe", "state": "failing"}, set()),
        ({"state": "none"}, set()),
        ({}, {"steppe", "vestnik", "wahat"}),
    ],
)
def test_the_list_is_restricted(desk, client, query, shown):
    desk.report("steppe", entry("a"))
    break_down(desk)
    page = client.get("/sources", params=query)
    assert set(re.findall(r'href="/sources/(\w+)"', page.text)) == shown
    assert ("No source is like that." in page.text) == (not shown)


def test_a_long_list_comes_in_pages(tmp_path):
    many = "".join(f'[[source]]\nid = "s{n:03}"\nurl = "https://s{n}.example/"\n' for n in range(120))
    with dashboard(configuration(tmp_path, sources=many, rules={"a": 'keywords = ["x"]'})) as view:
        found, path = [], "/sources?q=example"
        with (
            served(create(view)) as address,
            visitor(address) as client,
        ):
            while path:
                page = client.get(path)
                found += re.findall(r'href="/sources/(s\d+)"', page.text)
                following = re.findall(r'href="([^"]+)" rel="next"', page.text)
                path = following[0].replace("&amp;", "&") if following else ""
    assert found == [f"s{n:03}" for n in range(120)]


def test_before_the_first_poll_it_says_so(client):
    assert "Nothing polled yet." in text_of(client.get("/sources"))


# --------------------------------------------------------------------------- one source


def test_a_source_shows_how_it_is_polled_and_what_it_brought(desk, client):
    desk.report("steppe", entry("a", "Central Asia & the EU", published=START, language="en"))
    page = client.get("/sources/steppe")
    text = text_of(page)
    assert "● working" in text
    assert "Next poll in 1 hour" in text
    assert "1 item, 1 a day lately" in text
    assert "1 poll in the last 30 days, none failed" in text
    assert "None: each document had something of the one before." in text
    assert "Central Asia & the EU" in text
    assert 'id = "steppe"' in text
    assert "https://steppe.example/rss" in text
    assert "The last failure" not in text


def test_the_last_failure_is_shown_as_it_was_answered_and_runs_nothing(desk, client):
    break_down(desk, bad_answer=ANSWER)
    page = client.get("/sources/vestnik")
    text = text_of(page)
    assert "The last failure the server answered 404" in text
    assert "What was answered: 404, 8.79 KiB" in text
    assert "content-type: text/html" in text
    assert "<script>alert(1)" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;…" in page.text
    assert HOSTILE not in page.text
    recorded(desk.store, poll(claimed(desk.store, "vestnik"), desk.store, state=PollState.UNCHANGED))
    assert "it has worked since" in text_of(client.get("/sources/vestnik"))


def test_without_an_answer_it_says_so(desk, client):
    break_down(desk, error="no answer", status=None)
    assert "There was no answer." in text_of(client.get("/sources/vestnik"))


def test_gaps_are_shown_with_what_filled_them(desk, client):
    now = desk.store.now()
    gap = Gap(begins=now - 2 * HOUR, ends=now - HOUR, found_at=now, filled=3, is_closed=True)
    recorded(desk.store, poll(claimed(desk.store, "steppe"), desk.store, gap=gap))
    recorded(
        desk.store,
        poll(claimed(desk.store, "steppe"), desk.store, gap=replace(gap, filled=0, is_closed=False)),
    )
    text = text_of(client.get("/sources/steppe"))
    assert "Filled from its archive, with 3 items." in text
    assert "Its archive had nothing of it." in text
    assert "2 gaps" in text_of(client.get("/sources"))


def test_a_source_that_is_configured_no_longer_keeps_its_page(desk, client, tmp_path):
    desk.report("steppe", entry("a", "Still here"))
    less = configuration(tmp_path, sources=SOURCES.replace('id = "steppe"', 'id = "other"'))
    desk.store.configure(less.config.sources, [])
    view = replace(desk, loaded=less)
    with (
        served(create(view)) as address,
        visitor(address) as other,
    ):
        text = text_of(other.get("/sources/steppe"))
        assert "It is configured no longer; its items are kept." in text
        assert "Refresh now" not in text
        assert other.post("/sources/steppe/pause", data={"csrf": token(other.get("/add"))}).status_code == 404
    assert client.get("/sources/none").status_code == 404


# --------------------------------------------------------------------------- what is done there


def test_a_source_is_made_due_now(desk, client):
    recorded(desk.store, poll(claimed(desk.store, "steppe"), desk.store, state=PollState.UNCHANGED))
    claim_all(desk.store)
    assert claim_all(desk.store) == []
    done = press(client, "steppe", "refresh")
    assert (done.status_code, done.headers["Location"]) == (303, "/sources/steppe?done=refreshed")
    assert "Due now." in text_of(client.get(done.headers["Location"]))
    assert [claim.source.id for claim in claim_all(desk.store)] == ["steppe"]


def test_a_host_that_wants_to_be_left_alone_still_is(desk, client):
    recorded(
        desk.store,
        failed(
            claimed(desk.store, "steppe"),
            desk.store,
            host_backoff_until=desk.store.now() + 2 * HOUR,
            held_until=desk.store.now() + 2 * HOUR,
        ),
    )
    done = press(client, "steppe", "refresh")
    assert "Its host wants to be left alone; due in 2 h." in text_of(client.get(done.headers["Location"]))


def test_a_source_is_paused_and_resumed(desk, client):
    assert press(client, "steppe", "pause").status_code == 303
    text = text_of(client.get("/sources/steppe?done=paused"))
    assert "Paused: not polled until it is resumed." in text
    assert "‖ paused" in text
    assert "steppe" not in [claim.source.id for claim in claim_all(desk.store)]
    assert "Resume" in text
    press(client, "steppe", "resume")
    assert "Resumed, and due now." in text_of(client.get("/sources/steppe?done=resumed"))
    assert "steppe" in [claim.source.id for claim in claim_all(desk.store)]


def test_what_an_address_claims_to_have_been_done_is_believed_only_where_it_is_so(desk, client):
    desk.report("steppe", entry("a"))
    for done in ("added", "paused", "<b>x</b>", "none"):
        assert 'class="notice"' not in client.get("/sources/steppe", params={"done": done}).text


# --------------------------------------------------------------------------- adding


@pytest.fixture
def outlet():
    pages = Pages()
    articles = [
        Article(link=f"https://news.example/{n}", title=f"Story {n} & more", text="x") for n in range(7)
    ]
    pages["/rss"] = feed(articles)
    pages["/"] = Reply(
        body=b'<html><head><link rel="alternate" type="application/rss+xml" href="/rss"></head></html>',
        headers={"Content-Type": "text/html"},
    )
    with LocalServer(pages.answer) as server:
        yield server.address


def adding(folder, *, edit):
    network = f'[network]\nallow_private = ["127.0.0.0/8"]\nhost_interval = "0s"\n{SOURCES}'
    return configuration(folder, web=f"edit = {str(edit).lower()}", sources=network)


@pytest.fixture(params=[True, False], ids=["edit", "look"])
def adder(tmp_path, request):
    loaded = adding(tmp_path, edit=request.param)
    with (
        dashboard(loaded) as view,
        served(create(view)) as address,
        visitor(address) as client,
    ):
        yield client, loaded.config.path, request.param


def looked(client, address):
    form = {"csrf": token(client.get("/add")), "address": address, "do": "look"}
    return client.post("/add", data=form)


def form_of(page):
    return {
        **dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text)),
        "chosen": "1",
        "do": "add",
    }


def test_what_is_found_at_an_address_is_shown_with_its_headlines_and_added(adder, outlet):
    client, path, can_edit = adder
    before = path.read_text()
    page = looked(client, f"{outlet}/")
    text = text_of(page)
    assert "1 thing to watch" in text
    assert "RSS 2.0, 7 entries" in text
    assert "Story 0 & more" in text
    form = {
        **form_of(page),
        "id": "new-one",
        "tags": "agency, wire,agency",
        "interval": "30m",
        "full_text": "on",
    }
    done = client.post("/add", data=form)
    table = f'id = "new-one"\ntitle = "An outlet"\nurl = "{outlet}/rss"'
    if can_edit:
        assert done.status_code == 303
        assert done.headers["Location"] == "/sources?done=added"
        assert table in path.read_text()
        assert 'tags = ["agency", "wire"]' in path.read_text()
        assert path.read_text().count("[[source]]") == before.count("[[source]]") + 1
    else:
        assert path.read_text() == before
        assert "edit = true" in done.text
        assert table in text_and_lines(done)


def text_and_lines(page):
    return page.text.replace("&#34;", '"')


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"id": "steppe"}, "steppe is taken by Steppe Wire"),
        ({"id": "No Id"}, "is no id"),
        ({"interval": "30"}, "needs a unit"),
        ({"chosen": "9"}, "Choose one of what was found."),
        ({"url-1": "https://steppe.example/rss"}, "is there already, as steppe"),
        ({"url-1": "javascript:alert(1)"}, "url"),
    ],
)
def test_what_cannot_be_added_is_refused_in_words(adder, outlet, fields, said):
    client, path, _ = adder
    before = path.read_text()
    typed = {"title": "My & title", "tags": "one, two", "full_text": "on"}
    done = client.post("/add", data={**form_of(looked(client, f"{outlet}/")), **typed, **fields})
    assert done.status_code == 400
    assert 'value="My &amp; title"' in done.text  # nothing that was typed is lost
    assert 'value="one, two"' in done.text
    assert 'name="full_text" checked' in done.text
    assert 'name="chosen" value="1"' in done.text
    assert said in done.text
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("", 400, "Type an address."),
        ("ftp://outlet.example/", 400, "ftp"),
        ("http://127.0.0.1:1/", 400, "127.0.0.1"),
        ("http://169.254.169.254/latest", 400, "169.254.169.254"),
    ],
)
def test_an_address_that_cannot_be_looked_at_says_why(adder, address, status, said):
    client, *_ = adder
    page = looked(client, address)
    assert page.status_code == status
    assert said in page.text


def test_where_nothing_is_found_it_says_what_was_tried(adder):
    client, *_ = adder
    nothing = Pages({"/": Reply(body=b"<html><p>Nothing.</p></html>", headers={"Content-Type": "text/html"})})
    with LocalServer(nothing.answer) as server:
        page = looked(client, f"{server.address}/")
    assert page.status_code == 200
    assert "Nothing to watch was found at" in page.text
    assert 'kind = "page"' in text_and_lines(page)


def test_an_address_that_was_linked_to_is_not_looked_at_by_itself(adder, outlet):
    client, *_ = adder
    page = client.get("/add", params={"address": outlet})
    assert f'value="{outlet}"' in page.text
    assert "to watch" not in page.text.split("<main")[1].split("</form>")[1]


def test_days_without_polls_leave_room(desk, client):
    desk.report("steppe", entry("a"))
    desk.clock.forward(timedelta(days=3))
    desk.report("steppe", entry("b"))
    page = client.get("/sources/steppe")
    places = [float(x) for x in re.findall(r'class="s0" x="([\d.]+)"', page.text)]
    assert len(places) == 2
    assert places[1] - places[0] == pytest.approx(30)
