"""From a rule's text to a rule that can match, or every reason why not."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

from syndicate.config import is_selected, suggestion
from syndicate.errors import Problem, QueryError
from syndicate.model import RuleText, Source, Written
from syndicate.rules import collecting
from syndicate.rules.examples import failing_examples
from syndicate.rules.grammar import keyword, parse
from syndicate.rules.lexer import query_error
from syndicate.rules.refusal import refusal
from syndicate.rules.rule import Rule, Scope
from syndicate.rules.tree import Any, Folded, Node, RuleRef, Weighted, references, walk

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
    trees: dict[str, Node] = {}
    for text in texts:
        tree, found = _tree(text)
        problems += found
        if tree is not None:
            trees[text.id] = tree
    by_id = {text.id: text for text in texts}
    for wrong in _reference_problems(by_id, trees):
        problems.append(wrong[1])
        trees.pop(wrong[0], None)
    versions = _versions(by_id, trees, sources)
    rules = {rule: _rule(by_id[rule], trees[rule], versions[rule], sources) for rule in versions}
    for rule in rules.values():
        if rule.scope.sources != frozenset():  # else it is its sources that are wrong, which is said already
            problems += failing_examples(rule, by_id[rule.id], rules, sources)
    return tuple(rules[text.id] for text in texts if text.id in rules), tuple(problems)


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
    return Rule(id="query", title=query, version="", query=parse(query), terms=(query,))


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
        elif "*" in word.strip("*"):
            reason = "has a * inside, which stands for nothing: only a * at the end of a word is understood"
        else:
            continue
        yield Problem(file=text.file, line=line, text=f'keyword "{word}" {reason}')


# --------------------------------------------------------------------------- rules that refer to others


def _reference_problems(
    texts: Mapping[str, RuleText], trees: Mapping[str, Node]
) -> Iterator[tuple[str, Problem]]:
    """Yield (rule, problem) for each reference to nothing, and for each circle."""
    for rule, tree in trees.items():
        for node in walk(tree):
            if isinstance(node, RuleRef) and node.id not in texts:
                yield (
                    rule,
                    _reference_problem(
                        texts[rule], node, f"there is no rule {node.id}{suggestion(node.id, texts)}"
                    ),
                )
            elif isinstance(node, RuleRef) and (circle := _circle(rule, node.id, trees)):
                shown = " -> ".join(circle)
                yield (
                    rule,
                    _reference_problem(texts[rule], node, f"rules refer to each other in a circle: {shown}"),
                )


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


def _reference_problem(text: RuleText, node: RuleRef, why: str) -> Problem:
    if text.query is None:
        return Problem(file=text.file, line=text.line, text=why)
    return _query_problem(text, text.query, query_error(text.query.text, node.place[0], why))


def _versions(
    texts: Mapping[str, RuleText], trees: Mapping[str, Node], sources: Sequence[Source]
) -> dict[str, str]:
    """Return the version of each rule of which all that it refers to is sound too."""
    versions: dict[str, str | None] = {}

    def visit(rule: str) -> str | None:
        if rule not in versions:
            versions[rule] = None
            tree = trees.get(rule)
            if tree is not None:
                others = [visit(other) for other in sorted(references(tree))]
                if None not in others:
                    versions[rule] = _version(texts[rule], tree, others, sources)
        return versions[rule]

    for rule in trees:
        visit(rule)
    return {rule: version for rule, version in versions.items() if version is not None}


def _version(text: RuleText, tree: Node, others: Sequence[str | None], sources: Sequence[Source]) -> str:
    selected = selected_sources(text.sources, sources)
    since = None if text.since is None else text.since.total_seconds()
    decisive = [
        LANGUAGE_VERSION,
        repr(tree),
        others,
        None if selected is None else sorted(selected),
        sorted(text.languages),
        since,
    ]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16]


def _rule(text: RuleText, tree: Node, version: str, sources: Sequence[Source]) -> Rule:
    return Rule(
        id=text.id,
        title=text.title,
        version=version,
        query=tree,
        scope=Scope(selected_sources(text.sources, sources), text.languages, text.since),
        notify=text.notify,
        feed=text.feed,
        terms=_terms(text),
    )


def _terms(text: RuleText) -> tuple[str, ...]:
    if text.query is not None:
        return (" ".join(text.query.text.split()),)
    if text.score is not None:
        return tuple(f"{term.query.text} ({term.weight:+g})" for term in text.score.terms)
    return text.keywords
