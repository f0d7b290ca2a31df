"""The commands about silences: alerts that nobody wants to hear for a time."""

import getpass
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import typer

from syndicate import report_silences
from syndicate.loading import Loaded
from syndicate.model import Silence, SilenceDraft
from syndicate.silences import AskedError, AskedSilence, drafted
from syndicate.terminal import AsJson, load, opened, out, print_json, print_table

OPTIONS = {
    **{
        name: f"--{name}"
        for name in ("author", "reason", "until", "rule", "source", "tag", "endpoint", "text", "everything")
    },
    "length": "--for",
}

silences_app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Alerts that nobody wants to hear for a time."
)


@silences_app.command()
def add(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why, for whoever wonders.")],
    length: Annotated[str | None, typer.Option("--for", help="How long: 90m, 2h, 1d.")] = None,
    until: Annotated[
        str | None, typer.Option(help='Until when: "2026-11-25 08:00", by the clock of [service] time_zone.')
    ] = None,
    author: Annotated[str | None, typer.Option(help="Who says so. Default: the user of this system.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only alerts of this rule; * for any letters.")] = None,
    source: Annotated[str | None, typer.Option(help="Only alerts about this source; likewise.")] = None,
    tag: Annotated[
        str | None, typer.Option(help="Only alerts about sources with this tag; likewise.")
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="Only alerts to this endpoint; likewise.")] = None,
    text: Annotated[
        str | None, typer.Option(help="Only alerts with this in the title or text, in any case.")
    ] = None,
    everything: Annotated[bool, typer.Option("--everything", help="All alerts.")] = False,
    as_json: AsJson = False,
) -> None:
    """Have alerts not be told for a time.

    All that is given must be so. What is silenced stays untold, also when the silence has ended; items,
    matches and feeds are as always.
    """
    loaded = load(context)
    asked = AskedSilence(
        author=_user() if author is None else author,
        reason=reason,
        length=length,
        until=until,
        rule=rule,
        source=source,
        tag=tag,
        endpoint=endpoint,
        text=text,
        everything=everything,
    )
    with opened(loaded) as store:
        now = store.now()
        added = store.add_silence(_drafted(asked, loaded, now))
    if as_json:
        print_json(report_silences.silence_json(added, now))
    else:
        out.print(report_silences.added_sentence(added, now))


@silences_app.command("list")
def list_(
    context: typer.Context,
    expired: Annotated[bool, typer.Option("--expired", help="Also those that have ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """List silences, and how many alerts each has silenced."""
    with opened(load(context)) as store:
        now = store.now()
        found = [each for each in store.silences() if expired or each.ends_at > now]
    if as_json:
        print_json([report_silences.silence_json(each, now) for each in found])
    else:
        rows = (report_silences.silence_row(each, now) for each in found)
        print_table(report_silences.TITLES, rows, "No silences.")


@silences_app.command()
def expire(
    context: typer.Context,
    ids: Annotated[list[int], typer.Argument(metavar="ID...", help="Ids of silences.")],
    as_json: AsJson = False,
) -> None:
    """End silences now. What they have silenced stays untold."""
    with opened(load(context)) as store:
        silence_by_id = {each.id: each for each in store.silences()}
        _refuse_ended(ids, silence_by_id.values(), store.now())
        store.expire_silences(ids)
        now, ended = store.now(), [each for each in store.silences() if each.id in ids]
    if as_json:
        print_json([report_silences.silence_json(each, now) for each in ended])
    else:
        for each in ended:
            out.print(report_silences.expired_sentence(each))


def _refuse_ended(ids: Iterable[int], silences: Iterable[Silence], now: datetime) -> None:
    ends_by_id = {each.id: each.ends_at for each in silences}
    for number in ids:
        if number not in ends_by_id:
            raise typer.BadParameter(f"there is no silence {number}: see silence list", param_hint="ID")
        if ends_by_id[number] <= now:
            raise typer.BadParameter(f"silence {number} has ended already", param_hint="ID")


def _drafted(asked: AskedSilence, loaded: Loaded, now: datetime) -> SilenceDraft:
    try:
        return drafted(asked, loaded, now, OPTIONS)
    except AskedError as error:
        option = None if error.about is None else OPTIONS[error.about]
        raise typer.BadParameter(str(error), param_hint=option) from error


def _user() -> str:
    """Return who runs this command; in a container, its user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise typer.BadParameter(
            "your user has no name here: say who wants it", param_hint="--author"
        ) from error
