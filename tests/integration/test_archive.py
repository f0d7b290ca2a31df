"""Rules over a real store: what the full-text index is asked for misses nothing that a rule holds for."""

import asyncio
from contextlib import closing
from dataclasses import replace

import pytest

from syndicate.backfill import Known, candidates, keep_words_anew, search, subject_of
from syndicate.model import Entry
from syndicate.rules.archive import wanted
from syndicate.rules.compile import trial_rule
from syndicate.rules.index import Asked, anchors_by_rule
from syndicate.rules.text import ItemText
from syndicate.rules.tree import Folded
from syndicate.store.searching import ItemFilter
from syndicate.store.sqlite import SqliteStore
from syndicate.store.thread import StoreThread
from tests import rule_strategies
from tests.contract.making import START, Clock, entry, read, source

ALL = ItemFilter(limit=10_000)
ITEMS = 100  # in `archive`
SOURCES = ("uza", "kun-uz", "bbc")
TAGS = {"uza": ("official",), "bbc": ("media", "uz")}


@pytest.fixture
def store(tmp_path):
    with closing(SqliteStore(tmp_path / "syndicate.db", Clock())) as store:
        store.configure([source(name) for name in SOURCES], [])
        yield store


def keep(store, *entries, name="uza"):
    read(store, *entries, name=name, watches=[])


def stored(store):
    return [found.item for found in store.items(ALL)]


def found(store, rule, known=Known(rules={}, tags={}), **which):  # noqa: B008
    """Return what looking a rule up finds, and how many items were looked at for that."""
    rule = trial_rule(rule) if isinstance(rule, str) else rule
    limits = replace(ALL, **which)
    items = [item.item for item, match in search(store, rule, limits, known) if match]
    return items, len(list(candidates(store, rule, limits, known)))


# --------------------------------------------------------------------------- whatever is asked


def test_whatever_holds_for_an_item_is_looked_up(store, slow):
    cases = list(rule_strategies.cases(500 if slow else 150, seed=4))
    for name in SOURCES:
        subjects = [subject for _, subjects in cases for subject in subjects[:1] if subject.source == name]
        keep(store, *(entry_of(subject, number) for number, subject in enumerate(subjects)), name=name)
    items = stored(store)
    texts = [(item, ItemText(subject_of(item, Known(rules={}, tags=TAGS)))) for item in items]
    by_words = looked_at = held = 0
    for rules, _ in cases:
        known = Known(rules={rule.id: rule for rule in rules}, tags=TAGS)
        asked = [(item.id, Asked(known.rules, text, item.changed_at)) for item, text in texts]
        for rule in filter(lambda rule: is_by_words(store, rule, known), rules):
            expected = {item for item, about in asked if about(rule.id)}
            looked_up = {found.item.id for found in candidates(store, rule, ALL, known)}
            assert expected <= looked_up, rule
            by_words, looked_at, held = by_words + 1, looked_at + len(looked_up), held + len(expected)
    assert by_words >= len(cases)
    assert held > 3 * by_words
    assert looked_at < by_words * len(items) / 3


def holds(rule, item, known):
    """Say whether a rule holds for an item, as of the time when it came in."""
    return Asked(known.rules, ItemText(subject_of(item, known)), item.changed_at)(rule.id) is not None


def entry_of(subject, number):
    return Entry(
        guid=f"guid-{number}",
        link=subject.link or None,
        title=subject.title,
        body=subject.body,
        author=subject.author,
        categories=subject.categories,
        language=subject.language,
        published=subject.published,
    )


def is_by_words(store, rule, known):
    anchors = anchors_by_rule({**known.rules, rule.id: rule})[rule.id]
    return wanted(anchors, store.languages()) is not None


# --------------------------------------------------------------------------- one by one


