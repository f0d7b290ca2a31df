"""Every route, one by one: no page for whoever may not have it, no change that was not meant."""

import re
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.routing import Route

from syndicate.model import ApiToken, TokenScope, WebSettings
from syndicate.store.rows import time_text
from syndicate.tokens import digest_of, fresh_token
from syndicate.web.api.routes import BASE, api_routes, operations
from syndicate.web.app import create, private_routes
from syndicate.web.policy import PAGE_HEADERS
from syndicate.web.render import Pages
from syndicate.web.sessions import Sessions
from syndicate.web.tries import MOST_FAILED, MOST_FAILED_IN_ALL
from tests.contract.making import entry
from tests.dashboard import HASH, PASSWORD, configuration, dashboard
from tests.served import SomeView, served, visitor

# Open to whoever reaches the server. A route that is added to these needs a reason.
PUBLIC = {
    "/feeds",
    "/feeds/",
    "/feeds/{name:path}",
    "/static/{name}",
    "/healthz",
    "/websub/{token:path}",
    "/hub",
}
ENTRANCE = "/login"
EVIL = "http://evil.example"


def paths():
    """Return every private path, with something to show where it names one, and its methods."""
    view = SomeView(feeds_folder=Path("/nowhere"))
    routes = private_routes(view, Pages(view), Sessions())
    filled = {
        "{rule}": "central-asia",
        "{item}": "1",
        "{source}": "steppe",
        "{delivery}": "msg_some",
        "{endpoint}": "desk",
        "{silence}": "1",
    }
    filled |= {"{signature}": "0" * 64, "{address}": "aHR0cDovL2V4YW1wbGUv"}
    return [
        (re.sub(r"\{\w+\}", lambda found: filled[found[0]], route.path), route.methods) for route in routes
    ]


def operation_paths():
    """Return what the API can be asked: the scope of each, its method, and an address of it."""
    view = SomeView(feeds_folder=Path("/nowhere"))
    filled = {"{rule}": "central-asia", "{item}": "1", "{source}": "steppe", "{delivery}": "none"}
    for each in operations(view):
        path = re.sub(r"\{\w+\}", lambda found: filled[found[0]], each.path)
        yield each.scope, each.method, f"{BASE}{path}" + ("?rule=water" if path.endswith("explain") else "")


OPERATIONS = list(operation_paths())
API_READS = [path for _, method, path in OPERATIONS if method == "GET"]
API_CHANGES = [path for _, method, path in OPERATIONS if method == "POST"]
TOKENS = {scope: fresh_token() for scope in TokenScope}
CONFIGURED = tuple(
    ApiToken(name=scope, digest=digest_of(token), scopes=(scope,)) for scope, token in TOKENS.items()
)
AN_IMAGE = f"/image/{'0' * 64}/aHR0cDovL2V4YW1wbGUv"  # that no item shows
PRIVATE = [path for path, methods in paths() if path != ENTRANCE and "GET" in methods]
CHANGES = [path for path, methods in paths() if "POST" in methods]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(scope="module")
def desk(folder):
    with dashboard(configuration(folder)) as view:
        view.report("steppe", entry("a", "Central Asia and the EU"))
        with view.store._connections.write() as db:
            db.execute(
                "INSERT INTO deliveries (id, endpoint, state, created_at)"
                " VALUES ('msg_some', 'desk', 'dead', ?)",
                [time_text(view.now())],
            )
        yield view


def settled(view, **web):
    """Return a view with other settings of [web]."""
    config = replace(view.loaded.config, web=WebSettings(**web))
    return replace(view, loaded=replace(view.loaded, config=config))


@pytest.fixture(scope="module")
def addresses(desk):
    """Where the same desk is served: open to this machine, behind a password, behind a proxy."""
    views = {
        "here": desk,
        "locked": settled(desk, password=HASH, tokens=CONFIGURED),
        "proxied": settled(desk, trusted_proxy_header="Remote-User", tokens=CONFIGURED),
    }
    with ExitStack() as stack:
        yield {name: stack.enter_context(served(create(view))) for name, view in views.items()}


