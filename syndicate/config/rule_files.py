"""rules/*.toml -> the rules as written, each with its place."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from syndicate.config.selection import is_selected
from syndicate.config.shapes import (
    ExampleTable,
    FeedTable,
    FileRuleTable,
    NamedRuleTable,
    RuleTable,
    ScoreTable,
    shaped,
)
from syndicate.config.toml_file import TomlFile, read_toml, shown, toml_file
from syndicate.config.toml_lines import Key
from syndicate.config.values import identifier, quoted, suggestion
from syndicate.errors import Problem
from syndicate.model import Example, RuleText, ScoreText, SpikeSettings, WeightedTerm
from syndicate.model.feeds import Dedupe, FeedSettings, Order

NO_DRAFTS: Mapping[Path, str] = {}
ASKS = ("keywords", "query", "score")  # the keys a rule may ask by, one of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What rules may refer to, whatever else is wrong with it; None where that can't be said."""

    tags_by_source: Mapping[str, tuple[str, ...]] | None = None
    endpoints: tuple[str, ...] | None = None
    collected: frozenset[str] | None = None  # rules that the feeds of several name


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a rule is, and the id it has there."""

    file: TomlFile
    key: Key  # () for the one rule of a file
    rule_id: str


def rule_paths(folder: Path) -> list[Path]:
    """Return a folder's rule files by name; those starting with a dot are an editor's, not the owner's.

    Raises:
        OSError: it can't be read.
    """
    return sorted(path for path in folder.iterdir() if fnmatchcase(path.name, "[!.]*.toml"))


def read_rules(
    paths: Sequence[Path], environ: Mapping[str, str], names: Names, drafts: Mapping[Path, str] = NO_DRAFTS
) -> tuple[tuple[RuleText, ...], list[Problem]]:
    """Return the rules of files in order, and all problems with them.

    Args:
        drafts: what some files are to hold, instead of what they hold.
    """
    read = [(path, _read(path, environ, drafts.get(path))) for path in paths]
    problems = [file for _, file in read if isinstance(file, Problem)]
    places: list[Place] = []
    for path, file in read:
        if isinstance(file, TomlFile):
            problems += [*file.unfilled_problems(), *_file_problems(file, path.stem)]
            places += _places(file, path.stem)
    problems += _taken_ids(places)
    problems += _wrong_former_ids(places)
    rules = []
    for place in places:
        rule, wrong = _rule(place, names)
        problems += wrong
        rules += [rule] if rule else []
    return tuple(rules), problems


def _read(path: Path, environ: Mapping[str, str], draft: str | None) -> TomlFile | Problem:
    return read_toml(path, environ) if draft is None else toml_file(shown(path), draft, environ)


def _places(file: TomlFile, stem: str) -> Iterator[Place]:
    if "rule" not in file.tables:
        yield Place(file=file, key=(), rule_id=stem)
    for key in file.table_keys("rule"):
        rule_id = file.at(*key, "id")
        yield Place(file=file, key=key, rule_id=rule_id if isinstance(rule_id, str) else "")


def _file_problems(file: TomlFile, stem: str) -> Iterator[Problem]:
    if "rule" not in file.tables:
        try:
            identifier(stem)
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
            there = _location(first.file, (*first.key, "id"))
            text = f"the id {quoted(place.rule_id)} is taken by {there}"
            yield place.file.problem((*place.key, "id"), text)


def _wrong_former_ids(places: list[Place]) -> Iterator[Problem]:
    """Yield a problem for each former id that a rule has, or that two rules claim."""
    place_by_id = {place.rule_id: place for place in places}
    first_by_id: dict[str, tuple[Place, Key]] = {}
    for place in places:
        for key, former in _former_ids(place):
            claimer, first = first_by_id.setdefault(former, (place, key))
            if former == place.rule_id:
                why = "is the rule's own id: name the one that it had before"
            elif former in place_by_id:
                other = place_by_id[former]
                there = _location(other.file, (*other.key, "id"))
                why = f"{quoted(former)} is still a rule, at {there}: a rule that is renamed leaves its id"
            elif (claimer, first) != (place, key):
                there = _location(claimer.file, first)
                why = f"{quoted(former)} is claimed at {there} already: one rule goes on for it"
            else:
                continue
            yield place.file.mistake(key, why)


def _former_ids(place: Place) -> list[tuple[Key, str]]:
    key: Key = (*place.key, "renamed_from")
    written = place.file.at(*key)
    if isinstance(written, str) and not place.file.is_unfilled(key):
        return [(key, written)]
    return place.file.texts(*key)


def _location(file: TomlFile, key: Key) -> str:
    return f"{file.name}:{file.line(key)}"


def _rule(place: Place, names: Names) -> tuple[RuleText | None, list[Problem]]:
    file, key = place.file, place.key
    shape: type[RuleTable] = NamedRuleTable if key else FileRuleTable
    table, problems = shaped(shape, file, key)
    problems += file.repeats(*key, "keywords", fold=_folded)
    problems += _ask_problems(file, key)
    problems += file.repeats(*key, "sources")
    problems += file.repeats(*key, "languages", fold=str.casefold)
    problems += file.repeats(*key, "notify")
    is_used = file.at(*key, "notify") or names.collected is None or place.rule_id in names.collected
    if file.at(*key, "feed") is False and not is_used:
        text = (
            "without a feed the rule does nothing: "
            "name an endpoint in notify, or the rule in the rules of a [[feed]]"
        )
        problems.append(file.mistake((*key, "feed"), text))
    if file.at(*key, "escalate") is not None and not file.at(*key, "notify"):
        text = "there is nobody to alert again: name an endpoint in notify"
        problems.append(file.mistake((*key, "escalate"), text))
    if table and table.spike and not file.at(*key, "notify"):
        text = "a spike is told to endpoints: name one in notify"
        problems.append(file.mistake((*key, "spike"), text))
    problems += _unknown_sources(file, key, names.tags_by_source)
    problems += unknown_endpoints(file, key, names.endpoints)
    asked = [name for name in ASKS if table and getattr(table, name)]
    return _rule_text(place, table) if table and len(asked) == 1 else None, problems


def _ask_problems(file: TomlFile, key: Key) -> Iterator[Problem]:
    given = sorted((file.line((*key, name)), name) for name in ASKS if file.at(*key, name) is not None)
    if not given:
        yield file.problem(key, "a rule asks by keywords, query or [score]: give one of them")
    elif len(given) > 1:
        (first_line, first), (line, name) = given[:2]
        other = f"line {first_line} has {first}"
        text = f"{name}: a rule asks by keywords, query or [score], and {other}: keep one of them"
        yield Problem(file=file.name, line=line, text=text)


def _folded(keyword: str) -> str:
    """Return what is the same for keywords that match the same: any case, any blanks."""
    return " ".join(unicodedata.normalize("NFKC", keyword).casefold().split())


def _unknown_sources(
    file: TomlFile, key: Key, tags_by_source: Mapping[str, tuple[str, ...]] | None
) -> Iterator[Problem]:
    if tags_by_source is None:
        return
    names = {*tags_by_source, *(f"tag:{tag}" for tags in tags_by_source.values() for tag in tags)}
    for place, pattern in file.texts(*key, "sources"):
        if pattern in names:
            continue
        if not any(is_selected(pattern, source, tags) for source, tags in tags_by_source.items()):
            near = suggestion(pattern, names)
            yield file.mistake(place, f"{quoted(pattern)} selects no source{near}")
    for kind in ("match", "no_match"):
        examples = file.at(*key, "examples", kind)
        for number in range(len(examples) if isinstance(examples, list) else 0):
            place = (*key, "examples", kind, number, "source")
            source = file.at(*place)
            if isinstance(source, str) and source not in tags_by_source and not file.is_unfilled(place):
                near = suggestion(source, tags_by_source)
                yield file.mistake(place, f"there is no source {quoted(source)}{near}")


def unknown_endpoints(file: TomlFile, key: Key, endpoints: tuple[str, ...] | None) -> Iterator[Problem]:
    """Yield a problem for each endpoint in the `notify` of a table that there is not."""
    if endpoints is None:
        return
    for place, endpoint in file.texts(*key, "notify"):
        if endpoint not in endpoints:
            near = suggestion(endpoint, endpoints) if endpoints else ": add it to config.toml as [[endpoint]]"
            yield file.mistake(place, f"there is no endpoint {quoted(endpoint)}{near}")


def _rule_text(place: Place, table: RuleTable) -> RuleText:
    file, key = place.file, place.key
    return RuleText(
        id=place.rule_id,
        title=table.title or place.rule_id,
        file=file.name,
        line=file.line(key),
        keywords=tuple(table.keywords),
        keyword_lines=tuple(file.line((*key, "keywords", number)) for number in range(len(table.keywords))),
        query=file.text(*key, "query") if table.query else None,
        score=_score(file, (*key, "score"), table.score) if table.score else None,
        fold=table.fold,
        sources=tuple(table.sources),
        languages=tuple(table.languages),
        since=table.since,
        notify=tuple(table.notify),
        urgent=table.urgent,
        escalate=table.escalate,
        renamed_from=tuple(table.renamed_from),
        feed=feed_settings(table.feed) if table.feed else None,
        spike=SpikeSettings(least=table.spike.least, score=table.spike.score) if table.spike else None,
        match=_examples(file, (*key, "examples", "match"), table.examples.match),
        no_match=_examples(file, (*key, "examples", "no_match"), table.examples.no_match),
    )


def feed_settings(table: FeedTable) -> FeedSettings:
    """Return how a feed shows what it collects."""
    return FeedSettings(
        title=table.title,
        limit=table.limit,
        order=Order(table.order),
        full_text=table.full_text,
        dedupe=Dedupe(table.dedupe),
        explain=table.explain,
        public=table.public,
        token=table.token,
    )


def _score(file: TomlFile, key: Key, table: ScoreTable) -> ScoreText:
    return ScoreText(
        threshold=table.threshold,
        terms=tuple(
            WeightedTerm(query=file.name_of(*key, "terms", term), weight=weight)
            for term, weight in table.terms.items()
        ),
        line=file.line(key),
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
