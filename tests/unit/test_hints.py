"""What a feed says of when to ask for it, and where older entries are."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.model import Hints
from syndicate.sources.hints import read_hints

URL = "https://outlet.example/feeds/rss.xml"
HOUR, DAY = 3600, 24 * 3600
ITEM = "<item><title>One</title><ttl>9</ttl></item>"


def rss(head="", items=ITEM, tail=""):
    return f"<rss version='2.0'><channel><title>T</title>{head}{items}{tail}</channel></rss>".encode()


def hints(head="", **parts):
    return read_hints(rss(head, **parts), URL)


def test_a_document_that_says_nothing_has_no_hints():
    assert hints() == Hints()
    assert read_hints(b"", URL) == Hints()


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("60", HOUR),
        (" 60\n", HOUR),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٦٠", None),
        ("9" * 50, None),
        ("", None),
    ],
)
def test_ttl_is_in_minutes(written, seconds):
    assert hints(f"<ttl>{written}</ttl>").ttl_seconds == seconds


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", HOUR),
        (
            "<sy:updatePeriod>\n\thourly\t</sy:updatePeriod><sy:updateFrequency>\n\t2\t</sy:updateFrequency>",
            1800,
        ),
        ("<x:updatePeriod>Daily</x:updatePeriod>", DAY),
        ("<updatePeriod>weekly</updatePeriod>", 7 * DAY),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", None),
        ("<sy:updatePeriod>often</sy:updatePeriod>", None),
        ("<sy:updateFrequency>2</sy:updateFrequency>", None),
    ],
)
def test_the_period_of_updates_is_divided_by_their_number(written, seconds):
    assert hints(written).update_seconds == seconds


@pytest.mark.parametrize(
    ("base", "phase"),
    [
        ("2000-01-01T12:00+00:00", 0),
        ("2000-01-01T12:10:30Z", 630),
        ("2000-01-01T12:10:00+05:30", 40 * 60),
        ("1969-12-31T23:59:00Z", HOUR - 60),
        ("2000-01-01T12:10:00", 600),
        ("noon", None),
    ],
)
def test_the_base_of_updates_says_when_in_the_period_they_come(base, phase):
    period = "<sy:updatePeriod>hourly</sy:updatePeriod>"
    assert hints(f"{period}<sy:updateBase>{base}</sy:updateBase>").update_phase_seconds == phase
    assert hints(f"<sy:updateBase>{base}</sy:updateBase>").update_phase_seconds is None


def test_hours_and_days_to_skip_are_all_there_in_order():
    hours = (
        "<skipHours><hour>23</hour> <hour>0</hour><hour>24</hour><hour>07</hour><hour>25</hour></skipHours>"
    )
    days = "<skipDays><day>Sunday</day><day>saturday</day><day>Feast</day></skipDays>"
    found = hints(hours + days)
    assert (found.skip_hours, found.skip_days) == ((0, 7, 23), (5, 6))


def test_hints_stand_before_or_after_the_entries_and_none_inside():
    assert hints(tail="<ttl>60</ttl>").ttl_seconds == HOUR
    assert hints("<ttl>60</ttl>", items=ITEM * 3).ttl_seconds == HOUR
    assert hints("<!-- <ttl>60</ttl> -->").ttl_seconds is None
    assert hints("<description><![CDATA[<ttl>60</ttl>]]></description>").ttl_seconds is None
    assert hints("<ttl>60</ttl>", items="").ttl_seconds == HOUR


@pytest.mark.parametrize(
    ("links", "older"),
    [
        (
            '<atom:link rel="prev-archive" href="archive/7.xml"/>',
            "https://outlet.example/feeds/archive/7.xml",
        ),
        ("<link href='/?page=2&amp;a=b' rel='next'/>", "https://outlet.example/?page=2&a=b"),
        ('<link rel="next" href="/2"/><link rel="prev-archive" href="/a"/>', "https://outlet.example/a"),
        ('<link rel="self" href="/2"/>', None),
        ('<link rel="next" href="javascript:alert(1)"/>', None),
        ('<link rel="next"/>', None),
        ("<link>https://outlet.example/</link>", None),
    ],
)
def test_older_entries_are_in_an_archive_or_on_the_next_page(links, older):
    assert hints(links).older == older
    entry = "<entry><link rel='next' href='/no'/></entry>"
    atom = f"<feed xmlns='http://www.w3.org/2005/Atom'>{links}{entry}</feed>"
    assert read_hints(atom.encode(), URL).older == older


WORDPRESS = "<generator>https://wordpress.org/?v=6.7</generator>"


@pytest.mark.parametrize(
    ("url", "older"),
    [
        ("https://outlet.example/feed/", "https://outlet.example/feed/?paged=2"),
        ("https://outlet.example/?feed=rss2&paged=2", "https://outlet.example/?feed=rss2&paged=3"),
        ("https://outlet.example/feed/?paged=last", None),
        ("https://outlet.example/feed/?paged=99999", None),
    ],
)
def test_wordpress_has_pages_that_it_does_not_name(url, older):
    assert read_hints(rss(WORDPRESS), url).older == older
    assert read_hints(rss(), url).older is None
    named = read_hints(rss(WORDPRESS + '<atom:link rel="next" href="/2"/>'), url)
    assert named.older == "https://outlet.example/2"


def test_rdf_is_read_too():
    rdf = (
        "<rdf:RDF xmlns:rdf='x'><channel><sy:updatePeriod>hourly</sy:updatePeriod>"
        "<items><rdf:Seq/></items></channel><item rdf:about='a'><title>One</title></item></rdf:RDF>"
    )
    assert read_hints(rdf.encode(), URL).update_seconds == HOUR


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet="<>/!-[]ttlCDATAitem \"'=", max_size=300).map(str.encode))
def test_nothing_is_too_odd(data):
    read_hints(data, URL)


@pytest.mark.parametrize(
    "piece",
    [
        "<ttl>",
        "<ttl> ",
        "<skipHours>",
        "<link ",
        "<link rel='",
        "<!--",
        "<![CDATA[",
        " ",
        "a",
        "<a:",
        "<ttl>" + " " * 999,
    ],
)
def test_nothing_takes_long(piece):
    head = (piece * (200_000 // len(piece)))[:200_000]
    began = time.process_time()
    hints(head)
    hints(items=ITEM, tail=head)
    assert time.process_time() - began < 1
