"""What somebody wants to watch becomes sources, unless they are there."""

from syndicate.model import Address, Kind, Source
from syndicate.sources.opml import ListedSource
from syndicate.sources.planning import listed, plan

PRESENT = [
    Source(id="outlet", title="Outlet", urls=("https://outlet.example/feed", "https://outlet.example/old")),
    Source(id="asleep", title="Asleep", urls=("https://asleep.example/",), enabled=False),
]


def wanted(url: str, title: str = "", *tags: str) -> ListedSource:
    return ListedSource(title=title, url=url, tags=tags)


def test_what_is_new_becomes_a_source_under_its_own_id():
    found = plan(
        [
            ListedSource(title="Outlet", url="https://new.example/a", tags=("a", "b"), language="kk"),
            wanted("https://new.example/b"),
            wanted("https://new.example/c"),
        ],
        PRESENT,
    )
    assert found.skipped == ()
    assert found.sources == (
        Source(
            id="outlet-kk",
            title="Outlet",
            urls=("https://new.example/a",),
            tags=("a", "b"),
            language="kk",
        ),
        Source(id="new", title="new.example", urls=("https://new.example/b",)),
        Source(id="new-2", title="new.example", urls=("https://new.example/c",)),
    )


def test_what_is_there_is_skipped_and_the_source_is_named():
    urls = ["http://outlet.example/feed/", "https://outlet.example/old", "https://asleep.example"]
    found = plan([wanted(url) for url in urls], PRESENT)
    assert found.sources == ()
    assert [(each.wanted.url, each.why) for each in found.skipped] == [
        (urls[0], "is there already, as outlet"),
        (urls[1], "is there already, as outlet"),
        (urls[2], "is there already, as asleep"),
    ]


def test_what_is_wanted_twice_is_one_source_with_all_tags():
    found = plan(
        [wanted("https://new.example/", "New", "a", "b"), wanted("http://new.example", "Other", "b", "c")], ()
    )
    assert [(each.id, each.title, each.tags) for each in found.sources] == [("new", "New", ("a", "b", "c"))]
    assert [each.why for each in found.skipped] == ["is listed twice, and was added as new"]


def test_sources_are_listed_by_their_first_address():
    assert listed(PRESENT)[0] == ListedSource(title="Outlet", url="https://outlet.example/feed")


def test_what_has_no_feed_is_not_listed_and_pages_that_stand_in_for_one_are_passed_over():
    page, feed = "https://outlet.example/", "https://outlet.example/feed"
    addresses = (Address(url=page, kind=Kind.PAGE),)
    both = Source(id="both", title="Both", urls=(page, feed), addresses=addresses)
    only = Source(id="only", title="Only", urls=(page,), addresses=addresses)
    assert [each.url for each in listed([both, only])] == [feed]
