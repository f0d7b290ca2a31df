"""Safe HTML, plain text and links, whatever comes in."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.sources.markup import read_page
from syndicate.sources.sanitise import (
    MAX_HTML,
    check_link,
    clean_html,
    clean_line,
    clean_plain,
    clean_text,
    cut_line,
    has_markup,
    has_references,
    text_of,
)

BASE = "https://steppe.example/news/1.html"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a</p><p>b</p>", "a\nb"),
        ("a<div>b</div>c", "a\nb\nc"),
        ("one\ntwo", "one two"),
        ("a<br>b<br/><br />c", "a\nb\nc"),
        ("<td>a</td><td>b</td>", "ab"),  # no cells outside of a table
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ("s<b>t</b>r<i>o</i>ng", "strong"),
        ("<my-card>a</my-card>", "a"),
        ("&lt;b&gt; &amp;lt; &nbsp;&copy;", "<b> &lt; ©"),
        ("x<script>y</script>z<style>q</style>", "xz"),
        ("<p title=\"a>b\">c<img alt='<p>'></p>", "c"),
        ("<!-- hidden --><p>shown", "shown"),
        ("<p>unclosed <b>bold<p>next", "unclosed bold\nnext"),
        ("plain", "plain"),
        ("", ""),
        ("1 < 2 && 3 > 2", "1 < 2 && 3 > 2"),
    ],
)
def test_text_of_html(markup, text):
    assert text_of(markup) == text


@pytest.mark.parametrize(
    ("markup", "html"),
    [
        ("<script>alert(1)</script>", ""),
        ("<p onclick='x' style='y' class='z' id='i' lang='ru'>a</p>", '<p lang="ru">a</p>'),
        ("<a href='javascript:x'>a</a>", '<a rel="noopener noreferrer">a</a>'),
        ("<a href='JaVa\tScript:x'>a</a>", '<a rel="noopener noreferrer">a</a>'),
        ("<a href='vbscript:x' target='_top'>a</a>", '<a rel="noopener noreferrer">a</a>'),
        ("<q cite='javascript:x'>a</q>", "<q>a</q>"),
        ("<img src='2.png'>", '<img src="https://steppe.example/news/2.png">'),
        ("<img src='//cdn.example/a' onload=x srcset='b 2x'>", '<img src="https://cdn.example/a">'),
        ("<img src='data:image/svg+xml,x'>", "<img>"),
        ("<svg><a xlink:href='javascript:x'>y</a></svg>z", "z"),
        ("<math><mtext></math><img src=x onerror=y>", '<img src="https://steppe.example/news/x">'),
        ("<form action='/x'><input name=a><button>b</button></form>", "<div>b</div>"),
        ("<iframe src='https://e.example'></iframe><object data=x>y</object>z", "z"),
        ("<base href='https://evil.example/'><img src='x'>", '<img src="https://steppe.example/news/x">'),
        ("<meta http-equiv=refresh content='0;url=x'><link rel=stylesheet href=x>a", "a"),
        ('<figure><img src="https://e.example/a" alt="b"><figcaption>c</figcaption></figure>',) * 2,
        ("a\x01b&#2;c", "abc"),
    ],
)  # fmt: skip
def test_html_is_safe(markup, html):
    assert clean_html(markup, BASE).html == html


@pytest.mark.parametrize(
    "base", ["", "javascript:x", "https://[", "https://\ufffdatom.example/", "https://e.example:x/"]
)
def test_relative_addresses_are_dropped_without_a_base(base):
    assert clean_html("<a href='/x'>a</a>", base).html == '<a rel="noopener noreferrer">a</a>'


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 20_000 + "deep",
        "<b>" * 20_000 + "<p>x" * 1000,
        "<p>" + "".join(f"<b a{number}>" for number in range(400)) + "<p>x" * 14_000,
        "<p>" + "<b><i><u><s><em><tt><code><font><big>" * 3 + "<p>x" * 16_000,
        "&" * MAX_HTML,
        "<a " + " ".join(f"a{number}" for number in range(9000)) + ">x",
        "<" * MAX_HTML,
        "<table>" * 9000,
    ],
    ids=[
        "nested",
        "formatting",
        "formatting with attributes",
        "formatting again",
        "&",
        "attributes",
        "<",
        "tables",
    ],
)
def test_html_cannot_blow_up(markup):
    clean = clean_html(markup, BASE)
    assert len(clean.html) <= 8 * MAX_HTML
    assert len(clean.text) <= MAX_HTML


def test_text_in_front_of_what_is_too_deep_is_kept():
    clean = clean_html("<p>kept</p>" + "<div>" * 300 + "lost", BASE)
    assert (clean.text, clean.was_cut) == ("kept", True)


def test_a_cut_never_halves_a_reference():
    assert clean_html("x" * (MAX_HTML - 3) + "&nbsp;y", BASE).text == "x" * (MAX_HTML - 3)


def test_plain_text_becomes_paragraphs():
    clean = clean_plain("a < b\n\n\x00c  d\n")
    assert (clean.text, clean.html) == ("a < b\nc d", "<p>a &lt; b</p><p>c d</p>")


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("e\u0301", "é"),
        ("a\u00a0b\u3000c\td", "a b c d"),
        ("a\r\nb\rc\u2028d\n \n e", "a\nb\nc\nd\ne"),
        ("по\u00adли\u200bти\u2060ка\ufeff", "политика"),
        ("pass\u200cword \u200djoin\u200d", "password join"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("a\x00b\x1bc\x7fd\x9be\ud800f\ufffeg", "abcdefg"),
        ("  ", ""),
    ],
)
def test_text_is_clean(raw, clean):
    assert clean_text(raw) == clean


def test_combining_marks_without_end_are_cut():
    assert len(clean_text("a" + "\u0301\u0316" * 30_000)) <= 32


@pytest.mark.parametrize(
    ("text", "line", "was_cut"),
    [
        ("x" * 10, "x" * 10, False),
        ("x" * 11, "x" * 9 + "…", True),
        ("12345678 9 0", "12345678…", True),  # shorter than it may be, and cut
        ("a" + " " * 500, "a", False),
        (" " * 500 + "a", "", True),  # looked at no further
        ("x" * 9 + "…", "x" * 9 + "…", False),
    ],
)
def test_it_is_known_whether_a_line_was_cut(text, line, was_cut):
    assert cut_line(text, 10) == (line, was_cut)


def test_lines_are_cut_with_an_ellipsis():
    assert clean_line("a\nb", 10) == "a b"
    assert clean_line("x" * 11, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("text", "is_markup"),
    [
        ("<i>Ostrov</i>", True),
        ("a<br>b", True),
        ("<img src='x'>", True),
        ("Using the <table> element", False),
        ("</unknown>", False),
        ("1 < 2 > 0", False),
        ("<3", False),
    ],
)
def test_markup_is_told_from_text(text, is_markup):
    assert has_markup(text) is is_markup


def test_references_are_told_from_text():
    assert has_references("AT&amp;T")
    assert not has_references("AT&T; ?a=1&b=2 &unknown;")


@pytest.mark.parametrize(
    ("link", "checked"),
    [
        ("https://e.example/a?b=c&d=e#f", "https://e.example/a?b=c&d=e#f"),
        (" HTTP://E.example/ ", "http://E.example/"),
        ("2.html", "https://steppe.example/news/2.html"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("https://e.example/вода", "https://e.example/вода"),
        ("https://e.example/a b<c>\"", "https://e.example/a%20b%3Cc%3E%22"),
        ("https://e.example/@user", "https://e.example/@user"),
        ("", None),
        ("javascript:alert(1)", None),
        ("JAVASCRIPT://e.example/%0aalert(1)", None),
        ("data:text/html,x", None),
        ("mailto:a@b.example", None),
        ("https://user@e.example/", None),
        ("https://e.example\\@f.example", None),
        ("https://e.example/\x00", None),
        ("https://e.example:99999/", None),
        ("https:///path", None),
        ("https://[::1", None),
        ("https://e.example/" + "x" * 2000, None),
    ],
)  # fmt: skip
def test_links(link, checked):
    assert check_link(link, BASE) == checked


def test_a_page_names_its_title_and_feeds():
    page = read_page(
        "<title> A \n page </title><link rel=alternate type=application/atom+xml href=/a>"
        "<link rel='alternate' hreflang=ru href=/ru>"
        "<link rel=alternate type=application/rss+xml href='javascript:x'>",
        BASE,
    )
    assert (page.title, page.feeds) == ("A page", ("https://steppe.example/a",))


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=200))
def test_clean_text_is_clean_and_stays_the_same(text):
    clean = clean_text(text)
    assert clean_text(clean) == clean == unicodedata.normalize("NFC", clean)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.sampled_from(["<p>", "</p>", "<b ", "x", '"', "'", ">", "<", "&lt;", "&", "<script>", "\n", "="])
    )
)
def test_cleaning_html_twice_changes_nothing_more(pieces):
    clean = clean_html("".join(pieces), BASE)
    again = clean_html(clean.html, BASE)
    assert again.text == clean.text
