"""Words, some of which stand in whatever a rule holds for."""

import pytest

from syndicate.rules.anchors import anchors, companions, rarest
from syndicate.rules.grammar import parse
from syndicate.rules.index import anchors_by_rule
from syndicate.rules.rule import evidence_of
from syndicate.rules.text import ItemText
from syndicate.rules.tree import AtLeast, Folded, Not, Weighted, Word
from syndicate.rules.words import Form, Piece
from tests.rule_strategies import NOW, cases

A, B, C = Word("a"), Word("b"), Word("c")


def shown(tree, **known):
    runs = anchors(tree, known)
    return runs and {
        " ".join(piece.text + "*" * (piece.form is Form.PREFIX) for piece in run) for run in runs
    }


@pytest.mark.parametrize(
    ("query", "runs"),
    [
        ("EU", ["eu"]),
        ("strateg*", ["strateg*"]),
        ('"Central Asia"', ["central asia"]),
        ("EU strategy", ["strategy"]),
        ("EU strateg*", ["eu"]),
        ("EU OR strategy", ["eu", "strategy"]),
        ("EU NOT strategy", ["eu"]),
        ("(aaaa OR bbbb) ccc", ["ccc"]),
        ("(aaaa OR bbbb) cc", ["aaaa", "bbbb"]),  # two long words are rarer than a short one
        ("aaaaa aaaa* /x/", ["aaaaa"]),
        ("/x/ OR EU", ["x", "eu"]),
        ("/x/ lang:en", ["x"]),
        ("link:/x/", ["x"]),
        ("aaaa NEAR/5 bb", ["aaaa"]),
        ("2 OF (aaaa, bb, ccc)", ["aaaa", "ccc"]),
        ("2 OF (lang:en, bb, ccc)", ["bb", "ccc"]),
        ("title:EU", ["eu"]),
        ("link:EU", None),
        ("lang:en", None),
        ("EU lang:en", ["eu"]),
        ("EU OR lang:en", None),
        ("EU rule:x", ["eu"]),
        ("rule:x", None),
        ("ЕО-ның", ["ео"]),
        ("ЕО-ны*", ["ео ны*"]),
        ('"ЕО-ның стратегиясы"', ["стратегиясы"]),
    ],
)
def test_anchors_are_the_rarest_that_do(query, runs):
    assert shown(parse(query)) == (runs and set(runs))


def test_what_is_said_to_be_rare_is_preferred():
    tree = parse("aaaa (b OR c)")
    assert anchors(tree, commonness=lambda piece: {"aaaa": 9.0}.get(piece.text, 4.0)) == anchors(
        parse("b OR c")
    )
    assert anchors(tree, commonness=lambda piece: {"aaaa": 7.0}.get(piece.text, 4.0)) == anchors(
        parse("aaaa")
    )


def test_the_rarest_word_of_a_run_is_a_long_and_whole_one():
    (run,) = anchors(parse('"eu strategy of stra*"')) or ()
    assert run[rarest(run)] == Piece(Form.STEM, "strategy")
    assert rarest(run, lambda piece: len(piece.text)) == 0


def test_words_are_looked_for_without_diacritics_where_a_rule_folds_them():
    tree = parse("Łódź OR (é* =É)")
    assert {piece.is_folded for run in anchors(Folded(tree)) or () for piece in run} == {True}
    assert {piece.is_folded for run in anchors(tree) or () for piece in run} == {False}


def test_what_holds_without_any_word_has_no_anchors():
    assert shown(AtLeast(2, (Not(A), Not(B), C))) is None
    assert shown(Not(A)) is None


def test_anchors_of_another_rule_are_its_own():
    assert shown(parse("rule:x OR EU"), x=anchors(parse("a OR b"))) == {"a", "b", "eu"}
    assert shown(parse("rule:x OR EU"), x=None) is None


@pytest.mark.parametrize(
    ("threshold", "weights", "runs"),
    [
        (5, (3, 2, 4), ["aaaa", "ccc"]),
        (1, (3, 2, 4), ["bb", "ccc", "aaaa"]),
        (9, (3, 2, 4), ["aaaa"]),
        (5, (3, 2, -4), ["aaaa"]),
        (0, (3, 2, 4), None),
    ],
)
def test_a_score_is_anchored_by_what_it_cannot_do_without(threshold, weights, runs):
    terms = zip([Word("aaaa"), Word("bb"), Word("ccc")], weights, strict=True)
    assert shown(Weighted(threshold, tuple(terms))) == (runs and set(runs))


# --------------------------------------------------------------------------- words that are there too


def beside(query, word):
    tree = parse(query) if isinstance(query, str) else query
    found = companions(tree).get((Piece(Form.STEM, word),))
    return None if found is None else sorted(piece.text for piece in found)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("a", ["a"]),
        ("a b", ["a", "b"]),
        ("a NEAR/2 b c*", ["a", "b", "c"]),
        ("a b NOT c", ["a", "b"]),
        ("a (b OR c)", ["a"]),
        ("a (b OR c d)", ["a"]),
        ("a b OR c", ["a", "b"]),
        ("a b OR a c", ["a"]),
        ("a b OR rule:x", None),  # of which it may be one too
        ("a rule:x", None),
        ("title:(a b)", ["a", "b"]),
        ("a link:b", ["a"]),
        ("a title:b lang:en", ["a", "b"]),
        ("2 OF (a b, c, d)", ["a", "b"]),
        ("b", None),
        ("NOT a b", None),
        ("source:a b", None),
    ],
)
def test_these_words_are_there_where_a_rule_holds_by_this_one(query, words):
    assert beside(query, "a") == words


def registered_and_held(seed, count):
    """Yield (query, anchors, text) for each rule that holds for an item."""
    for rules, subjects in cases(count, seed):
        by_id = {rule.id: rule for rule in rules}
        registered = anchors_by_rule(by_id)
        for subject in subjects:
            text = ItemText(subject)

            def refer(rule, text=text, by_id=by_id):
                return evidence_of(by_id[rule], text, NOW, refer) if rule in by_id else None

            for rule in rules:
                if evidence_of(rule, text, NOW, refer) is not None:
                    yield rule.query, registered[rule.id], text


def test_whatever_holds_has_an_anchor_with_all_its_companions(slow):
    """Not just an anchor: `test_index` would not see it if the core looked for a word too many."""
    counted = 0
    for query, runs, text in registered_and_held(seed=3, count=20_000 if slow else 400):
        if runs is not None:
            counted += 1
            assert any(text.has(run) and all_there(query, run, text) for run in runs), (query, text.subject)
    assert counted > 200


def all_there(query, run, text):
    if run[0].form is Form.PATTERN:
        return True
    return all(text.has((piece,)) for piece in companions(query).get(run, ()))
