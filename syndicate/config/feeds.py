"""What is published: feeds of a rule, of several (`[[feed]]`), and those that need no naming (`[feeds]`)."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from hashlib import sha256

from syndicate.config.rule_files import feed_settings
from syndicate.config.shapes import CollectionTable, FeedsTable, shaped
from syndicate.config.toml_file import TomlFile
from syndicate.config.toml_lines import Key
from syndicate.config.values import quoted, suggestion
from syndicate.errors import Problem
from syndicate.model import RuleText, Source
from syndicate.model.feeds import Feed

ALL = "all"  # the id of the feed of everything
INDEX = "index"  # what the lists of feeds are called
TITLES_SHOWN = 5  # of rules that a feed collects
LONGEST_TAG = 40  # characters of one in an id

_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")


def read_feeds(
    file: TomlFile, sources: Sequence[Source], rules: Sequence[RuleText]
) -> tuple[tuple[Feed, ...], list[Problem]]:
    """Return all feeds that are published, as they are listed, and what is wrong with them."""
    automatic, problems = _automatic(file)
    of_rules = [feed for rule in rules if (feed := rule.own_feed)]
    collections, wrong = _collections(file, sources, rules)
    taken = {feed.id for feed in (*of_rules, *collections)}
    others = []
    if automatic.all and rules and ALL not in taken:
        about = "News that matches any rule"
        others.append(Feed(id=ALL, title="All rules", about=about, rules=_open_rules(rules)))
    if automatic.tags:
        others += [feed for feed in _of_tags(sources, rules) if feed.id not in taken]
    feeds = (*of_rules, *collections, *others)
    problems += [*wrong, *_index_problems(rules), *_token_problems(file, rules, {feed.id for feed in feeds})]
    return feeds, problems


def read_hub(file: TomlFile) -> bool | str:
    """Return which hub tells of feeds: ours, where it can be reached; none; or the one at that address."""
    return _automatic(file)[0].hub


def read_has_health(file: TomlFile) -> bool:
    """Return whether there is a feed of health."""
    return _automatic(file)[0].health


def _automatic(file: TomlFile) -> tuple[FeedsTable, list[Problem]]:
    if not isinstance(file.tables.get("feeds", {}), dict):
        return FeedsTable(), [file.mistake(("feeds",), "must be a table, headed [feeds]")]
    table, problems = shaped(FeedsTable, file, ("feeds",))
    return table or FeedsTable(), problems


def _index_problems(rules: Sequence[RuleText]) -> Iterator[Problem]:
    for rule in rules:
        if rule.id == INDEX and rule.feed is not None:
            text = f"a feed can't be called {quoted(INDEX)}, as the list of all feeds is: rename the rule"
            yield Problem(file=rule.file, line=rule.line, text=text)


def _is_open(rule: RuleText) -> bool:
    """Whether its owner lets anybody read what a rule finds."""
    return (feed := rule.own_feed) is not None and feed.is_listed


def _open_rules(rules: Sequence[RuleText]) -> tuple[str, ...] | None:
    """Return the rules that a feed collects which names none; None: all.

    What is secret, in no list or not published is in no feed that does not name its rule.
    """
    return None if all(map(_is_open, rules)) else tuple(rule.id for rule in rules if _is_open(rule))


# --------------------------------------------------------------------------- [[feed]]


def _collections(
    file: TomlFile, sources: Sequence[Source], rules: Sequence[RuleText]
) -> tuple[list[Feed], list[Problem]]:
    problems = [*file.table_list_problems("feed"), *file.taken_ids("feed")]
    rule_by_id = {rule.id: rule for rule in rules}
    tags = {tag for source in sources for tag in source.tags}
    feeds = []
    for key in file.table_keys("feed"):
        table, wrong = shaped(CollectionTable, file, key)
        problems += [*wrong, *file.repeats(*key, "rules"), *file.repeats(*key, "tags")]
        problems += _unknown(file, (*key, "rules"), rule_by_id, "rule")
        problems += _unknown(file, (*key, "tags"), tags, "tag")
        if table is None:
            continue
        problems += _taken(file, key, table.id, rule_by_id.get(table.id))
        feeds.append(_collection(table, sources, rules))
    return feeds, problems


def _taken(file: TomlFile, key: Key, name: str, rule: RuleText | None) -> Iterator[Problem]:
    if rule is not None and rule.feed is not None:
        why = f"{quoted(name)} is the feed of a rule, at {rule.file}:{rule.line}: call this one otherwise"
        yield file.mistake((*key, "id"), why)
    elif name == INDEX:
        yield file.mistake((*key, "id"), f"{quoted(name)} is what the list of all feeds is called")


def _unknown(
    file: TomlFile, key: Key, known: Sequence[str] | set[str] | dict[str, RuleText], what: str
) -> Iterator[Problem]:
    for place, pattern in file.texts(*key):
        if not any(fnmatchcase(name, pattern) for name in known):
            near = suggestion(pattern, known)
            yield file.mistake(place, f"there is no {what} {quoted(pattern)}{near}")


def _collection(table: CollectionTable, sources: Sequence[Source], rules: Sequence[RuleText]) -> Feed:
    of_rules = _open_rules(rules) if table.rules is None else _selected_rules(table.rules, rules)
    tagged = [
        source.id for source in sources if table.tags is None or any(_selected(table.tags, source.tags))
    ]
    title = table.title or table.id
    return Feed(
        id=table.id,
        title=title,
        about=_about(table, [rule.title for rule in rules if of_rules is not None and rule.id in of_rules]),
        rules=of_rules,
        sources=None if table.tags is None else tuple(tagged),
        settings=feed_settings(table),
    )


def _about(table: CollectionTable, titles: Sequence[str]) -> str:
    shown = ", ".join(titles[:TITLES_SHOWN])
    rest = f" and {len(titles) - TITLES_SHOWN} more" if len(titles) > TITLES_SHOWN else ""
    about = "News that matches " + ("any rule" if table.rules is None else f"{shown}{rest}")
    return about if table.tags is None else f"{about}, from sources tagged {', '.join(table.tags)}"


def _selected_rules(patterns: Sequence[str], rules: Sequence[RuleText]) -> tuple[str, ...]:
    """Return the rules that are named, and those that are open and selected by a pattern."""
    selected = set(_selected(patterns, [rule.id for rule in rules if _is_open(rule)]))
    return tuple(rule.id for rule in rules if rule.id in selected or rule.id in patterns)


def _selected(patterns: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns))


def _token_problems(file: TomlFile, rules: Sequence[RuleText], ids: set[str]) -> Iterator[Problem]:
    """Yield a problem for a token that is the id of a feed, whose archive would be in the same folder."""
    wrong = "is the id of a feed, which anybody can guess"
    for key in file.table_keys("feed"):
        if file.at(*key, "token") in ids:
            yield file.mistake((*key, "token"), wrong)
    for rule in rules:
        if rule.feed is not None and rule.feed.token in ids:
            yield Problem(file=rule.file, line=rule.line, text=f"feed.token: {wrong}")


# --------------------------------------------------------------------------- [feeds]


def _of_tags(sources: Sequence[Source], rules: Sequence[RuleText]) -> list[Feed]:
    ids_by_tag: dict[str, list[str]] = {}
    for source in sources:
        for tag in source.tags:
            ids_by_tag.setdefault(tag, []).append(source.id)
    return [
        Feed(
            id=_tag_id(tag, ids_by_tag),
            title=f"Tag: {tag}",
            about=f"News that matches any rule, from sources tagged {tag}",
            rules=_open_rules(rules),
            sources=tuple(ids),
        )
        for tag, ids in sorted(ids_by_tag.items())
    ]


def _tag_id(tag: str, tags: dict[str, list[str]]) -> str:
    """Return the id of a tag's feed; where letters had to be left out, with what tells tags apart."""
    short = _shortened(tag)
    if short == tag and [_shortened(other) for other in tags].count(short) == 1:
        return f"tag-{short}"
    digest = sha256(tag.encode()).hexdigest()[:8]
    return "-".join(part for part in ("tag", short, digest) if part)


def _shortened(tag: str) -> str:
    return _NOT_IN_IDS.sub("-", tag.casefold()).strip("-")[:LONGEST_TAG].strip("-")
