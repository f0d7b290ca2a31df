"""What the pages of a host repeat, and what only looks like it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import Page
from syndicate.sources.repeats import OTHERS, OTHERS_WITH_LINK, blocks_of, repeated, without

MENU = "Subscribe to our letter and read the news of the steppe every morning"
LABEL = "Currently reading"
TEASER = "Onion prices rise for the fourth week in a row"


def page(name: str, *lines: str, links: tuple[str, ...] = ()) -> Page:
    """Return a page with five long lines of its own and these."""
    own = [
        f"Sentence {number} of {name}: {name * 12} and what became of {name} since." for number in range(5)
    ]
    return exactly(name, *own, *lines, *links, links=links)


def exactly(name: str, *lines: str, links: tuple[str, ...] = ()) -> Page:
    return Page(
        key=name,
        reading="",
        host="news.example:443",
        fetched_at=datetime(2026, 11, 24, tzinfo=UTC),
        lines=lines,
        links=tuple(place for place, line in enumerate(lines) if line in links),
        blocks=blocks_of(lines, [place for place, line in enumerate(lines) if line in links]),
    )


def removed(which: Page, *others: Page) -> list[str]:
    kept = without(which.lines, repeated(which, [*others, which]))
    return [line for place, line in enumerate(which.lines) if place not in kept]


def pages(count: int, *lines: str, links: tuple[str, ...] = ()) -> list[Page]:
    return [page(f"place{number}", *lines, links=links) for number in range(count)]


@pytest.mark.parametrize(("others", "expected"), [(0, []), (OTHERS - 1, []), (OTHERS, [MENU]), (20, [MENU])])
def test_a_line_that_enough_other_pages_have_is_none_of_the_article(others, expected):
    assert removed(page("own", MENU), *pages(others, MENU)) == expected


@pytest.mark.parametrize(("others", "expected"), [(OTHERS_WITH_LINK - 1, []), (OTHERS_WITH_LINK, [TEASER])])
def test_a_line_that_is_a_link_needs_fewer(others, expected):
    assert removed(page("own", links=(TEASER,)), *pages(others, links=(TEASER,))) == expected


def test_how_a_line_is_set_makes_no_difference():
    assert removed(page("own", "CURRENTLY  READING:"), *pages(3, LABEL)) == ["CURRENTLY  READING:"]


def test_numbers_make_a_difference():
    others = [page(f"place{number}", f"Astana: {number} degrees") for number in range(9)]
    assert removed(page("own", "Astana: 12 degrees"), *others) == []


def test_a_page_does_not_count_against_itself():
    own = page("own", MENU)
    assert removed(own, own, own, own) == []


def test_the_paragraph_that_some_articles_share_is_theirs():
    background = "The agreement with the EU was signed in 2015 and has been in force since 2020."
    others = [*pages(4, background), *[page(f"other{number}") for number in range(12)]]
    assert removed(page("own", background), *others) == []


def test_an_article_at_several_addresses_stays_whole():
    story = [f"The agency's paragraph number {number} about the river and its dams." for number in range(6)]
    copies = [exactly(f"copy{number}", *story, f"From our office in {number}.") for number in range(9)]
    assert removed(exactly("own", *story, "From our own office."), *copies) == []


def test_the_same_article_at_another_address_is_no_other_page():
    own = page("own", links=(TEASER,))
    copy = replace(own, key="copy")
    assert removed(own, copy, *pages(OTHERS_WITH_LINK - 1, links=(TEASER,))) == []


def test_what_an_article_quotes_of_one_that_was_republished_stays():
    story = [f"The agency's paragraph number {number} about the river and its dams." for number in range(6)]
    copies = [exactly(f"copy{number}", *story) for number in range(9)]
    assert removed(page("own", story[0]), *copies) == []


def test_a_live_blog_that_grows_over_many_addresses_stays_whole():
    posts = [
        f"At {hour} o'clock the delegations of {hour} countries went on talking about rails."
        for hour in range(40)
    ]
    blogs = [exactly(f"blog{number}", *posts[: 20 + number]) for number in range(10)]
    assert removed(exactly("own", *posts[:31]), *blogs) == []


def test_what_surrounds_short_reports_is_learned_from_long_ones():
    long = pages(4, MENU, LABEL)
    short = exactly("short", "The pass is closed.", MENU, LABEL)
    assert removed(short, *long) == [MENU, LABEL]


LINES = st.lists(st.sampled_from([MENU, LABEL, TEASER, "One.", "Two.", "", "—"]), max_size=6)


@given(LINES, st.lists(LINES, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_pages_and_lines_that_are_the_same_change_nothing(own, others, random):
    which = page("own", *own)
    several = [page(f"place{number}", *lines) for number, lines in enumerate(others)]
    shuffled = random.sample(several, len(several))
    assert removed(which, *several) == removed(which, *shuffled) == removed(which, *several, which)


@given(LINES, st.lists(LINES, max_size=12))
def test_only_what_other_pages_have_is_removed(own, others):
    several = [page(f"place{number}", *lines) for number, lines in enumerate(others)]
    for line in removed(page("own", *own), *several):
        assert sum(line in lines for lines in others) >= OTHERS_WITH_LINK
