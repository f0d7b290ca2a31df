"""Rules and items that meet often: every kind of node and scope, texts in many languages and scripts.

A case is some rules and some items, one after another through one index, as the service has them; both are
about one theme, so that the forms of a word and its spellings meet. A rule refers only to rules made before
it, so there are no circles. Trees are those that `compile` makes and some that it refuses, since an index has
to be right about these too.

`CASES`, `RULES`, `SUBJECTS` and `QUERIES` are strategies of hypothesis, which find a small case where one
fails. `cases` casts dice instead: the same at each run, spread more evenly, and ten times as fast.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import NamedTuple, Protocol, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from syndicate.rules.rule import Rule, Scope
from syndicate.rules.text import Subject
from syndicate.rules.tree import (
    All,
    Any,
    AtLeast,
    Exact,
    Folded,
    InField,
    Near,
    Node,
    Not,
    Pattern,
    Phrase,
    Prefix,
    RuleRef,
    Weighted,
    Word,
)

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

T = TypeVar("T")


class Pick(Protocol):
    """Picks one of some values: by hypothesis or by dice."""

    def __call__(self, values: Sequence[T], /) -> T: ...


# --------------------------------------------------------------------------- themes


class Theme(NamedTuple):
    """What a case is about."""

    words: tuple[str, ...]
    phrases: tuple[str, ...]
    languages: tuple[str | None, ...]


def _theme(words: str, phrases: str, languages: str) -> Theme:
    named = (None if name == "?" else name for name in languages.split())
    return Theme(tuple(words.split()), tuple(phrases.split(" / ")), tuple(named))


THEMES = (
    _theme(
        "EU eu EU's EU’S ＥＵ Eu strategy strategies STRATEGY strategic sanction sanctions Asia Asian asia's",
        "Central Asia / EU strategy / the EU's strategies",
        "en en-GB ?",
    ),
    _theme(
        "азия Азии АЗИЕЙ азиат санкция санкциями стратегия стратегии ЕС ёлка Елки самоле\u0308т САМОЛЕТА",
        "Центральная Азия / Центральной Азии / стратегии ЕС",
        "ru ru-KZ ?",
    ),
    _theme(
        "ЕО ЕО-ның ЕО‑ларының ЕО-да ның Азия Азиядағы Азияның стратегиясы стратегиясының Қазақстан"
        " ҚАЗАҚСТАНДА",
        "Орталық Азиядағы / ЕО стратегиясы / ЕО-ның стратегиясы / ЕО‑ларының стратегиясының",
        "kk kk-Cyrl-KZ KK_kz ru",
    ),
    _theme(
        "Qazaqstan Qazaqstannyñ Қазақстан Қазақстанның EO EO-nyñ EO-da Aziya Aziyada Aziyanyñ ndağy"
        " strategiyasy",
        "Ortalyq Aziyada / EO strategiyasy / EO-nyñ strategiyasy / EO-da strategiyasy",
        "kk-Latn kk",
    ),
    _theme(
        "O'zbekiston O‘zbekistonda Oʻzbekistonning Toshkent Toshkentdan YeI YeI-ning YeI-dagi ning"
        " strategiyasi strategiyasining TMD-larining",
        "Markaziy Osiyodagi / YeI strategiyasi / YeI-ning strategiyasi / YeI-dagi strategiyasining",
        "uz uz-Latn",
    ),
    _theme(
        "Ўзбекистон Ўзбекистонда Ўзбекистоннинг ЕИ ЕИ-нинг нинг O'zbekiston стратегияси стратегиясининг Осиё",
        "Марказий Осиёда / ЕИ стратегияси / ЕИ-нинг стратегияси / ЕИ-да стратегиясининг",
        "uz uz-Cyrl ru",
    ),
    _theme(
        "l’Union L'UNION européenne Européennes europeenne stratégie stratégies strate\u0301gie strategie"
        " élan ELAN",
        "l’Union européenne / l'union europeenne / une stratégie",
        "fr fr-CA en",
    ),
    _theme(
        "Türkiye TÜRKİYE'nin turkiye İstanbul istanbul ISTANBUL strateji stratejileri stratejisi ılık ILIK",
        "Avrupa Birliği / Avrupa Birliğinin / Avrupa birligi",
        "tr tr az",
    ),
    _theme(
        "Łódź Lodz lodz München Munchen MÜNCHEN Straße STRASSE strasse ﬁnance finance Zürich Zurich Ά α",
        "Łódź Zürich / lodz zurich / München in Łódź / munchen in Lodz",
        "de pl el ?",
    ),
    _theme(
        "中亚 中 亚 欧盟 战略 戦略 中央アジア カザフスタン カザフ ー กรุง เอเชีย Азия中 EU中亚",
        "中亚战略 / 欧盟 中亚 / 中央アジア 戦略 / EU 中亚",
        "zh zh-Hant ja th",
    ),
    _theme(
        "EU-CA AT&T C++ CO2 2030 2030s 3.14 a b a-b É é E Kazakh\u200bstan Kazakhstan Kazakh\u00adstan s '"
        " — —s",
        "a a a / a b / a EU a / AT&T in 2030",
        "en tlh und ?",
    ),
)
COMMON = ("EU", "strategy", "Asia", "азия", "ЕО", "中亚", "a")
LANGUAGES = tuple(name for theme in THEMES for name in theme.languages)
GLUES = (" ", " ", " ", " ", " ", ", ", "-", "", "\n", "'s ", " — ", "‑")
REGEXES = (
    r"E[UO]\b",
    r"(?i)каз\p{L}+|қаз\p{L}+",
    r"\d+",
    r"^EU",
    r"中.",
    r"(?i)strat[eé]g",
    r"https?://[a-z.]+/news",
    r"ның$",
    r"a\na",
    r"\bx*",
    r"(?s)(EU|Е[СОИ]).*[Аa]",
)

AUTHORS = ("", "J. Smith", "А. Азия")
LINKS = ("", "https://kun.uz/news/1", "https://eu.example/strategy/Asia", "http://a.kz/news")
SOURCES = ("uza", "kun-uz", "bbc")
TAGS = ((), ("official",), ("media", "uz"))
AGES = (None, None, timedelta(), HOUR, HOUR + timedelta(seconds=1), timedelta(days=9), -HOUR)

# --------------------------------------------------------------------------- items


class Maker:
    """Makes rules and items about one theme."""

    def __init__(self, pick: Pick, theme: Theme | None = None) -> None:
        self.pick = pick
        self.theme = theme or pick(THEMES)
        self.words = (*self.theme.words, *self.theme.words, *COMMON)
        beginnings = {word[:length] for word in self.words for length in (1, 2, 4, 6)}
        self.beginnings = sorted(beginning for beginning in beginnings if beginning.isalnum())

    def count(self, most: int) -> int:
        """Return a number from 1 to a most."""
        return self.pick(range(1, most + 1))

    def subject(self) -> Subject:
        age = self.pick(AGES)
        return Subject(
            title=self.text(5),
            body=self.text(10),
            author=self.text(4) if self.count(2) == 2 else self.pick(AUTHORS),
            categories=self.categories(),
            link=self.pick(LINKS),
            source=self.pick(SOURCES),
            tags=self.pick(TAGS),
            language=self.pick(LANGUAGES if self.count(3) == 3 else self.theme.languages),
            published=None if age is None else NOW - age,
        )

    def text(self, most: int) -> str:
        chunks = (*self.words, *self.theme.phrases, *self.theme.phrases)
        return "".join(self.pick(chunks) + self.pick(GLUES) for _ in range(self.count(most) - 1))

    def categories(self) -> tuple[str, ...]:
        if self.count(3) == 3:
            return tuple(self.pick(self.theme.phrases).split())  # which are no phrase there
        return tuple(self.text(3) for _ in range(self.count(3) - 1))

    # ----------------------------------------------------------------------- rules

    def rules(self) -> list[Rule]:
        rules: list[Rule] = []
        for name in IDS[: self.count(len(IDS))]:
            query = self.query(IDS[: len(rules)])
            rules.append(Rule(id=name, title=name, version="1", query=query, scope=self.pick(SCOPES)))
        return rules

    def query(self, rules: Sequence[str] = ()) -> Node:
        """Return a tree, or a score over some, and perhaps without regard to diacritics."""
        if self.count(5) == 5:
            terms = tuple((self.tree(rules, 1), self.pick(WEIGHTS)) for _ in range(self.count(4)))
            query: Node = Weighted(self.pick(THRESHOLDS), terms)
        else:
            query = self.tree(rules, 2)
        return Folded(query) if self.count(3) == 3 else query

    def tree(self, rules: Sequence[str], depth: int) -> Node:
        kind = self.pick(BRANCHES) if depth else "leaf"
        if kind == "leaf":
            return self.leaf(rules)
        if kind == "several in field":
            members = (self.term(), self.operand())
            child: Node = Any(members) if self.count(2) == 2 else All(members)
            return InField(self.pick(TEXT_FIELDS), child)
        below = [self.tree(rules, depth - 1) for _ in range(1 + self.count(2))]
        if kind == "any":
            return Any(tuple(below))
        if self.count(3) == 3:
            below[-1] = below[-1].child if isinstance(below[-1], Not) else Not(below[-1])
        return All(tuple(below)) if kind == "all" else AtLeast(self.count(len(below)), tuple(below))

    def leaf(self, rules: Sequence[str]) -> Node:
        match self.pick(LEAVES):
            case "near":
                return Near(self.operand(), self.operand(), self.count(4), self.pick((False, True)))
            case "pattern":
                return Pattern(self.pick(REGEXES))
            case "pattern in field":
                return InField(self.pick(TEXT_FIELDS), Pattern(self.pick(REGEXES)))
            case "field":
                return InField(self.pick(TEXT_FIELDS), self.term())
            case "link":
                return InField("link", self.pick(LINKED))
            case "label":
                return self.pick(LABELLED)
            case "rule" if rules:
                return RuleRef(self.pick((*rules, *rules, *rules, "nobody")))
            case _:
                return self.term()

    def operand(self) -> Node:
        """Return what may stand beside NEAR."""
        if self.count(3) < 3:
            return self.term()
        return Any(tuple(self.term() for _ in range(1 + self.count(2))))

    def term(self) -> Word | Prefix | Exact | Phrase:
        match self.pick(TERMS):
            case "word":
                return Word(self.pick(self.words))
            case "prefix":
                return Prefix(self.pick(self.beginnings))
            case "exact":
                return Exact(self.pick(self.words))
            case "phrase":
                return Phrase(tuple(map(self.begun, self.pick(self.theme.phrases).split())))
            case _:
                return Phrase(tuple(self.part() for _ in range(self.count(3))))

    def begun(self, word: str) -> Word | Prefix:
        return Prefix(word[:3]) if self.count(3) == 3 and word[:3].isalnum() else Word(word)

    def part(self) -> Word | Prefix:
        return Prefix(self.pick(self.beginnings)) if self.count(3) == 3 else Word(self.pick(self.words))


IDS = "dbafce"  # so that a rule that refers to another comes now before it, now after
TERMS = ("word", "word", "word", "prefix", "exact", "phrase", "phrase", "phrase", "made phrase")
LEAVES = (
    *("term" for _ in range(8)),
    *("near", "near", "pattern", "pattern in field", "field", "link", "label", "rule"),
)
BRANCHES = ("leaf", "leaf", "leaf", "any", "any", "any", "all", "all", "of", "several in field")
TEXT_FIELDS = ("title", "body", "author", "author", "category", "category", "link")
WEIGHTS = (1.0, 2.0, 3.0, 0.7, 0.2, 0.1, -1.0, -2.5)
THRESHOLDS = (1.0, 0.9, 2.0, 3.0, 0.0)
LINKED: tuple[Node, ...] = (
    Pattern(r"^https?://[a-z.]+/news"),
    Pattern(r"\.uz\b"),
    Word("kun.uz"),
    Prefix("strat"),
    Word("Asia"),
)
LABELLED = (
    InField("lang", Word("en")),
    InField("lang", Word("uz-Latn")),
    InField("lang", Any((Word("kk"), Word("ru"), Word("zh")))),
    InField("source", Word("uza")),
    InField("source", Any((Word("kun-*"), Word("tag:official")))),
)
SCOPES = (
    *(Scope() for _ in range(14)),
    Scope(sources=frozenset({"uza", "bbc"})),
    Scope(sources=frozenset()),
    Scope(languages=("kk", "ru", "uz-Latn")),
    Scope(languages=("en", "zh")),
    Scope(since=HOUR),
    Scope(since=timedelta(days=30), sources=frozenset({"kun-uz"})),
)

# --------------------------------------------------------------------------- what tests draw and cast

Case = tuple[list[Rule], list[Subject]]


def made_case(maker: Maker) -> Case:
    return maker.rules(), [maker.subject() for _ in range(maker.count(3))]


def cases(count: int, seed: int = 0) -> Iterator[Case]:
    """Yield as many cases, the same for a seed."""
    pick = _Dice(seed)
    return (made_case(Maker(pick)) for _ in range(count))


class _Dice:
    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def __call__(self, values: Sequence[T], /) -> T:
        return self._random.choice(values)


class _Drawn:
    def __init__(self, draw: DrawFn) -> None:
        self._draw = draw

    def __call__(self, values: Sequence[T], /) -> T:
        return values[self._draw(_number_below(len(values)))]


@cache
def _number_below(count: int) -> SearchStrategy[int]:
    return st.sampled_from(range(count))


def _made(draw: DrawFn) -> Maker:
    return Maker(_Drawn(draw))


RULES: SearchStrategy[list[Rule]] = st.composite(lambda draw: _made(draw).rules())()
SUBJECTS: SearchStrategy[Subject] = st.composite(lambda draw: _made(draw).subject())()
QUERIES: SearchStrategy[Node] = st.composite(lambda draw: _made(draw).query())()  # that refer to no rules
CASES: SearchStrategy[Case] = st.composite(lambda draw: made_case(_made(draw)))()
