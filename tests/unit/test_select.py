"""A feed shows each item, or each story, once, however many rules and outlets there are."""

from dataclasses import replace

from syndicate.feeds.select import newest_first, selected
from syndicate.model import NumberedMatches, StoredMatch
from syndicate.model.feeds import Order
from tests.published import HOUR, ITEM, MATCH, NOON, shown, stored


def found(item: int, *, rule: str = "water", source: str = "steppe") -> StoredMatch:
    """Return a match of an item that was seen so many hours after noon."""
    seen = replace(ITEM, id=item, source=source, first_seen=NOON + HOUR * item, published=None)
    return replace(stored(seen, replace(MATCH, rule=rule)), matched_at=NOON + HOUR * item)


def test_of_other_reports_each_other_outlet_is_named_once_by_its_first():
    others = (found(2, source="oasis"), found(3, source="oasis"), found(4), found(5, source="wire"))
    entry = selected(NumberedMatches(number=1, matches=(found(1),), others=others))
    assert entry.item.id == 1
    assert [other.id for other in entry.others] == [2, 5]


def test_what_is_newest_depends_on_the_order():
    old = replace(found(1), matched_at=NOON + 9 * HOUR)
    entries = shown(old, found(2), found(3))
    assert [each.item.id for each in newest_first(entries, Order.PUBLISHED)] == [3, 2, 1]
    assert [each.item.id for each in newest_first(entries, Order.MATCHED)] == [1, 3, 2]


def test_an_item_came_into_the_feed_with_its_first_match():
    (entry,) = shown(replace(found(5, rule="energy"), matched_at=NOON), found(5))
    assert entry.matched_at == NOON
