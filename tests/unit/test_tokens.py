"""Tokens of the API, and how they are configured."""

import re
import tomllib

import pytest
import typer
from typer.testing import CliRunner

from syndicate import config
from syndicate.cli_web import token
from syndicate.config import public
from syndicate.model import ApiToken, TokenScope
from syndicate.tokens import digest_of, fresh_token, is_digest, is_of, is_token

SOURCE = '[[source]]\nid = "a"\nurl = "https://a.example/"\n'


def test_tokens_can_be_found_by_who_looks_for_secrets_and_are_never_the_same():
    tokens = {fresh_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"syn_[0-9a-f]{64}", token) and is_token(token) for token in tokens)


def test_a_digest_is_sha_256_as_everybody_computes_it():
    assert digest_of("hello") == "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert is_digest(digest_of("hello"))
    assert is_of(digest_of("hello"), digest_of("hello"))
    assert not is_of(digest_of("hello"), digest_of("Hello"))


@pytest.mark.parametrize("text", ["", "sha256:", "sha256:2CF2" + "0" * 60, "0" * 64, "sha256:" + "0" * 65])
def test_what_is_no_digest(text):
    assert not is_digest(text)


def read(tmp_path, text):
    (tmp_path / "rules").mkdir(exist_ok=True)
    (tmp_path / "rules/eu.toml").write_text('keywords = ["EU"]\n')
    (tmp_path / "config.toml").write_text(f"{SOURCE}{text}")
    return config.read(tmp_path / "config.toml", {})


def run(*words):
    """Run the command alone, which sets up no logging for all that follows."""
    command = typer.Typer()
    command.command()(token)
    return CliRunner().invoke(command, list(words))


def test_what_the_command_prints_can_be_added_to_a_configuration_as_it_is(tmp_path):
    done = run("--name", 'The "archive"', "--scope", "read", "--scope", "replay")
    assert done.exit_code == 0
    (made,) = re.findall(r"syn_[0-9a-f]{64}", done.stderr)
    assert made not in done.stdout
    reading = read(tmp_path, done.stdout)
    assert reading.problems == ()
    scopes = (TokenScope.READ, TokenScope.REPLAY)
    assert reading.config.web.tokens == (
        ApiToken(name='The "archive"', digest=digest_of(made), scopes=scopes),
    )
    assert digest_of(made) not in str(public(reading.config)) + repr(reading.config)
    assert public(reading.config)["web"]["tokens"] == [
        {"name": 'The "archive"', "digest": "***", "scopes": ["read", "replay"]}
    ]


def test_a_token_may_only_read_unless_more_is_asked_for():
    made = tomllib.loads(run().stdout)
    (table,) = made["web"]["token"]
    assert (table["name"], table["scopes"]) == ("api", ["read"])


@pytest.mark.parametrize("words", [["--name", " "], ["--name", "a\nb"], ["--scope", "write"]])
def test_a_token_that_cannot_be_configured_is_not_made(words):
    done = run(*words)
    assert done.exit_code == 2
    assert "syn_" not in done.output


def test_one_table_has_two_brackets_as_well(tmp_path):
    (problem,) = read(tmp_path, "[web.token]\nname = 'a'\n").problems
    assert problem.text == "token: write [[web.token]] with two brackets, since there can be many"
