"""parse: whatever a source sends is a clean document or a ParseError, as data/hostile/cases.toml says.

There, a document has `headers` of its response and an `address` (what the configuration says beside the url),
and then either `error` (what its text holds), or

    entries     how many there are
    items       how many items those are
    problems    what is recorded: each holds one of these texts, and each text is in one; none if left out
    first       fields of the first entry
    none        fields of it that are None
    enclosures  addresses of its files
    document    fields of the document
"""

import asyncio
import tomllib
from datetime import datetime

import pytest

from syndicate.errors import ParseError
from syndicate.model import Address, Document, Kind
from syndicate.sources import feed
from syndicate.sources.identity import identify
from syndicate.sources.parse import dump, load, parse
from tests.expected import assert_clean, assert_text
from tests.support import ROOT

DATA = ROOT / "tests/data/hostile"
CASES = tomllib.loads((DATA / "cases.toml").read_text())
URL = "https://feeds.example/main.xml"
FEWEST = 350


def body_of(name):
    return (DATA / name).read_bytes()


def address_of(case):
    values = dict(case.get("address", {}))
    kind = Kind(values.pop("kind")) if "kind" in values else None
    return Address(url=URL, kind=kind, **values)


def outcome(read):
    """Return the document, or what the error says."""
    try:
        return read()
    except ParseError as error:
        return str(error)


def test_every_document_has_a_case_and_there_are_many():
    assert {path.name for path in DATA.iterdir()} == {*CASES, "cases.toml"}
    assert len(CASES) >= FEWEST


@pytest.mark.parametrize("name", CASES)
def test_a_document_is_read_as_its_case_says(name):
    case = CASES[name]
    found = outcome(lambda: asyncio.run(parse(body_of(name), case.get("headers", {}), URL, address_of(case))))
    if isinstance(found, str):
        assert case.get("error", "a document") in found
        assert_text(found)
        assert len(found) <= 1000
    else:
        assert "error" not in case, found
        assert_clean(found)
        assert load(dump(found)) == found
        assert_as_said(found, case)


def assert_as_said(document, case):
    wanted = case.get("problems", [])
    for problem in document.problems:
        assert any(text in problem for text in wanted), document.problems
    for text in wanted:
        assert any(text in problem for problem in document.problems), document.problems
    assert len(document.entries) == case["entries"]
    assert len(identify(document.entries)) == case.get("items", len(identify(document.entries)))
    for field, value in case.get("document", {}).items():
        assert getattr(document, field) == value
    if document.entries:
        assert_first_as_said(document.entries[0], case)


def assert_first_as_said(entry, case):
    for field, value in case.get("first", {}).items():
        assert (field, plain(getattr(entry, field))) == (field, value)
    for field in case.get("none", []):
        assert (field, getattr(entry, field)) == (field, None)
    if "enclosures" in case:
        assert [file.url for file in entry.enclosures] == case["enclosures"]


def plain(value):
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("name", CASES)
def test_the_fast_path_makes_the_same_of_a_document_as_feedparser(name):
    body, headers = body_of(name), CASES[name].get("headers", {})
    mine, reference = (
        outcome(lambda by=by: feed.parse(body, headers, URL, by_feedparser=by)) for by in (False, True)
    )
    assert mine == reference
    assert isinstance(mine, str | Document)
