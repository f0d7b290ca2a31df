"""A body of one's own, in Jinja2 (https://jinja.palletsprojects.com/templates/), kept within bounds.

A template can only put together what it is given. It calls nothing, defines nothing and includes nothing;
it loops over what it is given, no more than two deep. So how much work it is follows from its length and from
the message, and is known before it runs; what filters are given, and sums, are counted as it runs.
"""

import functools
import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.runtime import Context, LoopContext, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from syndicate.alerts.channels.answers import Answer, later
from syndicate.alerts.channels.fitting import fitted
from syndicate.alerts.channels.message import Message, Request
from syndicate.alerts.channels.variables import NAMES, variables
from syndicate.alerts.outcome import Outcome, Taken
from syndicate.alerts.webhook import cut
from syndicate.errors import TemplateError
from syndicate.model.channels import Template

SOURCE_LENGTH = 16_000  # characters of a template
OUTPUT_BYTES = 20_000  # as of every webhook; also of what a filter or + gives
FILTERED = 20 * OUTPUT_BYTES  # characters that go through filters, in all
LOOPED = 1_000  # turns of one loop
DEPTH = 2  # loops within loops
WORK = 2_000_000  # parts of the template that are evaluated, at most: about half a second
LONG_WORK = 20  # parts that count for one which may go through a long text

FILTERS = (
    "cut", "default", "e", "first", "join", "last", "length", "lower", "safe", "tojson", "trim", "upper",
    "urlencode",
)  # fmt: skip
TESTS = ("defined", "none")
LOOP = ("index", "index0", "first", "last", "length")

_EACH = "each in bounds"  # no name that a template could write
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For,
    nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.List, nodes.Tuple, nodes.Dict,
    nodes.Pair, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Filter,
    nodes.Test, nodes.Keyword, nodes.Add, nodes.Sub, nodes.Concat,
)  # fmt: skip


class _TooLongError(Exception):
    """A template has given more than may be sent."""


@dataclass(slots=True)
class _Budget:
    """How many characters may still go through filters."""

    left: int = FILTERED

    def spend(self, value: object) -> None:
        if isinstance(value, str):
            self.left -= len(value)
        if self.left < 0 or _is_long(value):
            raise _TooLongError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    template: jinja2.Template
    budget: _Budget
    work_by_depth: tuple[int, ...]  # parts that stand within no loop, within one, within two


