"""From a rule's text to a rule that can match, or every reason why not."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence

from syndicate.config import is_selected, suggestion
from syndicate.errors import Problem, QueryError
from syndicate.model import RuleText, Source, Written
from syndicate.rules import collecting
from syndicate.rules.evaluate import labels_of
from syndicate.rules.examples import failing_examples
from syndicate.rules.grammar import hints, keyword, parse
from syndicate.rules.lexer import is_mixed, query_error, star_problem
from syndicate.rules.refusal import refusal
from syndicate.rules.rule import Rule, Scope
from syndicate.rules.tree import (
    Any,
    Folded,
    InField,
    Node,
    RuleRef,
    Weighted,
    Word,
    references,
    referred_first,
    unparse,
    walk,
)

NO_ID = "--query"  # of a query that is no rule; nothing can refer to it
LANGUAGE_VERSION = 2  # raised when the same rule may match other items, so that all are applied anew


def compile_rules(
    texts: Sequence[RuleText], sources: Sequence[Source]
) -> tuple[tuple[Rule, ...], tuple[Problem, ...]]:
    """Return the rules, and what is wrong with those that are missing among them."""
    with collecting.paused():
        return _compiled(texts, sources)


def _compiled(
    texts: Sequence[RuleText], sources: Sequence[Source]
) -> tuple[tuple[Rule, ...], tuple[Problem, ...]]:
    problems: list[Problem] = []
    selecting = Selecting(sources)
    trees: dict[str, Node] = {}
    for text in texts:
        tree, found = _tree(text)
        problems += found
        if tree is not None:
            trees[text.id] = tree
    by_id = {text.id: text for text in texts}
    for wrong, problem in [*_reference_problems(by_id, trees), *_label_problems(by_id, trees, selecting)]:
        problems.append(problem)
        trees.pop(wrong, None)
    versions = _versions(by_id, trees, selecting)
    rules = {rule: _rule(by_id[rule], trees[rule], versions[rule], selecting) for rule in versions}
    for rule in rules.values():
        if rule.scope.sources != frozenset():  # else it is its sources that are wrong, which is said already
            problems += failing_examples(rule, by_id[rule.id], rules, sources)
    return tuple(rules[text.id] for text in texts if text.id in rules), tuple(problems)


def rule_hints(texts: Sequence[RuleText]) -> tuple[Problem, ...]:
    """Return what is worth a second look in rules that are valid: what may mean otherwise than it seems."""
    found: list[Problem] = []
    for text in texts:
        found += _keyword_hints(text)
        terms = text.score.terms if text.score else ()
        for query in [*filter(None, [text.query]), *(term.query for term in terms)]:
            found += (_query_problem(text, query, error) for error in hints(query.text))
    return tuple(found)


def _keyword_hints(text: RuleText) -> Iterator[Problem]:
    lines = text.keyword_lines or [text.line] * len(text.keywords)
    for word, line in zip(text.keywords, lines, strict=True):
        if _SIGNS.search(word):
            why = "is looked for as it stands, without operators: for what they mean ask by `query`"
        elif is_mixed(word):
            why = "has letters of two alphabets in it, so it will hardly be found; type it anew"
        else:
            continue
        yield Problem(file=text.file, line=line, text=f'keyword "{word}" {why}')


_SIGNS = re.compile(
    r'\b(AND|OR|NOT|NEAR/\d+|BEFORE/\d+)\b|^["=]|^(title|body|lang|source|link|author|category):'
)


class Selecting:
    """The configured sources, and which of them each selection is, found once."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources
        self._found: dict[tuple[str, ...], frozenset[str] | None] = {}

    def selected(self, patterns: Sequence[str]) -> frozenset[str] | None:
        """Return what `selected_sources` does."""
        key = tuple(patterns)
        if key not in self._found:
            self._found[key] = selected_sources(patterns, self.sources)
        return self._found[key]


