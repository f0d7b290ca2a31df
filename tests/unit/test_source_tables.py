"""Sources are put into a config.toml of any shape, and everything that was in it stays as it was."""

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import takewhile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.config import read
from syndicate.config.source_tables import extended, is_faithful, source_table
from syndicate.model import Address, Kind, Source
from tests.support import shipped

NEW = Source(id="new", title="New", urls=("https://new.example/feed",), tags=("a", "b"))
NEWER = Source(id="newer", title="newer", urls=("https://newer.example/feed",))
TABLE = '[[source]]\nid = "new"\ntitle = "New"\nurl = "https://new.example/feed"\ntags = ["a", "b"]\n'
HEAD = '[[source]]\nid = "old"\nurl = "https://old.example/"'


# --------------------------------------------------------------------------- one source

TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")) | st.sampled_from('"\\$${}#[]='), min_size=1
).filter(str.strip)
SOURCES = st.builds(
    Source,
    id=st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True),
    title=TEXT.map(str.strip),
    urls=st.lists(
        st.from_regex(r"https://[a-z]{1,9}\.example/[a-z0-9?&=${}'\"|~-]{0,20}", fullmatch=True),
        min_size=1,
        max_size=3,
        unique=True,
    ).map(tuple),
    interval=st.integers(1, 30 * 86_400).map(lambda seconds: timedelta(seconds=seconds)),
    language=st.none() | st.sampled_from(["en", "kk-Cyrl"]),
    tags=st.lists(TEXT.map(str.strip), unique=True, max_size=4).map(tuple),
    adaptive=st.booleans(),
    full_text=st.booleans(),
    enabled=st.booleans(),
    baseline=st.booleans(),
)


PRUNE = st.lists(st.sampled_from([".related", 'div[class="more"]', "aside > p", "#x"]), unique=True)


def config_of(text: str) -> tuple[Source, ...]:
    """Return the sources that the config reader finds in a text; none of its problems may be theirs."""
    reading = read(Path("/nowhere/config.toml"), {}, text)
    assert [problem.text for problem in reading.problems if "/nowhere/rules" not in problem.text] == []
    assert reading.config is not None
    return reading.config.sources


@settings(deadline=None)
@given(SOURCES, st.data())
def test_a_source_is_read_as_it_was_written(source, data):
    said = data.draw(st.lists(st.sampled_from(source.urls), unique=True).map(sorted))
    more = st.sampled_from(
        [{"kind": Kind.PAGE, "item": "li > a"}, {"kind": Kind.SITEMAP}, {"link_pattern": "/*"}]
    )
    addresses = [Address(url=url, **data.draw(more)) for url in source.urls if url in said]
    source = replace(source, addresses=tuple(addresses))
    if source.full_text:
        source = replace(source, prune=tuple(data.draw(PRUNE)))
    assert config_of(source_table(source)) == (source,)


def test_keys_with_their_default_are_left_out():
    assert source_table(NEW) == TABLE
    assert source_table(NEWER) == '[[source]]\nid = "newer"\nurl = "https://newer.example/feed"\n'


def test_an_address_of_which_more_is_said_is_a_table():
    page = Address(url=NEWER.urls[0], kind=Kind.PAGE)
    assert source_table(replace(NEWER, addresses=(page,))) == (
        '[[source]]\nid = "newer"\nurls = [{ url = "https://newer.example/feed", kind = "page" }]\n'
    )


def test_a_variable_in_a_title_is_none():
    source = replace(NEW, title="Costs ${HOME} $$ and $5", urls=("https://new.example/?a=${HOME}",))
    assert config_of(source_table(source)) == (source,)
    assert '"Costs $${HOME} $$$$ and $$5"' in source_table(source)


# --------------------------------------------------------------------------- shapes

