"""The lab: what a query finds in the last thirty days, as it is typed, and what an edit of a rule changes."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from syndicate import editing
from syndicate.config import suggestion
from syndicate.editing import RuleFile
from syndicate.errors import ConfigError, Problem, QueryError, StoreError
from syndicate.lookback import LookBack
from syndicate.model import Config
from syndicate.report_explain import explanation_lines
from syndicate.report_words import Line
from syndicate.rules.grammar import hints
from syndicate.store.searching import ItemFilter
from syndicate.trial import NO_ID, Trial, explanation, trial_of_query, trials_of_draft
from syndicate.web.access import visit_of
from syndicate.web.changes import shown_at, wait_until
from syndicate.web.charts import Chart, chart
from syndicate.web.filters import choices, number_of
from syndicate.web.lookbacks import Key, LookBacks, Progress
from syndicate.web.recent import DAYS, recent_days
from syndicate.web.render import Pages
from syndicate.web.view import View

MAX_QUERY = 2_000  # characters
MAX_FILE = 100_000
SHOWN = 20  # items
SOURCES = 6  # whose share is told
EDIT_IS_OFF = "Nothing is written from here, unless edit = true is set in [web] of config.toml."
GONE = "There is no such rule."
MOST_WAITING = 20
BUSY = "Many try something just now. Try again in a moment."


class _RefusedError(Exception):
    """What was sent makes no sense. Says why, in a sentence."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        super().__init__(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What is wrong with what was typed, and where."""

    text: str
    line: int = 0  # from 1; 0: nowhere in particular
    excerpt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person tries: a query, or the text of a file of rules."""

    text: str
    file: RuleFile | None = None  # as it was when the edit began; None: a query is tried
    rule: str = ""  # the one of the file; or a live one that the query is compared with
    item: str = ""  # of which to say why, as it was typed

    @property
    def key(self) -> Key:
        """What is looked for."""
        return ("file" if self.file else "query", self.text, self.rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """What a query is to be as a rule, as it was typed."""

    id: str = ""
    title: str = ""
    notify: str = ""  # an endpoint; empty: nobody is told


NOTHING_NEW = New()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of it."""

    pieces: Sequence[tuple[str, bool]] = ()  # of what was typed, and whether each is wrong
    mistakes: Sequence[Mistake] = ()
    hints: Sequence[str] = ()
    progress: Progress | None = None  # None: nothing was typed, or it is wrong
    chart: Chart | None = None
    lines: Sequence[Line] = ()  # why the item matches, or not
    item: int | None = None
    item_problem: str = ""


