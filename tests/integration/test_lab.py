"""The lab over real HTTP: what a query finds and an edit changes, what is wrong, and what is written."""

import codecs
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from syndicate import editing
from syndicate.errors import StoreError
from syndicate.loading import load
from syndicate.lookback import LookBack
from syndicate.store.searching import ItemFilter
from syndicate.trial import trial_of_query
from syndicate.web.app import create
from syndicate.web.lab import MAX_QUERY
from syndicate.web.lookbacks import KEPT, LookBacks
from tests.contract.making import HOUR, START, entry
from tests.dashboard import RULES, configuration, dashboard
from tests.integration.test_pages import text_of
from tests.served import TLS, served, visitor

EDITED = (
    RULES["central-asia"]
    .replace('"Central Asia",', '"Samarkand",')
    .replace("Central Asia agreed", "Samarkand agreed")
)
HTMX = {"HX-Request": "true"}
QUERY = "water OR samarkand"


@pytest.fixture
def desk(tmp_path):
    with dashboard(configuration(tmp_path, web="edit = true")) as view:
        view.clock.forward(24 * HOUR)
        view.report(
            "steppe",
            entry("a", "Leaders of Central Asia meet", body="They met.", language="en", published=START),
            entry("b", "Water talks in Samarkand", body="Of water.", language="en", published=START + HOUR),
            entry("c", "Football", body="A match.", language="en", published=START + 2 * HOUR),
        )
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


def edit_form(client, rule="central-asia"):
    page = client.get("/lab", params={"edit": rule})
    digest = re.findall(r'name="digest" value="([0-9a-f]{64})"', page.text)[0]
    return {"csrf": token(page), "edit": rule, "digest": digest}


def rule_file(desk, rule="central-asia"):
    return desk.loaded.config.service.rules / f"{rule}.toml"


# --------------------------------------------------------------------------- trying


def test_a_query_shows_what_it_finds_with_its_words_marked(client):
    page = client.get("/lab", params={"q": QUERY})
    text = text_of(page)
    assert "1 item" in text
    assert "Of the last 30 days, from 1 source. 1 item had its words and was looked at." in text
    assert "<mark>Water</mark> talks in <mark>Samarkand</mark>" in page.text
    assert "title = \"My rule\" query = 'water OR samarkand'" in text


def test_nothing_typed_says_what_could_be(client):
    assert "Words are found in all their forms" in text_of(client.get("/lab"))
    assert '<code id="toml"></code>' in client.get("/lab", params={"q": "  "}).text


def test_nothing_found_says_so(client):
    assert "Nothing of the last 30 days." in text_of(client.get("/lab", params={"q": "glacier"}))


def test_older_items_are_not_counted(desk, client):
    desk.clock.forward(timedelta(days=31))
    assert "0 items" in text_of(client.get("/lab", params={"q": QUERY}))


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("water AND (energy OR", " "),
        ("water AND AND ice", "AND"),
        ("rule:none water", "rule:none"),
        ("water\nOR bo*x", "*x"),
    ],
)
def test_a_mistake_is_marked_in_its_place(client, query, marked):
    page = client.get("/lab", params={"q": query})
    assert page.status_code == 400
    assert f'<mark class="wrong">{marked}</mark>' in page.text
    assert 'role="alert"' in page.text
    part = client.get("/lab", params={"q": query}, headers=HTMX)  # which htmx shows
    assert part.status_code == 200
    assert f'hx-swap-oob="true">{query.partition(marked)[0].strip(" ")[:5]}' in part.text.replace("\n", "\n")


def test_what_may_mean_otherwise_is_hinted_at(client):
    page = client.get("/lab", params={"q": "water or ice"})
    assert 'class="notice hint"' in page.text


def test_while_it_is_typed_only_what_was_found_is_sent(client):
    page = client.get("/lab", params={"q": QUERY}, headers=HTMX)
    assert "<html" not in page.text
    assert "1 item" in text_of(page)


