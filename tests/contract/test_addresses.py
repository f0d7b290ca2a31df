"""How each address of a source is can be seen."""

from syndicate.model import AddressStatus
from tests.contract.making import claimed, failed, gone, poll, recorded, source, with_validators


def test_addresses_stand_in_the_order_of_the_configuration_until_they_are_asked(store):
    assert store.addresses("wire") == []
    store.configure([source("wire", "a.example", "b.example")], [])
    assert store.addresses("wire") == [
        AddressStatus(url="https://a.example/wire.xml", state="untried"),
        AddressStatus(url="https://b.example/wire.xml", state="untried"),
    ]


def test_an_address_shows_how_it_answered(store):
    store.configure([source("wire", "a.example", "b.example", "c.example")], [])
    recorded(store, failed(claimed(store), store))
    moved = poll(claimed(store), store, moved_to="https://new.example/", moved_count=2)
    recorded(store, with_validators(moved, b'"\xe4"', b"Tue, 24 Nov 2026 02:00:00 GMT"))
    first, second, third = store.addresses("wire")
    assert (first.state, first.error) == ("failing", "no answer")
    assert second == AddressStatus(
        url="https://b.example/wire.xml",
        state="ok",
        moved_to="https://new.example/",
        moved_count=2,
        etag='"ä"',
        last_modified="Tue, 24 Nov 2026 02:00:00 GMT",
    )
    assert third.state == "untried"


def test_an_address_that_is_gone_or_has_moved_for_good_says_so(store):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, gone(claimed(store), store))
    recorded(store, poll(claimed(store), store, adopted="https://new.example/"))
    first, second = store.addresses("wire")
    assert (first.state, first.error) == ("gone", "the server answered 410 (gone)")
    assert (second.state, second.adopted) == ("ok", "https://new.example/")