@pytest.fixture
def here(addresses):
    with client(addresses["here"]) as found:
        yield found


@pytest.fixture
def locked(addresses):
    with client(addresses["locked"]) as found:
        yield found


@pytest.fixture
def proxied(addresses):
    with client(addresses["proxied"]) as found:
        yield found


@pytest.fixture
def fresh(desk):
    """Behind a password that nobody has tried yet."""
    view = settled(desk, password=HASH, tokens=CONFIGURED)
    with served(create(view)) as address, client(address) as found:
        yield found


def client(address):
    return visitor(address)


def status_of(found, path, method="GET", **more):
    with found.stream(method, path, **more) as response:  # one of the answers goes on for ever
        return response.status_code


def token_in(page):
    (token,) = set(re.findall(r'name="csrf" value="([0-9a-f]{64})"', page.text))
    return token


def log_in(found, password=PASSWORD, **more):
    page = found.get("/login")
    form = {"csrf": token_in(page), "password": password, "next": "/rules?q=a", **more}
    return found.post("/login", data=form)


def test_what_is_public_is_named_here(desk):
    assert {route.path for route in create(desk).routes if isinstance(route, Route)} == PUBLIC
    assert len(create(desk).routes) == len(PUBLIC)


def test_every_kind_of_path_is_walked():
    assert {"/", "/live", "/rules", "/rules/central-asia", "/lab", "/items", "/items/1"} <= set(PRIVATE)
    assert {"/sources", "/sources/steppe", "/add", "/system"} <= set(PRIVATE)
    assert {"/alerts", "/alerts/msg_some", "/alerts/silences", "/alerts/endpoints/desk"} <= set(PRIVATE)
    assert set(CHANGES) == {
        *("/login", "/logout", "/lab", "/lab/new", "/add"),
        *("/sources/steppe/refresh", "/sources/steppe/pause", "/sources/steppe/resume"),
        *("/alerts/replay", "/alerts/msg_some/replay", "/alerts/silences", "/alerts/silences/1/end"),
        *("/alerts/endpoints/desk/test", "/alerts/endpoints/desk/enable"),
    }


@pytest.mark.parametrize("path", [path for path in PRIVATE if path not in ("/live", AN_IMAGE)])
def test_on_this_machine_pages_can_be_read(here, path):
    assert status_of(here, path) == 200


@pytest.mark.parametrize("path", [*PRIVATE, ENTRANCE, "/none"])
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.168.1.5", ""])
def test_no_page_answers_to_another_name(here, locked, path, host):
    for found in (here, locked):
        response = found.get(path, headers={"Host": host})
        assert response.status_code in (421, 400)
        assert "Central Asia" not in response.text


@pytest.mark.parametrize("path", [*PRIVATE, "/none", "/feeds/../items", "//items", "/login/x", "/LOGIN"])
def test_with_a_password_no_page_is_shown_without(locked, path):
    request = locked.build_request("GET", "/", headers={"Accept": "text/html"})
    request.url = request.url.copy_with(raw_path=path.encode())
    shown = locked.send(request)
    assert shown.status_code in (303, 404)
    assert "Central Asia" not in shown.text
    if not path.startswith("/feeds/"):
        assert shown.headers["location"].startswith("/login?next=/")
    assert status_of(locked, path) in (401, 404)
    for more in ({"Cookie": "syndicate=x"}, {"Remote-User": "ann"}, {"Authorization": "Basic YTpi"}):
        assert locked.get(path, headers=more).status_code in (401, 404)


