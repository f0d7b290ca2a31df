"""What statements of the store become for PostgreSQL."""

import pytest

from syndicate.store.postgres_statements import translated


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("a = ? AND b = ?", "a = $1 AND b = $2"),
        ("a = ?2 AND b > ?1 AND c = ?2", "a = $2 AND b > $1 AND c = $2"),
        ("a <= ?1 OR b <= ?1 AND c IN (?, ?)", "a <= $1 OR b <= $1 AND c IN ($2, $3)"),
        ("a = '?' AND b = 'it''s :c ?' AND d = ?", "a = '?' AND b = 'it''s :c ?' AND d = $1"),
        ('"a?" = ? -- why :not?\nAND b = ?', '"a?" = $1 -- why :not?\nAND b = $2'),
        ("a::text = ?", "a::text = $1"),
        ("FROM items i INDEXED BY items_by_time WHERE a", "FROM items i  WHERE a"),
        ("FROM items i NOT INDEXED WHERE a", "FROM items i  WHERE a"),
        ("WHERE +d.made >= ? AND (+d.a = 1 + 2)", "WHERE d.made >= $1 AND (d.a = 1 + 2)"),
        ("attempts + 1, a.b + c.d", "attempts + 1, a.b + c.d"),
        ("a CROSS JOIN items i ON i.id = a.item", "a JOIN items i ON i.id = a.item"),
        ("a CROSS JOIN matches m INDEXED BY one ON m.x", "a JOIN matches m  ON m.x"),
        ("a CROSS JOIN items AS i\n ON i.id", "a JOIN items AS i\n ON i.id"),
        ("a CROSS JOIN b JOIN c ON c.x", "a CROSS JOIN b JOIN c ON c.x"),
        ("a IS ? AND b IS NOT ?", "a IS NOT DISTINCT FROM $1 AND b IS DISTINCT FROM $2"),
        ("a IS NOT (SELECT 1)", "a IS DISTINCT FROM (SELECT 1)"),
        ("a IS NULL AND b IS NOT NULL", "a IS NULL AND b IS NOT NULL"),
    ],
)
def test_a_statement_means_the_same(statement, expected):
    assert translated(statement, []) == (expected, [])


def test_values_by_name_stand_in_the_order_in_which_they_are_met():
    statement = "a = :now AND b = :limit OR c > :now"
    values = {"limit": 5, "unused": None, "now": "2026"}
    assert translated(statement, values) == ("a = $1 AND b = $2 OR c > $1", ["2026", 5])


def test_a_value_that_is_not_given_is_a_mistake():
    with pytest.raises(KeyError, match="later"):
        translated("a = :later", {"now": 1})
