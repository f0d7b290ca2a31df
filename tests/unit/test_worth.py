"""Whether a text is the article of an item."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import Entry
from syndicate.sources.notices import is_notice
from syndicate.sources.worth import is_about, objection, without_notices

LONG = "The pass above the village is closed until Friday, the roads department said in the morning."


def entry(title: str = "", body: str = "", **more) -> Entry:
    return Entry(guid=None, title=title, body=body, **{"link": "https://a.example/x", **more})


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("Road over the mountain pass closed", "The pass is closed: roads are icy, mountains white.", True),
        ("Road over the mountain pass closed", "A chess league has reached two villages at once.", False),
        (
            "Дороги через горный перевал закрыты",
            "Дорогу через перевал в горах закрыли. Закрытие на день.",
            True,
        ),
        ("Дороги через горный перевал закрыты", "Шахматная лига пришла в два села.", False),
        ("Дороги через горный перевал закрыты", "The road over the mountain pass is closed.", False),
        ("Ақтөбе облысында жолдар жабылды", "Облыста боран: Ақтөбедегі жолдардың бәрі жабылған.", True),
        ("Ақтөбе облысында жолдар жабылды", "Ауылда шахмат лигасы ашылды.", False),
        ("中亚五国与欧盟签署协议", "欧盟与中亚五国在布鲁塞尔签署了新的协议。", True),
        ("中亚五国与欧盟签署协议", "今天天气晴朗，适合外出散步和骑车。", False),
        ("EU talks", "Something else, as far as anybody can tell from two words.", True),
        ("", "", True),
    ],
)
def test_a_text_is_about_what_the_feed_says_if_it_has_its_words(title, text, expected):
    assert is_about(entry(title), text) is expected


def test_a_title_made_of_an_address_says_nothing_about_a_text():
    link = "https://a.example/dorogi-cherez-gornyy-pereval-zakryty"
    listed = entry("Dorogi cherez gornyy pereval zakryty", link=link, is_listed=True)
    assert is_about(listed, "Дорогу через перевал закрыли.")


def test_notices_go_from_both_ends_and_stay_in_the_middle():
    notice, quoted = "We use cookies.", "“Subscribe to continue” is all that she saw."
    assert without_notices([notice, LONG, quoted, LONG, notice, notice]) == [1, 2, 3]
    assert without_notices([notice]) == []


@pytest.mark.parametrize(
    "line",
    [
        "The commission fined the site because its cookies were set before anybody could say no.",
        "She teaches JavaScript in a village school.",
        "Subscribers to the telephone network in Osh were without a line for a day.",
        "The court found that the page of the ledger was missing.",
        "Подписка на газету подешевела вдвое.",
        "Доступ к морю нужен стране как воздух.",
        "Робот собирает помидоры в теплицах под Шымкентом.",
        "Ауылда жазылу науқаны басталды.",
    ],
)
def test_what_news_say_of_such_things_is_no_notice(line):
    assert not is_notice(line)


def test_an_article_with_an_odd_line_is_taken():
    assert objection(entry("Pass closed"), [LONG, "We use cookies.", LONG, LONG, LONG], ()) is None


def test_links_are_no_article():
    assert "mostly links" in (objection(entry(), [LONG, LONG, LONG], {0, 1}) or "")


@given(st.text(max_size=300), st.text(max_size=300), st.lists(st.text(max_size=200), max_size=5))
def test_no_text_raises(title, body, lines):
    objection(entry(title, body), lines, set(range(len(lines))))
    assert [lines[place] for place in without_notices(lines)] == [
        line for place, line in enumerate(lines) if place in without_notices(lines)
    ]


def test_a_hostile_line_is_judged_fast():
    for line in ("we use " * 10_000, "page " * 50_000, "куки " * 50_000, "for subscribers" * 20_000):
        is_notice(line)
