"""Records as rows and back."""

import json
from datetime import timedelta

from syndicate.model import Address, Kind, Part, Source, Validators
from syndicate.store.rows import parts_json, parts_of, source_definition, source_of

PLAIN = Source(
    id="wire", title="Wire", urls=("https://a.example/",), interval=timedelta(hours=2), tags=("x",)
)
SAID = (
    Address(url="https://b.example/", kind=Kind.PAGE, item="li", title="h3", link="a", date="time"),
    Address(url="https://c.example/", link_pattern="/news/*"),
)


def test_a_source_is_what_its_definition_says():
    for source in (
        PLAIN,
        Source(id="a", title="A", urls=("https://b.example/", "https://c.example/"), addresses=SAID),
    ):
        assert source_of(source_definition(source)) == source


def test_definitions_from_before_addresses_had_kinds_are_understood():
    values = json.loads(source_definition(PLAIN))
    assert "addresses" not in values
    assert source_of(json.dumps({name: values[name] for name in values if name != "adaptive"})) == PLAIN


def test_parts_are_what_their_text_says():
    parts = (
        Part(
            url="https://a.example/1.xml",
            modified="2026-11-24",
            validators=Validators(etag=b'"\xe4\xff"', last_modified=b"x", url="https://a.example/2.xml"),
            body_hash="h",
        ),
        Part(url="https://a.example/3.xml"),
    )
    assert parts_of(parts_json(parts)) == parts
