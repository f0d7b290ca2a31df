"""What follows from a poll."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.model import (
    AlertDraft,
    Document,
    Entry,
    Habit,
    Hints,
    KnownItem,
    Learned,
    Part,
    PollState,
    Source,
    Spent,
    Suppressed,
    TroubleKind,
    Trust,
    Validators,
)
from syndicate.rules.archive import GAP, WORDS_VERSION
from syndicate.rules.grammar import parse
from syndicate.rules.index import RuleIndex
from syndicate.rules.rule import Rule, Scope
from syndicate.rules.tree import Word
from syndicate.sources.changes import Reading, suppression
from syndicate.sources.decide import (
    HOST_BACKOFF,
    Moment,
    decide_failure,
    decide_reading,
    decide_unchanged,
)
from syndicate.sources.fetch import Answer, Failed, Fetched, Gone, NotModified
from syndicate.sources.learn import Filled
from tests.claims import FIRST_CLAIM

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MOMENT = Moment(now=NOW, duration=timedelta(seconds=1), jitter=0)
URL, FALLBACK, TARGET = "https://a.example/rss", "https://b.example/rss", "https://moved.example/rss"
WIRE = Source(id="wire", title="Wire", urls=(URL, FALLBACK), interval=HOUR)
CLAIM = replace(
    FIRST_CLAIM,
    source=WIRE,
    validators=Validators(etag=b'"before"'),
    body_hash="before",
    last_success_at=NOW - HOUR,
    last_success_url=URL,
    has_baseline=True,
    due_at=NOW - MINUTE,
)
FIRST = replace(CLAIM, last_success_at=None, last_success_url=None, has_baseline=False)
AWAY = replace(CLAIM, last_success_url=FALLBACK, read_at=NOW - 3 * HOUR)
ANSWER = Answer(
    status=200,
    validators=Validators(etag=b'"now"'),
    asked=None,
    moved_to=None,
    length_bytes=1000,
    spent=Spent(requests=2, received_bytes=400),
)
ENTRY = Entry(guid="g", link="https://news.example/a", title="EU news", body="Text")
INDEX = RuleIndex(
    [
        Rule(
            id="eu",
            title="EU",
            version="1",
            query=Word("EU"),
            notify=("desk", "chat"),
        )
    ]
)


def reading(*entries, answer=ANSWER, **document):
    fetched = Fetched(answer=answer, url=URL, headers={}, body=b"", body_hash="now")
    return Reading.of(fetched, Document(format="rss20", entries=entries, **document))


def read(*entries, claim=CLAIM, known=None, **more):
    return decide_reading(claim, reading(*entries, **more), known or {}, INDEX, MOMENT)


def unchanged(claim=CLAIM, **answer):
    return decide_unchanged(claim, NotModified(answer=replace(ANSWER, status=304, **answer)), MOMENT)


def known(entry, *keys, item=7, content_hash=None):
    (identified,) = reading(entry).entries
    one = KnownItem(id=item, content_hash=content_hash or identified.content_hash, revision=1)
    return dict.fromkeys(keys or identified.keys, one)


# -- documents


def test_a_new_entry_is_a_change_with_all_that_follows():
    poll = read(ENTRY, title="Steppe Wire", link="https://wire.example/", problems=("cut",))
    (change,) = poll.changes
    assert (change.item, change.entry) == (None, ENTRY)
    assert change.keys == ("guid:g", "link:news.example/a")
    assert change.story_keys == ("link:news.example/a",)
    assert change.words["words"].split() == ["eu", "news", GAP, "text", GAP, GAP]
    assert change.words["stems"].split() == ["eu", "news", GAP, "text", GAP, GAP]
    assert change.words_version == WORDS_VERSION
    assert [match.rule for match in change.matches] == ["eu"]
    assert change.alerts == (AlertDraft(rule="eu", endpoint="desk"), AlertDraft(rule="eu", endpoint="chat"))
    assert (poll.state, poll.status) == (PollState.OK, 200)
    assert (poll.document_title, poll.document_link) == ("Steppe Wire", "https://wire.example/")
    assert (poll.problems, poll.body_hash, poll.validators) == (("cut",), "now", Validators(etag=b'"now"'))
    assert (poll.length_bytes, poll.ended_at, poll.spent) == (1000, NOW, ANSWER.spent)


def test_a_known_entry_is_no_change():
    poll = read(ENTRY, known=known(ENTRY))
    assert (poll.changes, poll.new_keys) == ((), ())


def test_a_known_entry_teaches_new_keys():
    poll = read(ENTRY, known=known(ENTRY, "guid:g"))
    assert (poll.changes, poll.new_keys) == ((), (("link:news.example/a", 7),))


def test_an_edited_entry_is_a_change_of_its_item():
    (change,) = read(ENTRY, known=known(ENTRY, content_hash="before")).changes
    assert change.item == 7
    assert change.alerts


def test_an_entry_that_matches_nothing_alerts_nobody():
    (change,) = read(replace(ENTRY, title="Other")).changes
    assert (change.matches, change.alerts) == ((), ())


def test_items_are_numbered_from_the_oldest_on():
    older = replace(ENTRY, guid="h", link="https://news.example/b", title="Older")
    assert [change.entry for change in read(ENTRY, older).changes] == [older, ENTRY]


def test_a_link_that_all_entries_share_makes_no_story():
    other = replace(ENTRY, guid="h", title="EU again")
    assert [change.story_keys for change in read(ENTRY, other).changes] == [(), ()]


def story_keys(entry, *others):
    """Return the keys of the story of an entry in a document with others."""
    changes = read(entry, *others).changes
    return next(change.story_keys for change in changes if change.entry == entry)


def test_an_article_is_found_by_what_it_names_as_its_address_before_its_link():
    entry = replace(ENTRY, link="https://m.news.example/a/amp", canonical="https://agency.example/1")
    keys = ("link:agency.example/1", "link:news.example/a", "link:m.news.example/a/amp")
    assert story_keys(entry) == keys


def test_an_address_that_several_entries_name_as_theirs_makes_no_story():
    entry = replace(ENTRY, canonical="https://agency.example/list")
    other = replace(entry, guid="h", link="https://news.example/b", title="EU again")
    assert story_keys(entry, other) == ("link:news.example/a",)


def test_the_text_counts_only_where_a_rule_holds():
    body = "A sentence of some words about how things are and will be. " * 5
    (held,) = read(replace(ENTRY, body=body)).changes
    (other,) = read(replace(ENTRY, body=body, title="Other")).changes
    assert held.fingerprint is not None
    assert held.story_keys[-1].startswith("text:")
    assert (other.fingerprint, other.story_keys) == (None, ("link:news.example/a",))


@pytest.mark.parametrize(
    ("claim", "published", "is_compared"),
    [
        (FIRST, NOW - 4 * DAY, False),  # with what was news four days ago, nothing is compared
        (FIRST, NOW - 2 * DAY, True),
        (FIRST, None, True),
        (replace(FIRST, source=replace(WIRE, baseline=False)), NOW - 4 * DAY, True),
        (CLAIM, NOW - 4 * DAY, True),
    ],
)
def test_the_old_texts_of_a_first_document_are_not_compared(claim, published, is_compared):
    body = "A sentence of some words about how things are and will be. " * 5
    (change,) = read(replace(ENTRY, body=body, published=published), claim=claim).changes
    assert (change.fingerprint is not None) is is_compared
    assert change.story_keys[-1].startswith("text:")


def test_alerts_say_when_their_rule_wants_to_be_told_again():
    index = RuleIndex([replace(INDEX.rules["eu"], escalate=3)])
    poll = decide_reading(CLAIM, reading(ENTRY), {}, index, MOMENT)
    assert {draft.escalate for draft in poll.changes[0].alerts} == {3}


def test_an_empty_document_is_valid():
    poll = read()
    assert (poll.state, poll.changes) == (PollState.OK, ())


@pytest.mark.parametrize(
    ("source", "entry", "document", "expected"),
    [("kk", "en", "ru", "kk"), (None, "en", "ru", "en"), (None, None, "en", "en"), (None, None, None, None)],
)
def test_the_language_is_the_sources_else_the_entrys_else_the_documents(source, entry, document, expected):
    claim = replace(CLAIM, source=replace(WIRE, language=source))
    (change,) = read(replace(ENTRY, language=entry), claim=claim, language=document).changes
    assert change.language == expected


@pytest.mark.parametrize(
    "query",
    [
        "title:eu",
        "body:text",
        'author:"j. writer"',
        "category:(politics trade)",
        "link:news.example",
        "source:wire",
        "source:tag:official",
        "lang:kk",
        "саммиттер",  # by its stem in the language of the item
    ],
)
def test_rules_see_all_of_an_entry_and_whose_it_is(query):
    entry = replace(ENTRY, author="J. Writer", categories=("Politics", "Trade"), body="Text саммиті")
    claim = replace(CLAIM, source=replace(WIRE, tags=("official",), language="kk"))
    index = RuleIndex([Rule(id="r", title="", version="1", query=parse(query))])
    (change,) = decide_reading(claim, reading(entry), {}, index, MOMENT).changes
    assert [match.rule for match in change.matches] == ["r"]


@pytest.mark.parametrize(
    ("published", "is_held"), [(None, True), (NOW, True), (NOW - HOUR, True), (NOW - HOUR - MINUTE, False)]
)
def test_the_age_of_an_entry_is_told_from_the_moment_of_the_poll(published, is_held):
    rule = Rule(id="r", title="", version="1", query=Word("EU"), scope=Scope(since=HOUR))
    entry = replace(ENTRY, published=published)
    (change,) = decide_reading(CLAIM, reading(entry), {}, RuleIndex([rule]), MOMENT).changes
    assert bool(change.matches) is is_held


def test_words_are_kept_in_the_language_of_the_item():
    claim = replace(CLAIM, source=replace(WIRE, language="ru"))
    (change,) = read(replace(ENTRY, title="Новые санкции"), claim=claim).changes
    assert (change.words["words"][:13], change.words["stems"][:10]) == ("новые санкции", "нов санкц ")


# -- when to ask again

DAILY = Habit(since=NOW - 30 * DAY, depth=20, arrivals=tuple(NOW - day * DAY for day in range(20)))
QUICK = replace(DAILY, arrivals=tuple(NOW - number * 10 * MINUTE for number in range(20)))


def knowing(**fields):
    return replace(CLAIM, learned=Learned(**fields))


@pytest.mark.parametrize(
    ("claim", "answer", "wait", "why"),
    [
        (CLAIM, {}, HOUR, "not read yet"),
        (knowing(habit=DAILY), {}, HOUR, "at least every 60 min"),
        (knowing(habit=QUICK), {}, 10 * MINUTE, "it publishes about every 10 min"),
        (knowing(habit=QUICK), {"asked": 2 * HOUR}, 2 * HOUR, "its server asks for 2 h"),
        (knowing(habit=QUICK), {"asked": MINUTE}, 10 * MINUTE, "it publishes about every 10 min"),
        (
            knowing(habit=QUICK, hints=Hints(ttl_seconds=1800)),
            {},
            30 * MINUTE,
            "its document asks for 30 min (ttl)",
        ),
        (
            knowing(habit=QUICK, hints=Hints(skip_hours=(2,))),
            {},
            HOUR,
            "its document asks to skip the hours before that",
        ),
    ],
)
def test_an_unchanged_document_is_asked_for_as_its_habit_and_others_wish(claim, answer, wait, why):
    poll = unchanged(claim, **answer)
    assert (poll.next_poll_at - NOW, poll.next_poll_why) == (wait, why)
    assert poll.learned is None


def test_a_document_is_asked_for_as_it_asks_itself():
    poll = read(ENTRY, claim=knowing(habit=DAILY), hints=Hints(ttl_seconds=7200))
    assert poll.next_poll_at == NOW + 2 * HOUR
    assert poll.learned is not None
    assert poll.learned.habit.depth == 1


def test_the_wait_after_a_failure_begins_with_the_habit():
    failed = Failed(status=500, error="x")
    poll = decide_failure(replace(knowing(habit=QUICK), failures=1), failed, MOMENT)
    assert (poll.next_poll_at, poll.next_poll_why) == (NOW + 20 * MINUTE, "it has failed 2 times in a row")


# -- what a poll shows of its source


def test_a_gap_and_what_is_listed_are_noted():
    poll = read(ENTRY, claim=knowing(habit=QUICK, listed=(3, 2)))
    assert poll.gap is not None
    assert poll.gap.begins == CLAIM.last_success_at
    assert (poll.listed, read().listed) == (("guid:g",), None)
    assert read(ENTRY, known=known(ENTRY), claim=knowing(habit=QUICK, listed=(7,))).listed == (7,)


def test_what_archives_had_is_read_with_the_document_and_counts_neither_as_deep_nor_as_listed():
    claim = knowing(habit=QUICK, listed=(3, 2))
    missed = replace(ENTRY, guid="missed", link="https://news.example/missed", title="EU missed")
    whole = reading(ENTRY, missed)
    filled = Filled(items=1, is_closed=True, spent=Spent(requests=1, received_bytes=7))
    document = replace(whole.document, entries=(ENTRY,))
    poll = decide_reading(claim, replace(whole, document=document, filled=filled), {}, INDEX, MOMENT)
    assert [change.entry for change in poll.changes] == [missed, ENTRY]
    assert poll.gap is not None
    assert (poll.gap.filled, poll.gap.is_closed) == (1, True)
    assert poll.spent == Spent(requests=3, received_bytes=407)
    assert poll.learned is not None
    assert (poll.learned.habit.depth, poll.listed) == (1, ("guid:g",))


def test_what_is_the_matter_is_noted_and_to_be_told():
    silent = replace(DAILY, arrivals=tuple(moment - 5 * DAY for moment in DAILY.arrivals))
    poll = unchanged(knowing(habit=silent))
    assert [(notice.kind, notice.is_over) for notice in poll.notices] == [(TroubleKind.SILENT, False)]
    assert poll.learned is not None
    assert [trouble.is_told for trouble in poll.learned.troubles] == [True]
    gone = decide_failure(replace(CLAIM, is_only_address=True), Gone(), MOMENT)
    assert [notice.kind for notice in gone.notices] == [TroubleKind.GONE]


def test_a_304_begins_a_row_of_them():
    assert unchanged().trust == Trust(unchanged_since=NOW)


def test_an_address_is_remembered_as_it_was_read():
    parts = (Part(url="https://a.example/1.xml", modified="2026", body_hash="x"),)
    poll = read(ENTRY, parts=parts)
    assert (poll.format, poll.parts) == ("rss20", parts)
    claim = replace(CLAIM, format="sitemap", parts=parts)
    for later in (unchanged(claim), decide_failure(claim, Failed(status=500, error="x"), MOMENT)):
        assert (later.format, later.parts) == ("sitemap", parts)
    newer = (replace(parts[0], modified="2027"),)
    outcome = NotModified(answer=replace(ANSWER, status=304), parts=newer)
    assert decide_unchanged(claim, outcome, MOMENT).parts == newer


# -- what only names an article


LISTED = Entry(guid=None, link="https://news.example/a", title="EU (live)", body="", is_listed=True)


def test_a_sitemap_or_a_page_takes_nothing_away_from_what_a_feed_has_said():
    poll = read(LISTED, known=known(ENTRY, "guid:g", "link:news.example/a"))
    assert (poll.changes, poll.new_keys) == ((), ())


def test_a_feed_completes_what_a_sitemap_or_a_page_has_named():
    poll = read(ENTRY, known=known(LISTED))
    (change,) = poll.changes
    assert (change.item, change.entry) == (7, ENTRY)
    assert change.keys == ("guid:g", "link:news.example/a")


def test_a_sitemap_or_a_page_edits_what_it_has_named_itself():
    (change,) = read(replace(LISTED, title="EU"), known=known(LISTED)).changes
    assert change.item == 7


# -- what raises no alert


@pytest.mark.parametrize(
    ("claim", "entry", "expected"),
    [
        (CLAIM, ENTRY, None),
        (FIRST, ENTRY, Suppressed.BASELINE),
        (replace(FIRST, source=replace(WIRE, baseline=False)), ENTRY, None),
        (replace(CLAIM, url=FALLBACK), ENTRY, Suppressed.FALLBACK),
        (replace(CLAIM, url=FALLBACK), replace(ENTRY, published=NOW - 2 * HOUR), Suppressed.FALLBACK),
        (replace(CLAIM, url=FALLBACK), replace(ENTRY, published=NOW - HOUR), Suppressed.FALLBACK),
        (replace(CLAIM, url=FALLBACK), replace(ENTRY, published=NOW - MINUTE), None),
        (replace(CLAIM, url=FALLBACK), replace(ENTRY, updated=NOW - MINUTE), None),
        (replace(CLAIM, url=FALLBACK, last_success_url=FALLBACK), ENTRY, None),
        (replace(CLAIM, last_success_url=FALLBACK), ENTRY, Suppressed.FALLBACK),
        (replace(CLAIM, address=TARGET), ENTRY, None),
        # the first address takes back: what was published since its own last success was missed meanwhile
        (AWAY, ENTRY, Suppressed.FALLBACK),
        (AWAY, replace(ENTRY, published=NOW - 3 * HOUR), Suppressed.FALLBACK),
        (AWAY, replace(ENTRY, published=NOW - 2 * HOUR), None),
        (
            replace(AWAY, url=FALLBACK, last_success_url=URL),
            replace(ENTRY, published=NOW - 2 * HOUR),
            Suppressed.FALLBACK,
        ),
        # an address is read in another way than before
        (replace(CLAIM, last_success_url=None), ENTRY, Suppressed.FALLBACK),
    ],
)
def test_a_baseline_and_what_is_older_than_a_switch_raise_no_alert(claim, entry, expected):
    assert suppression(claim, entry, NOW) is expected


def test_a_suppressed_match_is_kept_with_its_reason():
    (change,) = read(ENTRY, claim=FIRST).changes
    assert change.matches
    assert {draft.suppressed for draft in change.alerts} == {Suppressed.BASELINE}


# -- nothing new


def test_an_unchanged_address_keeps_its_hash_and_takes_new_validators():
    poll = unchanged()
    assert (poll.state, poll.status, poll.body_hash) == (PollState.UNCHANGED, 304, "before")
    assert poll.validators == Validators(etag=b'"now"')
    assert poll.next_poll_at == NOW + HOUR
    assert poll.changes == ()


def test_a_server_may_ask_for_more_time_after_an_answer():
    assert unchanged(asked=3 * HOUR).next_poll_at == NOW + 3 * HOUR
    assert read(answer=replace(ANSWER, asked=3 * HOUR)).next_poll_at == NOW + 3 * HOUR
    assert unchanged(asked=MINUTE).next_poll_at == NOW + HOUR


# -- redirects


def test_a_permanent_redirect_is_adopted_after_three_identical_answers():
    claim, seen = CLAIM, []
    for _ in range(3):
        poll = unchanged(claim, moved_to=TARGET)
        seen.append((poll.moved_to, poll.moved_count, poll.adopted))
        claim = replace(claim, moved_to=poll.moved_to, moved_count=poll.moved_count)
    assert seen == [(TARGET, 1, None), (TARGET, 2, None), (None, 0, TARGET)]


def test_another_target_counts_from_the_start():
    claim = replace(CLAIM, moved_to="https://elsewhere.example/", moved_count=2)
    poll = unchanged(claim, moved_to=TARGET)
    assert (poll.moved_to, poll.moved_count, poll.adopted) == (TARGET, 1, None)


def test_an_answer_without_a_redirect_ends_the_count():
    poll = read(claim=replace(CLAIM, moved_to=TARGET, moved_count=2))
    assert (poll.moved_to, poll.moved_count, poll.adopted) == (None, 0, None)


def test_an_adopted_redirect_holds():
    assert unchanged(replace(CLAIM, address=TARGET)).adopted == TARGET


def test_an_adopted_redirect_that_moves_on_is_followed_after_three_answers():
    claim = replace(CLAIM, address=TARGET, moved_to="https://new.example/", moved_count=2)
    assert unchanged(claim, moved_to="https://new.example/").adopted == "https://new.example/"


@pytest.mark.parametrize("outcome", [Failed(status=500, error="x"), Gone()])
def test_an_adopted_redirect_that_fails_is_dropped(outcome):
    poll = decide_failure(replace(CLAIM, address=TARGET), outcome, MOMENT)
    assert (poll.adopted, poll.state) == (None, PollState.FAILED)


# -- failures


def test_a_failure_keeps_what_was_known():
    poll = decide_failure(CLAIM, Failed(status=500, error="the server answered 500"), MOMENT)
    assert (poll.state, poll.status, poll.error) == (PollState.FAILED, 500, "the server answered 500")
    assert (poll.validators, poll.body_hash) == (CLAIM.validators, "before")
    assert poll.host_backoff_until is None


@pytest.mark.parametrize(("failures", "hours"), [(0, 1), (1, 2), (2, 4), (3, 8), (10, 24)])
def test_failures_in_a_row_back_off(failures, hours):
    poll = decide_failure(replace(CLAIM, failures=failures), Failed(status=500, error="x"), MOMENT)
    assert poll.next_poll_at == NOW + hours * HOUR


@pytest.mark.parametrize(("failures", "minutes"), [(0, 5), (1, 10), (4, 80), (10, 24 * 60)])
def test_where_there_was_no_answer_the_next_try_is_soon(failures, minutes):
    poll = decide_failure(replace(CLAIM, failures=failures), Failed(status=None, error="x"), MOMENT)
    assert poll.next_poll_at == NOW + minutes * HOUR / 60


@pytest.mark.parametrize("outcome", [Failed(status=None, error="x"), Gone()])
def test_another_address_is_due_at_once(outcome):
    poll = decide_failure(replace(CLAIM, is_last_address=False), outcome, MOMENT)
    assert poll.try_next_address
    assert poll.next_poll_at == CLAIM.due_at


@pytest.mark.parametrize(("asked", "wait"), [(None, HOST_BACKOFF), (10 * MINUTE, 10 * MINUTE)])
def test_a_host_that_asks_for_less_is_left_alone(asked, wait):
    failed = Failed(status=429, error="x", asked=asked, backs_off_host=True)
    poll = decide_failure(CLAIM, failed, MOMENT)
    assert poll.host_backoff_until == NOW + wait


def test_a_server_may_ask_for_more_time_after_a_failure():
    poll = decide_failure(CLAIM, Failed(status=503, error="x", asked=5 * HOUR), MOMENT)
    assert poll.next_poll_at == poll.held_until == NOW + 5 * HOUR
    assert decide_failure(CLAIM, Failed(status=503, error="x"), MOMENT).held_until is None


def test_gone_is_gone():
    poll = decide_failure(CLAIM, Gone(), MOMENT)
    assert (poll.state, poll.status, poll.try_next_address) == (PollState.GONE, 410, False)
    assert poll.error == "the server answered 410 (gone)"


# -- never silence


REPLIES = st.one_of(
    st.builds(
        Failed,
        status=st.none() | st.integers(200, 599),
        error=st.just("x"),
        asked=st.none() | st.timedeltas(timedelta(), DAY),
        backs_off_host=st.booleans(),
    ),
    st.just(Gone()),
    st.builds(
        lambda asked, target: NotModified(answer=replace(ANSWER, status=304, asked=asked, moved_to=target)),
        st.none() | st.timedeltas(timedelta(), DAY),
        st.none() | st.just(TARGET),
    ),
    st.builds(
        lambda numbers, hints: reading(
            *(replace(ENTRY, guid=f"g{n}", link=None, published=NOW - n * MINUTE) for n in numbers),
            hints=hints,
        ),
        st.lists(st.integers(0, 5000), max_size=5, unique=True),
        st.builds(
            Hints,
            ttl_seconds=st.none() | st.integers(1, 10**9),
            update_seconds=st.none() | st.integers(1, 10**9),
            skip_hours=st.sets(st.integers(0, 23)).map(tuple),
            skip_days=st.sets(st.integers(0, 6)).map(tuple),
        ),
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(REPLIES, st.floats(0, 1), st.timedeltas(timedelta(), 3 * DAY)), min_size=1, max_size=12
    ),
    st.sampled_from([timedelta(seconds=1), HOUR, DAY, 30 * DAY]),
    st.booleans(),
)
def test_whatever_happens_there_is_a_next_poll_neither_early_nor_far_off(replies, interval, is_adaptive):
    source = replace(WIRE, urls=(URL,), interval=interval, adaptive=is_adaptive)
    claim, now = replace(FIRST, source=source, validators=Validators()), NOW
    for reply, jitter, late in replies:
        poll = decided(claim, reply, Moment(now=now, duration=timedelta(), jitter=jitter))
        wait = poll.next_poll_at - now
        asked = reply.asked if isinstance(reply, Failed) else getattr(reply, "answer", ANSWER).asked
        floor = MINUTE if isinstance(reply, Failed) and reply.status is None else 5 * MINUTE
        assert wait >= min(interval, floor)
        assert wait >= (asked or timedelta())
        assert wait <= max(interval, DAY) * 1.05 + 3 * MINUTE
        assert poll.next_poll_why
        assert (poll.state is PollState.GONE) == (isinstance(reply, Gone) and claim.address == URL)
        claim = after(claim, poll)
        now = poll.next_poll_at + late


def decided(claim, reply, moment):
    match reply:
        case Reading():
            return decide_reading(claim, reply, {}, INDEX, moment)
        case NotModified():
            return decide_unchanged(claim, reply, moment)
        case _:
            return decide_failure(claim, reply, moment)


def after(claim, poll):
    """Return the claim that follows on a poll, as the store makes it."""
    has_succeeded = poll.state in (PollState.OK, PollState.UNCHANGED)
    return replace(
        claim,
        address=poll.adopted or claim.url,
        moved_to=poll.moved_to,
        moved_count=poll.moved_count,
        failures=0 if has_succeeded else claim.failures + 1,
        last_success_at=poll.ended_at if has_succeeded else claim.last_success_at,
        last_success_url=claim.url if has_succeeded else claim.last_success_url,
        has_baseline=claim.has_baseline or has_succeeded,
        learned=poll.learned or claim.learned,
        trust=poll.trust,
        due_at=poll.next_poll_at,
        format=poll.format,
    )
