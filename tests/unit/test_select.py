"""A feed shows each item, or each story, once, however many rules and outlets there are."""

from dataclasses import replace

from syndicate.feeds.select import selected
from syndicate.model import NumberedMatches, StoredMatch
from tests.published import HOUR, ITEM, NOON, stored


def found(item: int, *, source: str = "steppe") -> StoredMatch:
    """Return a match of an item that was seen so many hours after noon."""
    return stored(replace(ITEM, id=item, source=source, first_seen=NOON + HOUR * item, published=None))


def test_of_other_reports_each_other_outlet_is_named_once_by_its_first():
    others = (found(2, source="oasis"), found(3, source="oasis"), found(4), found(5, source="wire"))
    entry = selected(NumberedMatches(number=1, matches=(found(1),), others=others))
    assert entry.item.id == 1
    assert [other.id for other in entry.others] == [2, 5]