class LabPage:
    """Answers `/lab` and `/lab/new`.

    Args:
        looks: where looks back go on.
    """

    def __init__(self, view: View, pages: Pages, looks: LookBacks) -> None:
        self._view = view
        self._pages = pages
        self._looks = looks
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0

    async def answer(self, request: Request) -> Response:
        """Return the page; for htmx only what was found. A POST tries the text of a file, or saves it."""
        return await self._in_turn(request, self._answer)

    async def create(self, request: Request) -> Response:
        """Write a query as a new rule."""
        return await self._in_turn(request, self._create)

    async def _in_turn(self, request: Request, answer: Callable[[Request], Response]) -> Response:
        """Answer one after the other: each takes a processor for itself, and others have work to do."""
        if self._waiting >= MOST_WAITING:
            return self._pages.error(request, 503, BUSY, {"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                return await run_in_threadpool(answer, request)
        finally:
            self._waiting -= 1

    def _answer(self, request: Request) -> Response:
        visit = visit_of(request.scope)
        is_sent = request.method == "POST" and visit is not None
        given: Mapping[str, str] = visit.form if is_sent and visit else request.query_params
        try:
            asked = self._asked(given, is_sent=is_sent)
            if is_sent and given.get("do") == "save":
                return self._saved(request, asked)
        except _RefusedError as refused:
            return self._pages.error(request, refused.status, str(refused))
        done = given.get("done", "") if not is_sent else ""
        return self._page(request, asked, self._tried(asked), done=done)

    def _create(self, request: Request) -> Response:
        visit = visit_of(request.scope)
        given = visit.form if visit else {}
        config = self._view.loaded.config
        query = _plain(given.get("q", ""))
        new = New(**{name: given.get(name, "").strip() for name in ("id", "title", "notify")})
        try:
            self._check_edit()
            text = editing.rule_text(new.title or new.id, query, new.notify)
            editing.save(config, os.environ, editing.new_file(config, new.id), text)
        except _RefusedError as refused:
            return self._pages.error(request, refused.status, str(refused))
        except (ConfigError, StoreError) as error:
            asked = Asked(text=query)
            tried = replace(self._tried(asked), mistakes=_mistakes_of(error))
            return self._page(request, asked, tried, new=new)
        wait_until(lambda: new.id in self._view.loaded.known.rules)
        return self._redirect(new.id)

    # -- what is asked

    def _asked(self, given: Mapping[str, str], *, is_sent: bool) -> Asked:
        rule, item = given.get("edit", "").strip(), (given.get("why") or given.get("item", "")).strip()
        if rule:
            return self._asked_of_file(given, rule, item, is_sent=is_sent)
        query, against = _plain(given.get("q", "")), given.get("rule", "").strip()
        if len(query) > MAX_QUERY:
            raise _RefusedError(400, f"A query has {MAX_QUERY} characters at most.")
        rules = [each.id for each in self._view.loaded.rules]
        if against and against not in rules:
            near = suggestion(against, rules)
            raise _RefusedError(400, f"There is no rule “{against[:80]}”{near or '.'}")
        return Asked(text=query, rule=against, item=item)

    def _asked_of_file(self, given: Mapping[str, str], rule: str, item: str, *, is_sent: bool) -> Asked:
        config = self._view.loaded.config
        try:
            file = editing.file_of(config, rule)
        except ConfigError as error:
            raise _RefusedError(400, str(error.problems[0])) from error
        if file is None:
            raise _RefusedError(404, GONE)
        if not is_sent:
            return Asked(text=file.text, file=file, rule=rule, item=item)
        text = given.get("toml", "").replace("\r\n", "\n")
        if len(text) > MAX_FILE:
            raise _RefusedError(400, f"A file has {MAX_FILE} characters at most here.")
        file = replace(file, digest=given.get("digest", ""))
        return Asked(text=text, file=file, rule=rule, item=item)

    # -- what comes of it

    def _tried(self, asked: Asked) -> Tried:
        if not asked.text.strip():
            return Tried()
        try:
            trial = self._trial(asked)
        except QueryError as error:
            mistake = Mistake(text=error.problem, line=error.line, excerpt=dedent(error.excerpt))
            return Tried(pieces=_pieces(asked.text, error.line, error.column), mistakes=[mistake])
        except ConfigError as error:
            line = next((each.line for each in error.problems if _is_here(each, asked)), 0)
            return Tried(pieces=_pieces(asked.text, line, 0), mistakes=_mistakes_of(error))
        progress = self._progress(asked, trial)
        why, item, problem = self._explained(asked, trial)
        days, _ = recent_days(self._view.now())
        return Tried(
            hints=[f"{hint.problem}\n{dedent(hint.excerpt)}" for hint in hints(asked.text)]
            if asked.file is None
            else (),
            progress=progress,
            chart=chart(days, {"tried": "matches"}, {"tried": progress.findings.per_day}),
            lines=why,
            item=item,
            item_problem=problem,
        )

    def _trial(self, asked: Asked) -> Trial:
        loaded = self._view.loaded
        if asked.file is None:
            return trial_of_query(asked.text, loaded.known)
        editing.check_variables(asked.file, asked.text)
        environ = editing.environ_of(asked.file, os.environ)
        trials = trials_of_draft(asked.file.path, asked.text, loaded.config, loaded.known, environ)
        for trial in trials:
            if trial.rule.id == asked.rule:
                return trial
        why = f"there is no rule {asked.rule} in this file any more"
        raise ConfigError([Problem(file=str(asked.file.path), line=0, text=why)])

    def _progress(self, asked: Asked, trial: Trial) -> Progress:
        view = self._view
        live = asked.rule if asked.rule in view.loaded.known.rules else None

        def begin() -> LookBack:
            which = ItemFilter(since=view.now() - timedelta(days=DAYS))
            return LookBack(view.store, trial, which, limit=SHOWN, live=live)

        key = (*asked.key, str(view.loaded.read_at))
        return self._looks.go_on(key, view.store.pages.newest_item(), begin)

    def _explained(self, asked: Asked, trial: Trial) -> tuple[Sequence[Line], int | None, str]:
        if not asked.item:
            return (), None, ""
        number = number_of(asked.item)
        found = [] if number is None else self._view.store.items(ItemFilter(id=number, limit=1))
        if not found:
            return (
                (),
                None,
                f"There is no item {asked.item[:20]}: its number stands in the address of its page.",
            )
        name = "The query" if trial.rule.id == NO_ID else f"The rule {trial.rule.id}"
        told = explanation(self._view.store, found[0].item, trial)
        zone = self._view.loaded.config.service.time_zone
        return tuple(explanation_lines(told, name, zone)), number, ""

    # -- what is answered

    def _page(
        self,
        request: Request,
        asked: Asked,
        tried: Tried,
        *,
        done: str = "",
        new: New = NOTHING_NEW,
    ) -> Response:
        loaded = self._view.loaded
        values = {
            "now": self._view.now(),
            "asked": asked,
            "tried": tried,
            "done": done,
            "new_id": new.id,
            "new_title": new.title,
            "choices": choices(loaded, self._view.store),
            "can_edit": loaded.config.web.edit,
            "others": _others(loaded.config, asked),
            "endpoints": [endpoint.id for endpoint in loaded.config.endpoints],
            "notify": new.notify,
            "edit_is_off": EDIT_IS_OFF,
            "toml": _as_rule(asked, new),
            "days": DAYS,
            "most_sources": SOURCES,
            "max_query": MAX_QUERY,
            "rule_titles": {rule.id: rule.title for rule in loaded.rules},
            "source_titles": {source.id: source.title for source in loaded.config.sources},
        }
        if "hx-request" in request.headers:  # which shows nothing that is answered with an error
            return self._pages.page(request, "lab_found.html", values)
        return self._pages.page(request, "lab.html", values, 400 if tried.mistakes else 200)

    def _saved(self, request: Request, asked: Asked) -> Response:
        self._check_edit()
        if asked.file is None:
            raise _RefusedError(400, "There is no file to save this into.")
        try:
            read_at = self._view.loaded.read_at
            rules = editing.save(self._view.loaded.config, os.environ, asked.file, asked.text)
        except (ConfigError, StoreError) as error:
            tried = replace(self._tried(asked), mistakes=_mistakes_of(error))
            return self._page(request, asked, tried)
        wait_until(lambda: self._view.loaded.read_at != read_at)
        return self._redirect(asked.rule if asked.rule in rules else next(iter(rules), ""))

    def _check_edit(self) -> None:
        if not self._view.loaded.config.web.edit:
            raise _RefusedError(403, EDIT_IS_OFF)

    def _redirect(self, rule: str) -> Response:
        return (
            shown_at(self._view, "/lab", "saved", edit=rule) if rule else shown_at(self._view, "/rules", "")
        )


def _others(config: Config, asked: Asked) -> list[str]:
    """Return the other rules that stand in the file that is edited."""
    if asked.file is None:
        return []
    mine = [text for text in config.rules if Path(text.file).absolute() == asked.file.path]
    return [text.id for text in mine if text.id != asked.rule]


def _as_rule(asked: Asked, new: New) -> str:
    """Return a query as a file of its own; empty where there is none."""
    if not asked.text or asked.file is not None:
        return ""
    return editing.rule_text(new.title or "My rule", asked.text, new.notify)


def _plain(query: str) -> str:
    return query.replace("\r\n", "\n").strip()


def _is_here(problem: Problem, asked: Asked) -> bool:
    return asked.file is not None and problem.file.endswith(asked.file.path.name)


def _mistakes_of(error: ConfigError | StoreError) -> Sequence[Mistake]:
    if isinstance(error, StoreError):
        return [Mistake(text=str(error))]
    return [
        Mistake(text=f"{each.file}: {each.text}", line=each.line, excerpt=dedent(each.excerpt))
        for each in error.problems
    ]


def _pieces(text: str, line: int, column: int) -> Sequence[tuple[str, bool]]:
    """Return a text with the place marked that is wrong: a word, or with column 0 a line."""
    if line < 1:
        return ()
    lines = text.split("\n")
    if line > len(lines):
        return ()
    start = sum(len(each) + 1 for each in lines[: line - 1]) + max(column - 1, 0)
    rest = text[start:].partition("\n")[0]
    length = len(rest) if column == 0 else len(rest.split(None, 1)[0]) if rest.strip() else 0
    wrong = text[start : start + length] or " "
    return [(text[:start], False), (wrong, True), (text[start + length :], False)]
