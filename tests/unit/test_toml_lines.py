"""Lines of keys: what the index says is where the document was written."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.config.toml_lines import Key, toml_lines

SCALARS = [
    "1",
    "true",
    "-inf",
    "1979-05-27 07:32:00",
    "1979-05-27T00:32:00.999999-07:00",
    '""',
    "''",
    '"a # no comment"',
    r'"quotes \" and \\"',
    "'C:\\'",
    '"[table]"',
    '"key = 1, {"',
    '"""\nkey = 1\n[table]\n[[table]]\n"""',
    '"""a "quoted" \\""" word"""',
    '"""two at the end"""""',
    "'''\n# no comment\nkey = 'x'\n'''",
    "'''two at the end'''''",
    '"""\\\n   folded \\\n  """',
]
BLANKS = ["", "\n", "# key = 1\n", "  \t\n", "\r\n", "#\n\n"]
NAMES = ["{}", "'{}'", '"{}"', '"\\u0061{}"', "'a.b{}'", '"# [{}] = "', "{}-x_1"]


class Writer:
    """Writes a document by chance and notes where it puts each key."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.text = ""
        self.lines: dict[Key, int] = {}
        self.names = 0

    def put(self, text: str) -> None:
        self.text += text

    def choose(self, choices: list[str]) -> str:
        return self.data.draw(st.sampled_from(choices))

    def toss(self) -> bool:
        return self.data.draw(st.booleans())

    def note(self, *key: str | int, again: bool = False) -> None:
        line = self.text.count("\n") + 1
        if again:
            self.lines[key] = line
        else:
            self.lines.setdefault(key, line)

    def name(self) -> tuple[str, str]:
        """Return a name that was not there before, as written and as meant."""
        self.names += 1
        written = self.choose(NAMES).format(self.names)
        return written, next(iter(tomllib.loads(f"{written} = 1"))) if "." not in written else written.strip(
            "'"
        )

    def document(self) -> None:
        self.pairs(())
        arrays: dict[str, int] = {}
        for _ in range(self.data.draw(st.integers(0, 4))):
            self.put(self.choose(BLANKS))
            kind = self.choose(["table", "array", "inner", "late"])
            if kind == "array" or not arrays:
                self.array(arrays)
            elif kind == "inner":
                self.inner(arrays)
            else:
                self.table(is_late=kind == "late")

    def table(self, is_late: bool) -> None:
        """Write `[a]`, or `[a.b]` and then `[a]`."""
        written, name = self.name()
        if is_late:
            inner, inner_name = self.name()
            self.note(name)
            self.note(name, inner_name)
            self.put(f"[ {written} . {inner} ] # [c]\n")
            self.pairs((name, inner_name))
        self.note(name, again=True)
        self.put(f"  [{written}]\n")
        self.pairs((name,))

    def array(self, arrays: dict[str, int]) -> None:
        if arrays and self.toss():
            name = written = self.choose(list(arrays))
        else:
            self.names += 1
            name = written = f"array{self.names}"
        number = arrays.get(name, 0)
        arrays[name] = number + 1
        self.note(name)
        self.note(name, number)
        self.put(f"[[ {written}]]\n")
        self.pairs((name, number))

    def inner(self, arrays: dict[str, int]) -> None:
        """Write a table, or an array of one table, within the last table of an array."""
        array = self.choose(list(arrays))
        key: Key = (array, arrays[array] - 1)
        for _ in range(self.data.draw(st.integers(1, 2))):
            written, name = self.name()
            if self.toss():
                self.note(*key, name)
                self.put(f"[{array}.{written}]\n")
                self.pairs((*key, name))
            else:
                self.note(*key, name)
                self.note(*key, name, 0)
                self.put(f"[[{array}.{written}]]\n")
                self.pairs((*key, name, 0))

    def pairs(self, table: Key) -> None:
        for _ in range(self.data.draw(st.integers(0, 3))):
            self.put(self.choose(BLANKS))
            self.pair(table, depth=0)
            self.put(self.choose(["\n", " # comment = 1\n", "\r\n"]))

    def pair(self, table: Key, depth: int) -> None:
        written, name = self.name()
        self.note(*table, name)
        self.put(written)
        if self.toss():
            inner, inner_name = self.name()
            table, name = (*table, name), inner_name
            self.note(*table, name)
            self.put(f" . {inner}")
        self.put(self.choose(["=", " = ", "\t= "]))
        self.value((*table, name), depth)

    def value(self, key: Key, depth: int) -> None:
        kind = self.choose(["scalar", "array", "inline"]) if depth < 3 else "scalar"
        if kind == "array":
            self.elements(key, depth)
        elif kind == "inline":
            self.put("{")
            for number in range(self.data.draw(st.integers(0, 3))):
                self.put(" , " if number else " ")
                self.pair(key, depth + 1)
            self.put(" }")
        else:
            self.put(self.choose(SCALARS))

    def elements(self, key: Key, depth: int) -> None:
        count = self.data.draw(st.integers(0, 3))
        self.put("[" + self.choose(BLANKS))
        for number in range(count):
            self.note(*key, number)
            self.value((*key, number), depth + 1)
            self.put(self.choose(BLANKS))
            if number < count - 1 or self.toss():
                self.put("," + self.choose(BLANKS))
        self.put("]")


def keys_in(value: Any, key: Key = ()) -> Iterator[Key]:
    if key:
        yield key
    named = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in named:
        yield from keys_in(part, (*key, name))


@given(st.data())
def test_every_key_is_where_it_was_written(data):
    writer = Writer(data)
    writer.document()
    tables = tomllib.loads(writer.text)
    lines = toml_lines(writer.text.replace("\r\n", "\n"))
    assert lines == writer.lines
    assert set(lines) == set(keys_in(tables))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", {}),
        ("a = 1", {("a",): 1}),
        ("\n\n# b = 1\n  a = 1 # c = 2\nb = 2\n", {("a",): 4, ("b",): 5}),
        ('a = """\nb = 1\n"""\nc = 3', {("a",): 1, ("c",): 4}),
        ("a = [\n  1, # 9\n\n  2,\n]\nb = 1", {("a",): 1, ("a", 0): 2, ("a", 1): 4, ("b",): 6}),
        ("a.b = 1\na.c = 2", {("a",): 1, ("a", "b"): 1, ("a", "c"): 2}),
        (
            "[[s]]\nid = 1\n[s.t]\nx = 1\n[[s]]\n[s.t]",
            {
                ("s",): 1,
                ("s", 0): 1,
                ("s", 0, "id"): 2,
                ("s", 0, "t"): 3,
                ("s", 0, "t", "x"): 4,
                ("s", 1): 5,
                ("s", 1, "t"): 6,
            },
        ),
        ("[a.b]\n[a]", {("a",): 2, ("a", "b"): 1}),
        ("a = [[1], [\n2]]", {("a",): 1, ("a", 0): 1, ("a", 0, 0): 1, ("a", 1): 1, ("a", 1, 0): 2}),
    ],
)
def test_lines_of_keys(text, lines):
    assert toml_lines(text) == lines
