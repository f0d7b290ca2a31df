"""The commands about deliveries and endpoints: what was sent, sending it again, and how each endpoint is."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from syndicate import report, sample
from syndicate import report_deliveries as words
from syndicate.loading import Loaded
from syndicate.model import DeliveryState, DeliveryStatus
from syndicate.report_words import counted
from syndicate.store.protocol import Store
from syndicate.terminal import (
    AsJson,
    Strict,
    known,
    load,
    opened,
    out,
    print_json,
    print_lines,
    print_table,
    since_time,
)

deliveries_app = typer.Typer(rich_markup_mode=None)
endpoints_app = typer.Typer(rich_markup_mode=None)

EVERYTHING = 2**62  # more than any database holds

ToEndpoint = Annotated[str | None, typer.Option(help="Only to this endpoint.")]
InState = Annotated[DeliveryState | None, typer.Option(help="Only in this state.")]
Dead = Annotated[bool, typer.Option("--dead", help="Only those that were given up: --state dead.")]


@deliveries_app.callback(invoke_without_command=True)
def deliveries(
    context: typer.Context,
    endpoint: ToEndpoint = None,
    state: InState = None,
    dead: Dead = False,
    since: Annotated[str | None, typer.Option(help="Only those made within this time: 12h, 7d.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """What is on its way to endpoints. Without a command: list deliveries, newest first."""
    if context.invoked_subcommand is not None:
        return
    loaded = load(context)
    with opened(loaded) as store:
        _known_endpoint(loaded, store, endpoint)
        now = store.now()
        found = store.deliveries(
            endpoint=endpoint, state=_state(state, dead), since=since_time(since, now), limit=limit
        )
        held_up = _held_up(loaded, store, found)
    if as_json:
        print_json([words.delivery_json(each) for each in found])
    else:
        rows = (words.delivery_row(each, now, held_up) for each in found)
        print_table(words.DELIVERY_TITLES, rows, "No deliveries.")


@deliveries_app.command()
def show(
    context: typer.Context,
    identity: Annotated[str, typer.Argument(metavar="ID", help="The delivery's id: the webhook-id.")],
    as_json: AsJson = False,
) -> None:
    """Show a delivery with all its attempts: when, how long it took, what was answered."""
    loaded = load(context)
    with opened(loaded) as store:
        now, found = store.now(), store.delivery(identity)
        if found is None:
            raise _unknown([identity])
        delivery, attempts = found
        held_up = _held_up(loaded, store, [delivery]).get(delivery.endpoint)
    if as_json:
        tries = [words.attempt_json(each) for each in attempts]
        print_json({"delivery": words.delivery_json(delivery), "attempts": tries})
    else:
        print_lines(words.delivery_lines(delivery, attempts, held_up, now))


@deliveries_app.command()
def replay(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Which to send again.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Instead of ids: all to this endpoint.")] = None,
    since: Annotated[
        str | None, typer.Option(help="With --endpoint: those made within this time: 12h, 7d.")
    ] = None,
    state: InState = None,
    dead: Dead = False,
    as_json: AsJson = False,
) -> None:
    """Send deliveries again, whatever became of them: what they said before, under the same ids.

    They are due at once, with all tries before them. The service sends them, or the next `once`.
    """
    loaded = load(context)
    if bool(ids) == bool(endpoint):
        raise typer.BadParameter("give ids, or --endpoint and --since, one of the two", param_hint="ID")
    if ids and (since or state or dead):
        raise typer.BadParameter("--since, --state and --dead go with --endpoint", param_hint="ID")
    if endpoint and not since:
        raise typer.BadParameter(
            "say how far back: --since 12h, of the time when they were made", param_hint="--endpoint"
        )
    with opened(loaded) as store:
        if ids:
            found = _by_id(store, ids)
        else:
            _known_endpoint(loaded, store, endpoint)
            found = store.deliveries(
                endpoint=endpoint,
                state=_state(state, dead),
                since=since_time(since, store.now()),
                limit=EVERYTHING,
            )
        due = store.replay_deliveries([each.id for each in found])
        waiting_for = _held_up(loaded, store, found)
    held = sum(each.state is DeliveryState.HELD for each in found)
    under_way = len(found) - due - held
    if as_json:
        print_json({"due": due, "under_way": under_way, "held": held})
    else:
        for line in words.replayed_lines(due, under_way, held, tuple(waiting_for.values())):
            out.print(line)


@endpoints_app.callback(invoke_without_command=True)
def endpoints(context: typer.Context, as_json: AsJson = False) -> None:
    """Where alerts go. Without a command: list the endpoints and how each is, without their secrets."""
    if context.invoked_subcommand is not None:
        return
    loaded = load(context)
    configured = {each.id: each for each in loaded.config.endpoints}
    with opened(loaded) as store:
        now, found = store.now(), store.endpoints(tuple(configured))
    if as_json:
        print_json([words.endpoint_json(each, configured.get(each.id)) for each in found])
    else:
        rows = (words.endpoint_row(each, configured.get(each.id), now) for each in found)
        nothing = "No endpoints: add an [[endpoint]] to the configuration."
        print_table(words.ENDPOINT_TITLES, rows, nothing)


@endpoints_app.command("test")
def send_test(
    context: typer.Context,
    endpoint: Annotated[str, typer.Argument(metavar="ID", help="The endpoint's id.")],
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Send a sample alert, marked as a test, and print what came back."""
    loaded = load(context)
    known("ID", endpoint, [each.id for each in loaded.config.endpoints])
    answer = asyncio.run(sample.send_test(loaded, endpoint, datetime.now(UTC)))
    if as_json:
        print_json([report.answer_json(answer)])
    else:
        out.print(report.answer_text(answer))
    if strict and not answer.is_success:
        raise typer.Exit(1)