@pytest.mark.parametrize("path", [*PRIVATE, "/none"])
def test_with_a_proxy_no_page_is_shown_to_who_has_not_logged_in_there(proxied, path):
    assert proxied.get(path).status_code == 403
    assert proxied.get(path, headers={"Remote-User": ""}).status_code == 403
    assert status_of(proxied, path, headers={"Remote-User": "ann"}) == {
        "/live": 400,
        "/none": 404,
        AN_IMAGE: 404,
    }.get(path, 200)


@pytest.mark.parametrize("path", [*PRIVATE, "/none"])
def test_without_either_nobody_gets_in_by_way_of_a_proxy(here, path):
    for header in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"):
        response = here.get(path, headers={header: "203.0.113.9"})
        assert response.status_code == 403
        assert "These pages are closed" in response.text


@pytest.mark.parametrize("path", ["/healthz", "/feeds/none.atom", "/static/style.css", "/hub"])
def test_what_is_public_stays_so(locked, path):
    assert locked.get(path).status_code in (200, 404)
    assert locked.get(path, headers={"Accept": "text/html"}).status_code in (200, 404)


@pytest.mark.parametrize("path", [*PRIVATE, *API_READS, ENTRANCE, "/none", "/live?after=0", "/api/none"])
def test_every_answer_tells_browsers_what_to_refuse(here, locked, path):
    for found in (here, locked):
        with found.stream("GET", path, headers={"Accept": "text/html"}) as response:
            assert PAGE_HEADERS.items() - {("Cache-Control", "private, no-cache")} <= {
                (name, response.headers.get(name)) for name in PAGE_HEADERS
            }
            assert "script-src 'self'" in response.headers["content-security-policy"]
            assert "unsafe" not in response.headers["content-security-policy"]
            assert "public" not in response.headers["cache-control"]