def test_a_query_is_compared_with_a_live_rule(client):
    text = text_of(client.get("/lab", params={"q": QUERY, "rule": "central-asia"}))
    assert "+1 it would find as well, −1 no more; 0 stay." in text
    assert "Leaders of Central Asia meet" in text
    assert "1 story of which" not in text  # a query has no endpoints
    same = text_of(client.get("/lab", params={"q": '"Central Asia"', "rule": "central-asia"}))
    assert "Nothing would change: 1 stays." in same


def test_an_item_is_explained(client):
    text = text_of(client.get("/lab", params={"q": QUERY, "item": "3"}))
    assert "The query does not match item 3" in text or "does not" in text
    assert "There is no item 99" in text_of(client.get("/lab", params={"q": QUERY, "item": "99"}))
    assert "There is no item x" in text_of(client.get("/lab", params={"q": QUERY, "item": "x"}))


def test_the_button_of_an_item_wins_over_the_field(client):
    page = client.get("/lab", params={"q": QUERY, "item": "99", "why": "2"})
    assert "There is no item" not in page.text
    assert '<h2 id="why">Item 2</h2>' in page.text


def test_what_names_nothing_is_refused(client):
    near = client.get("/lab", params={"q": QUERY, "rule": "centrl-asia"})
    assert near.status_code == 400
    assert "central-asia" in near.text
    assert client.get("/lab", params={"edit": "none"}).status_code == 404
    outside = client.get("/lab", params={"edit": "../config"})
    assert outside.status_code == 404
    assert "steppe.example" not in outside.text
    assert client.get("/lab", params={"q": "a" * (MAX_QUERY + 1)}).status_code == 400


# --------------------------------------------------------------------------- a rule's file


def test_an_edit_of_a_file_is_tried_without_being_written(desk, client):
    form = edit_form(client)
    page = client.post("/lab", data={**form, "toml": EDITED, "do": "try"})
    text = text_of(page)
    assert "+1 it would find as well, −1 no more; 0 stay." in text
    assert "1 story of which desk was never told." in text
    assert "Samarkand" in page.text
    assert rule_file(desk).read_text() == RULES["central-asia"]


def test_a_file_is_shown_as_it_is_with_its_comments(desk, client):
    rule_file(desk).write_text(f"# who asked for it: Ann <script>\n{RULES['central-asia']}")
    page = client.get("/lab", params={"edit": "central-asia"})
    assert "# who asked for it: Ann &lt;script&gt;" in page.text
    assert "Nothing would change: 1 stays." in text_of(page)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('title = "x"\nkeywords = ["a"\n', "is not TOML"),
        ('title = "x"\nkeywords = ["a"]\nnotify = ["nobody"]\n', "there is no endpoint"),
        ("title = 'x'\nquery = 'water AND ('\n", "central-asia.toml"),
        ('keywords = ["Football"]\n[examples]\nmatch = ["Ice"]\n', "example"),
        ('[[rule]]\nid = "other"\nkeywords = ["x"]\n', "there is no rule central-asia in this file any more"),
        ("", None),
    ],
)
def test_a_file_that_would_be_refused_says_why_and_is_not_written(desk, client, toml, said):
    form = edit_form(client)
    tried = client.post("/lab", data={**form, "toml": toml, "do": "try"})
    saved = client.post("/lab", data={**form, "toml": toml, "do": "save"})
    if said:
        assert tried.status_code == 400
        assert said in tried.text
        assert said in saved.text or "any more" in said
    if said != "there is no rule central-asia in this file any more":
        assert saved.status_code == 400
        assert rule_file(desk).read_text() == RULES["central-asia"]


