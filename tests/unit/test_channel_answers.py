"""What an answer of each service means, as it is documented."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.alerts.channels import email
from syndicate.alerts.channels.answers import Answer, wait_of
from syndicate.alerts.channels.channel import outcome
from syndicate.alerts.outcome import Closed, Later, Outcome, Refused, Taken
from tests.channel_cases import CHANNELS

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
OVER_HTTP = sorted(set(CHANNELS) - {"apprise", "email"})
TELEGRAM = {"ok": False, "error_code": 400}
TEAMS_CARD = (
    "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error {} with ..."
)


def meant(name: str, status: int, body: object = b"", **headers: str) -> Outcome:
    fields = {field.replace("_", "-"): value for field, value in headers.items()}
    raw = (
        body
        if isinstance(body, bytes)
        else body.encode()
        if isinstance(body, str)
        else json.dumps(body).encode()
    )
    return outcome(CHANNELS[name], Answer(status=status, headers=fields, body=raw), NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("slack", 200, "ok"),
        ("discord", 200, {"id": "1", "type": 0}),
        ("discord", 204, ""),
        ("teams", 202, ""),
        ("teams", 200, "1"),
        ("mattermost", 200, "ok"),
        ("telegram", 200, {"ok": True, "result": {"message_id": 1}}),
        ("ntfy", 200, {"id": "x", "event": "message", "topic": "desk"}),
        ("matrix", 200, {"event_id": "$abc"}),
        ("template", 201, "<html>"),
    ],
)
def test_success_is_what_the_service_says_it_is(name, status, body):
    assert meant(name, status, body) == Taken()


@pytest.mark.parametrize("name", ["slack", "mattermost", "telegram", "ntfy", "matrix"])
@pytest.mark.parametrize("body", ["<html>Sign in to the network</html>", "", "[]", '{"ok": "true"}'])
def test_a_success_that_is_not_the_services_own_is_tried_again(name, body):
    meaning = meant(name, 200, body)
    assert isinstance(meaning, Later)
    assert meaning.reason.endswith("says that it took a message: check the address")


@pytest.mark.parametrize(
    ("name", "status", "body", "headers", "seconds"),
    [
        ("slack", 429, "rate_limited", {"retry_after": "30"}, 30),
        (
            "discord",
            429,
            {"message": "You are being rate limited.", "retry_after": 64.57, "global": False},
            {},
            64.57,
        ),
        ("discord", 429, {"retry_after": 0.3}, {"retry_after": "9"}, 1),
        ("discord", 429, "error code: 1015", {"retry_after": "600"}, 600),
        ("teams", 429, "", {"retry_after": "Tue, 24 Nov 2026 02:05:00 GMT"}, 300),
        ("mattermost", 429, "limit exceeded", {"retry_after": "1"}, 1),
        ("telegram", 429, {**TELEGRAM, "error_code": 429, "parameters": {"retry_after": 5}}, {}, 5),
        ("ntfy", 429, {"code": 42901, "http": 429, "error": "limit reached"}, {"retry_after": "10"}, 10),
        (
            "matrix",
            429,
            {"errcode": "M_LIMIT_EXCEEDED", "error": "Too many", "retry_after_ms": 2500},
            {},
            2.5,
        ),
        ("matrix", 429, {"errcode": "M_LIMIT_EXCEEDED"}, {"retry_after": "7"}, 7),
        ("template", 503, "", {"retry_after": "120"}, 120),
        ("template", 503, "", {"retry_after": "0"}, 1),
        ("slack", 429, "rate_limited", {"retry_after": "9999999"}, 86_400),
        ("telegram", 429, {"ok": False, "parameters": {"retry_after": 10**30}}, {}, 86_400),
        ("matrix", 429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 10**400}, {}, None),
        ("slack", 429, "rate_limited", {"retry_after": "soon"}, None),
        ("ntfy", 429, {"code": 42908, "http": 429, "error": "limit reached: too many messages"}, {}, None),
    ],
)
def test_a_wait_is_read_where_the_service_says_it(name, status, body, headers, seconds):
    later = meant(name, status, body, **headers)
    assert isinstance(later, Later)
    assert later.wait == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("name", "status", "body", "reason"),
    [
        ("slack", 403, "invalid_token", "Slack answered 403: invalid_token: make a new webhook"),
        ("slack", 404, "no_service", "Slack answered 404: no_service: make"),
        ("slack", 410, "channel_is_archived", "Slack answered 410: channel_is_archived: make"),
        ("slack", 403, "action_prohibited", "Slack answered 403: action_prohibited: make"),
        (
            "discord",
            404,
            {"message": "Unknown Webhook", "code": 10015},
            "Discord answered 404: Unknown Webhook: make",
        ),
        (
            "discord",
            401,
            {"message": "Invalid Webhook Token", "code": 50027},
            "Discord answered 401: Invalid Webhook",
        ),
        (
            "teams",
            400,
            {"error": {"code": "WorkflowTriggerIsNotEnabled"}},
            "turn the workflow on, or make a new one",
        ),
        ("teams", 404, {"error": {"code": "WorkflowNotFound"}}, "turn the workflow on, or make a new one"),
        ("teams", 200, TEAMS_CARD.format(410), "Teams answered 410"),
        (
            "mattermost",
            400,
            {"id": "web.incoming_webhook.invalid.app_error", "message": "Invalid webhook."},
            "Mattermost answered 400: Invalid webhook.: mend the webhook",
        ),
        (
            "mattermost",
            501,
            {"id": "web.incoming_webhook.disabled.app_error", "message": "off"},
            "501: off: mend",
        ),
        (
            "telegram",
            401,
            {"ok": False, "description": "Unauthorized"},
            "Telegram answered 401: Unauthorized: configure",
        ),
        (
            "telegram",
            404,
            {"ok": False, "description": "Not Found"},
            "configure the token that @BotFather gives",
        ),
        (
            "telegram",
            400,
            {**TELEGRAM, "description": "Bad Request: chat not found"},
            "let the bot write to that chat",
        ),
        (
            "telegram",
            403,
            {"ok": False, "description": "Forbidden: bot was blocked by the user"},
            "let the bot write",
        ),
        (
            "telegram",
            400,
            {
                **TELEGRAM,
                "description": "Bad Request: group chat was upgraded to a supergroup chat",
                "parameters": {"migrate_to_chat_id": -1001234567890},
            },
            'configure chat = "-1001234567890", which it is now',
        ),
        (
            "ntfy",
            401,
            {"code": 40101, "http": 401, "error": "unauthorized"},
            "ntfy answered 401: unauthorized: conf",
        ),
        ("ntfy", 403, {"code": 40301, "http": 403, "error": "forbidden"}, "configure a token that may write"),
        ("ntfy", 400, {"code": 40010, "http": 400, "error": "topic name"}, "configure another topic"),
        (
            "matrix",
            401,
            {"errcode": "M_UNKNOWN_TOKEN", "error": "Bad"},
            "Matrix answered 401: M_UNKNOWN_TOKEN Bad: conf",
        ),
        (
            "matrix",
            403,
            {"errcode": "M_FORBIDDEN", "error": "not in room"},
            "a user that may write to that room",
        ),
    ],
)
def test_an_endpoint_is_closed_where_the_service_says_so_and_why(name, status, body, reason):
    closed = meant(name, status, body)
    assert isinstance(closed, Closed)
    assert reason in closed.reason


@pytest.mark.parametrize("name", OVER_HTTP)
def test_410_closes_any_endpoint_and_413_refuses_the_message(name):
    assert isinstance(meant(name, 410), Closed)
    assert isinstance(meant(name, 413), Refused)


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("slack", 400, "invalid_blocks"),
        ("discord", 400, {"code": 50035, "message": "Invalid Form Body", "errors": {}}),
        ("teams", 400, {"error": {"code": "TriggerInputSchemaMismatch"}}),
        ("teams", 200, TEAMS_CARD.format(413)),
        ("mattermost", 400, {"id": "web.incoming_webhook.text.app_error", "message": "No text specified"}),
        ("telegram", 400, {**TELEGRAM, "description": "Bad Request: can't parse entities: ..."}),
        ("ntfy", 413, {"code": 41303, "http": 413, "error": "JSON body too large"}),
        ("matrix", 413, {"errcode": "M_TOO_LARGE", "error": "event too large"}),
    ],
)
def test_a_message_that_the_service_cannot_read_is_refused(name, status, body):
    refused = meant(name, status, body)
    assert isinstance(refused, Refused)
    assert refused.reason.count(str(status)) or name == "teams"


@pytest.mark.parametrize("name", OVER_HTTP)
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 408, 418, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("body", ["", "<html>Bad gateway</html>"])
def test_what_is_not_documented_as_final_is_tried_again(name, status, body):
    later = meant(name, status, body)
    assert isinstance(later, Later)
    assert later.wait is None
    assert str(status) in later.reason
    assert ("redirects are not followed" in later.reason) == (status == 302)


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["ok", "code", "error", "errcode", "id", "parameters", "retry_after", "retry_after_ms"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=8,
)


@given(
    name=st.sampled_from(OVER_HTTP),
    status=st.sampled_from([200, 204, 302, 400, 401, 403, 404, 413, 429, 500]),
    body=values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200),
    retry_after=st.none() | st.text(max_size=20),
)
def test_any_answer_means_something(name, status, body, retry_after):
    headers = {} if retry_after is None else {"retry_after": retry_after}
    match meant(name, status, body, **headers):
        case Later(reason=reason, wait=wait):
            assert wait is None or timedelta(seconds=1) <= wait <= timedelta(days=1)
            assert reason.isprintable()
            assert len(reason) < 400
        case Taken():
            assert status < 300
        case Refused(reason=reason) | Closed(reason=reason):
            assert reason.isprintable()


@pytest.mark.parametrize("value", [None, True, "5", -1, float("nan"), [5], {}])
def test_a_wait_that_is_no_number_is_none(value):
    assert wait_of(value) is None


def test_deep_json_is_no_answer():
    assert isinstance(meant("telegram", 200, "[" * 100_000), Later)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(250, Taken), (421, Later), (450, Later), (451, Later), (550, Refused), (552, Refused), (554, Refused),
     (530, Closed), (535, Closed)],
)  # fmt: skip
def test_a_reply_of_a_mail_server_means_what_its_first_digit_says(code, kind):
    meaning = email.outcome(code, "5.1.1 no such\r\nuser")
    assert isinstance(meaning, kind)
    if not isinstance(meaning, Taken):
        assert meaning.reason.startswith(f"the mail server answered {code}: 5.1.1 no such user")