@endpoints_app.command()
def enable(
    context: typer.Context,
    endpoint: Annotated[str, typer.Argument(metavar="ID", help="The endpoint's id.")],
) -> None:
    """Have a disabled endpoint be sent what waits for it, oldest first."""
    loaded = load(context)
    known("ID", endpoint, [each.id for each in loaded.config.endpoints])
    with opened(loaded) as store:
        waiting = store.enable_endpoint(endpoint)
    if waiting is None:
        out.print(f"{endpoint} is not disabled.")
    else:
        out.print(f"{endpoint} is enabled; {counted(waiting, 'delivery is', 'deliveries are')} due now.")


def _state(state: DeliveryState | None, dead: bool) -> DeliveryState | None:
    if dead and state not in (None, DeliveryState.DEAD):
        raise typer.BadParameter(f"--dead is --state dead, and there is --state {state}", param_hint="--dead")
    return DeliveryState.DEAD if dead else state


def _known_endpoint(loaded: Loaded, store: Store, endpoint: str | None) -> None:
    """Refuse an endpoint that is neither configured nor has anything left of it."""
    if endpoint is None or store.deliveries(endpoint=endpoint, limit=1):
        return
    known("--endpoint", endpoint, [each.id for each in loaded.config.endpoints])


def _by_id(store: Store, ids: Sequence[str]) -> list[DeliveryStatus]:
    found = {identity: store.delivery(identity) for identity in ids}
    unknown = [identity for identity, each in found.items() if each is None]
    if unknown:
        raise _unknown(unknown)
    return [each[0] for each in found.values() if each]


def _unknown(ids: Sequence[str]) -> typer.BadParameter:
    problem = f"there is no delivery {', '.join(ids)}; `deliveries` lists those there are, with their ids"
    return typer.BadParameter(problem, param_hint="ID")


def _held_up(loaded: Loaded, store: Store, found: Sequence[DeliveryStatus]) -> dict[str, str]:
    """Return why nothing is sent to the endpoints of these deliveries, of those to which nothing is."""
    configured = [each.id for each in loaded.config.endpoints]
    concerned = {each.endpoint for each in found}
    reasons = {
        status.id: words.held_up(status, is_configured=status.id in configured)
        for status in store.endpoints(configured)
        if status.id in concerned
    }
    return {endpoint: reason for endpoint, reason in reasons.items() if reason}
