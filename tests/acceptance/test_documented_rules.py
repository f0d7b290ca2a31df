"""What docs/rules.md shows of rules is what the engine does: each block, and each row of each table.

A table is known by its head, and a block by its kind and its first line. What no test here knows fails.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from syndicate import loading
from syndicate.errors import ConfigError, QueryError
from syndicate.model import Match, RuleText
from syndicate.rules.compile import compile_rules, trial_rule
from syndicate.rules.grammar import parse
from syndicate.rules.index import RuleIndex
from syndicate.rules.language import language_of
from syndicate.rules.rule import Rule
from syndicate.rules.stems import LANGUAGES
from syndicate.rules.text import ItemText, Subject
from tests.documents import DOCS, Block, blocks_of, codes, tables
from tests.support import shipped_with

PAGE = DOCS / "rules.md"
BLOCKS = blocks_of(PAGE)
NOW = datetime(2026, 11, 24, tzinfo=UTC)

# --------------------------------------------------------------------------- blocks


def is_mistaken(block: Block) -> bool:
    return block.kind == "toml" and block.name.endswith(", with mistakes")


MISTAKES = [(wrong, said) for wrong, said in pairwise(BLOCKS) if is_mistaken(wrong)]
RULE_FILES = [block for block in BLOCKS if block.kind == "toml" and not is_mistaken(block)]


def test_every_block_is_a_rule_file_or_commands_or_what_is_said_of_mistakes():
    said = [block for _, block in MISTAKES]
    assert all(block.kind == "text" for block in said)
    assert all(block.kind in ("toml", "sh") for block in BLOCKS if block not in said)
    assert all(re.fullmatch(r"rules/[a-z-]+\.toml", block.name) for block in RULE_FILES)


@pytest.mark.parametrize("block", RULE_FILES, ids=str)
def test_every_rule_shown_is_sound_and_has_examples_of_both_kinds(tmp_path, block):
    loaded = loading.load(shipped_with(tmp_path, block.name, block.text), {})
    for rule in loaded.config.rules:
        assert rule.match, rule.id
        assert rule.no_match, rule.id


@pytest.mark.parametrize(("wrong", "said"), MISTAKES, ids=str)
def test_a_mistaken_rule_file_gives_the_problems_shown(tmp_path, monkeypatch, wrong, said):
    shipped_with(tmp_path, wrong.name.removesuffix(", with mistakes"), wrong.text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as problems:
        loading.load(Path("config.toml"), {})
    assert f"{problems.value}\n" == said.text


# --------------------------------------------------------------------------- texts in cells

TEXT = re.compile(
    r"(?:(?P<field>title|author|category|link|source|language) )?"
    r"\*(?P<text>[^*]+)\*"
    r"(?: \((?P<language>[a-z]{2})\))?"
)

Tags = Mapping[str, tuple[str, ...]]  # of the shipped sources


@pytest.fixture(scope="module")
def tags(tmp_path_factory) -> Tags:
    folder = tmp_path_factory.mktemp("shipped")
    loaded = loading.load(shipped_with(folder, "rules/some-rule.toml", 'keywords = ["Some"]'), {})
    return {source.id: source.tags for source in loaded.config.sources}


def subjects(cell: str, tags: Tags, language: str | None = None) -> Iterator[Subject]:
    """Yield what the texts of a cell stand for: `*some text*, title *a title* (uz)`."""
    assert ", ".join(found[0] for found in TEXT.finditer(cell)) == cell
    for found in TEXT.finditer(cell):
        yield subject(found["field"] or "body", found["text"], found["language"] or language, tags)


def subject(field: str, text: str, language: str | None, tags: Tags) -> Subject:
    seen = language or language_of(None, None, None, text)
    match field:
        case "source":
            return Subject(source=text, tags=tags[text])
        case "language":
            return Subject(language=text)
        case "category":
            return Subject(categories=(text,))
        case "author":
            return Subject(author=text)
        case "link":
            return Subject(link=text)
        case "title":
            return Subject(title=text, language=seen)
        case _:
            return Subject(body=text, language=seen)


# --------------------------------------------------------------------------- tables


def matched(rule: Rule, asked: Subject) -> Match | None:
    return next(iter(RuleIndex([rule]).match(asked, NOW)), None)


def find_as_said(rule: Rule, found: Iterator[Subject], not_found: Iterator[Subject]) -> None:
    for asked in found:
        assert matched(rule, asked), asked
    for asked in not_found:
        assert not matched(rule, asked), asked


def a_keyword_finds(cells: list[str], tags: Tags) -> None:
    keyword, found, not_found = cells
    (word,) = codes(keyword)
    (rule,), problems = compile_rules(
        [RuleText(id="rule", title="", file="", line=1, keywords=(word,))], sources=()
    )
    assert not problems
    find_as_said(rule, subjects(found, tags), subjects(not_found, tags))


def a_query_finds(cells: list[str], tags: Tags) -> None:
    query, found, not_found = cells
    (text,) = codes(query)
    find_as_said(trial_rule(text), subjects(found, tags), subjects(not_found, tags))


def a_word_finds(cells: list[str], tags: Tags) -> None:
    tag, word, found, not_found = cells
    (language,), (text,) = codes(tag), codes(word)
    find_as_said(trial_rule(text), subjects(found, tags, language), subjects(not_found, tags, language))


def a_query_reads(cells: list[str], tags: Tags) -> None:
    (query,), (meaning,) = map(codes, cells[-2:])
    assert parse(query) == parse(meaning)


def a_query_is_refused(cells: list[str], tags: Tags) -> None:
    query, reason = cells
    with pytest.raises(QueryError) as error:
        parse(*codes(query))
    assert error.value.problem == reason


def evidence_is(cells: list[str], tags: Tags) -> None:
    query, text, evidence = cells
    (asked,) = subjects(text, tags)
    match = matched(trial_rule(*codes(query)), asked)
    assert match
    texts = ItemText(asked).texts
    assert [texts[hit.field][hit.start : hit.end] for hit in match.hits] == codes(evidence)


def languages_are_compared(cells: list[str], tags: Tags) -> None:
    how, languages = cells
    own = {"kk", "uz"}
    if "Snowball" in how:
        assert set(codes(languages)) == LANGUAGES - own
    elif "our own" in how:
        assert set(codes(languages)) == own
    else:
        assert not LANGUAGES.intersection(codes(languages))


CHECKS: Mapping[tuple[str, ...], Callable[[list[str], Tags], None]] = {
    ("a keyword", "finds", "does not find"): a_keyword_finds,
    ("a query", "finds", "does not find"): a_query_finds,
    ("language", "a word", "finds", "does not find"): a_word_finds,
    ("the tightest first", "a query", "reads as"): a_query_reads,
    ("a query", "why it is refused"): a_query_is_refused,
    ("a query", "a text", "evidence"): evidence_is,
    ("how words are compared", "languages"): languages_are_compared,
}
KEYS = ("key", "default", "meaning")  # tested with those of config.toml, in test_documentation.py
ROWS = [(head, row) for head, of_table in tables(PAGE.read_text()) if head != KEYS for row in of_table]


@pytest.mark.parametrize(
    ("head", "row"), [pytest.param(*each, id=f"{number} {each[1]}") for number, each in enumerate(ROWS)]
)
def test_every_row_of_every_table_is_so(tags, head, row):
    assert len(row) == len(head)
    CHECKS[head](row, tags)
