"""rules/*.toml -> the rules as written, each with its place."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from syndicate.config.selection import is_selected
from syndicate.config.shapes import ExampleTable, FileRuleTable, NamedRuleTable, RuleTable, shaped
from syndicate.config.toml_file import TomlFile, label, read_toml, shown
from syndicate.config.toml_lines import Key
from syndicate.config.values import identifier, quoted, suggestion
from syndicate.errors import Problem
from syndicate.model import Example, RuleText


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What rules may refer to, also where a table of that name has problems of its own."""

    tags_by_source: Mapping[str, tuple[str, ...]]
    endpoints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a rule is, and the id it has there."""

    file: TomlFile
    key: Key  # () for the one rule of a file
    rule_id: str


def read_rules(
    folder: Path, environ: Mapping[str, str], names: Names | None
) -> tuple[tuple[RuleText, ...], list[Problem]]:
    """Return the rules of a folder's *.toml in the order of the files' names, and all problems with them.

    Files whose names start with a dot are left out: editors make such.

    Args:
        names: None when config.toml can't be read, so that references to it can't be judged.
    """
    if not folder.is_dir():
        text = "there is no such folder; rules in [service] names the one with the rules"
        return (), [Problem(file=shown(folder), line=0, text=text)]
    paths = sorted(path for path in folder.glob("*.toml") if not path.name.startswith("."))
    read = [(path, read_toml(path, environ)) for path in paths]
    problems = [file for _, file in read if isinstance(file, Problem)]
    places = []
    for path, file in read:
        if isinstance(file, TomlFile):
            problems += [*file.unfilled_problems(), *_file_problems(file, path)]
            places += list(_places(file, path.stem))
    rules = []
    for place in places:
        rule, wrong = _rule(place, names)
        problems += wrong
        rules += [rule] if rule else []
    if not paths:
        text = 'there are no rules: add a file such as central-asia.toml with keywords = ["Central Asia"]'
        problems.append(Problem(file=shown(folder), line=0, text=text))
    return tuple(rules), [*problems, *_taken_ids(places)]


def _places(file: TomlFile, stem: str) -> Iterator[Place]:
    if "rule" not in file.tables:
        yield Place(file=file, key=(), rule_id=stem)
    for key in file.table_keys("rule"):
        rule_id = file.at(*key, "id")
        yield Place(file=file, key=key, rule_id=rule_id if isinstance(rule_id, str) else "")


def _file_problems(file: TomlFile, path: Path) -> Iterator[Problem]:
    if "rule" not in file.tables:
        try:
            identifier(path.stem)
        except ValueError as error:
            yield Problem(file=file.name, line=0, text=f"the file's name is the rule's id, and {error}")
        return
    yield from file.table_list_problems("rule")
    for name in file.tables:
        if name != "rule":
            text = (
                f"{quoted(name)} must be in one of the [[rule]] tables: a file is one rule or a list of them"
            )
            yield file.problem((name,), text)


def _taken_ids(places: list[Place]) -> Iterator[Problem]:
    first_by_id: dict[str, Place] = {}
    for place in places:
        first = first_by_id.setdefault(place.rule_id, place)
        if place.rule_id and first is not place:
            text = (
                f"the id {quoted(place.rule_id)} is taken by {first.file.name}:{first.file.line(first.key)}"
            )
            yield place.file.problem((*place.key, "id"), text)


def _rule(place: Place, names: Names | None) -> tuple[RuleText | None, list[Problem]]:
    file, key = place.file, place.key
    shape: type[RuleTable] = NamedRuleTable if key else FileRuleTable
    table, problems = shaped(shape, file, key)
    problems += file.repeats(*key, "keywords", fold=_folded)
    problems += file.repeats(*key, "sources")
    problems += file.repeats(*key, "notify")
    if file.at(*key, "feed") is False and not file.at(*key, "notify"):
        text = "feed: without a feed the rule does nothing: name an endpoint in notify"
        problems.append(file.problem((*key, "feed"), text))
    if names:
        problems += _unknown_sources(file, key, names.tags_by_source)
        problems += _unknown_endpoints(file, key, names.endpoints)
    return _rule_text(place, table) if table else None, problems


def _folded(keyword: str) -> str:
    """Return what is the same for keywords that match the same: any case, any blanks."""
    return " ".join(unicodedata.normalize("NFKC", keyword).casefold().split())


def _unknown_sources(
    file: TomlFile, key: Key, tags_by_source: Mapping[str, tuple[str, ...]]
) -> Iterator[Problem]:
    if not tags_by_source:
        return  # one problem says it all: there are no sources
    names = {*tags_by_source, *(f"tag:{tag}" for tags in tags_by_source.values() for tag in tags)}
    for place, pattern in file.texts(*key, "sources"):
        if not any(is_selected(pattern, source, tags) for source, tags in tags_by_source.items()):
            near = suggestion(pattern, names)
            yield file.problem(place, f"{label(place)}: {quoted(pattern)} selects no source{near}")
    for kind in ("match", "no_match"):
        examples = file.at(*key, "examples", kind)
        for number in range(len(examples) if isinstance(examples, list) else 0):
            place = (*key, "examples", kind, number, "source")
            source = file.at(*place)
            if isinstance(source, str) and source not in tags_by_source and not file.is_unfilled(place):
                text = f"source: there is no source {quoted(source)}{suggestion(source, tags_by_source)}"
                yield file.problem(place, text)


def _unknown_endpoints(file: TomlFile, key: Key, endpoints: tuple[str, ...]) -> Iterator[Problem]:
    for place, endpoint in file.texts(*key, "notify"):
        if endpoint not in endpoints:
            near = suggestion(endpoint, endpoints) if endpoints else ": add it to config.toml as [[endpoint]]"
            yield file.problem(place, f"{label(place)}: there is no endpoint {quoted(endpoint)}{near}")


def _rule_text(place: Place, table: RuleTable) -> RuleText:
    file, key = place.file, place.key
    return RuleText(
        id=place.rule_id,
        title=table.title or place.rule_id,
        file=file.name,
        line=file.line(key),
        keywords=tuple(table.keywords),
        keyword_lines=tuple(file.line((*key, "keywords", number)) for number in range(len(table.keywords))),
        sources=tuple(table.sources),
        notify=tuple(table.notify),
        feed=table.feed,
        match=_examples(file, (*key, "examples", "match"), table.examples.match),
        no_match=_examples(file, (*key, "examples", "no_match"), table.examples.no_match),
    )


def _examples(file: TomlFile, key: Key, tables: list[ExampleTable]) -> tuple[Example, ...]:
    return tuple(
        Example(
            title=table.title,
            body=table.body,
            language=table.language,
            source=table.source,
            line=file.line((*key, number)),
        )
        for number, table in enumerate(tables)
    )