def test_an_edit_is_written_whole_and_the_version_before_it_kept(desk, client):
    form = edit_form(client)
    text = EDITED.replace("\n", "\r\n")  # as browsers send it
    saved = client.post("/lab", data={**form, "toml": text, "do": "save"})
    assert (saved.status_code, saved.headers["Location"]) == (303, "/lab?done=saved&edit=central-asia")
    assert rule_file(desk).read_bytes() == EDITED.encode()
    (kept,) = (desk.loaded.config.service.previous).iterdir()
    assert kept.name.startswith("central-asia-")
    assert kept.read_text() == RULES["central-asia"]
    page = client.get(saved.headers["Location"])
    assert "Saved." in page.text
    assert "Samarkand" in page.text


def test_what_others_have_written_meanwhile_is_not_overwritten(desk, client):
    form = edit_form(client)
    rule_file(desk).write_text(f"# an edit\n{RULES['central-asia']}")
    refused = client.post("/lab", data={**form, "toml": EDITED, "do": "save"})
    assert refused.status_code == 400
    assert "was edited meanwhile" in refused.text
    assert EDITED.split("\n")[1] in refused.text.replace("&#34;", '"')  # nothing that was typed is lost
    assert rule_file(desk).read_text().startswith("# an edit")


def test_a_query_becomes_a_rule(desk, client):
    form = {
        "csrf": token(client.get("/lab", params={"q": QUERY})),
        "q": QUERY,
        "id": "new",
        "title": "New & old",
    }
    saved = client.post("/lab/new", data=form)
    assert saved.headers["Location"] == "/lab?done=saved&edit=new"
    assert rule_file(desk, "new").read_text() == f"title = \"New & old\"\nquery = '{QUERY}'\n"
    assert "New &amp; old" in client.get("/lab?edit=new").text  # also before it is taken over


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"id": "central-asia"}, "taken"),
        ({"id": "../evil"}, "is no id"),
        ({"id": "Evil"}, "is no id"),
        ({"id": ""}, "is no id"),
        ({"q": "water AND ("}, "this ( is never closed"),
        ({"q": ""}, "query"),
    ],
)
def test_a_query_that_makes_no_rule_is_not_written(desk, client, fields, said):
    files = sorted(desk.loaded.config.service.rules.parent.rglob("*.toml"))
    form = {"csrf": token(client.get("/lab", params={"q": QUERY})), "q": QUERY, "id": "new", "title": "New"}
    refused = client.post("/lab/new", data={**form, **fields})
    assert refused.status_code == 400
    assert said in refused.text
    assert sorted(desk.loaded.config.service.rules.parent.rglob("*.toml")) == files


def test_nothing_is_written_unless_that_is_allowed(desk):
    view = replace(desk, loaded=configuration(rule_file(desk).parent.parent))
    with (
        served(create(view)) as address,
        visitor(address) as client,
    ):
        form = edit_form(client)
        assert 'value="save"' not in client.get("/lab?edit=central-asia").text
        refused = client.post("/lab", data={**form, "toml": EDITED, "do": "save"})
        assert refused.status_code == 403
        assert "edit = true" in refused.text
        new = client.post("/lab/new", data={"csrf": form["csrf"], "q": QUERY, "id": "new", "title": "x"})
        assert new.status_code == 403
        assert rule_file(desk).read_text() == RULES["central-asia"]
        assert not rule_file(desk, "new").exists()
        assert client.post("/lab", data={**form, "toml": EDITED, "do": "try"}).status_code == 200


# --------------------------------------------------------------------------- what takes long


def many(desk, number):
    desk.report(
        "vestnik",
        *(
            entry(
                f"n{n}",
                f"Water number {n}",
                body="Of rivers.",
                language="en",
                published=START + n * timedelta(minutes=1),
            )
            for n in range(number)
        ),
    )


def begun(desk, query="water", live=None):
    return lambda: LookBack(
        desk.store, trial_of_query(query, desk.loaded.known), ItemFilter(), limit=5, live=live
    )


