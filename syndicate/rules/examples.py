"""A rule's own examples, run before it goes live."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from syndicate.config import is_selected
from syndicate.errors import Problem
from syndicate.model import Example, RuleText, Source
from syndicate.rules.evaluate import labels_of
from syndicate.rules.index import Asked
from syndicate.rules.language import language_of
from syndicate.rules.rule import Rule
from syndicate.rules.text import ItemText, Subject
from syndicate.rules.tree import InField, Node, Not, children
from syndicate.rules.why_not import why_not_about

_SHOWN = 60
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # an example has just been published


def failing_examples(
    rule: Rule, text: RuleText, rules: Mapping[str, Rule], sources: Sequence[Source]
) -> Iterator[Problem]:
    """Yield a problem for each example that turns out otherwise than its author says."""
    for is_match, examples in ((True, text.match), (False, text.no_match)):
        for example in examples:
            why = _otherwise(rule, example, rules, sources, is_match=is_match)
            if why:
                verb = "should match" if is_match else "should not match"
                yield Problem(
                    file=text.file,
                    line=example.line or text.line,
                    text=f'example {verb} rule "{rule.id}", but {why}: {_shown(example)}',
                )


def _otherwise(
    rule: Rule, example: Example, rules: Mapping[str, Rule], sources: Sequence[Source], *, is_match: bool
) -> str | None:
    item = ItemText(subject_of(rule, example, sources))
    asked = Asked(rules, item, _ANY_TIME)
    match = asked.match(rule.id)
    if is_match and match is None:
        return why_not_about(rule, item, _ANY_TIME, asked)
    if not is_match and match is not None:
        terms = ", ".join(dict.fromkeys(f'"{hit.term}"' for hit in match.hits))
        return f"{terms} {'is' if len(match.hits) == 1 else 'are'} in it" if terms else "it does"
    return None


def subject_of(rule: Rule, example: Example, sources: Sequence[Source]) -> Subject:
    """Return the item that an example stands for: of a source, and in a language, that the rule is about."""
    among = [source for source in sources if rule.scope.sources is None or source.id in rule.scope.sources]
    named = next((source for source in sources if source.id == example.source), None)
    asked = next(_asked(rule.query), None)
    if asked:
        among = [source for source in among if is_selected(asked, source.id, source.tags)]
    is_limited = asked is not None or rule.scope.sources is not None
    source = named or (among[0] if among and is_limited else None)
    language = example.language or (named.language if named else None)
    detected = language_of(None, language, None, f"{example.title} {example.body}")
    return Subject(
        title=example.title,
        body=example.body,
        source=example.source or (source.id if source else ""),
        tags=source.tags if source else (),
        language=detected or (rule.scope.languages[0] if rule.scope.languages else None),
    )


def _asked(node: Node) -> Iterator[str]:
    """Yield the sources that a tree asks for by `source:`, those that it excludes aside."""
    if isinstance(node, InField) and node.field == "source":
        yield from labels_of(node)
    elif not isinstance(node, Not):
        for child in children(node):
            yield from _asked(child)


def _shown(example: Example) -> str:
    whole = " ".join(f"{example.title} {example.body}".split())
    return f'"{whole}"' if len(whole) <= _SHOWN else f'"{whole[:_SHOWN].rstrip()}…"'
