"""Rules and queries, tried on what is stored. Nothing is written."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from syndicate.errors import ConfigError, Problem, QueryError
from syndicate.lookback import LookBack
from syndicate.model import TokenScope
from syndicate.report import problem_json
from syndicate.report_trials import difference_json, findings_json
from syndicate.report_words import listed, time_json
from syndicate.rules.grammar import hints
from syndicate.store.searching import ItemFilter
from syndicate.trial import Trial, trial_of_edit, trial_of_query, trials_of_draft
from syndicate.web.api import answers
from syndicate.web.api.fields import MOST, USUAL, Moment, Name, Time, moment_before
from syndicate.web.api.operation import (
    Answer,
    AnyOperation,
    ApiError,
    Asked,
    Fields,
    Nothing,
    Operation,
    Values,
    check_known,
    wrong,
)
from syndicate.web.search import MAX_QUERY
from syndicate.web.view import View

MAX_RULE = 64 * 1024  # characters
AT_ONCE = 2
SECONDS = 5.0  # after which no further page of items is looked at
LONGEST = timedelta(days=366)
_IN_A_MOMENT = {"Retry-After": "2"}

# --------------------------------------------------------------------------- what is sent


class Trying(Fields):
    """What is to be tried: a `query`, or a `rule`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["query"]}, {"required": ["rule"]}]})

    query: str | None = Field(None, min_length=1, max_length=MAX_QUERY)
    """A query."""
    rule: str | None = Field(None, min_length=1, max_length=MAX_RULE)
    """What the file of a rule would hold, in TOML. Variables (`${NAME}`) are not filled in."""
    id: Name | None = None
    """The id of the rule: of a `rule`, what its file would be called, or which it is of several in it; of a
    `query`, the rule in force whose query it is to take the place of. If such a rule is in force, the answer
    says what would change."""
    since: Moment = "30d"
    """Which items: those since then, a time (RFC 3339), or so long before now; at most a year."""
    limit: int = Field(USUAL, ge=0, le=MOST)
    """How many items are told of, at most; the counts are of all."""


# --------------------------------------------------------------------------- what is answered


class Finding(Answer):
    """An item that the rule holds for."""

    id: int
    source: str
    title: str
    link: str | None
    published: Time | None
    evidence: list[answers.Evidence]
    snippet: answers.Snippet
    score: answers.Score | None


class Findings(Answer):
    """What the rule holds for."""

    total: int
    items: list[Finding]
    """The newest first."""
    per_source: dict[str, int]
    per_day: dict[str, int]
    """Days are those of UTC."""


class Removal(Finding):
    """An item that the rule in force holds for, and this one does not."""

    why_not: str


class Removals(Answer):
    """What the rule would not hold for any more."""

    total: int
    items: list[Removal]


class AlertCounts(Answer):
    """How many alerts it would have made beyond those that were."""

    total: int
    per_endpoint: dict[str, int]


class Difference(Answer):
    """What would change if it took the place of the rule in force."""

    rule: str
    kept: int
    added: Findings
    removed: Removals
    alerts: AlertCounts


class TrialAnswer(Answer):
    """Whether it is a rule, and what it holds for."""

    valid: bool
    problems: list[answers.Problem]
    """Why it is none, each at its place."""
    hints: list[answers.Problem]
    """What may mean otherwise than it seems."""
    since: Time
    complete: bool
    """False: time was up before all items were looked at."""
    reached: Time | None
    """How far back was looked, by when items were published or first seen, where time was up."""
    findings: Findings | None
    """Null: it is no rule."""
    difference: Difference | None
    """Null: it is no rule, or none with its id is in force."""


# --------------------------------------------------------------------------- what is done


