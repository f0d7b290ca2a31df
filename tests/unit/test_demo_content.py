"""What the demo's outlets publish, and when; what its rules find in it."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from syndicate import loading
from syndicate.demo.documents import Site, changed, feed
from syndicate.demo.newsroom import (
    EDITED,
    Article,
    Format,
    Outlet,
    Shown,
    front,
    old_news,
    read_outlets,
    timetable,
)
from syndicate.demo.pages import article_page, front_page
from syndicate.demo.receiver import POSTPONED
from syndicate.demo.setting import Setting, prepare
from syndicate.model import Entry
from syndicate.rules.index import RuleIndex
from syndicate.rules.text import Subject
from syndicate.sources.feed import parse

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STARTED = datetime(2026, 3, 2, 9, tzinfo=UTC)
PACE = timedelta(seconds=4)
OUTLETS = read_outlets()
SITES = {
    outlet.id: Site(outlet=outlet, url=f"http://127.0.0.1:{40001 + place}/")
    for place, outlet in enumerate(OUTLETS)
}
EVENTS = timetable(OUTLETS, STARTED, PACE)
OLD = old_news(OUTLETS, STARTED)
END = EVENTS[-1].at
SETTING = Setting(
    listen="127.0.0.1:8080",
    receiver_url="http://127.0.0.1:40000/hooks/desk",
    secret=SECRET,
    sites=tuple(SITES.values()),
    interval=timedelta(seconds=5),
)


def shown(outlet: Outlet, now: datetime) -> tuple[Shown, ...]:
    return front(OLD[outlet.id], [event for event in EVENTS if event.outlet == outlet], now)


def document(outlet: Outlet, now: datetime):
    site = SITES[outlet.id]
    return parse(feed(site, shown(outlet, now)), {}, site.feed_url)


# -- articles


def test_the_outlets_show_every_format_and_language():
    assert {outlet.format for outlet in OUTLETS} == set(Format)
    assert Counter(outlet.language for outlet in OUTLETS) == {"en": 3, "ru": 1, "kk": 1}
    assert {outlet.language for outlet in OUTLETS} <= EDITED.keys()


@pytest.mark.parametrize("outlet", OUTLETS, ids=lambda outlet: outlet.id)
def test_articles_are_told_apart(outlet):
    slugs = Counter(article.slug for article in outlet.articles)
    guids = Counter(article.guid for article in outlet.articles if article.guid)
    assert set(slugs.values()) == set(guids.values()) == {1}
    assert len({(article.title, article.body) for article in outlet.articles}) == len(outlet.articles)


def test_some_articles_have_no_guid_and_some_no_author():
    articles = [article for outlet in OUTLETS for article in outlet.articles]
    assert any(article.guid is None for article in articles)
    assert any(article.author == "" for article in articles)


# -- rules


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return loading.load(prepare(tmp_path_factory.mktemp("demo"), SETTING), {})


@pytest.fixture(scope="module")
def matches_by_article(loaded):
    """The ids of the rules that hold for each article, in its feed at the end, by (outlet, title)."""
    index = RuleIndex(loaded.rules)
    return {
        (outlet.id, entry.title): {match.rule for match in index.match(subject(outlet, entry), END)}
        for outlet in OUTLETS
        for entry in document(outlet, END).entries
    }


def subject(outlet: Outlet, article: Article | Entry) -> Subject:
    return Subject(
        title=article.title,
        body=article.body,
        author=article.author,
        categories=article.categories,
        source=outlet.id,
        language=outlet.language,
    )


def test_every_rule_matches_something_and_none_matches_most(loaded, matches_by_article):
    counts = Counter(rule for rules in matches_by_article.values() for rule in rules)
    for rule in loaded.rules:
        assert 3 <= counts[rule.id] <= len(matches_by_article) / 2, rule.id


def test_some_articles_match_nothing_and_some_several_rules(matches_by_article):
    sizes = Counter(len(rules) for rules in matches_by_article.values())
    assert sizes[0] >= 10
    assert sum(count for size, count in sizes.items() if size >= 2) >= 5


def test_every_rule_that_alerts_has_news_to_alert_of(loaded, matches_by_article):
    new = {
        (outlet.id, title)
        for outlet in OUTLETS
        for article in outlet.new_articles
        for title in (article.title, EDITED[outlet.language] + article.title)
    }
    matched = {rule for key, rules in matches_by_article.items() if key in new for rule in rules}
    assert {rule.id for rule in loaded.rules if rule.notify} <= matched


def test_the_first_minute_alerts(loaded):
    index = RuleIndex(loaded.rules)
    alerting = {rule.id for rule in loaded.rules if rule.notify}
    early = [event for event in EVENTS if event.at <= STARTED + timedelta(minutes=1) and not event.is_edit]
    matched = [
        {match.rule for match in index.match(subject(event.outlet, event.article), event.at)}
        for event in early
    ]
    assert sum(bool(alerting & rules) for rules in matched) >= POSTPONED + 1


def test_central_asia_is_found_in_every_language(matches_by_article):
    found = {outlet for (outlet, _), rules in matches_by_article.items() if "central-asia" in rules}
    assert found == SITES.keys()


# -- timetable


def test_every_article_is_published_once_and_half_of_them_later():
    later = [(event.outlet.id, event.article.slug) for event in EVENTS if not event.is_edit]
    assert sorted(later) == sorted((o.id, a.slug) for o in OUTLETS for a in o.new_articles)
    for outlet in OUTLETS:
        assert [each.article for each in shown(outlet, STARTED)] == list(outlet.old_articles)
        assert {each.article.slug for each in shown(outlet, END)} == {
            article.slug for article in outlet.articles
        }
        assert 0.4 < len(outlet.old_articles) / len(outlet.articles) < 0.6


def test_new_articles_come_at_the_pace_and_the_outlets_take_turns():
    news = [event for event in EVENTS if not event.is_edit]
    assert news[0].at == STARTED + PACE
    assert all(later.at - earlier.at == PACE for earlier, later in pairwise(news))
    assert [event.outlet.id for event in news[:5]] == [outlet.id for outlet in OUTLETS]


def test_an_edit_changes_only_the_title_and_keeps_the_date():
    edits = [event for event in EVENTS if event.is_edit]
    assert len(edits) >= 5
    for edit in edits:
        before = {each.article.slug: each for each in shown(edit.outlet, edit.at - PACE / 4)}[
            edit.article.slug
        ]
        after = {each.article.slug: each for each in shown(edit.outlet, edit.at)}[edit.article.slug]
        assert after == Shown(article=edit.article, published=before.published, edited=edit.at)
        assert after.article == replace(before.article, title=after.article.title)
        assert after.article.title != before.article.title
        assert edit.at - before.published > timedelta(seconds=10)  # it has been polled since


@given(
    pace=st.timedeltas(min_value=timedelta(milliseconds=10), max_value=timedelta(minutes=5)),
    fraction=st.floats(0, 1),
)
def test_a_front_shows_nothing_from_the_future_and_never_loses_an_article(pace, fraction):
    events = timetable(OUTLETS, STARTED, pace)
    now = STARTED + (events[-1].at - STARTED) * fraction
    for outlet in OUTLETS:
        own = [event for event in events if event.outlet == outlet]
        seen = front(OLD[outlet.id], own, now)
        assert all(each.changed <= now for each in seen)
        assert all(newer.published >= older.published for newer, older in pairwise(seen))
        later = {each.article.slug for each in front(OLD[outlet.id], own, now + pace)}
        assert {each.article.slug for each in seen} <= later


# -- feeds


@pytest.mark.parametrize("outlet", OUTLETS, ids=lambda outlet: outlet.id)
@pytest.mark.parametrize("now", [STARTED, END], ids=["start", "end"])
def test_a_feed_is_read_as_it_was_meant(outlet, now):
    read, meant, site = document(outlet, now), shown(outlet, now), SITES[outlet.id]
    assert (read.title, read.link, read.language) == (outlet.title, site.url, outlet.language)
    assert read.problems == ()
    assert [entry.link for entry in read.entries] == [site.article_url(each) for each in meant]
    for entry, each in zip(read.entries, meant, strict=True):
        assert entry.title == each.article.title.replace("<b>", "").replace("</b>", "")
        assert entry.published == each.published.replace(microsecond=0)
        assert entry.author == each.article.author or (entry.author, outlet.format) == (
            outlet.title,
            Format.ATOM,
        )
        assert entry.categories == each.article.categories
        assert entry.summary == each.article.summary
        assert len(entry.body) > 200


@pytest.mark.parametrize("outlet", OUTLETS, ids=lambda outlet: outlet.id)
def test_a_guid_stays_when_an_article_is_edited(outlet):
    guids = [{each.link: each.guid for each in document(outlet, now).entries} for now in (STARTED, END)]
    assert guids[0].items() <= guids[1].items()
    assert [entry.guid for entry in document(outlet, END).entries if entry.guid] != []


def test_a_feed_declares_its_encoding_and_keeps_every_letter():
    outlet = next(outlet for outlet in OUTLETS if outlet.language == "ru")
    body = feed(SITES[outlet.id], shown(outlet, END))
    assert body.startswith(b"<?xml version='1.0' encoding='WINDOWS-1251'?>")
    assert outlet.title.encode("windows-1251") in body
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")
    text = "".join(map(str, etree.fromstring(body).itertext()))
    for article in outlet.articles:
        assert article.body in text


def test_the_scripts_that_one_outlet_sends_are_in_its_feed():
    bodies = {outlet.id: feed(SITES[outlet.id], shown(outlet, END)) for outlet in OUTLETS}
    assert {name for name, body in bodies.items() if b"<script" in body} == {"oasis-business-daily"}


def test_a_feed_changes_only_when_something_happens():
    outlet = OUTLETS[0]
    event = next(event for event in EVENTS if event.outlet == outlet)
    before, after = shown(outlet, event.at - timedelta(microseconds=1)), shown(outlet, event.at)
    assert feed(SITES[outlet.id], before) == feed(SITES[outlet.id], shown(outlet, STARTED))
    assert feed(SITES[outlet.id], before) != feed(SITES[outlet.id], after)
    assert changed(after) == event.at > changed(before)


def test_dates_in_rss_are_of_its_kind():
    outlet = next(outlet for outlet in OUTLETS if outlet.format is Format.RSS)
    root = etree.fromstring(feed(SITES[outlet.id], shown(outlet, STARTED)))
    dates = [parsedate_to_datetime(element.text or "") for element in root.iter("pubDate", "lastBuildDate")]
    assert dates[0] == max(dates) == changed(shown(outlet, STARTED)).replace(microsecond=0)


# -- pages


def test_pages_escape_titles_and_link_to_articles_and_feed():
    outlet = next(outlet for outlet in OUTLETS if outlet.id == "steppe-wire")
    site, articles = SITES[outlet.id], shown(outlet, STARTED)
    marked = next(each for each in articles if "<b>" in each.article.title)
    page = front_page(site, articles)
    assert "&lt;b&gt;Exclusive" in page
    assert "<b>Exclusive" not in page + article_page(site, marked)
    assert f'href="{site.feed_url}"' in page
    assert all(f'href="{site.article_url(each)}"' in page for each in articles)


# -- configuration


def test_the_configuration_is_valid_and_stays_on_this_machine(loaded):
    config = loaded.config
    assert [source.id for source in config.sources] == [outlet.id for outlet in OUTLETS]
    assert [source.title for source in config.sources] == [outlet.title for outlet in OUTLETS]
    assert {source.interval for source in config.sources} == {timedelta(seconds=5)}
    assert config.endpoints[0].secrets == (SECRET,)
    assert config.service.host == "127.0.0.1"
    folder = config.path.parent
    for path in (config.service.database, config.service.rules, config.service.feeds):
        assert path.is_relative_to(folder)
