"""Everything Syndicate raises on purpose, each named for what its catcher does next."""

from collections.abc import Sequence
from dataclasses import dataclass


class SyndicateError(Exception):
    """The root. The text says where, what, and what to do."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Problem:
    """One thing wrong in one configuration file; prints as `file:line: problem`, with the column if known."""

    file: str
    line: int  # from 1; 0 when the whole file is meant, or there is no file (an environment variable)
    column: int = 0  # from 1; 0 when the whole line is meant
    text: str
    excerpt: str = ""  # the place itself, with a caret below it

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        column = f":{self.column}" if self.column else ""
        return f"{self.file}{line}{column}: {self.text}\n{self.excerpt}".rstrip()


class ConfigError(SyndicateError):
    """Files need a person: nothing was started or changed. Carries every problem found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class QueryError(SyndicateError):
    """A query needs a person. Says where in its text, counted from 1, and shows the place."""

    def __init__(self, problem: str, *, line: int, column: int, excerpt: str) -> None:
        self.problem, self.line, self.column, self.excerpt = problem, line, column, excerpt
        super().__init__(f"{line}:{column}: {problem}\n{excerpt}".rstrip())


class TemplateError(SyndicateError):
    """A template of one's own needs a person. Says in which of its lines, counted from 1; 0: not known."""

    def __init__(self, problem: str, *, line: int) -> None:
        self.problem, self.line = problem, line
        super().__init__(f"line {line}: {problem}" if line else problem)


class NetworkError(SyndicateError):
    """There was no complete response. Try again later."""


class RefusedError(NetworkError):
    """We did not send this: the address is not public, or is none at all. A person must allow or mend it."""


class LimitError(NetworkError):
    """The response broke a bound (size, time, redirects, encodings) and was dropped."""


class ParseError(SyndicateError):
    """The document is not something we can read. The source needs a look, or time."""


class StoreError(SyndicateError):
    """The database did not do it; nothing was changed."""


class SchemaError(StoreError):
    """The database was written by a newer Syndicate; this one must not touch it."""
