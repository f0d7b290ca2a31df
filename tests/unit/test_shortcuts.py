"""Shortcuts give what the long way gives: those for usual texts, links and markup, of which most is made."""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from html import unescape
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate import stories
from syndicate.model import Hit, Match, Score, Snippet
from syndicate.rules import detect
from syndicate.sources import sanitise
from syndicate.store import rows

SPECIAL = (
    "\n\r\t\x0b\x0c\x00\x1f\x7f\x85\x9f\u00a0\u00ad\u200b\u200c\u200d\u2028\u2029\u202e\ufeff\ufdd0\ufffe"
)
LETTERS = "aAzZ09 .,  <>&;\"'`/?#@:[]{}|^\\%~-_=()йҚ中e\u0301\u0308\U0001f600\U000e0041\ud800"
TEXTS = st.text(st.sampled_from(SPECIAL + LETTERS * 3), max_size=40)
USUAL = st.text(st.sampled_from("ab Cé\u0301й\n .,"), max_size=60)
LONG = st.builds("{}{}{}".format, USUAL, st.sampled_from(("e" + "\u0301" * 40, "x" * 250)), USUAL)


@settings(max_examples=400, deadline=None)
@given(st.one_of(TEXTS, USUAL, LONG))
def test_clean_text(text):
    assert sanitise.clean_text(text) == long_clean_text(text)


def long_clean_text(text):
    text = sanitise._CONTROL.sub("", sanitise._BREAK.sub("\n", text))
    if not text.isascii():
        text = sanitise._INVISIBLE.sub("", text)
        text = unicodedata.normalize("NFC", sanitise._LONG_WORDS.sub(sanitise._without_mark_runs, text))
    return re.sub(r" ?\n[ \n]*", "\n", sanitise._SPACES.sub(" ", text)).strip()


@settings(max_examples=200, deadline=None)
@given(st.one_of(TEXTS, USUAL))
def test_html_text(text):
    spaced = sanitise._SPACES.sub(" ", text.replace("\n", " "))
    tagless = sanitise._CLEAN_TAG.sub(lambda tag: sanitise._SEPARATORS.get(tag[1], ""), spaced)
    assert sanitise._text(text, sanitise._is_printable(text)) == long_clean_text(unescape(tagless))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ("<p>", "</p>", "a", " ", "\n", "\r", "\x01", "\u2028", "<form x>", "é", "&", ">", "\xa0")
        ),
        max_size=12,
    )
)
def test_sanitised_html(pieces):
    markup = "".join(pieces)
    cleaned = sanitise._cleaner_that("deny").clean(sanitise._FORM.sub(r"<\1div", markup))
    long = sanitise._CONTROL.sub("", sanitise._BREAK.sub("\n", cleaned)).strip()
    safe, is_printable = sanitise._sanitised(markup, "")
    assert safe == long
    assert is_printable == all(letter.isprintable() or letter == "\n" for letter in cleaned)


SCHEMES = st.sampled_from(("http://", "https://", "HTTP://", "ftp://", "//", "", "http:///", "https://@"))
HOSTS = st.sampled_from(
    (
        "a.example",
        "www.a.example",
        "www.",
        "www.www.b",
        "a..example",
        ".a",
        "a.",
        "a-b.c-d",
        "127.0.0.1",
        "a_b.example",
        "пример.рф",
        "[::1]",
        "u:p@h",
        "",
    )
)
PORTS = st.sampled_from(("", ":80", ":0", ":08", ":65535", ":65536", ":x", ":"))
TAILS = st.one_of(TEXTS, st.sampled_from(("", "/", "/a?b=c&d=%20#e", "?q", "#f", "/a b", "/" + "x" * 2000)))
BASES = st.sampled_from(("", "https://base.example/a/", "javascript:x"))


@settings(max_examples=600, deadline=None)
@given(st.builds("{}{}{}{}{}".format, st.sampled_from(("", " ")), SCHEMES, HOSTS, PORTS, TAILS), BASES)
def test_check_link(link, base):
    assert sanitise.check_link(link, base) == long_check_link(link, base)


def long_check_link(link, base):
    link = sanitise._SPACE_IN_LINK.sub("%20", link.strip())
    if not link or len(link) > sanitise.MAX_LINK or sanitise._NO_LINK.search(link):
        return None
    try:
        absolute = urljoin(base, link) if base and not sanitise._SCHEME.match(link) else link
        parts = urlsplit(absolute)
        is_link = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    if not is_link or "@" in parts.netloc or len(absolute) > sanitise.MAX_LINK:
        return None
    scheme, colon, rest = absolute.partition(":")
    return (scheme.lower() + colon + rest).translate(sanitise._QUOTED_IN_LINK)


