"""What is known of each address: how it is read, when and as what it was read, the parts of an index."""

from dataclasses import replace

import pytest

from syndicate.model import Address, Kind, Part, PollState, Validators
from tests.contract.making import EU, HOUR, claimed, entry, failed, poll, read, reading, recorded, source

PARTS = (
    Part(
        url="https://a.example/1.xml",
        modified="2026-11-24",
        body_hash="h",
        validators=Validators(etag=b'"\xe4"', last_modified=b"Tue", url="https://a.example/2.xml"),
    ),
    Part(url="https://a.example/3.xml"),
)


def test_what_is_said_of_an_address_comes_with_the_claim(store):
    wire = source("wire", "a.example", "b.example")
    said = Address(
        url=wire.urls[1], kind=Kind.PAGE, item="li.news", title="h3", link="a", date="time", link_pattern="/*"
    )
    store.configure([replace(wire, addresses=(said,))], [])
    claim = claimed(store)
    assert claim.source.address(wire.urls[0]) == Address(url=wire.urls[0])
    assert claim.source.address(wire.urls[1]) == said


def test_a_claim_tells_when_and_as_what_its_own_address_was_read(store, clock):
    store.configure([source("wire", "a.example", "b.example")], [])
    claim = claimed(store)
    assert (claim.read_at, claim.format, claim.parts) == (None, "", ())
    first_read = store.now()
    recorded(store, poll(claim, store, format="sitemap", parts=PARTS))
    clock.forward(HOUR)
    claim = claimed(store)
    assert (claim.read_at, claim.format, claim.parts) == (first_read, "sitemap", PARTS)
    recorded(store, failed(claim, store, format=claim.format, parts=claim.parts))
    other = claimed(store)
    assert (other.read_at, other.format, other.parts) == (None, "", ())
    recorded(store, poll(other, store, format="page"))
    claim = claimed(store)
    assert (claim.read_at, claim.format, claim.parts) == (first_read, "sitemap", PARTS)
    clock.forward(HOUR)
    recorded(store, poll(claim, store, state=PollState.UNCHANGED, format="sitemap", parts=PARTS[:1]))
    claim = claimed(store)
    assert (claim.read_at, claim.parts) == (store.now(), PARTS[:1])


def test_an_address_shows_the_format_that_it_was_read_as(store):
    store.configure([source("wire", "a.example", "b.example")], [])
    recorded(store, poll(claimed(store), store, format="rss20"))
    assert [address.format for address in store.addresses("wire")] == ["rss20", ""]


@pytest.mark.parametrize("changed", [{"kind": Kind.PAGE, "item": "li"}, {"kind": Kind.SITEMAP}])
def test_what_is_read_in_another_way_was_never_read(store, changed):
    wire = source("wire", "a.example", "b.example")
    store.configure([wire], [EU.state])
    recorded(
        store,
        reading(store, claimed(store), entry(), body_hash="h", validators=Validators(etag=b"1"), format="x"),
    )
    store.configure([replace(wire, addresses=(Address(url=wire.urls[0], **changed),))], [EU.state])
    claim = claimed(store)
    assert (claim.body_hash, claim.validators, claim.format, claim.read_at) == (None, Validators(), "", None)
    assert claim.has_baseline
    assert claim.last_success_url is None  # so that what is found in the new way is not taken for news


def test_what_is_said_of_one_address_changes_nothing_for_another(store):
    wire = source("wire", "a.example", "b.example")
    store.configure([wire], [EU.state])
    recorded(store, reading(store, claimed(store), entry(), body_hash="h"))
    store.configure([replace(wire, addresses=(Address(url=wire.urls[1], kind=Kind.PAGE),))], [EU.state])
    claim = claimed(store)
    assert (claim.body_hash, claim.last_success_url) == ("h", wire.urls[0])


def test_an_address_that_was_not_the_first_before_takes_nothing_back(store):
    wire = source("wire", "a.example", "b.example")
    store.configure([wire], [EU.state])
    recorded(store, failed(claimed(store), store))
    read(store, entry())
    store.configure([replace(wire, urls=wire.urls[::-1])], [EU.state])
    assert claimed(store).read_at is None
