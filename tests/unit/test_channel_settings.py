"""Settings of channels: what is wrong with them is said, and what is secret is known."""

from dataclasses import replace

import pytest

from syndicate.config.channel_problems import problems
from syndicate.model.channels import Discord, Email, Matrix, Ntfy, Slack, Telegram, Template, secrets
from tests.channel_cases import CHANNELS

TELEGRAM = Telegram(token="123:AA-b_c", chat="-100")
MATRIX = Matrix(url="https://m.example", room="!a:m.example", token="t")
EMAIL = Email(sender="news@desk.example", recipients=("a@desk.example",))
TEMPLATE = Template(url="https://own.example/", template="")


@pytest.mark.parametrize("name", CHANNELS)
def test_sound_settings_have_no_problems(name):
    assert problems(CHANNELS[name]) == ()


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (Slack(url="ftp://hooks.slack.com/"), "url"),
        (Slack(url="hooks.slack.com/services"), "url"),
        (Discord(url="https://"), "url"),
        (Discord(url="https://[::1/"), "url"),
        (Discord(url="https://d.example/\r\nX: y"), "url"),
        (replace(TELEGRAM, url="https://t.example/?x=1"), "url"),
        (replace(TELEGRAM, token="123:a/../b"), "token"),
        (replace(TELEGRAM, chat="desk"), "chat"),
        (replace(TELEGRAM, chat="@a b"), "chat"),
        (Ntfy(topic="a/b"), "topic"),
        (Ntfy(topic="x" * 65), "topic"),
        (Ntfy(topic="desk", token="a\r\nb"), "token"),
        (Ntfy(topic="desk", priority=6), "priority"),
        (replace(MATRIX, room="#desk:m.example"), "room"),
        (replace(MATRIX, token="a b"), "token"),
        (replace(EMAIL, sender="News <news@desk.example>"), "sender"),
        (replace(EMAIL, sender="news@desk.example\r\nBcc: all@desk.example"), "sender"),
        (replace(EMAIL, recipients=()), "recipients"),
        (replace(EMAIL, recipients=("a@desk.example", "b@c@d")), "recipients"),
        (replace(EMAIL, recipients=("a@desk.example, b@desk.example",)), "recipients"),
        (replace(TEMPLATE, method="GET"), "method"),
        (replace(TEMPLATE, content_type="json"), "content_type"),
        (replace(TEMPLATE, headers={"X-A": "b\r\nc"}), "headers"),
        (replace(TEMPLATE, headers={"X A": "b"}), "headers"),
    ],
)
def test_each_mistake_is_said_with_what_to_do(settings, key):
    ((found, problem),) = problems(settings)
    assert found == key
    assert problem.startswith("must")


def test_a_problem_shows_no_value():
    for settings in (Ntfy(topic="my secret topic"), replace(TELEGRAM, token="my secret token")):
        assert "secret" not in str(problems(settings))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("slack", ("https://hooks.slack.com/services/T0/B0/secret", "/services/T0/B0/secret")),
        ("template", ("https://own.example.org/in?key=secret", "/in?key=secret")),
        ("telegram", ("123456:AA-secret_token",)),
        ("matrix", ("syt_secret",)),
        ("ntfy", ("desk-9Xq2",)),
        ("email", ()),
    ],
)
def test_secrets_are_known_longest_first(name, found):
    assert secrets(CHANNELS[name]) == found


@pytest.mark.parametrize("name", sorted(set(CHANNELS) - {"email"}))
def test_settings_can_be_logged(name):
    assert not any(secret in repr(CHANNELS[name]) for secret in secrets(CHANNELS[name]) if len(secret) > 3)


def test_a_header_is_a_secret_and_html_is_escaped_where_it_is_meant():
    settings = replace(TEMPLATE, headers={"Authorization": "Bearer x1y2"})
    assert "Bearer x1y2" in secrets(settings)
    assert "x1y2" not in repr(settings)
    kinds = {"text/html; charset=utf-8": True, "application/atom+xml": True, "text/plain": False}
    assert {kind: replace(TEMPLATE, content_type=kind).escapes_html for kind in kinds} == kinds
