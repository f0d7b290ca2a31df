"""What the feed of health says, in words, and in valid documents."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from syndicate.feeds.health import documents, health_entries
from syndicate.feeds.page import FeedPages
from syndicate.feeds.site import Site
from syndicate.model import DeliveryState, DeliveryStatus
from syndicate.model.health import DeadLetter, HealthNotice, HealthReport
from tests import atom_check, jsonfeed_check, rss_check
from tests.published import HOUR, NOON, awkward

PAGES = FeedPages()
SITE = Site(title="News desk", base_url="https://news.example")
NOTICE = HealthNotice(
    id=1,
    noticed_at=NOON,
    source="steppe",
    endpoint=None,
    text="it has published nothing for 3 days",
    is_over=False,
)
DELIVERY = DeliveryStatus(
    id="msg_1",
    endpoint="desk",
    alerts=(("eu", 1), ("eu", 2), ("water", 2)),
    sources=(),
    endpoints=(),
    spikes=(),
    state=DeliveryState.DEAD,
    attempts=10,
    created_at=NOON,
    next_attempt_at=None,
    last_status=500,
    last_error="the receiver answered 500",
)
LETTER = DeadLetter(delivery=DELIVERY, died_at=NOON + HOUR)
REPORT = HealthReport(
    token="t" * 32,
    feed_id="urn:uuid:7a7c0a86-95f4-4a27-8d4c-0e3e4ad7a9a1",
    created_at=NOON,
    changes=1,
    notices=(NOTICE,),
    dead=(LETTER,),
)
TITLES = {"steppe": "Steppe Wire"}


def entries(report=REPORT):
    return health_entries(report, "News desk", TITLES)


def test_entries_say_who_what_and_what_to_do_the_newest_first():
    dead, silent = entries()
    assert silent.title == "Steppe Wire: it has published nothing for 3 days"
    assert "<code>./run sources show steppe</code>" in silent.content_html
    assert dead.title == "Endpoint desk: a delivery was given up"
    assert dead.summary == (
        "Delivery msg_1 was tried 10 times, and is tried no more. It was about rule eu, rule water. "
        "The last time: the receiver answered 500"
    )
    assert "<code>./run deliveries replay msg_1</code>" in dead.content_html
    assert (dead.updated, silent.updated) == (NOON + HOUR, NOON)


def test_endpoints_and_sources_that_are_gone_go_by_their_ids():
    of_endpoint = replace(NOTICE, source=None, endpoint="desk", text="it takes what it is sent again")
    (entry,) = entries(replace(REPORT, notices=(of_endpoint,), dead=()))
    assert entry.title == "Endpoint desk: it takes what it is sent again"
    (entry,) = entries(replace(REPORT, notices=(replace(NOTICE, source="gone"),), dead=()))
    assert entry.title.startswith("gone: ")


def test_ids_stay_and_a_letter_that_dies_again_is_another_entry():
    assert [each.id for each in entries()] == [each.id for each in entries()]
    again = replace(REPORT, dead=(replace(LETTER, died_at=NOON + 2 * HOUR),))
    assert entries(again)[0].id != entries()[0].id
    assert entries(again)[1].id == entries()[1].id


def test_a_letter_about_many_names_some():
    about = replace(
        DELIVERY, alerts=(), sources=("a", "b"), endpoints=("c",), spikes=("d", "e", "f"), attempts=1
    )
    (entry,) = entries(replace(REPORT, notices=(), dead=(replace(LETTER, delivery=about),)))
    assert "was tried once" in entry.summary
    assert "source a, source b, endpoint c, a spike of rule d, a spike of rule e and 1 more." in entry.summary


@given(text=awkward, error=st.none() | awkward, title=awkward, count=st.integers(0, 1))
def test_documents_are_valid_whatever_servers_say_and_lie_below_the_token(text, error, title, count):
    report = replace(
        REPORT,
        notices=(replace(NOTICE, text=text),) * count,
        dead=(replace(LETTER, delivery=replace(DELIVERY, last_error=error)),) * count,
    )
    files = dict(documents(report, SITE, PAGES, {"steppe": title}))
    name = f"{'t' * 32}/health"
    assert list(files) == [f"{name}{extension}" for extension in (".atom", ".json", ".rss", ".html")]
    assert atom_check.problems(files[f"{name}.atom"]) == []
    assert jsonfeed_check.problems(files[f"{name}.json"]) == []
    assert rss_check.problems(files[f"{name}.rss"]) == []
    found = json.loads(files[f"{name}.json"])
    assert found["feed_url"] == f"https://news.example/feeds/{name}.json"
    assert found.get("hubs", []) == []
