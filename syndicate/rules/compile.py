"""From a rule's text to a rule that can match, or every reason why not."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence

from syndicate.config import is_selected
from syndicate.errors import Problem
from syndicate.model import RuleText, Source
from syndicate.rules.examples import failing_examples
from syndicate.rules.index import Rule
from syndicate.rules.query import keywords, phrase

_WILDCARD = re.compile(r"\w\*|\*\w")
LANGUAGE_VERSION = 1  # raised when the same rule may match other items, so that all are applied anew


def compile_rules(
    texts: Sequence[RuleText], sources: Sequence[Source]
) -> tuple[tuple[Rule, ...], tuple[Problem, ...]]:
    """Return the rules, and what is wrong with those that are missing among them."""
    rules: list[Rule] = []
    problems: list[Problem] = []
    for text in texts:
        found = list(_keyword_problems(text))
        if not found:
            rule = _compile(text, sources)
            if rule.sources != frozenset():  # else it is its sources that are wrong, which is said already
                found = list(failing_examples(rule, text))
            rules.append(rule)
        problems += found
    return tuple(rules), tuple(problems)


def selected_sources(patterns: Sequence[str], sources: Sequence[Source]) -> frozenset[str] | None:
    """Return the ids that a rule's `sources` select (ids, patterns with *, tag:name), None for all."""
    if not patterns:
        return None
    return frozenset(
        source.id
        for source in sources
        if any(is_selected(pattern, source.id, source.tags) for pattern in patterns)
    )


def _keyword_problems(text: RuleText) -> Iterator[Problem]:
    for keyword, line in zip(text.keywords, text.keyword_lines, strict=True):
        if phrase(keyword) is None:
            reason = "has no letter or digit in it, so it could never match"
        elif _WILDCARD.search(keyword):
            reason = "has a * in it, which stands for nothing here: list the forms of the word"
        else:
            continue
        yield Problem(file=text.file, line=line, text=f'keyword "{keyword}" {reason}')


def _compile(text: RuleText, sources: Sequence[Source]) -> Rule:
    selected = selected_sources(text.sources, sources)
    decisive = [LANGUAGE_VERSION, text.keywords, None if selected is None else sorted(selected)]
    return Rule(
        id=text.id,
        title=text.title,
        version=hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16],
        query=keywords(text.keywords),
        sources=selected,
        notify=text.notify,
        feed=text.feed,
        terms=text.keywords,
    )