@settings(max_examples=300, deadline=None)
@given(st.builds("{}{}{}{}".format, SCHEMES, HOSTS, PORTS, TAILS))
def test_canonical_link(link):
    assert stories.canonical_link(link) == long_canonical_link(link)


def long_canonical_link(link):
    try:
        parts = urlsplit(link)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            return None
    except ValueError:
        return None
    pairs = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not stories._is_tracking(pair)
    ]
    query = urlencode(pairs, errors="replace")
    fragment = f"#{parts.fragment}" if parts.fragment.startswith("!") else ""
    path = parts.path.rstrip("/")
    port = "" if parts.port in (None, {"http": 80, "https": 443}[parts.scheme]) else f":{parts.port}"
    site = parts.hostname.removeprefix("www.") + port
    return f"{site}{path}{'?' if query else ''}{query}{fragment}" if path or query or fragment else None


@settings(max_examples=300, deadline=None)
@given(st.builds("{}{}{}{}{}".format, st.sampled_from(("", " ")), SCHEMES, HOSTS, PORTS, TAILS))
def test_canonical_guid(guid):
    assert stories.canonical_guid(guid) == long_canonical_guid(guid.strip())


def long_canonical_guid(guid):
    try:
        parts = urlsplit(guid)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            return guid
    except ValueError:
        return guid
    port = "" if parts.port in (None, {"http": 80, "https": 443}[parts.scheme]) else f":{parts.port}"
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"//{parts.hostname.removeprefix('www.')}{port}{parts.path}{query}{fragment}"


# --------------------------------------------------------------------------- languages

SMALL_WORDS = [word for words in detect._WORDS.values() for word in words.split()]
WORDS = st.sampled_from(
    [
        *SMALL_WORDS,
        *detect._LETTERS,
        "o'zbek",
        "o’zbek",
        "gʻ",
        "boʼldi",
        "o`z",
        "слово",
        "қазақ",
        "ң",
        "日本",
        "x1y2",
        "İ",
    ]
)
SENTENCES = st.builds(
    lambda words, times, glue: glue.join(words * times),
    st.lists(WORDS, max_size=12),
    st.sampled_from((1, 1, 1, 30, 100)),
    st.sampled_from((" ", ", ", "\n", "  ")),
)


@settings(max_examples=300, deadline=None)
@given(SENTENCES, st.sampled_from((str, str.upper)))
def test_languages(text, case):
    text = case(text)
    assert detect.script(text) == long_script(text)
    if long_script(text) == "LATIN":
        assert detect.detected(text) == long_latin(text.lower())


def long_script(text):
    counts = Counter(
        unicodedata.name(letter, "?").split()[0] for letter in [*filter(str.isalpha, text)][:200]
    )
    return max(counts, key=lambda found: counts[found]) if counts else None


def long_latin(text):
    signs: list[Sequence[str]] = []
    for word in re.findall(r"[^\W\d_]+(?:['’‘ʻ`][^\W\d_]+)*", text)[:300]:
        signs.append(detect._LANGUAGES_BY_WORD.get(re.sub("[’‘ʻ`]", "'", word), ()))
    signs += [languages.split() for letter, languages in detect._LETTERS.items() if letter in text[:2000]]
    signs += [["uz"]] if re.search("[og]['’‘ʻʼ`]", text) else []
    scores: defaultdict[str, float] = defaultdict(float)
    for languages in signs:
        for language in languages:
            scores[language] += 1 / len(languages)
    best = max(scores, key=lambda language: scores[language], default=None)
    others = max((score for language, score in scores.items() if language != best), default=0.0)
    return best if best and scores[best] >= max(detect._ENOUGH, detect._AHEAD * others) else None


# --------------------------------------------------------------------------- evidence as JSON

ANY = st.text(max_size=8)
MATCHES = st.builds(
    partial(Match, rule="r"),
    rule_version=ANY,
    hits=st.lists(
        st.builds(Hit, term=ANY, field=ANY, start=st.integers(), end=st.integers()), max_size=3
    ).map(tuple),
    snippet=st.builds(
        Snippet,
        text=ANY,
        field=ANY,
        marks=st.lists(st.tuples(st.integers(0), st.integers(0)), max_size=3).map(tuple),
    ),
    score=st.none()
    | st.builds(
        Score,
        threshold=st.floats(-9, 9),
        total=st.floats(-9, 9),
        parts=st.lists(st.tuples(ANY, st.floats(-9, 9)), max_size=2).map(tuple),
    ),
)


@settings(max_examples=200, deadline=None)
@given(MATCHES)
def test_evidence(match):
    evidence = json.loads(rows.evidence_json(match))
    assert rows.match_of("r", rows.evidence_json(match)) == match
    assert rows.evidence_json(match) == json.dumps(evidence, ensure_ascii=False, separators=(",", ":"))
