"""The command about who may look at the pages."""

import sys

import typer

from syndicate.passwords import LEAST_LENGTH, password_hash
from syndicate.terminal import err, out


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


def _asked() -> str:
    text = f"Password, of {LEAST_LENGTH} characters or more"
    asked: str = typer.prompt(text, hide_input=True, confirmation_prompt=True, err=True)
    return asked
