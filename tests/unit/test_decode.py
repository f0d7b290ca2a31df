"""The text of a body: decoded whole, and as UTF-8 without that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.sources.decode import decode, utf8

LABELS = ("utf-8", "utf-16", "windows-1251", "iso-8859-1", "iso-2022-jp", "hz", "shift_jis", "rot13", "")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be", "cp1251", "gb18030", "iso-2022-jp")
CONTENT_TYPES = st.sampled_from(LABELS).map(lambda label: f"text/xml; charset={label}")


@given(
    st.one_of(
        st.binary(max_size=60),
        st.builds(
            lambda text, label, encoding: f'<?xml version="1.0" encoding="{label}"?>{text}'.encode(
                encoding, "replace"
            ),
            st.text(max_size=30),
            st.sampled_from(LABELS),
            st.sampled_from(ENCODINGS),
        ),
    ),
    CONTENT_TYPES,
)
def test_utf8_says_what_decode_says(body, content_type):
    decoded = decode(body, content_type)
    data, problem = utf8(body, content_type)
    assert data.decode(errors="surrogatepass") == decoded.text.lstrip("\ufeff \t\r\n")
    assert problem == decoded.problem


@pytest.mark.parametrize(
    ("body", "text", "problem"),
    [
        ("Новости\ufffd".encode() + b"\xed\xa0\x80", "Новости\ufffd\ufffd\ufffd\ufffd", "utf-8, replaced: 4"),
        ("Новости".encode("cp1251"), "Íîâîñòè", "read as cp1252, not utf-8"),
        (b"caf\xe9", "café", "read as cp1252, not utf-8"),
        ("Café – наш".encode() + b"\x98", "Café – наш\ufffd", "utf-8, replaced: 1"),
    ],
)
def test_what_is_valid_in_no_encoding_is_read_as_what_it_is_most_like(body, text, problem):
    decoded = decode(body)
    assert decoded.text == text
    assert decoded.problem is not None
    assert problem in decoded.problem
