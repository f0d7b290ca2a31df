"""A feed shows each item, or each story, once, however many rules and outlets there are."""

from dataclasses import replace

from syndicate.feeds.select import Choice, Dedupe, Order, Selected, choices_by_tag, newest_first, select
from syndicate.model import Source, StoredMatch
from tests.published import HOUR, ITEM, MATCH, NOON, stored


def found(item: int, *, rule: str = "water", source: str = "steppe", story: int = 0) -> StoredMatch:
    """Return a match of an item that was seen so many hours after noon, in a story of its own unless said."""
    seen = replace(
        ITEM, id=item, source=source, story=story or item, first_seen=NOON + HOUR * item, published=None
    )
    return replace(stored(seen, replace(MATCH, rule=rule)), matched_at=NOON + HOUR * item)


def shown(selected: list[Selected]) -> list[tuple[int, list[str]]]:
    return [(each.item.id, [match.match.rule for match in each.matches]) for each in selected]


def test_an_item_that_several_rules_find_is_there_once_with_all_of_them():
    matches = [found(2), found(1, rule="water"), found(1, rule="energy")]
    assert shown(select(matches)) == [(1, ["energy", "water"]), (2, ["water"])]


def test_a_match_that_has_ended_is_not_shown():
    ended = replace(found(1, rule="energy"), ended_at=NOON)
    assert shown(select([ended, found(1)])) == [(1, ["water"])]
    assert select([ended]) == []


def test_a_feed_collects_the_rules_and_sources_it_is_of():
    matches = [
        found(1),
        found(2, rule="energy"),
        found(3, source="oasis"),
        found(3, rule="energy", source="oasis"),
    ]
    some = Choice(rules=frozenset({"energy"}), sources=frozenset({"oasis"}))
    assert shown(select(matches, some)) == [(3, ["energy"])]
    assert shown(select(matches, Choice(rules=frozenset({"water"})))) == [(1, ["water"]), (3, ["water"])]
    assert len(select(matches)) == 3


def test_a_story_has_one_entry_that_stays_while_other_outlets_join():
    first = found(1, story=7)
    (alone,) = select([first], dedupe=Dedupe.STORY)
    later = [found(2, source="oasis", story=7), found(3, source="oasis", story=7), found(4, story=7)]
    (joined,) = select([*later, first], dedupe=Dedupe.STORY)
    assert joined.item == alone.item
    assert [other.id for other in joined.others] == [2]  # each other outlet once, and not its own


def test_where_the_first_of_a_story_matches_no_longer_the_next_is_shown():
    matches = [replace(found(1, story=7), ended_at=NOON), found(2, source="oasis", story=7)]
    (entry,) = select(matches, dedupe=Dedupe.STORY)
    assert (entry.item.id, entry.others) == (2, ())


def test_without_stories_each_report_has_an_entry_of_its_own():
    matches = [found(1, story=7), found(2, source="oasis", story=7)]
    assert [(each.item.id, each.others) for each in select(matches)] == [(1, ()), (2, ())]


def test_what_is_newest_depends_on_the_order():
    old = replace(found(1), matched_at=NOON + 9 * HOUR)
    selected = select([old, found(2), found(3)])
    assert [each.item.id for each in newest_first(selected, Order.PUBLISHED)] == [3, 2, 1]
    assert [each.item.id for each in newest_first(selected, Order.MATCHED)] == [1, 3, 2]


def test_an_item_came_into_the_feed_with_its_first_match():
    (entry,) = select([replace(found(5, rule="energy"), matched_at=NOON), found(5)])
    assert entry.matched_at == NOON


def test_each_tag_has_a_feed_of_its_sources():
    sources = [
        Source(id=name, title=name, urls=("https://a.example/",), tags=tags)
        for name, tags in [("a", ("official",)), ("b", ("official", "kz")), ("c", ())]
    ]
    assert choices_by_tag(sources) == {
        "kz": Choice(sources=frozenset({"b"})),
        "official": Choice(sources=frozenset({"a", "b"})),
    }