def test_what_takes_long_goes_on_where_it_stopped(desk):
    many(desk, 450)
    looks = LookBacks(budget_seconds=0)
    steps = [looks.go_on(("water",), 1, begun(desk)) for _ in range(6)]
    assert [step.findings.total for step in steps] == [100, 200, 300, 400, 451, 451]
    assert [(step.looked_at, step.is_done) for step in steps[3:]] == [(400, False), (451, True), (451, True)]
    ends = [step.oldest for step in steps[:5] if step.oldest]
    assert ends == sorted(ends, reverse=True)
    assert len(ends) == 5


def test_the_same_is_found_in_pieces_as_at_once(desk):
    many(desk, 250)
    looks = LookBacks(budget_seconds=0)
    steps = [looks.go_on(("x",), 1, begun(desk, "water OR football", live="water")) for _ in range(5)]
    whole = begun(desk, "water OR football", live="water")()
    whole.go_on()
    assert steps[-1].findings == whole.findings()
    assert steps[-1].difference == whole.difference()


def test_what_is_done_is_looked_at_anew_once_more_has_come(desk):
    looks = LookBacks()
    assert looks.go_on(("water",), 3, begun(desk)).findings.total == 1
    many(desk, 2)
    assert looks.go_on(("water",), 3, begun(desk)).findings.total == 1
    assert looks.go_on(("water",), 5, begun(desk)).findings.total == 3


def test_what_was_found_is_looked_for_again_after_a_while_since_matches_and_items_change(desk):
    looks = LookBacks()
    looks.go_on(("water",), 3, begun(desk))
    many(desk, 2)
    assert looks.go_on(("water",), 3, begun(desk)).findings.total == 1
    (kept,) = looks._kept.values()
    looks._kept["water",] = replace(kept, begun_at=kept.begun_at - 60)
    assert looks.go_on(("water",), 3, begun(desk)).findings.total == 3


def test_another_configuration_is_looked_at_with_its_own_rules(desk, client):
    assert "1 item" in text_of(client.get("/lab?q=rule:water"))
    files = {**RULES, "water": 'keywords = ["football", "talks"]'}
    folder = desk.loaded.config.service.rules.parent
    desk.loaded = replace(configuration(folder, web="edit = true", rules=files), read_at=99.0)
    assert "2 items" in text_of(client.get("/lab?q=rule:water"))


def test_only_the_last_looks_are_kept(desk):
    made = []
    looks = LookBacks()

    def begin():
        made.append(1)
        return begun(desk)()

    for name in [*map(str, range(KEPT + 1)), str(KEPT), "0"]:
        looks.go_on((name,), 1, begin)
    assert len(made) == KEPT + 2


def test_a_page_that_has_not_seen_all_says_so_and_asks_again(desk):
    many(desk, 150)
    with (
        served(create(desk, look_seconds=0)) as address,
        visitor(address) as client,
    ):
        page = client.get("/lab", params={"q": "water"})
        assert re.search(
            r"\d+ items so far Looked at 100 of 151 items that have its words, back to", text_of(page)
        )
        assert 'hx-trigger="load' in page.text
        assert "Look further" in page.text
        page = client.get("/lab", params={"q": "water"})
        assert "151 items Of the last 30 days, from 2 sources." in text_of(page)
        assert 'hx-trigger="load' not in page.text


def test_two_who_look_at_the_same_each_see_what_had_been_found_then(desk):
    many(desk, 150)
    looks = LookBacks(budget_seconds=0)
    first = looks.go_on(("water",), 1, begun(desk))
    looks.go_on(("water",), 1, begun(desk))
    assert (first.looked_at, first.is_done, first.findings.total) == (100, False, 100)


def test_what_the_database_did_not_give_is_looked_at_the_next_time(desk):
    many(desk, 150)
    look = begun(desk)()
    look._store = Broken()
    with pytest.raises(StoreError):
        look.go_on()
    look._store = desk.store
    look.go_on()
    assert look.findings().total == 151


class Broken:
    @property
    def search(self):
        raise StoreError("the disk is gone")