def selected_sources(patterns: Sequence[str], sources: Sequence[Source]) -> frozenset[str] | None:
    """Return the ids that a rule's `sources` select (ids, patterns with *, tag:name), None for all."""
    if not patterns:
        return None
    return frozenset(
        source.id
        for source in sources
        if any(is_selected(pattern, source.id, source.tags) for pattern in patterns)
    )


def trial_rule(query: str) -> Rule:
    """Return a rule of a query alone, to try it.

    Raises:
        QueryError: it is none.
    """
    return Rule(id=NO_ID, title=query, version="", query=parse(query), terms=(query,))


# --------------------------------------------------------------------------- texts to trees


def _tree(text: RuleText) -> tuple[Node | None, list[Problem]]:
    if text.query is not None:
        tree, problems = _parsed(text, text.query)
    elif text.score is not None:
        tree, problems = _weighted(text)
    else:
        tree, problems = _keywords(text)
    return (Folded(tree) if tree is not None and text.fold else tree), problems


def _parsed(text: RuleText, query: Written) -> tuple[Node | None, list[Problem]]:
    try:
        return parse(query.text), []
    except QueryError as error:
        return None, [_query_problem(text, query, error)]


def _query_problem(text: RuleText, query: Written, error: QueryError) -> Problem:
    if error.line > len(query.places):
        return Problem(file=text.file, line=text.line, text=error.problem, excerpt=error.excerpt)
    line, before = query.places[error.line - 1]
    return Problem(
        file=text.file, line=line, column=before + error.column, text=error.problem, excerpt=error.excerpt
    )


def _weighted(text: RuleText) -> tuple[Node | None, list[Problem]]:
    if text.score is None:
        return None, []
    found = [(_parsed(text, term.query), term.weight) for term in text.score.terms]
    problems = [problem for (_, some), _ in found for problem in some]
    if problems:
        return None, problems
    tree = Weighted(text.score.threshold, tuple((node, weight) for (node, _), weight in found if node))
    refused = refusal(tree)
    if refused:
        return None, [Problem(file=text.file, line=text.score.line or text.line, text=refused.reason)]
    return tree, []


def _keywords(text: RuleText) -> tuple[Node | None, list[Problem]]:
    problems = list(_keyword_problems(text))
    phrases = tuple(found for word in text.keywords if (found := keyword(word)))
    return (None if problems else Any(phrases)), problems


def _keyword_problems(text: RuleText) -> Iterator[Problem]:
    for word, line in zip(text.keywords, text.keyword_lines or [text.line] * len(text.keywords), strict=True):
        if keyword(word) is None:
            reason = "has no letter or digit in it, so it could never match"
        elif wrong := next(filter(None, (star_problem(part) for part in word.split() if "*" in part)), None):
            reason = f"cannot be looked for: {wrong[1]}"
        else:
            continue
        yield Problem(file=text.file, line=line, text=f'keyword "{word}" {reason}')


# --------------------------------------------------------------------------- rules that refer to others


def _reference_problems(
    texts: Mapping[str, RuleText], trees: Mapping[str, Node]
) -> Iterator[tuple[str, Problem]]:
    """Yield (rule, problem) for each reference to nothing, and for each circle."""
    endless = _endless(trees)
    for rule, tree in trees.items():
        for query, part in _parts(texts[rule], tree):
            for node in walk(part):
                if isinstance(node, RuleRef) and (why := _wrong_reference(rule, node.id, texts, endless)):
                    error = query_error(query.text, node.place[0], why)
                    yield rule, _query_problem(texts[rule], query, error)


def _label_problems(
    texts: Mapping[str, RuleText], trees: Mapping[str, Node], selecting: Selecting
) -> Iterator[tuple[str, Problem]]:
    """Yield (rule, problem) for each `source:` that no source answers to."""
    tags = (f"tag:{tag}" for source in selecting.sources for tag in source.tags)
    names = {*(source.id for source in selecting.sources), *tags}
    for rule, tree in trees.items():
        for query, part in _parts(texts[rule], tree):
            for node in walk(part):
                for value in _sources_asked(node):
                    if not selecting.selected([value.text]):
                        near = suggestion(value.text, names)
                        error = query_error(
                            query.text, value.place[0], f"{value.text} selects no source{near}"
                        )
                        yield rule, _query_problem(texts[rule], query, error)


