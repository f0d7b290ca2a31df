"""A rule's own examples, run before it goes live."""

from collections.abc import Iterator

from syndicate.errors import Problem
from syndicate.model import Example, Match, RuleText
from syndicate.rules.index import Rule, match_rule
from syndicate.rules.language import TokenText

_SHOWN = 60


def failing_examples(rule: Rule, text: RuleText) -> Iterator[Problem]:
    """Yield a problem for each example that turns out otherwise than its author says."""
    for example in text.match:
        if _match(rule, example) is None:
            yield Problem(
                file=text.file,
                line=example.line or text.line,
                text=f'example should match rule "{rule.id}", but no keyword is in it: {_shown(example)}',
            )
    for example in text.no_match:
        found = _match(rule, example)
        if found is not None:
            terms = ", ".join(dict.fromkeys(f'"{hit.term}"' for hit in found.hits))
            yield Problem(
                file=text.file,
                line=example.line or text.line,
                text=f'example should not match rule "{rule.id}", but {terms} is in it: {_shown(example)}',
            )


def _match(rule: Rule, example: Example) -> Match | None:
    # An example that names no source is meant for any of those that the rule is about.
    source = example.source or next(iter(rule.sources or ()), "")
    return match_rule(rule, source, TokenText({"title": example.title, "body": example.body}))


def _shown(example: Example) -> str:
    whole = " ".join(f"{example.title} {example.body}".split())
    return f'"{whole}"' if len(whole) <= _SHOWN else f'"{whole[:_SHOWN].rstrip()}…"'