@pytest.mark.parametrize("path", [path for path in PRIVATE if path != "/live"])
def test_no_page_has_scripts_or_styles_in_it(here, path):
    page = here.get(path).text
    assert re.findall(r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:", page) == []


@pytest.fixture(scope="module")
def logged_in(addresses):
    with client(addresses["locked"]) as found:
        assert log_in(found).status_code == 303
        yield found


@pytest.mark.parametrize("path", sorted({*CHANGES, *PRIVATE, "/none"}))
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_nothing_is_changed_without_its_token(here, logged_in, path, method):
    for found in (here, logged_in):
        for more in (
            {},
            {"data": {"csrf": ""}},
            {"data": {"csrf": "0" * 64}},
            {"headers": {"X-CSRF-Token": "é".encode()}},
            {"headers": {"X-CSRF-Token": "0" * 64}},
        ):
            answer = found.request(method, path, **more)
            assert answer.status_code == 403
            assert "Go back, reload the page" in answer.text
    assert logged_in.get("/").status_code == 200


def test_a_token_counts_for_its_own_session_only(locked):
    log_in(locked)
    token = token_in(locked.get("/"))
    with client(locked.base_url) as other:
        log_in(other)
        assert other.post("/logout", data={"csrf": token}).status_code == 403
        assert other.get("/").status_code == 200
        assert other.post("/logout", data={"csrf": token_in(other.get("/"))}).status_code == 303
        assert other.get("/").status_code == 401
    assert locked.get("/").status_code == 200


def test_a_token_may_come_in_a_header_instead(locked):
    log_in(locked)
    token = token_in(locked.get("/"))
    answer = locked.post("/logout", headers={"X-CSRF-Token": token}, json={"any": "body"})
    assert answer.status_code == 303
    assert locked.get("/").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [{"Origin": EVIL}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)
def test_even_with_its_token_nothing_is_changed_from_another_site(locked, headers):
    log_in(locked)
    token = token_in(locked.get("/"))
    assert locked.post("/logout", data={"csrf": token}, headers=headers).status_code == 403
    own = {"Origin": str(locked.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert locked.post("/logout", data={"csrf": token}, headers=own).status_code == 303


def test_what_is_sent_is_bounded(locked):
    assert locked.post("/login", content=b"x" * (1024 * 1024 + 1)).status_code == 413


# --------------------------------------------------------------------------- programs


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def asked(found, method, path, **more):
    """Ask the API; whatever it refuses, it says so in its one shape, and never as a page."""
    answer = found.request(method, path, **more)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        said = answer.json()
        assert said.keys() - {"errors"} == {"type", "title", "status", "detail"}
        assert said["status"] == answer.status_code
    return answer


def test_every_address_of_the_api_is_walked():
    assert {f"{BASE}{each}" for each in ("/items", "/matches", "/rules", "/sources")} <= set(API_READS)
    assert f"{BASE}/deliveries/replay" in API_CHANGES
    assert {scope for scope, _, _ in OPERATIONS} == set(TokenScope)
    walked = {re.sub(r"\{.*?\}", "*", route.path) for route in api_routes(SomeView(feeds_folder=Path("/")))}
    assert len(walked) == len({path for _, _, path in OPERATIONS})


@pytest.mark.parametrize("path", API_READS)
def test_on_this_machine_programs_can_read_without_a_token(here, path):
    assert asked(here, "GET", path).status_code == (404 if path.endswith("none") else 200)


@pytest.mark.parametrize(("scope", "method", "path"), OPERATIONS)
def test_with_a_password_or_a_proxy_a_program_needs_a_token(locked, proxied, scope, method, path):
    strangers: tuple[dict[str, str], ...]
    strangers = ({}, {"Accept": "text/html"}, {"Authorization": "Basic YTpi"}, {"Cookie": "syndicate=x"})
    for found in (locked, proxied):
        for headers in strangers:
            answer = asked(found, method, path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == 'Bearer realm="syndicate"'
        assert asked(found, method, path, headers=bearer(TOKENS[scope])).status_code in (200, 404, 415)


@pytest.mark.parametrize(("scope", "method", "path"), OPERATIONS)
def test_a_token_lets_do_what_its_scopes_say_and_nothing_else(locked, scope, method, path):
    for other in set(TokenScope) - {scope}:
        answer = asked(locked, method, path, headers=bearer(TOKENS[other]))
        assert answer.status_code == 403
        wanted = f'Bearer realm="syndicate", error="insufficient_scope", scope="{scope}"'
        assert answer.headers["www-authenticate"] == wanted


@pytest.mark.parametrize(("scope", "method", "path"), OPERATIONS)
def test_a_wrong_token_opens_nothing_not_even_on_this_machine(desk, scope, method, path):
    with served(create(settled(desk, tokens=CONFIGURED))) as address, client(address) as found:
        right = TOKENS[scope]
        for shown in ("", f" {right[:-1]}", f" {right}0", f" {right.upper()}", f" {digest_of(right)}"):
            answer = asked(found, method, path, headers={"Authorization": f"Bearer{shown}"})
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].endswith('error="invalid_token"')


@pytest.mark.parametrize(("scope", "method", "path"), OPERATIONS)
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.168.1.5"])
def test_a_token_counts_under_our_own_name_only(locked, scope, method, path, host):
    headers = {**bearer(TOKENS[scope]), "Host": host}
    assert asked(locked, method, path, headers=headers).status_code == 421


@pytest.mark.parametrize("path", sorted({*PRIVATE, *CHANGES, "/none"}))
@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_a_token_opens_no_page_and_changes_nothing_there(locked, here, path, token):
    expected = 200 if path == ENTRANCE else 401
    assert status_of(locked, path, headers=bearer(token)) == expected
    for found in (locked, here):
        assert status_of(found, path, "POST", headers=bearer(token)) in (401, 403)


@pytest.mark.parametrize("path", API_READS)
def test_no_token_is_taken_from_an_address_or_a_cookie(locked, path):
    token, glue = TOKENS[TokenScope.READ], "&" if "?" in path else "?"
    for name in ("access_token", "token"):
        assert asked(locked, "GET", f"{path}{glue}{name}={token}").status_code == 401
    assert asked(locked, "GET", path, headers={"Cookie": f"syndicate={token}"}).status_code == 401


@pytest.mark.parametrize("path", API_CHANGES)
def test_a_change_needs_a_token_or_that_of_a_page_on_this_machine_too(here, logged_in, path):
    for found in (here, logged_in):
        assert asked(found, "POST", path).status_code == 401
        assert asked(found, "POST", path, data={"csrf": "0" * 64}).status_code == 401
        assert asked(found, "POST", path, headers={"X-CSRF-Token": "0" * 64}).status_code == 403
        assert asked(found, "POST", path, headers={"X-CSRF-Token": ""}).status_code == 403
        for more in ({"Origin": EVIL}, {"Sec-Fetch-Site": "cross-site"}):
            assert asked(found, "POST", path, headers=more).status_code == 403
    headers = {"X-CSRF-Token": token_in(logged_in.get("/"))}
    assert asked(logged_in, "POST", path, headers=headers).status_code in (200, 415)
    assert asked(logged_in, "POST", path, headers={**headers, "Origin": EVIL}).status_code == 403


@pytest.mark.parametrize("path", API_READS)
def test_who_has_logged_in_may_read_what_programs_do(logged_in, proxied, path):
    expected = 404 if path.endswith("none") else 200
    assert asked(logged_in, "GET", path).status_code == expected
    assert asked(proxied, "GET", path, headers={"Remote-User": "ann"}).status_code == expected


def test_a_token_opens_the_api_by_way_of_a_proxy_that_says_nothing(desk):
    with served(create(settled(desk, tokens=CONFIGURED))) as address, client(address) as found:
        passed_on = {"X-Forwarded-For": "203.0.113.9"}
        assert asked(found, "GET", f"{BASE}/items", headers=passed_on).status_code == 401
        headers = {**passed_on, **bearer(TOKENS[TokenScope.READ])}
        assert asked(found, "GET", f"{BASE}/items", headers=headers).status_code == 200
        assert found.get("/", headers=headers).status_code == 403


def test_a_token_that_is_removed_from_the_configuration_opens_nothing_any_more(desk):
    view = settled(desk, password=HASH, tokens=CONFIGURED)
    with served(create(view)) as address, client(address) as found:
        headers = bearer(TOKENS[TokenScope.READ])
        assert asked(found, "GET", f"{BASE}/items", headers=headers).status_code == 200
        view.loaded = settled(desk, password=HASH, tokens=CONFIGURED[1:]).loaded
        assert asked(found, "GET", f"{BASE}/items", headers=headers).status_code == 401


def test_wrong_tokens_are_soon_not_answered_to_but_right_ones_are(fresh):
    wrong = [asked(fresh, "GET", f"{BASE}/items", headers=bearer("x")) for _ in range(MOST_FAILED + 2)]
    assert [answer.status_code for answer in wrong] == [401] * MOST_FAILED + [429] * 2
    assert wrong[-1].headers["retry-after"] == "60"
    right = bearer(TOKENS[TokenScope.READ])
    assert asked(fresh, "GET", f"{BASE}/items", headers=right).status_code == 200


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/items", "/api/v1/items/1/x"]
)
def test_what_the_api_has_not_is_said_to_programs_as_all_else(locked, here, path):
    assert asked(locked, "GET", path).status_code == 401
    assert asked(here, "GET", path).status_code == 404
    headers = bearer(TOKENS[TokenScope.READ])
    assert asked(locked, "GET", path, headers=headers).status_code == 404
    assert asked(locked, "POST", path, headers=headers).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize(("scope", "used", "path"), OPERATIONS)
def test_what_cannot_be_done_at_an_address_is_said_with_what_can(locked, scope, used, path, method):
    answer = asked(locked, method, path, headers=bearer(TOKENS[scope]))
    assert answer.status_code == 405
    assert used in answer.headers["allow"]


def test_what_programs_send_is_bounded(locked):
    headers = {**bearer(TOKENS[TokenScope.TEST]), "Content-Type": "application/json"}
    body = b" " * (1024 * 1024 + 1)
    assert asked(locked, "POST", f"{BASE}/test", content=body, headers=headers).status_code == 413


# --------------------------------------------------------------------------- logging in


def test_the_password_opens_the_page_that_was_asked_for(locked):
    turned_away = locked.get("/rules?q=a", headers={"Accept": "text/html"})
    assert turned_away.headers["location"] == "/login?next=/rules%3Fq%3Da"
    page = locked.get(turned_away.headers["location"])
    assert 'name="next" value="/rules?q=a"' in page.text
    before = locked.cookies["syndicate"]
    opened = log_in(locked)
    assert (opened.status_code, opened.headers["location"]) == (303, "/rules?q=a")
    assert locked.cookies["syndicate"] != before  # nobody can have laid it there
    assert locked.get("/rules").status_code == 200
    assert locked.get("/login").headers["location"] == "/"


def test_the_cookie_is_kept_from_scripts_and_other_sites(desk, locked):
    cookie = locked.get("/login").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    view = settled(desk, password=HASH)
    service = replace(view.loaded.config.service, base_url="https://news.example.org/news")
    public = replace(view, loaded=replace(view.loaded, config=replace(view.loaded.config, service=service)))
    with served(create(public)) as address, client(address) as found:
        asked = {"Host": "news.example.org", "Accept": "text/html"}
        assert found.get("/items", headers=asked).headers["location"] == "/news/login?next=/items"
        cookie = found.get("/login", headers=asked).headers["set-cookie"]
        assert cookie.startswith("__Host-syndicate=")
        assert {"HttpOnly", "SameSite=lax", "Path=/", "Secure"} <= set(cookie.split("; "))


@pytest.mark.parametrize("wanted", ["//evil.example", "/\\evil.example", EVIL, "javascript:alert(1)"])
def test_nobody_is_led_elsewhere(locked, wanted):
    assert "evil.example" not in locked.get("/login", params={"next": wanted}).text
    assert log_in(locked, next=wanted).headers["location"] == "/"


def test_a_wrong_password_opens_nothing(fresh):
    for wrong in ("", "wrong", PASSWORD + " ", "x" * 5000):
        refused = log_in(fresh, wrong)
        assert refused.status_code == 403
        assert "That is not the password." in refused.text
    assert fresh.get("/").status_code == 401


def test_passwords_cannot_be_tried_fast(fresh):
    for _ in range(MOST_FAILED):
        assert log_in(fresh, "wrong").status_code == 403
    refused = log_in(fresh)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert "Wait a minute" in refused.text
    assert MOST_FAILED < MOST_FAILED_IN_ALL


def test_another_password_in_the_configuration_ends_all_sessions(desk):
    view = settled(desk, password=HASH)
    with served(create(view)) as address, client(address) as found:
        assert log_in(found).status_code == 303
        assert found.get("/").status_code == 200
        view.loaded = settled(desk, password=HASH.replace("fnDg", "fnDh")).loaded
        assert found.get("/").status_code == 401
        view.loaded = desk.loaded
        assert found.get("/login").status_code == 404


def test_parts_of_pages_are_told_to_log_in(locked):
    part = locked.get("/?after=0", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/login")
    typed = locked.get("/lab?q=a", headers={"HX-Request": "true", "HX-Target": "found"})
    assert (typed.status_code, typed.headers.get("hx-redirect")) == (
        401,
        None,
    )  # nothing typed is left behind


def test_the_way_out_is_shown_to_those_who_logged_in_alone(here, locked, proxied):
    assert "Log out" not in here.get("/").text
    assert "Log out" not in proxied.get("/", headers={"Remote-User": "ann"}).text
    log_in(locked)
    page = locked.get("/")
    assert "Log out" in page.text
    gone = locked.post("/logout", data={"csrf": token_in(page)})
    assert (gone.status_code, gone.headers["location"]) == (303, "/login")
    assert "syndicate" not in locked.cookies


def test_without_a_password_there_is_nothing_to_log_into(here):
    assert here.get("/login").status_code == 404


def test_a_reload_that_drops_the_password_opens_nothing_to_others(desk):
    """Whatever the port is reached by: without a password only this machine is let in."""
    with served(create(desk)) as address, client(address) as found:
        for host in ("203.0.113.9", "news.example.org"):
            assert found.get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    ("said", "is_let_in"),
    [
        (("cross-site", "no-cors", "image"), False),
        (("cross-site", "cors", "empty"), False),
        (("same-site", "no-cors", "script"), False),
        (("cross-site", "navigate", "iframe"), False),
        (("cross-site", "navigate", "document"), True),
        (("same-origin", "cors", "empty"), True),
        (("none", "navigate", "document"), True),
    ],
)
@pytest.mark.parametrize("path", ["/", "/lab?q=central", "/api/v1/items"])
def test_pages_elsewhere_may_lead_here_and_do_no_more(here, path, said, is_let_in):
    headers = dict(zip(("Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest"), said, strict=True))
    answer = here.get(path, headers=headers)
    assert answer.status_code == (200 if is_let_in else 403)
    assert is_let_in or "Central Asia" not in answer.text


def test_of_who_has_not_logged_in_little_is_read(locked):
    form = {"csrf": "0" * 64, "password": "x" * 9_000}
    assert locked.post("/login", data=form).status_code == 413
    assert locked.post("/lab", data=form).status_code in (401, 403)


def test_what_a_page_of_ours_sent_too_late_can_be_sent_again(here):
    sent = {"csrf": "0" * 64, "edit": "central-asia", "toml": "a = '<b>'\nb = 1", "do": "save"}
    same = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
    page = here.post("/lab", data=sent, headers=same)
    assert page.status_code == 403
    assert 'name="toml" value="a = &#39;&lt;b&gt;&#39;\nb = 1"' in page.text
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    assert set(fields) == set(sent)
    assert re.fullmatch("[0-9a-f]{64}", fields["csrf"])
    assert fields["csrf"] != sent["csrf"]
    assert 'action="/lab"' in page.text


@pytest.mark.parametrize("site", [None, "cross-site", "same-site", "none"])
def test_what_others_may_have_sent_is_not_offered_to_be_sent_again(here, site):
    headers = {"Sec-Fetch-Site": site} if site else {}
    page = here.post("/lab", data={"csrf": "0" * 64, "toml": "evil"}, headers=headers)
    assert page.status_code == 403
    assert "evil" not in page.text


def test_who_has_to_log_in_first_is_told_how_and_that_nothing_is_lost(locked):
    page = locked.post("/sources/steppe/pause", data={"csrf": "0" * 64}, headers={"Accept": "text/html"})
    assert page.status_code == 401
    assert 'href="/login"' in page.text
    assert locked.post("/sources/steppe/pause").text == "Log in first.\n"


def test_with_another_public_name_pages_are_closed_without_a_password(desk):
    """Whatever a proxy leaves out: nginx, as it is, says that it is this machine that asks, for itself."""
    service = replace(desk.loaded.config.service, base_url="http://news.example.org")
    view = replace(desk, loaded=replace(desk.loaded, config=replace(desk.loaded.config, service=service)))
    with served(create(view)) as address, client(address) as found:
        for path in (*PRIVATE, *API_READS):
            assert status_of(found, path) in (401, 403), path
        assert found.get("/healthz").status_code == 200
    guarded = settled(view, password=HASH)
    with served(create(guarded)) as address, client(address) as found:
        assert log_in(found).status_code == 303