def _sources_asked(node: Node) -> list[Word]:
    if not isinstance(node, InField) or node.field != "source":
        return []
    return [value for value in walk(node.child) if isinstance(value, Word)]


def _parts(text: RuleText, tree: Node) -> Iterator[tuple[Written, Node]]:
    """Yield the queries that a tree was made of, each with its own tree."""
    inner = tree.child if isinstance(tree, Folded) else tree
    if text.query is not None:
        yield text.query, inner
    elif text.score is not None and isinstance(inner, Weighted):
        yield from ((term.query, node) for term, (node, _) in zip(text.score.terms, inner.terms, strict=True))


def _endless(trees: Mapping[str, Node]) -> dict[str, Node]:
    """Return the rules from which references lead into a circle."""
    endless = dict(trees)
    for rule in referred_first(trees):
        if not any(other in endless for other in references(trees[rule])):
            del endless[rule]
    return endless


def _wrong_reference(
    rule: str, other: str, texts: Mapping[str, RuleText], endless: Mapping[str, Node]
) -> str | None:
    """Return why a rule cannot refer to another, None if it can."""
    if other not in texts:
        return f"there is no rule {other}{suggestion(other, texts.keys() - {rule})}"
    circle = _circle(rule, other, endless)
    return f"rules refer to each other in a circle: {' -> '.join(circle)}" if circle else None


def _circle(rule: str, other: str, trees: Mapping[str, Node]) -> list[str]:
    """Return the way from a rule over one that it refers to back to itself; empty if there is none."""
    ways = [[rule, other]]
    seen = {other}
    while ways:
        way = ways.pop()
        if way[-1] == rule:
            return way
        tree = trees.get(way[-1])
        for following in sorted(references(tree)) if tree else ():
            if following not in seen or following == rule:
                seen.add(following)
                ways.append([*way, following])
    return []


def _versions(
    texts: Mapping[str, RuleText], trees: Mapping[str, Node], selecting: Selecting
) -> dict[str, str]:
    """Return the version of each rule of which all that it refers to is sound too."""
    versions: dict[str, str] = {}
    for rule in referred_first(trees):
        tree = trees[rule]
        others = [versions.get(other) for other in sorted(references(tree))]
        if None not in others:
            versions[rule] = _version(texts[rule], tree, others, selecting)
    return versions


def _version(text: RuleText, tree: Node, others: Sequence[str | None], selecting: Selecting) -> str:
    selected = selecting.selected(text.sources)
    since = None if text.since is None else text.since.total_seconds()
    decisive = [
        LANGUAGE_VERSION,
        repr(tree),
        others,
        None if selected is None else sorted(selected),
        sorted(text.languages),
        since,
        _tagged_sources(tree, selecting),
    ]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16]


def _tagged_sources(tree: Node, selecting: Selecting) -> list[list[str]]:
    """Return the sources that each source:tag: of a tree stands for, which the tree itself does not tell."""
    asked = (node for node in walk(tree) if isinstance(node, InField) and node.field == "source")
    tags = (label for node in asked for label in labels_of(node) if label.startswith("tag:"))
    return [sorted(selecting.selected([tag]) or ()) for tag in tags]


def _rule(text: RuleText, tree: Node, version: str, selecting: Selecting) -> Rule:
    return Rule(
        id=text.id,
        title=text.title,
        version=version,
        query=tree,
        scope=Scope(selecting.selected(text.sources), text.languages, text.since),
        notify=text.notify,
        urgent=text.urgent,
        escalate=text.escalate,
        renamed_from=text.renamed_from,
        feed=text.feed is not None,
        terms=_terms(text, tree),
    )


def _terms(text: RuleText, tree: Node) -> tuple[str, ...]:
    if text.query is not None:
        return (unparse(tree),)  # without its comments
    if text.score is not None:
        return tuple(f"{term.query.text} ({term.weight:+g})" for term in text.score.terms)
    return text.keywords