class Trials:
    """Answers what is asked of rules that are not in force.

    Args:
        seconds: for how long at most items are looked at.
    """

    def __init__(self, view: View, *, seconds: float = SECONDS) -> None:
        self._view = view
        self._seconds = seconds
        self._running = 0

    @property
    def operations(self) -> list[AnyOperation]:
        """What can be asked."""
        return [
            Operation(
                id="test",
                method="POST",
                path="/test",
                scope=TokenScope.TEST,
                summary="Try a rule or a query on what is stored",
                about=(
                    "Says what is wrong with it, what it holds for, and what it would change. Nothing is "
                    f"written. Looks at items for {SECONDS:g} seconds at most; {AT_ONCE} are tried at once."
                ),
                run=self.test,
                answer=TrialAnswer,
                query=Nothing,
                body=Trying,
            )
        ]

    async def test(self, asked: Asked[Nothing, Trying]) -> Values:
        """Try a rule or a query."""
        if self._running >= AT_ONCE:
            raise ApiError(503, "Others are being tried: try again in a moment.", headers=_IN_A_MOMENT)
        self._running += 1
        try:
            return await run_in_threadpool(self._tested, asked.body)
        finally:
            self._running -= 1

    def _tested(self, body: Trying) -> Values:
        if (body.query is None) == (body.rule is None):
            raise ApiError(400, "Give a query or a rule: one of the two.")
        since = self._since(body.since)
        answer: Values = {"hints": _hints(body.query), "since": time_json(since)}
        try:
            trial = self._trial(body)
        except ConfigError as error:
            return _invalid(answer, map(_config_problem, error.problems))
        except QueryError as error:
            return _invalid(answer, [_query_problem(error)])
        return answer | self._tried(trial, since, body.limit)

    def _tried(self, trial: Trial, since: datetime, limit: int) -> Values:
        end = time.monotonic() + self._seconds
        live = next((rule.id for rule in self._view.loaded.rules if rule.id == trial.rule.id), None)
        look = LookBack(self._view.store, trial, ItemFilter(since=since), limit=limit, live=live)
        look.go_on(lambda: time.monotonic() >= end)
        return {
            "valid": True,
            "problems": [],
            "complete": look.is_done,
            "reached": None if look.is_done else time_json(look.oldest),
            "findings": findings_json(look.findings()),
            "difference": difference_json(live, look.difference()) if live else None,
        }

    def _since(self, text: str) -> datetime:
        since, now = moment_before(text, self._view.now()), self._view.now()
        if since < now - LONGEST:
            raise wrong("since", f"is more than {LONGEST.days} days ago")
        return since

    def _trial(self, body: Trying) -> Trial:
        loaded = self._view.loaded
        if body.query is not None:
            return self._trial_of_query(body.query, body.id)
        name, text = body.id or "test", (body.rule or "").replace("\r\n", "\n")
        trials = trials_of_draft(Path(f"{name}.toml"), text, loaded.config, loaded.known, {})
        if len(trials) == 1:
            return trials[0]
        by_id = {trial.rule.id: trial for trial in trials}
        if body.id not in by_id:
            raise wrong("id", f"must name one of its rules: {listed(tuple(by_id), 12)}")
        return by_id[body.id]

    def _trial_of_query(self, query: str, rule: str | None) -> Trial:
        loaded = self._view.loaded
        if rule is None:
            return trial_of_query(query, loaded.known)
        check_known("id", rule, [each.id for each in loaded.rules])
        return trial_of_edit(rule, query, loaded.config, loaded.known)


def _invalid(answer: Values, problems: Iterable[Values]) -> Values:
    nothing = {"complete": True, "reached": None, "findings": None, "difference": None}
    return answer | nothing | {"valid": False, "problems": list(problems)}


def _hints(query: str | None) -> list[Values]:
    return [] if query is None else [_query_problem(each) for each in hints(query)]


def _config_problem(problem: Problem) -> Values:
    return {**problem_json(problem), "excerpt": problem.excerpt}


def _query_problem(error: QueryError) -> Values:
    return {
        "file": "query",
        "line": error.line,
        "column": error.column,
        "problem": error.problem,
        "excerpt": error.excerpt,
    }