def test_many_at_once_wait_for_each_other_and_the_rest_goes_on(desk, tmp_path):
    many(desk, 50)
    with served(create(desk)) as address, ThreadPoolExecutor(60) as pool:
        asked = [
            pool.submit(httpx.get, f"{address}/lab?q=water+OR+x{n}", trust_env=False, verify=TLS, timeout=60)
            for n in range(60)
        ]
        assert httpx.get(f"{address}/healthz", trust_env=False, verify=TLS, timeout=5).status_code == 200
        statuses = {each.result().status_code for each in asked}
    assert statuses <= {200, 503}
    assert 200 in statuses


# --------------------------------------------------------------------------- variables


@pytest.mark.parametrize(
    "toml",
    [
        'title = "x"\nquery = \'"${SECRET}"\'\n',
        'title = "x"\nquery = "\\u0024{SECRET}"\n',
        'title = "x"\nkeywords = ["${SECRET:-none}"]\n',
        'title = "${SECRET}"\nkeywords = ["a"]\n',
    ],
)
def test_a_page_tells_nobody_what_a_variable_holds(desk, client, monkeypatch, toml):
    monkeypatch.setenv("SECRET", "open-sesame")
    form = edit_form(client)
    for do in ("try", "save"):
        page = client.post("/lab", data={**form, "toml": toml, "do": do, "item": "1"})
        assert page.status_code == 400
        assert "open-sesame" not in page.text
        assert "edit the file itself" in page.text
    assert rule_file(desk).read_text() == RULES["central-asia"]


def test_a_variable_that_is_in_the_file_already_may_stay(desk, client, monkeypatch):
    monkeypatch.setenv("PLACE", "Samarkand")
    text = 'title = "x"\nkeywords = ["${PLACE}"]\n'
    rule_file(desk).write_text(text)
    page = client.post("/lab", data={**edit_form(client), "toml": f"# mine\n{text}", "do": "try"})
    assert "+1 it would find as well" in text_of(page)
    saved = client.post("/lab", data={**edit_form(client), "toml": f"# mine\n{text}", "do": "save"})
    assert saved.status_code == 303
    assert rule_file(desk).read_text() == f"# mine\n{text}"


def test_a_query_with_a_variable_becomes_a_rule_without(desk, client, monkeypatch):
    monkeypatch.setenv("SECRET", "open-sesame")
    form = {
        "csrf": token(client.get("/lab?q=a")),
        "q": 'water OR "${SECRET}"',
        "id": "new",
        "title": "${SECRET}",
    }
    assert client.post("/lab/new", data=form).status_code == 303
    loaded = load(desk.loaded.config.path, {"SECRET": "open-sesame"})
    (rule,) = [rule for rule in loaded.config.rules if rule.id == "new"]
    assert rule.query is not None
    assert (rule.title, rule.query.text.strip()) == ("${SECRET}", 'water OR "${SECRET}"')


# --------------------------------------------------------------------------- how files are written


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a = 1\r\nb = 2\r\n", b"c = 1\r\n"),
        (b"a = 1\r\nb = 2\nc = 3\n", b"c = 1\n"),
        (codecs.BOM_UTF8 + b"a = 1\n", codecs.BOM_UTF8 + b"c = 1\n"),
    ],
)
def test_line_ends_and_marks_stay_as_they_are(tmp_path, before, after):
    path = tmp_path / "a.toml"
    path.write_bytes(before)
    editing._write(path, "c = 1\n")
    assert path.read_bytes() == after


def test_a_rule_that_gets_another_id_is_found_under_that(desk, client):
    text = f'[[rule]]\nid = "samarkand"\nrenamed_from = ["central-asia"]\n{EDITED.split("[examples]")[0]}'
    saved = client.post("/lab", data={**edit_form(client), "toml": text, "do": "save"})
    assert saved.headers["Location"] == "/lab?done=saved&edit=samarkand", saved.text