class _Environment(ImmutableSandboxedEnvironment):
    """Gives values their keys, loops their numbers, and no attribute of anything else."""

    intercepted_binops = frozenset({"+"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Add, unless that gets too long: sums upon sums would take the square of their number."""
        result = super().call_binop(context, operator, left, right)
        if _is_long(result):
            raise _TooLongError
        return result

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return isinstance(obj, LoopContext) and attr in LOOP

    def wrap_str_format(self, value: Any) -> None:
        """Leave str.format to `is_safe_attribute`: nothing is called, so nothing needs wrapping."""


def body(settings: Template, message: Message) -> bytes:
    """Return what the template makes of a message, in UTF-8; of fewer alerts if it is too long with all.

    Raises:
        TemplateError: it is no template, or fails on this message. To check one, give it a sample.
    """
    compiled = _compiled(settings)
    text = fitted(message, lambda shown: _rendered(compiled, variables(shown)), lambda text: text is not None)
    if text is None:
        raise TemplateError(f"it gives more than {OUTPUT_BYTES} bytes for one alert: make it shorter", line=0)
    if "json" in settings.content_type.lower():
        _check_json(text)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise TemplateError(f"it gives half a character, {text[error.start]!a}", line=0) from error


def request(settings: Template, body: bytes, delivery: str) -> Request:
    """Return the request that sends it, with the delivery's id, by which a receiver tells what came twice."""
    ours = {"content-type": settings.content_type, "webhook-id": delivery}
    theirs = {name.lower(): value for name, value in settings.headers.items()}
    return Request(method=settings.method, url=settings.url, body=body, headers={**theirs, **ours})


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Return what an answer means: 2xx is success."""
    return Taken() if answer.is_success else later("the endpoint", answer, now)


def _rendered(compiled: _Compiled, values: Mapping[str, Any]) -> str | None:
    """Return what comes out, None if that is too much, or too much work."""
    compiled.budget.left = FILTERED
    longest = _longest(values)
    if sum(parts * longest**depth for depth, parts in enumerate(compiled.work_by_depth)) > WORK:
        return None
    try:
        return "".join(_bounded(compiled.template.generate(values)))
    except _TooLongError:
        return None
    except Exception as error:  # filters and operators raise what they like
        raise TemplateError(f"it fails: {error}", line=_line(error)) from error


def _bounded(pieces: Iterator[str]) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece.encode(errors="replace"))
        if length > OUTPUT_BYTES:
            raise _TooLongError
        yield piece


def _longest(value: object) -> int:
    """Return the length of the longest list in it, 1 at least."""
    match value:
        case list():
            return max(1, len(value), *map(_longest, value))
        case dict():
            return max(1, *map(_longest, value.values()))
        case _:
            return 1


def _line(error: BaseException) -> int:
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 0 for frame in reversed(frames) if frame.filename == "<template>"), 0)


def _check_json(text: str) -> None:
    try:
        json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno} of what it gives)" if isinstance(error, json.JSONDecodeError) else ""
        hint = "write values as {{ alert.title | tojson }}, without quotes around them"
        raise TemplateError(f"it gives no JSON: {error}{where}; {hint}", line=0) from error


def _no_constant(name: str) -> None:
    """Refuse what Python takes for JSON and nobody else does (RFC 8259 6)."""
    raise ValueError(f"{name} is no number")


def _is_long(value: object) -> bool:
    return (isinstance(value, str) and len(value) > OUTPUT_BYTES) or (
        isinstance(value, list) and len(value) > LOOPED
    )


# --------------------------------------------------------------------------- compiling


def _compiled(settings: Template) -> _Compiled:
    if len(settings.template) > SOURCE_LENGTH:
        raise TemplateError(f"a template has up to {SOURCE_LENGTH} characters", line=0)
    budget = _Budget()
    environment = _environment(budget, escapes_html=settings.escapes_html)
    try:
        tree = environment.parse(settings.template)
        work = [0] * (DEPTH + 1)
        _check(tree, 0, work)
        _check_names(tree)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, _EACH, [], [], None, None, lineno=loop.lineno)
        code = environment.compile(tree, filename="<template>")
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(error.message or "not a template", line=error.lineno) from error
    except RecursionError as error:
        raise TemplateError("it is nested too deeply", line=0) from error
    except ValueError as error:  # of Python, whose numbers in decimals have up to 4300 digits
        raise TemplateError("a number in it is too long", line=0) from error
    template = jinja2.Template.from_code(environment, code, {})
    return _Compiled(template=template, budget=budget, work_by_depth=tuple(work))


def _environment(budget: _Budget, *, escapes_html: bool) -> _Environment:
    environment = _Environment(autoescape=escapes_html, undefined=StrictUndefined, keep_trailing_newline=True)
    known = {**environment.filters, "cut": cut}
    environment.globals.clear()
    environment.filters = {name: _short(known[name], budget) for name in FILTERS} | {_EACH: _each}
    environment.tests = {name: environment.tests[name] for name in TESTS}
    # As JSON everywhere; jinja2's way of writing <, > and & is JSON as well, and safe within HTML.
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    return environment


def _short(function: Callable[..., Any], budget: _Budget) -> Callable[..., Any]:
    """Return a filter that fails where it gives too long a text, or all of them have been given too much."""

    @functools.wraps(function)  # where jinja2 notes what it is to hand over besides
    def bounded(*values: Any, **named: Any) -> Any:
        result = function(*values, **named)
        for text in (*values, result):
            budget.spend(text)
        return result

    return bounded


def _each(values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise TypeError("only a list can be looped over")
    if len(values) > LOOPED:
        raise ValueError(f"a loop has up to {LOOPED} turns")
    return values


def _check(node: nodes.Node, depth: int, work: list[int]) -> None:
    """Refuse what could be endless, and count the parts at each depth of loops."""
    if not isinstance(node, _ALLOWED):
        raise _refused(node, f"{_named(node)} cannot be used in a template")
    if isinstance(node, nodes.Filter) and (node.name not in FILTERS or node.node is None):
        raise _refused(node, f"no filter {node.name!r}: there are {', '.join(FILTERS)}")
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        raise _refused(node, f"no test {node.name!r}: there are {', '.join(TESTS)}")
    work[depth] += _work(node)
    if isinstance(node, nodes.For):
        _check_loop(node, depth)
    inner = depth + isinstance(node, nodes.For)
    for child in node.iter_child_nodes():
        _check(child, inner, work)


def _work(node: nodes.Node) -> int:
    """Return how many parts one counts for: more where all of a long text may be copied or looked through."""
    match node:
        case nodes.Concat():
            return LONG_WORK * len(node.nodes)
        case nodes.Add() | nodes.Operand():
            return LONG_WORK
        case _:
            return 1


def _check_loop(node: nodes.For, depth: int) -> None:
    if depth >= DEPTH:
        raise _refused(node, f"loops stand in loops up to {DEPTH} deep")
    if node.recursive or node.test is not None:
        raise _refused(node, "a loop is neither recursive nor filtered: use {% if %} in it")
    if any(not isinstance(part, nodes.Name | nodes.Getattr) for part in _path(node.iter)):
        raise _refused(node, "a loop goes over a variable, such as alerts or alert.also")


def _path(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    if isinstance(node, nodes.Getattr):
        yield from _path(node.node)


def _check_names(tree: nodes.Template) -> None:
    assigned = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name not in {*NAMES, *assigned, "loop"}:
            raise _refused(name, f"no variable {name.name!r}: there are {', '.join(NAMES)}")


def _refused(node: nodes.Node, problem: str) -> jinja2.TemplateSyntaxError:
    return jinja2.TemplateSyntaxError(problem, node.lineno)


def _named(node: nodes.Node) -> str:
    names = {"Call": "a call", "Assign": "{% set %}", "Mul": "*", "Pow": "**", "Mod": "%", "Div": "/"}
    kind = type(node).__name__
    return names.get(kind, f"{{% {kind.lower()} %}}" if isinstance(node, nodes.Stmt) else kind.lower())