@pytest.fixture
def archive(store):
    """Items in several languages, each found by its number, and a hundred others."""
    texts = [
        ("ЕО-ның Орталық Азиядағы стратегиясы", "kk"),
        ("EO-nyñ Ortalyq Aziyadağy strategiyasy", "kk-Latn"),
        ("YeI-ning Markaziy Osiyodagi strategiyalari", "uz"),
        ("ЕИ-нинг Марказий Осиёдаги стратегиялари", "uz-Cyrl"),
        ("стратегии ЕС в Центральной Азии", "ru"),
        ("the EU’s strategies for Central Asia", "en"),
        ("les stratégies de l’Union européenne", "fr"),
        ("欧盟的中亚战略", "zh"),
        ("AB strategic partnerships", None),
        ("ungarische Łódź-Strategien", "de"),
    ]
    others = [
        entry(f"x{number}", "Nothing", body="of interest", language="en") for number in range(10, ITEMS)
    ]
    keep(
        store,
        *(entry(str(n), title, body="", language=name) for n, (title, name) in enumerate(texts)),
        *others,
    )
    return store


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("стратегия", "04"),
        ('"Орталық Азия"', "0"),
        ('"ЕО Орталық Азия стратегиясы"', "0"),
        ('"ЕО-ның Орталық"', "0"),
        ("ЕО-ның", "0"),
        ("=ЕО", "0"),
        ("=ео", ""),
        ('"EO-nyñ Ortalyq Aziyada"', "1"),
        ('"YeI Markaziy Osiyo"', "2"),
        ('"ЕИ Марказий Осиё"', "3"),
        ('"Марказий Осиё стратегияси"', "3"),
        ("strategiya*", "12"),
        ('"YeI-ning Mark*"', "2"),
        ('"Центральная Азия"', "4"),
        ('"EU strategy"', "5"),
        ('="EU’s strategies"', "5"),
        ('"EU strat* for Central"', "5"),
        ('"strat* part*"', "8"),
        ('"s* p*"', "8"),
        ('"AB strat* part*"', "8"),
        ('"stratégie de l’Union"', "6"),
        ("中亚战略", "7"),
        ('"欧盟 的 中亚"', "7"),
        ("战*", "7"),
        ("Łódź", "9"),
        ("Lodz", ""),
        ("ungarisch NEAR/1 Łódź", "9"),
        ("EU OR ЕС OR 欧盟", "457"),
        ("2 OF (EU, Asia, ЕС)", "5"),
        ("стратегия NOT ЕС", "0"),
        ("title:(Азия OR Asia)", "045"),
        ("/[ŁZ]ódź/", "9"),
        ("lang:zh", "7"),
        ("category:EU", ""),
    ],
)
def test_what_a_query_holds_for_is_found_by_its_words(archive, query, numbers):
    rule = trial_rule(query)
    alone = Known(rules={rule.id: rule}, tags={})
    items, looked_at = found(archive, rule)
    assert items == [item for item in stored(archive) if holds(rule, item, alone)]
    assert {item.guid.removeprefix("guid-") for item in items} >= set(numbers)
    assert bool(items) is bool(numbers)
    assert looked_at <= (ITEMS if query[0] == "/" or "lang:" in query else 6)


def test_without_diacritics_everything_is_looked_at(archive):
    rule = replace(trial_rule("Lodz"), query=Folded(trial_rule("Lodz").query))
    items, looked_at = found(archive, rule)
    assert [item.guid for item in items] == ["guid-9"]
    assert looked_at == ITEMS


def test_a_search_goes_on_over_pages_and_ends_at_its_limit(store):
    keep(store, *(entry(str(number), "EU" if number % 5 == 0 else "x EU") for number in range(1_200)))
    items, looked_at = found(store, "EU NOT x")
    assert (len(items), looked_at) == (240, 1_200)
    assert [item.id for item in items] == sorted((item.id for item in items), reverse=True)
    assert found(store, "EU NOT x", limit=7)[0] == items[:7]
    last = items[99]
    assert found(store, "EU NOT x", before=(last.order, last.id))[0] == items[100:]
    assert found(store, "EU NOT x", since=START)[0] == items
    assert found(store, "EU NOT x", source="bbc")[0] == []


def test_until_words_are_kept_anew_everything_is_looked_at(archive):
    first = stored(archive)[-1]
    nothing = {"words": "", "stems": ""}
    archive.keep_words([(first.id, first.revision, nothing)], 1)
    assert found(archive, "=ЕО")[1] == ITEMS
    assert found(archive, "=ЕО")[0] == [first]


def test_words_are_kept_anew_and_then_things_are_found_by_them(archive):
    items = stored(archive)
    nothing = {"words": "", "stems": ""}
    archive.keep_words([(item.id, item.revision, nothing) for item in items], 1)
    with closing(StoreThread()) as call:
        assert asyncio.run(keep_words_anew(archive, call, asyncio.Event())) == ITEMS
        assert asyncio.run(keep_words_anew(archive, call, asyncio.Event())) == 0
    assert found(archive, "=ЕО") == (items[-1:], 1)
    assert stored(archive) == items
