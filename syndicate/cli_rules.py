"""The commands by which a rule is trusted before it goes live: explain, try, diff, backfill; and spikes."""

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from syndicate import backfill as stored
from syndicate import loading, lookback, report_explain, report_spikes, trial
from syndicate import report_trials as report
from syndicate.alerts.spike_watch import volumes, watched_rules
from syndicate.config import suggestion
from syndicate.errors import QueryError
from syndicate.loading import Loaded
from syndicate.model import Recorded
from syndicate.report_words import listed
from syndicate.rules.grammar import hints
from syndicate.rules.rule import Rule
from syndicate.store.searching import ItemFilter
from syndicate.store.sql_store import SqlStore
from syndicate.store.thread import StoreThread
from syndicate.terminal import (
    AsJson,
    busy,
    err,
    known,
    load,
    opened,
    out,
    print_json,
    print_lines,
    print_table,
    stop_on_signals,
    time_before,
)
from syndicate.trial import Trial

RuleName = Annotated[
    str | None,
    typer.Argument(
        metavar="RULE", help="A rule's id, or the path of a rule file anywhere.", show_default=False
    ),
]
Query = Annotated[
    str | None, typer.Option("--query", metavar="QUERY", help="A query to try instead of a rule.")
]
OneOf = Annotated[str | None, typer.Option("--rule", metavar="ID", help="Which rule of a file with several.")]
Since = Annotated[str, typer.Option(help="Only items younger than this: 12h, 7d, 2w.")]
Limit = Annotated[int, typer.Option(min=0, help="How many items are shown at most; 0 for all.")]


def explain(
    context: typer.Context,
    item: Annotated[int, typer.Argument(metavar="ITEM", help="The item's id, as `items` lists it.")],
    rule: RuleName = None,
    query: Query = None,
    one_of: OneOf = None,
    as_json: AsJson = False,
) -> None:
    """Say why a rule holds for an item, or why not.

    Which terms hold and where, or which clause fails and what came nearest; and what became of the match.
    What is found is underlined, or in [brackets] where that cannot be.
    """
    loaded = load(context)
    tried = chosen(loaded, rule, query, one_of)
    with opened(loaded) as store:
        found = store.items(ItemFilter(id=item))
        if not found:
            problem = f"there is no item {item}; `items` lists those there are, with their ids"
            raise typer.BadParameter(problem, param_hint="ITEM")
        explained = trial.explanation(store, found[0].item, tried)
    if as_json:
        print_json(report_explain.explanation_json(explained, name_of(tried)))
    else:
        print_lines(report_explain.explanation_lines(explained, called(tried)))


