"""The demo's receiver believes what is signed and remembers what it had; what the demo prints is readable."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from syndicate.alerts import signing, webhook
from syndicate.demo.documents import Site
from syndicate.demo.newsroom import Event, read_outlets
from syndicate.demo.receiver import POSTPONED, Duplicate, NoItem, Postponed, Receiver, Refused, Verified
from syndicate.demo.telling import Figures, Scene, Teller, between_asterisks
from syndicate.model import Endpoint
from syndicate.rules.rule import Rule
from syndicate.rules.tree import Word
from tests.support import ROOT

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STARTED = datetime(2026, 3, 2, 9, tzinfo=UTC)
OUTLETS = read_outlets()


# -- receiver


def sent(
    identity: str, *, rule: str = "eu", story: int = 1, kind: str = "alert.match"
) -> tuple[dict[str, str], bytes]:
    """Return a message as the service signs it."""
    message = json.loads(webhook.render_sample(datetime.now(UTC)))
    message["type"] = kind
    message["data"]["rule"]["id"] = rule
    message["data"]["story"] = story
    return signed(identity, json.dumps(message).encode())


def signed(identity: str, body: bytes) -> tuple[dict[str, str], bytes]:
    now = datetime.now(UTC)  # signatures are good for five minutes only
    headers = signing.headers(
        Endpoint(id="desk", url="http://127.0.0.1/", secrets=(SECRET,)), identity, body, now
    )
    return headers, body


def receiver() -> Receiver:
    return Receiver(SECRET, lambda _: None)


def test_a_good_message_is_verified_and_understood():
    receipt = receiver().receive(*sent("msg_1"))
    assert isinstance(receipt, Verified)
    assert not receipt.is_retry
    alert = receipt.alert
    assert (alert.id, alert.rule, alert.outlet) == ("msg_1", "eu", "Sample source")
    assert alert.title
    assert all(0 <= start < end <= len(alert.passage) for start, end in alert.passage_marks)


def test_what_is_not_signed_with_the_secret_is_refused():
    headers, body = sent("msg_1")
    forged = [
        (headers, body.replace(b"Sample", b"Forged")),
        (headers | {"webhook-id": "msg_2"}, body),
        (headers | {"webhook-signature": "v1,bm9uZQ=="}, body),
        (headers | {"webhook-signature": "nonsense"}, body),
        (headers | {"webhook-signature": "v1,###"}, body),
        (headers | {"webhook-timestamp": "1"}, body),
        (headers, b"\xff\xfe"),
        ({}, b""),
    ]
    one = receiver()
    for number, message in enumerate(forged):
        assert isinstance(one.receive(*message), Refused), number
    assert isinstance(one.receive(headers, body), Verified)


def test_one_early_message_is_postponed_once_and_then_taken():
    one = receiver()
    messages = [sent(f"msg_{number}", story=number) for number in range(1, 6)]
    receipts = [one.receive(*message) for message in messages]
    assert [type(receipt) for receipt in receipts].count(Postponed) == 1
    assert isinstance(receipts[POSTPONED - 1], Postponed)
    again = one.receive(*messages[POSTPONED - 1])
    assert isinstance(again, Verified)
    assert again.is_retry
    assert isinstance(one.receive(*messages[POSTPONED - 1]), Duplicate)


def test_what_comes_twice_is_said_so():
    one = receiver()
    assert isinstance(one.receive(*sent("msg_1", story=1)), Verified)
    assert isinstance(one.receive(*sent("msg_1", story=1)), Duplicate)
    assert isinstance(one.receive(*sent("msg_2", story=2)), Postponed)
    other_id = one.receive(*sent("msg_3", story=1))
    assert isinstance(other_id, Duplicate)
    assert "another webhook-id" in other_id.reason
    assert isinstance(one.receive(*sent("msg_4", story=1, rule="other")), Verified)


def test_that_more_sources_carry_a_story_is_no_duplicate():
    one = receiver()
    assert isinstance(one.receive(*sent("msg_1")), Verified)
    assert isinstance(one.receive(*sent("msg_2", kind="alert.escalation", story=2)), Postponed)
    assert isinstance(one.receive(*sent("msg_3", kind="alert.escalation")), Verified)
    assert isinstance(one.receive(*sent("msg_4", kind="alert.escalation")), Duplicate)


EXAMPLES = [
    json.loads(block)
    for block in re.findall(
        r"^```json[^\n]*\n(.*?)^```", (ROOT / "docs/webhooks.md").read_text(), re.MULTILINE | re.DOTALL
    )
]


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: message["type"])
def test_whatever_is_documented_is_taken_and_told(message):
    one, out = receiver(), StringIO()
    receipt = one.receive(*signed("msg_1", json.dumps(message).encode()))
    Teller(Console(file=out, width=80), lambda: STARTED).received(receipt)
    if message["type"] == "alert.match":
        assert isinstance(receipt, Verified)
        assert message["data"]["item"]["link"] in out.getvalue()
    else:
        assert isinstance(receipt, NoItem)
        assert f"{message['type']}: " in out.getvalue()
        assert message["data"].get("text", "41 alerts") in out.getvalue()


def test_every_type_is_documented():
    types = {message["type"] for message in EXAMPLES}
    assert types == {"alert.match", "alert.source", "alert.endpoint", "alert.spike", "alert.summary"}


# -- what is printed


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([], "the EU strategy"),
        ([(4, 6)], "the *EU* strategy"),
        ([(4, 15), (0, 3)], "*the* *EU strategy*"),
        ([(4, 6), (4, 15)], "the *EU** strategy*"),
        ([(4, 15), (7, 10)], "the *EU strategy*"),
    ],
)
def test_terms_stand_between_asterisks(marks, expected):
    assert between_asterisks("the EU strategy", marks) == expected


def rule(identity: str, *, feed: bool) -> Rule:
    return Rule(
        id=identity,
        title=identity.title(),
        version="1",
        query=Word(identity),
        feed=feed,
        terms=(identity,),
    )


def test_markup_in_titles_is_printed_as_it_is():
    outlet = OUTLETS[0]
    article = replace(outlet.articles[0], title="[bold]Not[/bold] markup [/]")
    out = StringIO()
    teller = Teller(Console(file=out, width=60), lambda: STARTED)
    teller.happened(Event(at=STARTED, outlet=outlet, article=article, is_edit=False))
    assert "published: [bold]Not[/bold] markup [/]" in out.getvalue()


def test_the_first_lines_say_what_to_open_and_the_last_what_it_came_to():
    out = StringIO()
    teller = Teller(Console(file=out, width=80), lambda: STARTED)
    scene = Scene(
        base_url="http://127.0.0.1:9000",
        port_taken=8080,
        sites=[Site(outlet=outlet, url="http://127.0.0.1:9001/") for outlet in OUTLETS],
        rules=[rule("central-asia", feed=True), rule("sanctions", feed=False)],
        interval_seconds=5,
        seconds=None,
        folder="/tmp/somewhere",
        is_kept=False,
    )
    teller.scene(scene)
    one = receiver()
    for message in (sent("msg_1"), sent("msg_1"), ({}, b"")):
        teller.received(one.receive(*message))
    teller.summary(
        60,
        Figures(
            languages={"ru": 2, "en": 3},
            edited=1,
            matches_by_rule={"eu": 4},
            entries_by_feed={"eu": 4},
            waiting=1,
        ),
    )
    text = out.getvalue()
    for words in (
        "http://127.0.0.1:9000/feeds/central-asia.atom",
        "Port 8080 is taken",
        "baseline",
        "Ctrl-C",
        "signature verified",
        "DUPLICATE",
        "REFUSED",
    ):
        assert words in text
    assert "feeds/sanctions.atom" not in text
    summary = text.partition("is over after 60 s")[2]
    assert summary.split()[1:7] == ["items", "5", "3", "en,", "2", "ru;"]
    for line in ("verified         1", "duplicates       1", "refused          1", "waiting          1"):
        assert line in summary
