"""Places of keys and texts: what the index says is where the document was written."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.config.toml_lines import Key, Place, toml_places

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


def values_in(tables: Any) -> Iterator[tuple[Key, Any]]:
    """Yield what is neither a table nor a list, with its key."""
    for key in keys_in(tables):
        value = tables
        for name in key:
            value = value[name]
        if not isinstance(value, dict | list):
            yield key, value


@given(st.data())
def test_every_key_is_where_it_was_written(data):
    writer = Writer(data)
    writer.document()
    tables = tomllib.loads(writer.text)
    places = toml_places(writer.text.replace("\r\n", "\n"))
    assert places.lines == writer.lines
    assert set(places.lines) == set(keys_in(tables))
    texts = {key: text for key, text in values_in(tables) if isinstance(text, str)}
    assert {key: len(places.of_value(key)) for key in places.values} == {
        key: text.count("\n") + 1 for key, text in texts.items()
    }
    assert all(places.of_name(key)[0][0] == places.lines[key] for key in places.names)
    assert {key for key, value in values_in(tables) if key and isinstance(key[-1], str)} <= set(places.names)


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
    assert toml_places(text).lines == lines


# --------------------------------------------------------------------------- texts

Piece = tuple[str, str]  # as written, as meant

PLAIN: list[Piece] = [
    (piece, piece) for piece in ("a", "EU strategy", "Азия", " ", "\t", "# [x] = 1, }", "🗞")
]
ENDS: list[Piece] = [(f"\\{escape}", "\n") for escape in ("n", "u000A", "u000a", "U0000000A")]
ESCAPES: list[Piece] = [(r"\t", "\t"), (r"\"", '"'), (r"\\", "\\"), (r"\\n", r"\n"), (r"\u0041", "A")]
BACKSLASHES: list[Piece] = [(piece, piece) for piece in ("\\", r"\n", '"', r"\u000A")]
LINE_END: Piece = ("\n", "\n")
FOLDS: list[Piece] = [("\\\n", ""), ("\\ \t\n\n  ", "")]
PIECES_BY_QUOTES: dict[str, list[Piece]] = {
    '"': PLAIN + ENDS + ESCAPES,
    "'": PLAIN + BACKSLASHES,
    '"""': [*PLAIN, *ENDS, *ESCAPES, *FOLDS, *FOLDS, *[LINE_END] * 4, ('"x', '"x'), ('""x', '""x')],
    "'''": [*PLAIN, *BACKSLASHES, *[LINE_END] * 4, ("'x", "'x"), ("''x", "''x"), ("\\\n", "\\\n")],
    "": [("EU", "EU"), ("a-1_", "a-1_")],
}
VALUES = ["text = %", "\n  text =   % # text\n", "q = '''\n'''\n[r] # ü\ntext=%", "q = { text = %, r = 1 }"]
ELEMENTS = ["list = [%]", "list = [ # 1\n  %,\n 'q' ]", "q = 1\n[[r]]\nlist = [\n\n%]"]
NAMES_WITHIN = ["% = 1", "\n  % =\t1 # q", "[q.r]\ns = 1\n  % = 1", "q = { r = 1, s . % = 'ü' }", "q.% = [1]"]


def written_text(data: st.DataObject, quotes: str) -> tuple[str, str, list[int]]:
    """Return a text as written, as meant, and where in it each line begins: with its first character."""
    written = quotes + data.draw(st.sampled_from(["", "\n"] if len(quotes) == 3 else [""]))
    pieces = data.draw(st.lists(st.sampled_from(PIECES_BY_QUOTES[quotes]), min_size=not quotes, max_size=12))
    meant, begins, is_begun, is_folded = "", [], False, False
    for piece, meaning in pieces:
        if piece == "\n" and written == quotes:
            meaning = ""  # right after the opening quotes
        is_folded = (not meaning and piece != "\n") or (is_folded and not piece.strip())
        if meaning and not is_folded:
            begins += [] if is_begun else [len(written)]
            is_begun = not meaning.endswith("\n")
            meant += meaning
        written += piece
    return written + quotes, meant, begins if is_begun else [*begins, len(written)]


def put_in(template: str, written: str, begins: list[int]) -> tuple[str, tuple[Place, ...]]:
    """Return a document with a text in it, and the places of the text's lines."""
    document, start = template.replace("%", written), template.index("%")
    places = ((document[: start + begin].split("\n")) for begin in begins)
    return document, tuple((len(lines), len(lines[-1])) for lines in places)


@pytest.mark.parametrize("quotes", ['"', "'", '"""', "'''"])
@given(data=st.data())
def test_every_line_of_a_text_is_where_it_was_written(quotes, data):
    written, meant, begins = written_text(data, quotes)
    document, places = put_in(data.draw(st.sampled_from(VALUES + ELEMENTS)), written, begins)
    texts = dict(values_in(tomllib.loads(document)))
    (key,) = (key for key in texts if key[-1] == "text" or key[-2:] == ("list", 0))
    assert texts[key] == meant
    assert len(places) == meant.count("\n") + 1
    assert toml_places(document).of_value(key) == places


@pytest.mark.parametrize("quotes", ['"', "'", ""])
@given(data=st.data())
def test_every_name_is_where_it_was_written(quotes, data):
    written, meant, begins = written_text(data, quotes)
    document, places = put_in(data.draw(st.sampled_from(NAMES_WITHIN)), written, begins)
    found = toml_places(document)
    assert set(found.names) <= set(keys_in(tomllib.loads(document)))
    assert [found.of_name(key) for key in found.names if key[-1] == meant] == [places]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('query = "a b"', [(1, 9)]),
        ("query = 'a b'", [(1, 9)]),
        ('query = ""', [(1, 9)]),
        ('\n  query="a\\nb\\n"', [(2, 9), (2, 12), (2, 15)]),
        (r'query = "a\\nb"', [(1, 9)]),
        ("query = '''\na\n  b\n'''", [(2, 0), (3, 0), (4, 0)]),
        ("query = '''a\nb'''", [(1, 11), (2, 0)]),
        ("query = '''\n\na\\n'''", [(2, 0), (3, 0)]),
        ('query = """\na\n\\\n  b"""', [(2, 0), (4, 2)]),
        ('query = """\\\n   a \\\n  b\nc"""', [(2, 3), (4, 0)]),
        ('query = """\na\n\\\n\n  b\\u000a\\\n\\\n  """', [(2, 0), (5, 2), (7, 2)]),
    ],
)
def test_places_of_a_text(text, places):
    assert toml_places(text).of_value(("query",)) == tuple(places)


@pytest.mark.parametrize(
    ("text", "key", "place"),
    [
        ("EU = 1", ("EU",), (1, 0)),
        ('"EU strategy" = 1', ("EU strategy",), (1, 1)),
        ("'\"EU strategy\"' = 1", ('"EU strategy"',), (1, 1)),
        ("[score]\nterms = { EU = 1, 'a b' = 2 }", ("score", "terms", "a b"), (2, 19)),
        ('score . terms . "a b" = 2', ("score", "terms", "a b"), (1, 17)),
        ('[[rule]]\n[rule.score.terms]\n  "a b" = 2', ("rule", 0, "score", "terms", "a b"), (3, 3)),
    ],
)
def test_the_place_of_a_name(text, key, place):
    assert toml_places(text).of_name(key) == (place,)
