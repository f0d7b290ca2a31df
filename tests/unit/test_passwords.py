"""Passwords are kept as hashes that take long to guess."""

import pytest

from syndicate.passwords import LEAST_LENGTH, MAX_LENGTH, is_hash, is_password, password_hash

HASH = password_hash("correct horse battery")


def test_a_hash_is_of_one_password_and_never_the_same_twice():
    assert is_hash(HASH)
    assert "correct" not in HASH
    assert is_password("correct horse battery", HASH)
    assert not is_password("correct horse batterY", HASH)
    assert password_hash("correct horse battery") != HASH


@pytest.mark.parametrize("length", [0, LEAST_LENGTH - 1, MAX_LENGTH + 1])
def test_a_password_that_is_too_short_or_too_long_is_refused(length):
    with pytest.raises(ValueError, match="12 to 1000 characters"):
        password_hash("x" * length)


def test_a_password_longer_than_any_is_not_even_compared():
    assert not is_password("x" * (MAX_LENGTH + 1), HASH)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "$2b$12$C6UzMDM.H6dfI/f/IKcEe.",  # another kind of hash
        HASH.replace("argon2id", "argon2i"),  # guessed faster
        HASH.replace("m=65536", "m=2000000000"),  # would take all memory
        HASH.replace("t=3", "t=1000000"),  # would take hours
        HASH[:40],
    ],
)
def test_what_cannot_be_compared_with_is_no_hash(text):
    assert not is_hash(text)


def test_what_is_no_hash_lets_nobody_in():
    assert not is_password("hunter2", "hunter2")
    assert not is_password("", "")
