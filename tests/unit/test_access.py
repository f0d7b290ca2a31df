"""Who is let in, by what a request says; and what counts as a change that was meant."""

import pytest

from syndicate.model import WebSettings
from syndicate.web.access import (
    Caller,
    binding_of,
    caller_of,
    cookie_name,
    is_ours,
    local_path,
    means_us,
)
from syndicate.web.sessions import LIFETIME, MOST, Sessions

NOW = 1000.0

PUBLIC = "https://news.example.org"
NEITHER = WebSettings()
BY_PASSWORD = WebSettings(password="$argon2id$...")
BY_PROXY = WebSettings(trusted_proxy_header="Remote-User")
BY_BOTH = WebSettings(password="$argon2id$...", trusted_proxy_header="Remote-User")


def caller(**fields):
    usual = {
        "peer": "127.0.0.1",
        "host": "127.0.0.1:8080",
        "is_passed_on": False,
        "name": None,
        "cookie": None,
    }
    return Caller(**{**usual, **fields})


@pytest.mark.parametrize(
    ("host", "base_url", "expected"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080", True),
        ("localhost:8080", "http://127.0.0.1:8080", True),
        ("LOCALHOST", "http://127.0.0.1:8080", True),
        ("[::1]:8080", "http://127.0.0.1:8080", True),
        ("127.9.9.9", PUBLIC, True),
        ("news.example.org", PUBLIC, True),
        ("NEWS.example.org:443", PUBLIC, True),
        ("xn--e1afmkfd.example", "https://пример.example", True),
        ("192.168.1.5:8080", "http://192.168.1.5:8080", True),
        ("192.168.1.5:8080", "http://127.0.0.1:8080", False),
        ("news.example.org.evil.example", PUBLIC, False),
        ("evil.example", PUBLIC, False),
        ("localhost.evil.example", PUBLIC, False),
        ("127.0.0.1.evil.example", PUBLIC, False),
        ("127.0.0.1@evil.example", PUBLIC, False),
        ("2130706433", PUBLIC, False),
        ("", PUBLIC, False),
        ("a b", PUBLIC, False),
        ("127.0.0.1:99999999", PUBLIC, False),
    ],
)
def test_a_request_means_us_by_our_name_or_as_this_machine(host, base_url, expected):
    assert means_us(host, base_url) is expected


@pytest.mark.parametrize(
    ("settings", "who", "is_open", "expected"),
    [
        (NEITHER, caller(), False, "here"),
        (NEITHER, caller(peer="::1", host="localhost"), False, "here"),
        (NEITHER, caller(peer="192.168.1.9"), False, None),
        (NEITHER, caller(peer=None), False, None),
        (NEITHER, caller(host="news.example.org"), False, None),  # by a proxy on this machine
        (NEITHER, caller(is_passed_on=True), False, None),
        (BY_PASSWORD, caller(), False, None),
        (BY_PASSWORD, caller(cookie="c"), False, None),
        (BY_PASSWORD, caller(peer="203.0.113.9", host="news.example.org", cookie="c"), True, "session c"),
        (BY_PROXY, caller(), False, None),
        (BY_PROXY, caller(name="ann", is_passed_on=True, host="news.example.org"), False, "proxy ann"),
        (BY_BOTH, caller(name="ann"), False, "proxy ann"),
        (BY_BOTH, caller(cookie="c"), True, "session c"),
        (BY_BOTH, caller(), False, None),
    ],
)
def test_who_may_come_in_is_bound_to_forms_of_his_own(settings, who, is_open, expected):
    assert binding_of(who, settings, is_open=is_open, is_local=True) == expected
    if expected == "here":
        assert binding_of(who, settings, is_open=is_open, is_local=False) is None


@pytest.mark.parametrize("header", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"])
def test_a_request_that_a_proxy_passed_on_is_known_by_its_headers(header):
    scope = {"type": "http", "client": ("127.0.0.1", 1), "headers": [(header.lower().encode(), b"x")]}
    assert caller_of(scope, NEITHER, "syndicate").is_passed_on


def test_a_name_is_taken_from_the_trusted_header_alone():
    headers = [(b"remote-user", b" ann "), (b"host", b"localhost"), (b"cookie", b"syndicate=c; other=d")]
    scope = {"type": "http", "client": ("127.0.0.1", 1), "headers": headers}
    assert caller_of(scope, NEITHER, "syndicate").name is None
    assert caller_of(scope, BY_PROXY, "syndicate").name == "ann"
    assert caller_of(scope, WebSettings(trusted_proxy_header="X-Auth"), "syndicate").name is None
    assert caller_of(scope, NEITHER, "syndicate").cookie == "c"
    empty = {**scope, "headers": [(b"remote-user", b"  ")]}
    assert caller_of(empty, BY_PROXY, "syndicate").name is None


@pytest.mark.parametrize(
    ("origin", "host", "base_url", "expected"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8080", PUBLIC, True),
        ("https://news.example.org", "news.example.org", PUBLIC, True),
        ("https://news.example.org", "127.0.0.1:8080", PUBLIC, True),  # a proxy that does not pass Host on
        ("http://news.example.org", "127.0.0.1:8080", PUBLIC, False),
        ("http://127.0.0.1:9090", "127.0.0.1:8080", PUBLIC, False),
        ("https://evil.example", "news.example.org", PUBLIC, False),
        ("null", "news.example.org", PUBLIC, False),
        ("", "news.example.org", PUBLIC, False),
    ],
)
def test_a_form_of_another_site_is_told_by_its_origin(origin, host, base_url, expected):
    assert is_ours(origin, host, base_url) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/", "/"),
        ("/items?q=a&b=c", "/items?q=a&b=c"),
        ("", "/"),
        ("items", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/\t/evil.example", "/"),
    ],
)
def test_after_logging_in_nobody_is_led_elsewhere(text, expected):
    assert local_path(text) == expected


def test_by_https_no_other_host_can_set_the_cookie():
    assert cookie_name(PUBLIC) == "__Host-syndicate"
    assert cookie_name("http://127.0.0.1:8080") == "syndicate"


def test_a_session_is_open_for_one_password_until_it_ends():
    sessions = Sessions()
    cookie = sessions.begin("hash", NOW)
    assert sessions.is_open(cookie, "hash", NOW + LIFETIME.total_seconds() - 1)
    assert not sessions.is_open(cookie, "hash", NOW + LIFETIME.total_seconds())
    assert not sessions.is_open(cookie, "another", NOW)
    assert not sessions.is_open("", "hash", NOW)
    assert sessions.begin("hash", NOW) != cookie
    sessions.end(cookie)
    sessions.end("unknown")
    assert not sessions.is_open(cookie, "hash", NOW)


def test_sessions_are_bounded_and_the_oldest_ends():
    sessions = Sessions()
    first, second = sessions.begin("hash", NOW), sessions.begin("hash", NOW)
    for _ in range(MOST - 1):
        sessions.begin("hash", NOW)
    assert not sessions.is_open(first, "hash", NOW)
    assert sessions.is_open(second, "hash", NOW)


def test_tokens_are_of_one_binding_and_one_process():
    sessions = Sessions()
    assert sessions.token("session a") == sessions.token("session a")
    assert sessions.token("session a") != sessions.token("session b")
    assert sessions.token("here") != Sessions().token("here")
