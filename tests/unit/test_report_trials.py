"""What the commands say that try rules."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from syndicate.backfill import Known
from syndicate.lookback import Difference, Findings, Removal
from syndicate.model import (
    AlertStatus,
    DeliveryState,
    Hit,
    Item,
    Joined,
    JoinedBy,
    Match,
    Recorded,
    Score,
    Snippet,
    StoredMatch,
    StoryStatus,
    Suppressed,
)
from syndicate.report_explain import explanation_json, explanation_lines
from syndicate.report_trials import (
    arithmetic,
    backfill_line,
    difference_json,
    difference_lines,
    findings_json,
    findings_lines,
)
from syndicate.report_words import Line, bracketed
from syndicate.rules.grammar import parse
from syndicate.rules.rule import Rule
from syndicate.trial import OUT_OF_SCOPE, Explanation, Finding, Quote, Trial, WhyNot

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ITEM = Item(
    id=7,
    source="wire",
    entry_id="urn:x:7",
    revision=2,
    story=70,
    guid=None,
    link="https://wire.example/7",
    title="Water in the west",
    body="There is water.",
    summary="",
    content_html="",
    author="",
    categories=(),
    language="en",
    published=NOON,
    updated=None,
    first_seen=NOON,
    changed_at=NOON,
    noticed_at=NOON,
)
FINDING = Finding(
    language=None,
    id=7,
    source="wire",
    title="Water in the west",
    link="https://wire.example/7",
    published=None,
    order=NOON,
    quotes=(
        Quote(hit=Hit(term="water", field="title", start=0, end=5), text="Water"),
        Quote(hit=Hit(term="water", field="body", start=9, end=14), text="water"),
    ),
    snippet=Snippet(text="There is water.", field="body", marks=((9, 14),)),
    score=None,
)
NOTHING = Findings(total=0, items=(), per_source={}, per_day={})
FOUND = Findings(
    total=3,
    items=(FINDING,),
    per_source={"wire": 2, "post": 1},
    per_day={date(2026, 11, 24): 2, date(2026, 11, 23): 1},
)


def rule(**fields):
    return Rule(**{"id": "water", "title": "Water", "version": "v2", "query": parse("water"), **fields})


def explained(**fields):
    tried = fields.pop("rule", rule())
    trial = Trial(rule=tried, known=Known(rules={}, tags={}), query=fields.pop("query", None))
    none = {"finding": None, "why_not": None, "stored": None, "alerts": (), "story": None}
    return Explanation(**{"item": ITEM, "trial": trial, **none, **fields})


def stored(**fields):
    match = Match(rule="water", rule_version=fields.pop("version", "v2"), hits=(), snippet=FINDING.snippet)
    return StoredMatch(**{"item": ITEM, "match": match, "revision": 2, "matched_at": NOON, **fields})


def alert(**fields):
    return AlertStatus(
        **{
            "kind": "match",
            "story": 70,
            "item": 7,
            "endpoint": "desk",
            "state": "alerted",
            "reason": None,
            "created_at": NOON,
            "delivery": "msg_x",
            "delivery_state": DeliveryState.WAITING,
            **fields,
        }
    )


def said(lines):
    return "\n".join(" " * line.indent + bracketed(line) for line in lines)


def test_marks_are_in_brackets():
    assert bracketed(Line("EU and Asia", ((0, 2), (7, 11)))) == "[EU] and [Asia]"


def test_findings_are_told_with_what_was_found_and_all_of_them_counted():
    text = said(findings_lines(FOUND, "30d"))
    assert "    [Water] in the west\n    There is [water].\n" in text
    assert "It holds for 3 items of the last 30d; the newest 1 are shown." in text
    assert "  wire       2\n  post       1" in text
    assert "2026-11-23       1  " in text
    assert said(findings_lines(NOTHING, "30d")) == "It does not hold for any item of the last 30d."


def test_a_passage_of_another_field_names_it():
    snippet = Snippet(text="Waters", field="category", marks=((0, 6),))
    found = replace(FOUND, items=(replace(FINDING, snippet=snippet),))
    assert "category: [Waters]" in said(findings_lines(found, "30d"))


def test_marks_of_the_title_that_overlap_are_one():
    quotes = tuple(
        Quote(hit=Hit(term="t", field="title", start=start, end=end), text="t")
        for start, end in ((0, 5), (0, 8), (6, 8), (13, 17))
    )
    found = replace(FOUND, items=(replace(FINDING, quotes=quotes),))
    assert "[Water in] the [west]" in said(findings_lines(found, "30d"))


def test_only_so_many_days_are_drawn():
    days = {date(2026, 10, day): 1 for day in range(31, 0, -1)} | {date(2026, 9, 30): 4, date(2026, 9, 1): 1}
    text = said(findings_lines(replace(FOUND, per_day=days), "90d"))
    assert "2026-10-01" in text
    assert "2026-09-30" not in text
    assert "earlier          5" in text


def test_json_of_findings_has_all_counts():
    values = findings_json(FOUND)
    assert (values["total"], values["per_source"]) == (3, {"wire": 2, "post": 1})
    assert values["per_day"] == {"2026-11-24": 2, "2026-11-23": 1}
    (item,) = values["items"]
    assert list(item) == ["id", "source", "title", "link", "published", "evidence", "snippet", "score"]
    assert item["evidence"][0] == {"term": "water", "field": "title", "start": 0, "end": 5, "text": "Water"}
    assert item["snippet"] == {"text": "There is water.", "field": "body", "marks": [[9, 14]]}


def test_a_difference_is_told_by_its_sign():
    removal = Removal(finding=replace(FINDING, id=8), why_not="river does not occur in title or body")
    found = Difference(
        kept=4, added=FOUND, removed_total=2, removed=(removal,), alerts={"desk": 2, "chat": 3}
    )
    text = said(difference_lines("water", found, "30d"))
    assert text.startswith("+ 7  ")
    assert "\n- 8  " in text
    assert "    now: river does not occur in title or body" in text
    assert "Of those added (+), the newest 1 are shown." in text
    assert "Rule water, of the last 30d: +3 items, -2 items, 4 as before." in text
    assert "+5 alerts that it would have made had it been live (desk 2, chat 3)." in text
    values = difference_json("water", found)
    assert (values["added"]["total"], values["removed"]["total"], values["kept"]) == (3, 2, 4)
    assert values["removed"]["items"][0]["why_not"] == removal.why_not
    assert values["alerts"] == {"total": 5, "per_endpoint": {"desk": 2, "chat": 3}}


@pytest.mark.parametrize(
    ("alerts", "sentence"), [({}, "+0 alerts: it names no endpoint."), ({"desk": 0}, "+0 alerts.")]
)
def test_a_difference_says_why_there_are_no_alerts(alerts, sentence):
    found = Difference(kept=0, added=NOTHING, removed_total=0, removed=(), alerts=alerts)
    assert sentence in said(difference_lines("water", found, "30d"))


@pytest.mark.parametrize(
    ("weights", "threshold", "sentence"),
    [
        ((3, 2, -1), 4, "Score: 3 + 2 - 1 = 4, at least 4"),
        ((2.5,), 4, "Score: 2.5, below 4"),
        ((-1, 2), 4, "Score: -1 + 2 = 1, below 4"),
        ((), 4, "Score: 0, below 4"),
    ],
)
def test_a_score_adds_up(weights, threshold, sentence):
    parts = tuple((f"t{number}", float(weight)) for number, weight in enumerate(weights))
    assert arithmetic(Score(threshold=threshold, total=sum(weights), parts=parts)) == sentence


@pytest.mark.parametrize(
    ("done", "sentence"),
    [
        (
            Recorded(source="", matched=1, new=1),
            "holds for 1 item since 2026-11-24, 1 of them new. No alerts.",
        ),
        (
            Recorded(source="", matched=9, new=2, ended=1, alerts=2),
            "holds for 9 items since 2026-11-24, 2 of them new; 1 match ended. 2 alerts to be delivered.",
        ),
    ],
)
def test_what_applying_a_rule_did(done, sentence):
    assert backfill_line("water", done, NOON) == f"Rule water {sentence}"


# -- why


def test_why_it_holds_is_told_term_by_term():
    text = said(explanation_lines(explained(finding=FINDING, stored=stored()), "The rule water"))
    assert text.startswith("Item 7, revision 2, of wire (en, ")
    assert "The rule water holds for it." in text
    assert '  water: in the title at 0-5 "Water"' in text
    assert '  water: in the body at 9-14 "water"' in text
    assert "  [Water] in the west\n  There is [water]." in text


def test_the_weights_of_a_score_are_told():
    score = Score(threshold=4, total=4, parts=(("water OR rail", 5.0), ("bread", -1.0)))
    text = said(explanation_lines(explained(finding=replace(FINDING, score=score)), "The rule water"))
    assert "  Score: 5 - 1 = 4, at least 4\n      +5  water OR rail\n      -1  bread" in text


def test_the_clauses_that_fail_are_marked_in_the_query_and_told_below():
    query = "\n  (river OR\n    lake)\n  AND water\n"
    near = WhyNot(
        sentence="lake is in the author, not in title or body",
        reason="elsewhere",
        clause="lake",
        place=(17, 21),
        nearest=(Quote(hit=Hit(term="lake", field="author", start=2, end=6), text="Lake"),),
        passage=Snippet(text="A Lake", field="author", marks=((2, 6),)),
    )
    absent = WhyNot(sentence="river does not occur in title", reason="absent", clause="river", place=(4, 9))
    why = WhyNot(
        sentence=f"none of 2 alternatives holds: {absent.sentence}; {near.sentence}",
        reason="too few",
        clause="river OR lake",
        place=(4, 21),
        parts=(absent, near),
    )
    text = said(explanation_lines(explained(why_not=why, query=query), "The query"))
    assert "  ([river] OR\n    [lake])\n  AND water\n" in text
    assert text.partition("AND water\n\n")[2].startswith(
        "  none of 2 alternatives holds:\n"
        "    lake is in the author, not in title or body\n"
        "      A [Lake]\n"
        "    river does not occur in title\n"
    )
    values = explanation_json(explained(why_not=why, query=query), None)
    assert (values["holds"], values["evidence"], values["snippet"]) == (False, [], None)
    assert values["rule"] == {"id": None, "version": "v2", "query": query}
    assert [part["place"] for part in values["why_not"]["parts"]] == [[4, 9], [17, 21]]


def test_of_many_clauses_a_few_are_told():
    parts = tuple(WhyNot(sentence=f"w{number} does not occur", reason="absent") for number in range(40))
    sentence = "none of 40 alternatives holds: w0 does not occur; and 39 more"
    why = WhyNot(sentence=sentence, reason="too few", parts=parts)
    text = said(explanation_lines(explained(why_not=why), "The rule water"))
    assert "w5 does not occur\n    and 34 more" in text


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ((), "it looks at other sources than wire. Its query would hold."),
        (
            (WhyNot(sentence="river does not occur", reason="absent"),),
            "it looks at other sources than wire. Nor does its query hold:\n    river does not occur",
        ),
    ],
)
def test_a_rule_that_looks_elsewhere_is_told_with_its_query(parts, sentence):
    why = WhyNot(sentence="it looks at other sources than wire", reason=OUT_OF_SCOPE, parts=parts)
    assert f"\n  {sentence}\n" in said(explanation_lines(explained(why_not=why), "The rule water"))


@pytest.mark.parametrize(
    ("fields", "sentence", "is_current"),
    [
        ({}, "This match is stored since ", True),
        ({"version": "v1"}, ", of version v1 of the rule, not v2.", False),
        ({"revision": 1}, ", of revision 1 of the item.", False),
        ({"ended_at": NOON}, " ended on ", False),
    ],
)
def test_what_is_stored_is_told_apart_from_what_holds(fields, sentence, is_current):
    found = explained(finding=FINDING, stored=stored(**fields))
    assert sentence in said(explanation_lines(found, "The rule water"))
    assert explanation_json(found, "water")["stored"]["is_current"] is is_current


def test_a_match_that_is_not_stored_can_be():
    text = said(explanation_lines(explained(finding=FINDING), "The rule water"))
    assert "No match is stored, of this version (v2) or another; `backfill` stores it." in text


@pytest.mark.parametrize(
    ("alerts", "sentence"),
    [
        ((alert(),), "desk: alerted on "),
        ((alert(item=9),), "desk: alerted about item 9 of the same story on "),
        ((), "desk: no alert: the rule did not name this endpoint when it first held for the item."),
        *(
            (
                (alert(state="suppressed", reason=reason, delivery=None, delivery_state=None),),
                "desk: no alert on",
            )
            for reason in Suppressed
        ),
    ],
)
def test_each_endpoint_was_told_or_not_and_why(alerts, sentence):
    found = explained(finding=FINDING, stored=stored(), alerts=alerts, rule=rule(notify=("desk",)))
    assert sentence in said(explanation_lines(found, "The rule water"))


@pytest.mark.parametrize(
    ("joined", "sentence"),
    [
        (None, "Story 70: 2 items of wire, post."),
        (Joined(by=JoinedBy.LINK), "this one has the same link as one before."),
        (Joined(by=JoinedBy.TEXT), "this one has the same text as one before."),
        (
            Joined(by=JoinedBy.ALIKE, other=3, evidence="54% of the words"),
            "this one has in common with item 3: 54% of the words.",
        ),
    ],
)
def test_an_item_says_by_what_it_shares_a_story(joined, sentence):
    story = StoryStatus(id=70, items=((3, "wire"), (7, "post")), joined=joined)
    found = explained(finding=FINDING, story=story)
    assert sentence in said(explanation_lines(found, "The rule water"))
    assert explanation_json(found, "water")["story"]["items"][0] == {"id": 3, "source": "wire"}


def test_a_story_of_one_item_is_not_worth_a_sentence():
    story = StoryStatus(id=70, items=((7, "post"),), joined=None)
    assert "Story" not in said(explanation_lines(explained(finding=FINDING, story=story), "The rule water"))


def test_an_escalation_is_told_beside_the_alert():
    alerts = (alert(), alert(kind="escalation", delivery="msg_y", sources=("wire", "post", "mail")))
    text = said(
        explanation_lines(explained(finding=FINDING, stored=stored(), alerts=alerts), "The rule water")
    )
    assert "desk: alerted on " in text
    assert "(msg_y, waiting), when 3 sources carried the story: wire, post, mail." in text


def test_a_query_alone_has_nothing_stored():
    text = said(explanation_lines(explained(finding=FINDING, rule=rule(version="")), "The query"))
    assert "stored" not in text
    assert "alert" not in text
