"""The JSON API over real HTTP, on a real database: what it answers, and that its description says so."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urljoin

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from syndicate.errors import StoreError
from syndicate.lookback import AT_ONCE as LOOKED_AT_ONCE
from syndicate.report_items import match_json
from syndicate.web.api.operation import ApiError, Asked, Nothing
from syndicate.web.api.routes import BASE
from syndicate.web.api.trials import AT_ONCE, Trials, Trying
from syndicate.web.app import create
from tests.api import program
from tests.contract.making import HOUR, MINUTE, START, Watch, entry, read
from tests.dashboard import RULES, configuration, dashboard
from tests.served import TLS, served

ALIKE = "Leaders of Central Asia and the European Union adopt a strategy in Samarkand"
TEXT = f"{ALIKE}. Energy and gas were left out."


@pytest.fixture
def desk(tmp_path):
    with dashboard(configuration(tmp_path)) as view:
        view.clock.forward(24 * HOUR)
        yield view


@pytest.fixture
def api(desk):
    with program(desk) as asking:
        yield asking


def told(desk):
    desk.report(
        "steppe",
        entry("a", ALIKE, body=TEXT, language="en", published=START, categories=("eu", "asia")),
        entry("b", "Football", body="A match in Europe.", language="en", published=START + HOUR),
    )
    desk.clock.forward(HOUR)
    desk.report(
        "vestnik",
        entry(
            "c", "Ледники Центральной Азии", body="Ледники тают.", language="ru", published=START + 2 * HOUR
        ),
        entry("d", ALIKE, body=TEXT, language="en", published=START + 3 * HOUR),
    )


# --------------------------------------------------------------------------- items


def test_items_are_listed_newest_first_and_restricted(desk, api):
    told(desk)
    assert [item["id"] for item in api.get("/items")["items"]] == [4, 3, 2, 1]
    for query, expected in {
        "rule=water": [3],
        "source=steppe": [2, 1],
        "language=ru": [3],
        "since=2026-11-24T04:00:00Z": [4, 3],
        "since=2026-11-24T09:00:00%2B05:00": [4, 3],
        "since=24h": [4, 3, 2],
        "rule=central-asia&source=vestnik&language=en": [4],
        "since=99999w": [4, 3, 2, 1],
        "since=0001-01-01T00:00:00%2B23:59": [4, 3, 2, 1],
    }.items():
        assert [item["id"] for item in api.get(f"/items?{query}")["items"]] == expected, query


def test_items_are_found_by_a_query_with_the_place_where_it_holds(desk, api):
    told(desk)
    (found,) = api.get("/items?q=ледник&limit=5")["items"]
    assert (found["id"], found["snippet"]["marks"]) == (3, [[0, 7]])
    assert [item["id"] for item in api.get("/items?q=energy AND gas&source=steppe")["items"]] == [1]
    assert api.get("/items?q=nothing")["items"] == []


@pytest.mark.parametrize("query", ["", "&q=Central Asia", "&rule=central-asia", "&source=steppe"])
def test_pages_of_items_follow_one_another_whatever_comes_meanwhile(desk, api, query):
    minutes = [START + timedelta(minutes=n) for n in range(25)]
    desk.report("steppe", *(entry(f"{n}", f"Central Asia {n}", published=at) for n, at in enumerate(minutes)))
    address, found = f"/items?limit=7{query}", []
    while address:
        page = api.get(address)
        found += [item["title"] for item in page["items"]]
        address = page["next"] and urljoin(address, page["next"])
        desk.report("vestnik", entry(f"x{len(found)}", "Central Asia again", published=START + 2 * HOUR))
    assert sorted(found) == sorted(f"Central Asia {n}" for n in range(25))
    assert len(found) == 25


def test_an_item_is_told_whole_with_its_matches_and_its_story(desk, api):
    told(desk)
    answer = api.get("/items/1")
    assert (answer["item"]["body"], answer["item"]["categories"]) == (TEXT, ["eu", "asia"])
    assert [match["rule"] for match in answer["matches"]] == ["central-asia", "scored"]
    assert answer["matches"][0]["evidence"][0]["text"] == "Central Asia"
    assert answer["matches"][1]["score"]["total"] == 4
    assert [item["id"] for item in answer["story"]["items"]] == [1, 4]
    assert api.get("/items/4")["story"]["joined"]["by"] == "text"


def test_evidence_of_a_text_that_is_gone_is_quoted_no_more(desk):
    told(desk)
    stored = desk.store.pages.matches_of_item(1)[0]
    edited = replace(stored, item=replace(stored.item, revision=2, title="Another title"))
    assert {each["text"] for each in match_json(edited)["evidence"]} == {None}


def test_why_a_rule_holds_or_not_is_told(desk, api):
    told(desk)
    assert api.get("/items/1/explain?rule=central-asia")["holds"] is True
    answer = api.get("/items/2/explain?rule=water")
    assert (answer["holds"], answer["why_not"]["reason"] != "") == (False, True)
    assert api.get("/items/2/explain?q=football NEAR/2 europe")["rule"]["id"] is None
    assert api.get("/items/2/explain", 400)["detail"] == "Give a rule, or a query as q: one of the two."
    assert api.get("/items/2/explain?rule=water&q=a", 400)["status"] == 400
    assert api.get("/items/2/explain?q=(a", 400)["errors"][0]["name"] == "q"


@pytest.mark.parametrize("item", ["9", "0", "x", "1x", "-1", "1" * 30, "%00"])
def test_an_item_that_is_not_there(api, item):
    assert api.get(f"/items/{item}", 404)["detail"] == "There is no such item."
    assert api.get(f"/items/{item}/explain?rule=water", 404)["title"] == "Not Found"


# --------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("path", "name", "problem"),
    [
        ("/items?rule=watr", "rule", 'there is no rule “watr”; did you mean "water"?'),
        ("/items?source=none", "source", "there is no source “none”; known: steppe, vestnik, wahat"),
        ("/items?language=xx", "language", "there is no language “xx”; known: en, ru"),
        ("/items?q=(water", "q", None),
        ("/items?q=", "q", "must have at least 1 character"),
        ("/items?limit=0", "limit", "must be greater than or equal to 1"),
        ("/items?limit=101", "limit", "must be less than or equal to 100"),
        ("/items?limit=1.0", "limit", "must be a whole number"),
        ("/items?limit=1&limit=2", "limit", "is given twice"),
        ("/items?lmit=1", "lmit", 'there is no such parameter; did you mean "limit"?'),
        ("/items?since=yesterday", "since", None),
        ("/items?since=2026-02-30T00:00:00Z", "since", None),
        ("/items?since=2026-11-24T02:00", "since", "is no time: write one such as 2026-11-24T02:00:00Z"),
        ("/items?since=30", "since", '"30" needs a unit: write "30s", "30m", "30h" or "30d"'),
        ("/items?cursor=x", "cursor", "is no place in this list: begin without it"),
        ("/matches?after=x", "after", "is no place in this list: begin without it"),
        ("/deliveries?state=gone", "state", "must be 'held', 'waiting', 'delivered' or 'dead'"),
        ("/deliveries?endpoint=dsk", "endpoint", 'there is no endpoint “dsk”; did you mean "desk"?'),
        ("/sources?cursor=x", "cursor", "is no place in this list: begin without it"),
    ],
)
def test_a_parameter_that_is_wrong_is_said_with_what_to_do(desk, api, path, name, problem):
    told(desk)
    answer = api.get(path, 400)
    (error,) = answer["errors"]
    assert error["name"] == name
    assert answer["detail"] == f"{name}: {error['problem']}"
    assert problem is None or error["problem"] == problem


def test_all_that_is_wrong_is_said_at_once(api):
    answer = api.post("/test", {"query": 3, "limit": "x", "sinc": "7d"}, 400)
    assert {error["name"] for error in answer["errors"]} == {"query", "limit", "sinc"}


def test_a_cursor_of_another_list_is_refused(desk, api):
    desk.report("steppe", *(entry(f"{n}", f"Central Asia {n}", published=START) for n in range(3)))
    cursor = api.get("/items?limit=1")["next"]
    assert api.get(f"/matches{cursor}", 400)["errors"][0]["name"] == "cursor"


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"query": "\\ud800"}', "application/json", 400),
        (b'{"query": "\xff"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"query": "a"}', "text/plain", 415),
        (b'{"query": "a"}', "application/json; charset=utf-8", 200),
    ],
)
def test_a_body_has_to_be_json(api, content, media_type, status):
    answer = api.found.post(f"{BASE}/test", content=content, headers={"Content-Type": media_type})
    assert answer.status_code == status, answer.text


# --------------------------------------------------------------------------- matches


def test_matches_are_told_newest_first_with_their_items(desk, api):
    told(desk)
    listed = [(match["rule"], match["item"]["id"]) for match in api.get("/matches")["matches"]]
    assert listed == [
        ("scored", 4),
        ("central-asia", 4),
        ("water", 3),
        ("central-asia", 3),
        ("scored", 1),
        ("central-asia", 1),
    ]
    assert len(api.get("/matches?rule=water")["matches"]) == 1
    assert len(api.get("/matches?since=2026-11-24T05:00:00Z")["matches"]) == 2


def test_who_follows_gets_each_match_once_however_late_it_comes(desk, api):
    told(desk)
    address, seen = "/matches?limit=2", []
    first = api.get(address)
    page = first
    while page["next"]:
        page = api.get(urljoin(address, page["next"]))
    assert page["matches"][-1]["item"]["id"] == 1
    follow = urljoin(address, first["follow"])
    assert api.get(follow)["matches"] == []
    desk.clock.forward(-2 * HOUR)
    old = START - timedelta(days=400)
    desk.report("wahat", *(entry(f"{n}", f"Central Asia {n}", published=old) for n in range(5)))
    while True:
        page = api.get(follow)
        seen += [match["item"]["title"] for match in page["matches"]]
        follow = urljoin(address, page["follow"])
        if page["next"] is None:
            break
        assert urljoin(address, page["next"]) == follow
    assert seen == [f"Central Asia {n}" for n in range(5)]
    assert api.get(follow)["matches"] == []


def test_following_keeps_to_a_rule_and_takes_no_other_place(desk, api):
    told(desk)
    start = api.get("/matches?rule=water&since=1h")
    assert "since" not in start["follow"]
    assert "rule=water" in start["follow"]
    follow = urljoin("/matches", start["follow"])
    assert api.get(f"{follow}&since=1h", 400)["errors"][0]["name"] == "since"


# --------------------------------------------------------------------------- rules


def test_rules_are_told_page_by_page_with_their_feeds(desk, api):
    told(desk)
    first = api.get("/rules?limit=2")
    assert [rule["id"] for rule in first["rules"]] == ["central-asia", "scored"]
    assert first["rules"][0]["feed"]["atom"] == "http://127.0.0.1:8080/feeds/central-asia.atom"
    assert first["rules"][0]["notify"] == ["desk"]
    assert first["rules"][1]["feed"] is None
    second = api.get(urljoin("/rules", first["next"]))
    assert ([rule["id"] for rule in second["rules"]], second["next"]) == (["water"], None)


def test_a_rule_is_told_with_all_that_its_file_says(desk, api):
    water = api.get("/rules/water")
    assert water["query"] == "water AND (treaty OR talks)\nOR ледник*\n"
    assert [version["version"] for version in water["versions"]] == [water["version"]]
    assert api.get("/rules/central-asia")["examples"]["match"][0]["body"] == "The EU and Central Asia agreed."
    assert api.get("/rules/scored")["score"]["threshold"] == 3
    assert api.get("/rules/none", 404)["detail"] == "There is no such rule."


def test_a_secret_address_of_a_feed_is_not_told(tmp_path):
    rules = {"hidden": 'keywords = ["EU"]\n\n[feed]\ntoken = "a-very-secret-token-of-mine"\n'}
    with dashboard(configuration(tmp_path, rules=rules)) as view, served(create(view)) as address:
        for path in ("/rules", "/rules/hidden"):
            answer = httpx.get(f"{address}{BASE}{path}", trust_env=False, verify=TLS)
            assert answer.status_code == 200
            assert "a-very-secret" not in answer.text
            assert '"is_listed":false' in answer.text


# --------------------------------------------------------------------------- trying


def test_a_query_is_tried_on_what_is_stored(desk, api):
    told(desk)
    answer = api.post("/test", {"query": "energy AND gas", "limit": 1})
    assert (answer["valid"], answer["complete"], answer["difference"]) == (True, True, None)
    assert (answer["findings"]["total"], len(answer["findings"]["items"])) == (2, 1)
    assert answer["findings"]["per_source"] == {"steppe": 1, "vestnik": 1}
    assert answer["findings"]["per_day"] == {"2026-11-24": 2}


def test_what_is_wrong_with_a_query_is_shown_in_its_place(api):
    answer = api.post("/test", {"query": "water AND\n(treaty"})
    assert (answer["valid"], answer["findings"]) == (False, None)
    (problem,) = answer["problems"]
    assert (problem["line"], problem["column"]) == (2, 1)
    assert "^" in problem["excerpt"]


def test_a_rule_is_tried_as_its_file_would_be(desk, api):
    told(desk)
    answer = api.post("/test", {"rule": 'keywords = ["Football"]\n\n[examples]\nmatch = ["Football."]\n'})
    assert answer["findings"]["total"] == 1
    wrong = 'keywords = ["Football"]\nnotify = ["dsk"]\nfed = true\n'
    answer = api.post("/test", {"rule": wrong, "id": "sport"})
    places = [(each["file"], each["line"]) for each in answer["problems"]]
    assert places == [("sport.toml", 2), ("sport.toml", 3)]
    answer = api.post("/test", {"rule": "keywords = ["})
    assert answer["problems"][0]["file"] == "test.toml"
    answer = api.post("/test", {"rule": 'keywords = ["a"]\n[examples]\nmatch = ["b"]\n'})
    assert answer["valid"] is False


def test_a_rule_that_is_tried_sees_no_variable_of_the_service(desk, api, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_DESK", "hunter2")
    answer = api.post("/test", {"rule": 'keywords = ["${SECRET_OF_THE_DESK}"]'})
    assert answer["valid"] is False
    assert "hunter2" not in json.dumps(answer)


def test_what_would_change_against_a_rule_in_force_is_told(desk, api):
    told(desk)
    edited = RULES["water"].replace("water AND (treaty OR talks)\nOR ледник*", "football")
    for body in ({"rule": edited, "id": "water"}, {"query": "football", "id": "water"}):
        changed = api.post("/test", body)["difference"]
        assert (changed["rule"], changed["kept"]) == ("water", 0)
        assert [item["id"] for item in changed["added"]["items"]] == [2]
        assert [item["id"] for item in changed["removed"]["items"]] == [3]
        assert changed["removed"]["items"][0]["why_not"]
    assert [match["rule"] for match in api.get("/items/3")["matches"]] == ["central-asia", "water"]


def test_a_query_that_takes_the_place_of_another_may_not_lead_back_to_its_rule(api):
    for query in ("rule:water", "Asia AND\nrule:water"):
        answer = api.post("/test", {"query": query, "id": "water"})
        (problem,) = answer["problems"]
        assert (answer["valid"], problem["file"]) == (False, "query")
        assert problem["line"] == query.count("\n") + 1
    assert api.post("/test", {"query": "(a", "id": "water"})["problems"][0]["column"] == 1
    assert api.post("/test", {"rule": "query = 'rule:test'"})["valid"] is False


def test_one_of_several_rules_in_a_file_is_named(desk, api):
    text = '[[rule]]\nid = "one"\nkeywords = ["Football"]\n[[rule]]\nid = "two"\nkeywords = ["Asia"]\n'
    assert api.post("/test", {"rule": text}, 400)["detail"] == "id: must name one of its rules: one, two"
    told(desk)
    assert api.post("/test", {"rule": text, "id": "two"})["findings"]["total"] == 2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "Give a query or a rule: one of the two."),
        ({"query": "a", "rule": "b"}, "Give a query or a rule: one of the two."),
        ({"query": "a", "id": "watr"}, 'id: there is no id “watr”; did you mean "water"?'),
        ({"query": "a", "since": "5000d"}, "since: is more than 366 days ago"),
        ({"query": "a", "limit": 101}, "limit: must be less than or equal to 100"),
    ],
)
def test_what_cannot_be_tried_is_said(api, body, said):
    assert api.post("/test", body, 400)["detail"] == said


def test_trying_ends_in_time_and_says_how_far_it_came(desk):
    minutes = [START + MINUTE * n for n in range(LOOKED_AT_ONCE + 20)]
    desk.report("steppe", *(entry(f"{n}", f"Central Asia {n}", published=at) for n, at in enumerate(minutes)))
    trials = Trials(desk, seconds=-1)
    for more in ({}, {"id": "central-asia"}):
        answer = tried(trials, Trying(query="Asia", **more))
        assert (answer["complete"], answer["reached"]) == (False, "2026-11-24T02:20:00Z")
        assert answer["findings"]["total"] == LOOKED_AT_ONCE


def tried(trials, body):
    return asyncio.run(trials.test(Asked(names={}, query=Nothing(), body=body)))


def test_only_so_many_are_tried_at_once(desk):
    trials = Trials(desk)

    async def crowd():
        asked = Asked(names={}, query=Nothing(), body=Trying(query="Asia"))
        many = (trials.test(asked) for _ in range(AT_ONCE + 1))
        return await asyncio.gather(*many, return_exceptions=True)

    *done, refused = asyncio.run(crowd())
    assert [answer["valid"] for answer in done] == [True] * AT_ONCE
    assert isinstance(refused, ApiError)
    assert (refused.status, refused.headers) == (503, {"Retry-After": "2"})
    assert tried(trials, Trying(query="Asia"))["valid"]


# --------------------------------------------------------------------------- sources


def test_sources_are_told_and_polled_when_asked_for(desk, api):
    told(desk)
    first = api.get("/sources?limit=2")
    assert [source["id"] for source in first["sources"]] == ["steppe", "vestnik"]
    assert api.get(urljoin("/sources", first["next"]))["sources"][0]["id"] == "wahat"
    whole = api.get("/sources/steppe")
    assert (whole["configuration"]["interval"], whole["status"]["state"]) == ("1h", "ok")
    assert [item["id"] for item in whole["items"]] == [2, 1]
    assert (whole["status"]["next_poll_at"], desk.now()) == ("2026-11-25T03:00:00Z", START + 25 * HOUR)
    desk.clock.forward(-MINUTE)
    refreshed = api.post("/sources/steppe/refresh")
    assert (refreshed["id"], refreshed["due"]) == ("steppe", True)
    assert api.get("/sources/none", 404)["detail"] == "There is no such source."
    assert api.post("/sources/none/refresh", status=404)["detail"] == "There is no such source."


# --------------------------------------------------------------------------- deliveries


@pytest.fixture
def delivered(desk):
    """Three deliveries, made over four hours."""
    watch = Watch(rule="central-asia", word="Central Asia")
    for number in range(3):
        told = entry(f"n{number}", f"Central Asia {number}")
        read(desk.store, told, name="steppe", watches=[watch])
        desk.clock.forward(2 * HOUR)
    return [each.id for each in desk.store.deliveries()]


def test_deliveries_are_told_page_by_page_and_each_with_its_attempts(desk, api, delivered):
    first = api.get("/deliveries?limit=2")
    assert [each["id"] for each in first["deliveries"]] == delivered[:2]
    second = api.get(urljoin("/deliveries", first["next"]))
    assert ([each["id"] for each in second["deliveries"]], second["next"]) == (delivered[2:], None)
    lately = api.get("/deliveries?since=3h&endpoint=desk")["deliveries"]
    assert [each["id"] for each in lately] == delivered[:1]
    assert api.get("/deliveries?state=dead")["deliveries"] == []
    whole = api.get(f"/deliveries/{delivered[0]}")
    assert (whole["delivery"]["state"], whole["attempts"]) == ("waiting", [])
    assert whole["delivery"]["alerts"] == [{"rule": "central-asia", "item": 3}]
    assert api.get("/deliveries/none", 404)["detail"] == "There is no such delivery."


def test_deliveries_are_sent_again_by_id_or_by_endpoint(desk, api, delivered):
    def replayed(**which):
        return api.post("/deliveries/replay", which)

    sent = {"due": 1, "under_way": 0, "held": 0}
    assert replayed(ids=[delivered[0]]) == sent
    assert replayed(ids=[delivered[0], delivered[0]]) == sent
    assert replayed(endpoint="desk", since="3h") == sent
    assert replayed(endpoint="desk", since="3h", state="dead") == {**sent, "due": 0}
    assert replayed(endpoint="desk", since="9d") == {**sent, "due": 3}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 400, "Give ids, or endpoint with since: one of the two."),
        ({"ids": ["a"], "endpoint": "desk"}, 400, "Give ids, or endpoint with since: one of the two."),
        ({"endpoint": "desk"}, 400, "since: must be given with endpoint: how far back"),
        ({"ids": ["a"], "since": "1h"}, 400, "since: goes with endpoint"),
        ({"ids": ["a", "b"]}, 404, "There is no delivery a, b; none is sent again."),
        ({"endpoint": "x", "since": "1h"}, 400, "endpoint: there is no endpoint “x”; known: desk"),
        ({"ids": []}, 400, None),
    ],
)
def test_what_cannot_be_sent_again_is_said(api, body, status, said):
    answer = api.post("/deliveries/replay", body, status)
    assert said is None or answer["detail"] == said


def test_no_more_are_sent_again_at_once_than_is_said(desk, api, delivered, monkeypatch):
    monkeypatch.setattr("syndicate.web.api.deliveries.MOST_REPLAYED", 2)
    answer = api.post("/deliveries/replay", {"endpoint": "desk", "since": "9d"}, 400)
    assert answer["detail"] == "since: there are more than 2 of them: say less far back"


# --------------------------------------------------------------------------- its description


def test_the_description_is_one_as_openapi_has_it(api):
    described = api.get("/openapi.json")
    OpenAPIV31SpecValidator(described).validate()
    assert described["servers"] == [{"url": "/api/v1"}]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert all(operation[name] for name in ("summary", "description", "operationId")), where
            assert all(parameter["description"] for parameter in operation["parameters"]), where
            assert {"200", "400", "401", "403", "421", "429", "503"} <= operation["responses"].keys(), where
            assert operation["security"][0]["token"][0] in ("read", "test", "refresh", "replay"), where


def test_what_is_bounded_is_described_so(api):
    described = api.get("/openapi.json")
    limits = [
        parameter["schema"]
        for methods in described["paths"].values()
        for parameter in methods.get("get", {}).get("parameters", ())
        if parameter["name"] == "limit"
    ]
    assert limits == [{"type": "integer", "minimum": 1, "maximum": 100, "default": 50}] * 5
    (item,) = described["paths"]["/items/{item}"]["get"]["parameters"]
    assert (item["in"], item["schema"]["type"], item["schema"]["minimum"]) == ("path", "integer", 1)
    trying = described["components"]["schemas"]["Trying"]["properties"]
    assert (trying["query"]["maxLength"], trying["limit"]["minimum"]) == (2000, 0)


def test_below_a_path_the_description_says_so(tmp_path):
    loaded = configuration(tmp_path, service='base_url = "http://127.0.0.1:8080/news"')
    with dashboard(loaded) as view, served(create(view)) as address:
        described = httpx.get(f"{address}{BASE}/openapi.json", trust_env=False, verify=TLS).json()
    assert described["servers"] == [{"url": "/news/api/v1"}]


def test_when_the_database_does_nothing_programs_are_told_in_json(desk):
    class Broken:
        @property
        def api(self):
            raise StoreError("/secret/path: disk I/O error")

    with program(replace(desk, store=Broken())) as asking:
        answer = asking.get("/matches", 503)
    assert "secret" not in json.dumps(answer)
    assert answer["detail"].startswith("The database did not do it")