def try_(
    context: typer.Context,
    rule: RuleName = None,
    query: Query = None,
    one_of: OneOf = None,
    since: Since = "30d",
    source: Annotated[str | None, typer.Option(help="Only items of this source.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show what a rule would match among the stored items.

    Newest first, with what it finds underlined, or in [brackets] where that cannot be, and with counts for
    each source and day. Nothing is written.
    """
    loaded = load(context)
    known("--source", source, [each.id for each in loaded.config.sources])
    tried = chosen(loaded, rule, query, one_of)
    with opened(loaded) as store, busy():
        which = ItemFilter(source=source, since=time_before(since, store.now()))
        found = lookback.findings(store, tried, which, limit or None)
    if as_json:
        print_json(report.findings_json(found))
    else:
        print_lines(report.findings_lines(found, since))


def diff(
    context: typer.Context,
    rule: Annotated[
        str, typer.Argument(metavar="RULE", help="The path of an edited rule file, or a rule's id.")
    ],
    one_of: OneOf = None,
    since: Since = "30d",
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show what an edited rule would change.

    Which items it would match that are not among its stored matches, which its feed shows, and the other way
    round. Nothing is written.
    """
    loaded = load(context)
    tried = chosen(loaded, rule, None, one_of)
    with opened(loaded) as store, busy():
        found = lookback.difference(store, tried, time_before(since, store.now()), limit or None)
    if as_json:
        print_json(report.difference_json(tried.rule.id, found))
    else:
        print_lines(report.difference_lines(tried.rule.id, found, since))


def backfill(
    context: typer.Context,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule's id.")],
    since: Since = "90d",
    alert: Annotated[
        bool, typer.Option("--alert", help="Alert the rule's endpoints of those never alerted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Apply a rule to the stored items.

    So its feed starts full, also beside a running service. Nobody is alerted but with --alert, and nobody
    twice.
    """
    loaded = load(context)
    known("RULE", rule, [each.id for each in loaded.rules])
    chosen_rule = loaded.known.rules[rule]
    if alert and not chosen_rule.notify:
        raise typer.BadParameter(f"the rule {rule} names no endpoint in `notify`", param_hint="--alert")
    with opened(loaded) as store:
        asked = time_before(since, store.now())
        done = asyncio.run(applied(loaded, store, chosen_rule, asked, alert=alert))
    if done is None:
        err.print("Stopped; no match was recorded.")
        raise typer.Exit(1)
    begin, recorded = done
    if as_json:
        print_json(report.backfill_json(rule, begin, recorded))
        return
    if begin < asked:
        out.print("This version of the rule is new here, so it was applied to all of the last 30 days.")
    out.print(report.backfill_line(rule, recorded, begin))
    out.print("A running service publishes and delivers it within seconds; without one, `once` does.")


def spikes(context: typer.Context, as_json: AsJson = False) -> None:
    """Show how much there is of each rule with `spike`, beside what is usual at this time of the week."""
    loaded = load(context)
    with opened(loaded) as store:
        now = store.now()
        found = volumes(store, watched_rules(loaded.config), now, loaded.config.service.time_zone)
    if as_json:
        print_json([report_spikes.volume_json(each) for each in found])
    else:
        rows = (report_spikes.volume_row(each, now) for each in found)
        print_table(report_spikes.TITLES, rows, "No rule has `spike`.")


def chosen(loaded: Loaded, name: str | None, query: str | None, one_of: str | None) -> Trial:
    """Return the rule that the command line names: by its id, by its file, or by what it asks."""
    if (name is None) == (query is None):
        raise typer.BadParameter("give a rule or a --query, one of the two", param_hint="RULE")
    ids = [rule.id for rule in loaded.rules]
    path = Path(name or "")
    is_file = query is None and name not in ids and _is_path(path)
    if one_of is not None and not is_file:
        raise typer.BadParameter("is for the path of a file with several rules", param_hint="--rule")
    if query is not None:
        return query_trial("--query", query, loaded)
    if is_file:
        return _one_of(trial.trials_of_file(path, loaded.config, loaded.known, os.environ), one_of, path)
    known("RULE", name, ids)
    return trial.trial_of_rule(name or "", loaded.config, loaded.known)


def query_trial(option: str, query: str, loaded: Loaded) -> Trial:
    """Return a query from the command line, to be tried."""
    for hint in hints(query):
        err.print(f"hint: {hint}")
    try:
        return trial.trial_of_query(query, loaded.known)
    except QueryError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def name_of(tried: Trial) -> str | None:
    """Return a rule's id, None for a query that is no rule."""
    return None if tried.rule.id == trial.NO_ID else tried.rule.id


def called(tried: Trial) -> str:
    """Return what a sentence calls a rule."""
    name = name_of(tried)
    return f"The rule {name}" if name else "The query"


async def applied(
    loaded: Loaded, store: SqlStore, rule: Rule, since: datetime, *, alert: bool
) -> tuple[datetime, Recorded] | None:
    """Apply a rule; return since when, and what that did. None if told to stop before."""
    stop, call = stop_on_signals(), StoreThread()
    try:
        is_new = rule.id in await call(loading.take_over, loaded, store)
        todo = stored.Backfill(
            rule=rule,
            since=stored.reach(since, store.now(), is_new=is_new),
            alerts_since=since if alert else None,
        )
        done = await stored.backfill(store, call, todo, loaded.known, stop)
    finally:
        call.close()
    return None if done is None else (todo.since, done)


def _is_path(path: Path) -> bool:
    return path.suffix == ".toml" or len(path.parts) > 1 or path.exists()


def _one_of(trials: Sequence[Trial], one_of: str | None, path: Path) -> Trial:
    by_id = {tried.rule.id: tried for tried in trials}
    if one_of is None and len(trials) > 1:
        problem = f"{path} has several rules, so name one: {listed(tuple(by_id), 12)}"
        raise typer.BadParameter(problem, param_hint="--rule")
    if one_of is not None and one_of not in by_id:
        problem = f"there is no {one_of!r} in {path}{suggestion(one_of, by_id)}"
        raise typer.BadParameter(problem, param_hint="--rule")
    return by_id[one_of] if one_of is not None else trials[0]
