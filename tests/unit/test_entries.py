"""What an entry says: as much of the article as was asked for, why it is there, and who else has it."""

from dataclasses import replace

import pytest

from syndicate.feeds.direction import Direction, direction_of
from syndicate.feeds.entries import Enclosure, EntrySettings, FeedEntry, Outlet, describe
from syndicate.feeds.explain import Passage, reported
from syndicate.feeds.select import selected
from syndicate.feeds.xml import attributes, escaped, legal
from syndicate.model import Item, NumberedMatches, Snippet
from syndicate.model.feeds import FullText
from tests.published import HOUR, ITEM, MATCH, NOON, SETTINGS, described, stored


def entry_of(item: Item = ITEM, settings: EntrySettings = SETTINGS) -> FeedEntry:
    (entry,) = described(stored(item), settings=settings)
    return entry


@pytest.mark.parametrize(
    ("full_text", "summary", "article"),
    [
        (FullText.YES, "Delegations met.", "<p>Delegations met in Central Asia.</p>"),
        (FullText.SUMMARY, "Delegations met.", "<p>Delegations met.</p>"),
        (FullText.NONE, "", ""),
    ],
)
def test_an_entry_carries_as_much_of_the_article_as_was_asked_for(full_text, summary, article):
    entry = entry_of(settings=replace(SETTINGS, full_text=full_text))
    assert entry.summary == summary
    assert entry.content_html.startswith(article)
    assert ("They agreed on" in entry.content_html) == (full_text is FullText.YES)
    assert "<mark>Central Asia</mark>" in entry.content_html


def test_the_explanation_can_be_turned_off():
    entry = entry_of(settings=replace(SETTINGS, explain=False))
    assert "Matched by" not in entry.content_html
    assert "<hr>" not in entry.content_html
    assert [category.term for category in entry.categories] == ["central-asia", "water", "diplomacy"]


def test_an_entry_is_never_empty():
    bare = replace(SETTINGS, full_text=FullText.NONE, explain=False)
    assert entry_of(settings=bare).content_html == "<p>Water talks open in Almaty</p>\n"


def test_a_line_stands_between_an_article_and_ours_only_where_there_is_one():
    entry = entry_of(replace(ITEM, body=" ", summary="", content_html=""))
    assert entry.content_html.startswith('<p lang="en">Matched by the rule')


def test_what_several_rules_found_names_them_all():
    energy = replace(MATCH, rule="energy", snippet=Snippet(text="gas & oil", field="body", marks=((0, 3),)))
    (entry,) = described(stored(), stored(match=energy))
    assert [category.label for category in entry.categories[:2]] == ["Central Asia & neighbours", "energy"]
    assert entry.content_html.count("Matched by the rule") == 2
    assert "<mark>gas</mark> &amp; oil" in entry.content_html


def test_a_story_names_the_other_outlets_and_is_as_new_as_its_own_article():
    other = replace(ITEM, id=2, source="oasis", link="https://oasis.example/1", first_seen=NOON + HOUR)
    story = selected(NumberedMatches(number=1, matches=(stored(),), others=(stored(other),)))
    outlets = {**SETTINGS.outlets, "oasis": Outlet(title="Oasis & Co", feed_url="")}
    entry = describe(story, replace(SETTINGS, outlets=outlets))
    assert 'Also reported by <a href="https://oasis.example/1">Oasis &amp; Co</a>.' in entry.content_html
    assert [(report.outlet, report.link) for report in entry.reports] == [("Oasis & Co", other.link)]
    assert (entry.id, entry.updated) == (entry_of().id, entry_of().updated)


@pytest.mark.parametrize(
    ("outlet", "expected"),
    [
        (
            Outlet(title="W", feed_url="https://a.example/f", link="https://a.example/", id="tag:a,2026:f"),
            "tag:a,2026:f",
        ),
        (Outlet(title="W", feed_url="https://a.example/f", link="https://a.example/"), "https://a.example/f"),
        (Outlet(title="W", feed_url="", link="https://a.example/"), "https://a.example/"),
    ],
)
def test_an_outlet_goes_by_the_id_that_its_feed_has_given_itself(outlet, expected):
    (entry,) = described(stored(), settings=replace(SETTINGS, outlets={"steppe": outlet}))
    assert entry.source.id == expected


def test_of_many_outlets_some_are_named_and_the_others_counted():
    assert reported([(f"Outlet {number}", None) for number in range(12)]).endswith("Outlet 9 and 2 more.</p>")
    assert reported([]) == ""


def test_an_article_that_is_written_from_the_right_says_so():
    entry = entry_of(replace(ITEM, language="ar", content_html="<p>مياه</p>"))
    assert entry.direction is Direction.RTL
    assert entry.content_html.startswith('<div dir="rtl" lang="ar"><p>مياه</p></div>\n<hr>\n<p lang="en">')


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "مياه", Direction.LTR),
        ("ar-EG", "x", Direction.RTL),
        ("FA", "x", Direction.RTL),
        ("kk-Arab", "x", Direction.RTL),
        ("az-Latn", "x", Direction.LTR),
        ("he-Latn-IL", "x", Direction.LTR),
        (None, "1. مياه EU", Direction.RTL),
        (None, "«Вода» مياه", Direction.LTR),
        (None, "2026", None),
        (None, "", None),
    ],
)
def test_the_direction_follows_the_language_else_the_first_letter(language, text, expected):
    assert direction_of(language, text) is expected


@pytest.mark.parametrize(
    ("url", "type_", "expected"),
    [
        ("https://a.example/x.JPG?w=1", None, "image/jpeg"),
        ("https://a.example/x.mp3", "audio/ogg", "audio/ogg"),
        ("https://a.example/x", None, "application/octet-stream"),
        ("https://a.example/x.odd", None, "application/octet-stream"),
    ],
)
def test_a_file_has_a_type_where_one_is_required(url, type_, expected):
    assert Enclosure(url=url, type=type_, length_bytes=None).likely_type == expected


def test_the_first_picture_is_the_image_of_an_entry():
    first = ITEM.enclosures[0]
    picture = replace(first, url="https://a.example/b.png", type=None)
    assert entry_of(replace(ITEM, enclosures=(first, picture))).image == "https://a.example/b.png"
    assert entry_of().image is None


def test_marks_count_what_readers_see():
    passage = Passage.of(Snippet(text="\x00EU\x01 and \ud800Asia", field="body", marks=((1, 3), (9, 14))))
    assert passage.text == "EU and Asia"
    assert [passage.text[start:end] for start, end in passage.marks] == ["EU", "Asia"]


def test_ends_of_lines_are_those_of_xml():
    assert legal("a\x85b\nc") == "a\nb\nc"
    assert "\r" not in entry_of(replace(ITEM, content_html="<p>a</p>\r\n<p>b</p>\rc")).content_html


def test_texts_are_escaped_for_where_they_stand():
    assert escaped('a < b & "c"\r') == 'a &lt; b &amp; "c"&#13;'
    assert attributes(a='"<&>"\n\t', b=None) == ' a="&quot;&lt;&amp;&gt;&quot;&#10;&#9;"'
