"""Mail: headers that nothing can break, threads, and texts in any script."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.alerts.channels.email import body, encoded
from syndicate.alerts.channels.message import Marked, Message
from syndicate.alerts.channels.text import line
from syndicate.model.channels import Email
from tests.channel_cases import MESSAGES, RAILWAYS, STRATEGY

EMAIL = Email(sender="news@desk.example", recipients=("editor@desk.example",))
MATCH = MESSAGES["match"]


def read(message: Message, settings: Email = EMAIL) -> EmailMessage:
    found = message_from_bytes(body(settings, message), policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def header(message: Message, name: str) -> str:
    return str(read(message)[name])


@settings(deadline=None)
@given(title=st.text(max_size=120))
def test_any_title_is_the_subject(title):
    alert = replace(RAILWAYS, title=Marked(text=title), rule="")
    found = header(replace(MATCH, alerts=(alert,)), "Subject")
    assert "".join(found.split()) == "".join((line(title) or "Untitled").split())
    if not line(title).isascii():
        assert found == line(title)


@settings(deadline=None)
@given(text=st.text(max_size=300))
def test_encoded_words_are_short_and_whole(text):
    for each in encoded(text).split("\r\n "):
        assert each.isascii()
        assert not each.startswith("=?") or len(each) <= 75
        assert each.isprintable()


@settings(deadline=None)
@given(name=st.text(max_size=50))
def test_any_name_is_the_senders(name):
    found = read(MATCH, replace(EMAIL, name=name))["From"]
    (address,) = found.addresses
    assert address.addr_spec == "news@desk.example"
    assert "".join(address.display_name.split()) == "".join(line(name).split())


@pytest.mark.parametrize(
    "bad", ["a@b\r\nBcc: c@d", "a@b, c@d", "A <a@b>", "a", "a@b@c", "", "a b@c", "a@b\x00", "(x)a@b"]
)
def test_what_is_no_address_is_refused(bad):
    with pytest.raises(ValueError, match="not a mail address"):
        body(replace(EMAIL, recipients=("editor@desk.example", bad)), MATCH)
    with pytest.raises(ValueError, match="not a mail address"):
        body(replace(EMAIL, sender=bad), MATCH)


def test_a_try_has_the_id_of_its_delivery():
    assert header(MATCH, "Message-ID") == "<msg_0a1B2c3D@desk.example>"
    assert body(EMAIL, MATCH) == body(EMAIL, MATCH)


def test_the_mails_of_a_story_are_a_thread():
    other = replace(MATCH, id="msg_9", alerts=(replace(RAILWAYS, rule="Other", rule_id="other"),))
    for name in ("In-Reply-To", "References"):
        assert header(MATCH, name) == header(other, name) == "<story-5@desk.example>"
        assert header(replace(MATCH, alerts=(STRATEGY,)), name) == "<story-6@desk.example>"
        assert header(replace(MATCH, alerts=(RAILWAYS, RAILWAYS)), name) == "<story-5@desk.example>"


@pytest.mark.parametrize("case", ["source", "summary"])
def test_what_is_of_no_one_story_is_no_thread(case):
    found = read(MESSAGES[case])
    assert found["References"] is None
    assert found["In-Reply-To"] is None


def test_a_list_is_a_rule_and_has_an_id_that_can_be_filtered_by():
    assert header(MATCH, "List-Id") == "<central-asia.syndicate.desk.example>"
    assert header(MESSAGES["summary"], "List-Id") == "<syndicate.desk.example>"
    assert header(MESSAGES["source"], "List-Id") == "<syndicate.desk.example>"


def test_nobody_is_to_answer_by_machine():
    assert header(MATCH, "Auto-Submitted") == "auto-generated"


def test_the_date_is_that_of_the_delivery():
    assert header(MATCH, "Date") == "Tue, 24 Nov 2026 07:30:00 +0100"
