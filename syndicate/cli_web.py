"""The commands about who may look at the pages, and which programs may use the API."""

import json
import sys
from typing import Annotated

import typer

from syndicate.config.values import line_of_text
from syndicate.model import TokenScope
from syndicate.passwords import LEAST_LENGTH, password_hash
from syndicate.terminal import err, out
from syndicate.tokens import digest_of, fresh_token


def password() -> None:
    """Make the hash of a password, for `password` in [web].

    Asks for the password twice, without showing it; or reads one line of standard input where nobody watches.
    """
    try:
        made = password_hash(_asked() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n"))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="the password") from error
    out.print(made)
    if sys.stdin.isatty():
        err.print("Put it into config.toml, in straight quotes, as password in [web].")


def token(
    name: Annotated[str, typer.Option(help="What the program is called, for people.")] = "api",
    scope: Annotated[
        list[TokenScope] | None,
        typer.Option(help="What it may do; once for each. Default: read.", show_default=False),
    ] = None,
) -> None:
    """Make a token for a program that uses the API.

    Prints the table for config.toml, which holds the token's digest alone; and, where you see it but no file
    does (standard error), the token itself, once.
    """
    try:
        called = line_of_text(name)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--name") from error
    made = fresh_token()
    scopes = dict.fromkeys(scope or [TokenScope.READ])
    out.print("[[web.token]]")
    out.print(f"name = {json.dumps(called, ensure_ascii=False)}")  # a text as TOML has it, too
    out.print(f'digest = "{digest_of(made)}"')
    out.print(f"scopes = [{', '.join(json.dumps(each) for each in scopes)}]")
    err.print("The token, which is shown this once; give it to the program and to nobody else:")
    err.print(made)
    if sys.stdout.isatty():
        err.print("Put the table above into config.toml.")


def _asked() -> str:
    text = f"Password, of {LEAST_LENGTH} characters or more"
    asked: str = typer.prompt(text, hide_input=True, confirmation_prompt=True, err=True)
    return asked
