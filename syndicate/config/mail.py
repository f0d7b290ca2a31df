"""`[smtp]`: the server that takes mail, and what mail needs."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from syndicate.config import values
from syndicate.config.shapes import SmtpTable, shaped
from syndicate.config.toml_file import TomlFile, Unreadable, read_text, shown
from syndicate.config.toml_lines import Key
from syndicate.errors import Problem
from syndicate.model import SmtpSecurity, SmtpSettings

PORTS = {SmtpSecurity.STARTTLS: 587, SmtpSecurity.TLS: 465, SmtpSecurity.NONE: 25}
MAX_PASSWORD_BYTES = 4096

_SMTP: Key = ("smtp",)


def read_smtp(file: TomlFile, folder: Path) -> tuple[SmtpSettings | None, list[Problem]]:
    """Return how mail is sent, None if there is no [smtp] that can be told, and all problems with it."""
    if "smtp" not in file.tables:
        return None, list(_mail_without_server(file))
    if not isinstance(file.tables["smtp"], dict):
        return None, [file.mistake(_SMTP, "must be a table, headed [smtp]")]
    table, wrong = shaped(SmtpTable, file, _SMTP)
    kept, kept_problems = _kept_password(file, folder)
    wrong += kept_problems
    if table is None:
        return None, wrong
    security = SmtpSecurity(table.security)
    settings = SmtpSettings(
        host=table.host,
        port=table.port or PORTS[security],
        security=security,
        user=table.user,
        password=table.password or kept,
    )
    return settings, wrong or list(_login_problems(file, settings))


def _mail_without_server(file: TomlFile) -> Iterator[Problem]:
    for key in file.table_keys("endpoint"):
        if file.at(*key, "format") == "email":
            why = 'mail needs a server: add [smtp] with host = "...", and user and password if it wants them'
            yield file.mistake((*key, "format"), why)


def _login_problems(file: TomlFile, settings: SmtpSettings) -> Iterator[Problem]:
    if settings.password is not None and settings.user is None:
        yield file.mistake((*_SMTP, "user"), "must be given with a password")
    is_known = not any(file.is_unfilled((*_SMTP, name)) for name in ("password", "password_file"))
    if settings.user is not None and settings.password is None and is_known:
        yield file.mistake((*_SMTP, "password"), "must be given with a user, or password_file")
    password_key = "password" if file.at(*_SMTP, "password") is not None else "password_file"
    for name, text in (("user", settings.user), (password_key, settings.password)):
        if not (text or "").isascii():
            yield file.mistake((*_SMTP, name), "must be ASCII, since others cannot be sent to a mail server")
    if settings.password and settings.security is SmtpSecurity.NONE and not _is_here(settings.host):
        why = 'the password could be read on the way: write "starttls" or "tls"'
        yield file.mistake((*_SMTP, "security"), why)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _kept_password(file: TomlFile, folder: Path) -> tuple[str | None, list[Problem]]:
    """Return what `password_file` holds, None without one."""
    place = (*_SMTP, "password_file")
    name = file.at(*place)
    if not isinstance(name, str) or file.is_unfilled(place):
        return None, []
    if file.at(*_SMTP, "password") is not None:
        return None, [file.mistake(place, "there is a password as well: keep one of them")]
    try:
        path = folder / values.path(name)
    except ValueError as error:
        return None, [file.mistake(place, str(error))]
    text = read_text(path, MAX_PASSWORD_BYTES)
    if isinstance(text, Unreadable):
        return None, [file.mistake(place, f"{shown(path)}: {text.why}")]
    password = text.rstrip("\r\n")
    return (password, []) if password else (None, [file.mistake(place, f"{shown(path)}: is empty")])