CASES = {
    "an empty file": ("", "{new}"),
    "a comment alone": ("# mine\n", "# mine\n\n{new}"),
    "no source yet": ("[network]\nconcurrency = 1\n", "[network]\nconcurrency = 1\n\n{new}"),
    "blank lines at the end": ("[service]\n\n\n", "[service]\n\n\n{new}"),
    "no final newline": (HEAD, HEAD + "\n\n{new}"),
    "a comment without a newline at the end": (HEAD + " # mine", HEAD + " # mine\n\n{new}"),
    "one source": (HEAD + "\n", HEAD + "\n\n{new}"),
    "another table behind": (
        HEAD + "\n\n[[endpoint]]\nid = 'desk'\n",
        HEAD + "\n\n{new}\n[[endpoint]]\nid = 'desk'\n",
    ),
    "another table right behind": (HEAD + "\n[service]\n", HEAD + "\n\n{new}\n[service]\n"),
    "an indented table right behind": (HEAD + "\n  [service]\n", HEAD + "\n\n{new}\n  [service]\n"),
    "a comment of the next table": (
        HEAD + "\n# where alerts go\n[service]\n",
        HEAD + "\n\n{new}\n# where alerts go\n[service]\n",
    ),
    "a comment of its own": (
        HEAD + " # one\n# full_text = true\n  # two\n\n# ---- alerts\n\n[service]\n",
        HEAD + " # one\n# full_text = true\n  # two\n\n{new}\n# ---- alerts\n\n[service]\n",
    ),
    "comments at the end": (HEAD + "\n# one\n# two\n", HEAD + "\n# one\n# two\n\n{new}"),
    "remarks at the end": (HEAD + "\n\n# the end\n", HEAD + "\n\n{new}\n# the end\n"),
    "a text that looks like a table": (
        HEAD + '\ntitle = """\n[service]\n# one"""\n[service]\n',
        HEAD + '\ntitle = """\n[service]\n# one"""\n\n{new}\n[service]\n',
    ),
    "a list over several lines": (
        HEAD + '\ntags = [ # mine\n  "a",\n  # "b",\n]\n[service]\n',
        HEAD + '\ntags = [ # mine\n  "a",\n  # "b",\n]\n\n{new}\n[service]\n',
    ),
    "sources before and after": (
        HEAD + '\n[service]\n[[ source ]] # last\nid = "last"\nurl = "https://last.example"\n[network]\n',
        HEAD
        + '\n[service]\n[[ source ]] # last\nid = "last"\nurl = "https://last.example"\n\n{new}\n[network]\n',
    ),
    "a table within the last source": (
        HEAD + '\n[source.more]\na = 1\n\n["sour" ]\n',
        HEAD + '\n[source.more]\na = 1\n\n{new}\n["sour" ]\n',
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_sources_go_behind_the_last_one_with_its_comments(name, line_end):
    before, after = (text.replace("\n", line_end) for text in CASES[name])
    new = extended(before, [NEW])
    expected = after.replace("{new}", TABLE.replace("\n", line_end if before else "\n"))
    assert new.text == expected
    assert new.text.split("\n")[new.line - 1].strip() == "[[source]]"
    assert is_faithful(before, new.text, [NEW])
    assert is_faithful(before, extended(before, [NEW, NEWER]).text, [NEW, NEWER])


INLINE = '{ id = "new", title = "New", url = "https://new.example/feed", tags = ["a", "b"] }'
OLD = '{ id = "old", url = "https://old.example/" }'
ARRAYS = {
    "in one line": (f"source = [{OLD}]\n", f"source = [{OLD}, {INLINE}]\n"),
    "in one line with a comma": (f"source = [{OLD}, ]\n", f"source = [{OLD}, {INLINE}, ]\n"),
    "over lines": (f"source = [\n  {OLD}\n]\n", f"source = [\n  {OLD},\n  {INLINE}\n]\n"),
    "over lines with commas": (
        f"source = [\n\t{OLD}, # one\n\t# two\n]\n[service]\n",
        f"source = [\n\t{OLD}, # one\n\t{INLINE},\n\t# two\n]\n[service]\n",
    ),
    "over lines with a comment": (
        f"source = [\n  {OLD} # one\n]",
        f"source = [\n  {OLD}, # one\n  {INLINE}\n]",
    ),
    "a comma in a line of its own": (
        f"source = [\n  {OLD} # one\n  , # two\n]",
        f"source = [\n  {OLD} # one\n  , # two\n  {INLINE},\n]",
    ),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_sources_in_an_array_get_company_there(name, line_end):
    before, after = (text.replace("\n", line_end) for text in ARRAYS[name])
    new = extended(before, [NEW])
    assert new.text == after
    assert "new.example" in new.text.split("\n")[new.line - 1]
    assert is_faithful(before, new.text, [NEW])
    assert is_faithful(before, extended(before, [NEW, NEWER]).text, [NEW, NEWER])


def test_the_shipped_configuration_stays_as_it_is(tmp_path):
    before = shipped(tmp_path).read_text()
    assert extended(before, [NEW]).text == f"{before}\n{TABLE}"


@pytest.mark.parametrize(
    "before", ["source = []\n", "[source]\nid = 'a'\n", "source = 1\n", "a = [\n"], ids=str.strip
)
def test_where_nothing_can_be_put_in_that_is_seen(before):
    after = f"{before}\n{TABLE}"
    assert not is_faithful(before, after, [NEW])


# --------------------------------------------------------------------------- any shape

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=12)
COMMENTS = WORDS.map(lambda words: f"# {words}") | st.sampled_from(
    ["#", "# [[source]]", '# """', "#'''", "\t# ["]
)
FILLERS = st.lists(COMMENTS | st.sampled_from(["", "", "  "]), max_size=4)
VALUES = st.sampled_from(
    [
        "1",
        "true  ",
        '"# no comment"',
        "'C:\\'",
        '"""\n[[source]]\n# in a text\n"""',
        "'''\n# in a text'''",
        "[1, 2] # [[source]]",
        "[\n  # one\n  [ 'a' ], # two\n\n]",
        '{ a = "}", b = [{}] }',
        "2026-11-27 10:00:00Z",
        '"\\"\\\\"',
    ]
)


@st.composite
def tables(draw: st.DrawFn, heads: Sequence[str]) -> list[str]:
    head = draw(st.sampled_from(heads))
    keys = draw(st.lists(st.sampled_from(["a", '"b c"', "'d'", "e.f", "g-h"]), unique=True, max_size=3))
    lines = [head + draw(st.sampled_from(["", " # mine", "\t"]))]
    for key in keys:
        lines += draw(FILLERS)
        lines.append(f"{key} = {draw(VALUES)}{draw(st.sampled_from(['', ' # [service]']))}")
    return [*lines, *draw(FILLERS)]


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Return a TOML file of tables in any order, with comments everywhere."""
    others = draw(st.lists(st.sampled_from(["[service]", "[network]", "[x.y]"]), unique=True, max_size=3))
    heads = [
        *others,
        *draw(st.lists(st.sampled_from(["[[source]]", "[[ 'source' ]]", "[[endpoint]]"]), max_size=4)),
    ]
    lines = draw(FILLERS)
    for head in draw(st.permutations(heads)):
        lines += draw(tables([head]))
    text = "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def same_start(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


@settings(deadline=None)
@given(documents(), st.lists(SOURCES, min_size=1, max_size=3))
def test_nothing_is_done_to_a_file_but_that_sources_are_put_in(before, sources):
    tomllib.loads(before)
    after = extended(before, sources).text
    assert same_start(before, after) + same_start(before[::-1], after[::-1]) >= len(before)
    assert is_faithful(before, after, sources)
    assert before.count("\r\n") == before.count("\n") or "\r" not in after
