"""Ids of what is published are absolute IRIs, and the same whenever they are made."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.ids import absolute_iri, minted

TAG = re.compile(  # RFC 4151 2.1
    r"tag:[a-z0-9]([a-z0-9.-]*[a-z0-9])?,\d{4}:([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})*"
)


@pytest.mark.parametrize(
    ("url", "key", "made"),
    [
        ("https://wire.example/rss", "guid:12345", "tag:wire.example,2026:syndicate/wire/guid:12345"),
        ("https://WIRE.example:8443/", "guid:a b#c", "tag:wire.example,2026:syndicate/wire/guid:a%20b%23c"),
        ("http://127.0.0.1:8000/rss", "link:x/?a=1", "tag:127.0.0.1,2026:syndicate/wire/link:x/?a=1"),
        ("https://новости.example/", "guid:1", "tag:xn--b1amnebsh.example,2026:syndicate/wire/guid:1"),
        ("https://wire.example/", "guid:мир", "tag:wire.example,2026:syndicate/wire/guid:%D0%BC%D0%B8%D1%80"),
    ],
)
def test_an_id_names_host_source_and_key(url, key, made):
    assert minted(url, "wire", key) == made


@pytest.mark.parametrize("url", ["http://[::1]:8000/rss", "https://a..example/", "https://a_b.example/", ""])
def test_where_the_host_cannot_be_named_an_id_is_made_of_its_source(url):
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", minted(url, "wire", "guid:1"))
    assert minted(url, "wire", "guid:1") == minted(url, "wire", "guid:1") != minted(url, "post", "guid:1")


@given(st.text(max_size=80))
def test_whatever_the_key_an_id_is_a_tag_and_an_iri(key):
    made = minted("https://wire.example/rss", "wire", key)
    assert TAG.fullmatch(made)
    assert absolute_iri(made) == made
    assert made == minted("https://wire.example/rss", "wire", key)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_other_keys_have_other_ids(one, other):
    made = [minted("https://wire.example/rss", "wire", key) for key in (one, other)]
    assert (made[0] == made[1]) == (one == other)


def test_a_long_key_has_a_short_id():
    assert len(minted("https://wire.example/rss", "wire", "guid:" + "й" * 1000)) < 100


@pytest.mark.parametrize("text", ["tag:a.example,2026:1", "https://a.example/", "urn:x:1", " urn:x:1\n"])
def test_an_iri_is_an_id(text):
    assert absolute_iri(text) == text.strip()


@pytest.mark.parametrize(
    "text", [None, "", "12", "http:", "a b", "data:x", "https://a.example/<x>", "urn:\ud800"]
)
def test_what_is_no_iri_is_no_id(text):
    assert absolute_iri(text) is None
