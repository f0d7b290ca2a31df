"""Which URLs and IP addresses may be asked, and that nothing gets around it by spelling."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.errors import RefusedError
from syndicate.http.addresses import MAX_URL_LENGTH, joined, refusal, target
from tests.addresses import HOSTILE

PRIVATE = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
]


def refused(url):
    """Return why a URL is refused, its host not being looked up; None if it is not."""
    try:
        address = target(url).address
    except RefusedError as error:
        return str(error)
    return refusal(address, ()) if address else None


@pytest.mark.parametrize(("url", "words"), HOSTILE)
def test_a_hostile_address_is_refused_and_the_refusal_says_why(url, words):
    assert words in (refused(url) or "it was not refused")


def test_there_are_enough_hostile_addresses():
    assert len({url for url, _ in HOSTILE}) == len(HOSTILE) > 100


@pytest.mark.parametrize(
    "address",
    [
        *(
            "8.8.8.8",
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "223.255.255.255",
        ),
        *("2a00:1450:4001::200e", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"),
    ],
)
def test_a_public_address_may_be_asked(address):
    assert refusal(ip_address(address), ()) is None


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTP://EXAMPLE.com:80?a=b#c", "http://example.com/?a=b"),
        ("https://example.com:443/", "https://example.com/"),
        ("https://example.com:80/", "https://example.com:80/"),
        ("http://example.com:/x", "http://example.com/x"),
        ("http://example.com./x", "http://example.com/x"),
        ("http://a_b.example.com/x", "http://a_b.example.com/x"),
        (
            "http://example.com/a%26b%3Bc%7e/../d//?x=%41&y=%zz&",
            "http://example.com/a%26b%3Bc%7e/../d//?x=%41&y=%zz&",
        ),
        (
            "http://example.com/новости?q=б",
            "http://example.com/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8?q=%D0%B1",
        ),
        ('http://example.com/"<>^`{|}', "http://example.com/%22%3C%3E%5E%60%7B%7C%7D"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://BÜCHER.example/", "http://xn--bcher-kva.example/"),
        ("http://қазақстан.қаз/", "http://xn--80aaa0a6awh12ed.xn--80ao21a/"),
        ("http://straße.de/", "http://xn--strae-oqa.de/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2A00:1450::1]:8080/", "http://[2a00:1450::1]:8080/"),
    ],
)
def test_an_address_has_one_spelling(url, canonical):
    assert target(url).url == canonical
    assert target(canonical).url == canonical


def test_an_address_has_a_length():
    start = "http://example.com/"
    assert target(start + "a" * (MAX_URL_LENGTH - len(start))).resource
    with pytest.raises(RefusedError, match="longer than 8192"):
        target(start + "a" * MAX_URL_LENGTH)
    with pytest.raises(RefusedError, match="longer than 8192"):
        target(start + "ж" * 2000)  # longer once it is spelled out


def test_a_refusal_repeats_no_address_since_it_may_hold_a_secret():
    with pytest.raises(RefusedError) as caught:
        target("https://hooks.example.com/T0/B0/secret token")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "https://example.com/b"),
        ("c", "https://example.com/a/c"),
        ("../c", "https://example.com/c"),
        ("?x", "https://example.com/a/b?x"),
        ("#x", "https://example.com/a/b"),
        ("", "https://example.com/a/b"),
        ("//other.example/", "https://other.example/"),
        ("HTTP://other.example/", "http://other.example/"),
        ("/ж", "https://example.com/%D0%B6"),
    ],
)
def test_a_location_is_seen_from_where_it_was_given(location, url):
    assert joined(target("https://example.com/a/b"), location).url == url


@pytest.mark.parametrize(
    "location",
    [
        "ja\tvascript:x",
        "\x00/b",
        " /b",
        "/b ",
        "/\\evil.example",
        "ftp://x/",
        "http://[",
        "http://u@x/",
        "data:,x",
    ],
)
def test_a_location_that_no_two_parsers_read_alike_is_refused(location):
    with pytest.raises(RefusedError):
        joined(target("https://example.com/a/b"), location)


def test_what_is_allowed_is_allowed_exactly():
    allowed = (ip_network("127.0.0.2/32"), ip_network("fd00::/8"))
    assert refusal(ip_address("127.0.0.2"), allowed) is None
    assert refusal(ip_address("::ffff:127.0.0.2"), allowed) is None
    assert refusal(ip_address("64:ff9b::127.0.0.2"), allowed) is None
    assert refusal(ip_address("fd12::1"), allowed) is None
    assert refusal(ip_address("127.0.0.1"), allowed) is not None
    assert refusal(ip_address("fc12::1"), allowed) is not None


def test_allowing_a_network_that_carries_others_allows_none_of_those():
    allowed = (ip_network("64:ff9b:1::/48"),)
    assert refusal(ip_address("64:ff9b:1:808:8:800::"), allowed) is not None  # its last 32 bits are 0.0.0.0
    assert refusal(ip_address("64:ff9b:1:808:8:800:808:808"), allowed) is None
    assert refusal(ip_address("64:ff9b:1:7f00:0:100:808:808"), allowed) is not None


def test_a_zone_changes_nothing():
    assert refusal(IPv6Address("fe80::1%eth0"), ()) is not None
    assert refusal(IPv6Address("fe80::1%eth0"), (ip_network("fe80::/10"),)) is None


private = st.sampled_from(PRIVATE).flatmap(
    lambda network: st.integers(int(ip_network(network)[0]), int(ip_network(network)[-1])).map(IPv4Address)
)


@given(private, st.integers(0, 2**64 - 1))
def test_no_ipv6_address_carries_a_private_one(inner, noise):
    four = int(inner)
    carriers = [
        0xFFFF << 32 | four,
        four,
        0xFFFF_0000 << 32 | four,
        0x64_FF9B << 96 | four,
        0x64_FF9B_0001 << 80 | noise >> 32 << 48 | four,
        0x2002 << 112 | four << 80 | noise,
        0x2001_0000 << 96 | four << 64 | noise,
        0x2001_0000 << 96 | noise << 32 | four ^ 0xFFFFFFFF,
        0x2A00 << 112 | (noise % 2**48) << 64 | 0x0000_5EFE << 32 | four,
        0x2A00 << 112 | (noise % 2**48) << 64 | 0x0200_5EFE << 32 | four,
    ]
    assert [str(IPv6Address(c)) for c in carriers if refusal(IPv6Address(c), ()) is None] == []


@given(st.text(alphabet="htp:/\\@[]%.?#-_0127afxXe\t\u3002\uff11é"))
def test_whatever_is_not_refused_is_read_alike_by_the_standard_library(rest):
    url = f"http://{rest}"
    try:
        ours = target(url)
    except RefusedError:
        return
    theirs = urlsplit(ours.url)
    assert (theirs.hostname, theirs.port or 80, theirs.username) == (ours.host, ours.port, None)
    assert target(ours.url) == ours
    assert ours.url.isascii()
