"""Which feeds are published, by the configuration, and what is said of mistakes."""

import pytest

from syndicate.config import read
from syndicate.model.feeds import Dedupe, Feed, FeedSettings, FullText, Order

SOURCES = """
[[source]]
id = "wire"
url = "https://wire.example/rss"
tags = ["kz", "Central Asia"]

[[source]]
id = "post"
url = "https://post.example/rss"
tags = ["kz"]
"""
RULES = {
    "eu": 'title = "The EU"\nkeywords = ["EU"]\n',
    "water": 'title = "Water"\nkeywords = ["water"]\n[feed]\nlimit = 20\ndedupe = "story"\n',
}


@pytest.fixture
def reading(tmp_path):
    """Return what a function reads: config.toml with these lines, and these rules."""

    def read_with(more="", rules=RULES):
        (tmp_path / "rules").mkdir(exist_ok=True)
        for name, text in rules.items():
            (tmp_path / "rules" / f"{name}.toml").write_text(text)
        (tmp_path / "config.toml").write_text(SOURCES + more)
        return read(tmp_path / "config.toml", {})

    return read_with


def feeds(reading) -> dict[str, Feed]:
    assert reading.problems == ()
    return {feed.id: feed for feed in reading.config.feeds}


def problems(reading) -> list[str]:
    return [problem.text for problem in reading.problems]


def test_each_rule_has_a_feed_and_so_have_all_together_and_each_tag(reading):
    found = feeds(reading())
    assert list(found) == ["eu", "water", "all", "tag-central-asia-d6869195", "tag-kz"]
    assert (found["eu"].rules, found["eu"].sources) == (("eu",), None)
    assert found["water"].settings == FeedSettings(limit=20, dedupe=Dedupe.STORY)
    assert (found["all"].rules, found["all"].sources) == (None, None)
    assert found["tag-kz"].sources == ("wire", "post")


def test_tags_that_would_share_a_name_are_told_apart(reading):
    more = '\n[[source]]\nid = "mail"\nurl = "https://mail.example/rss"\ntags = ["KZ", "Қазақстан"]\n'
    names = [name for name in feeds(reading(more)) if name.startswith("tag-")]
    assert len(set(names)) == 4
    assert all(name.isascii() and len(name) <= 64 for name in names)


def test_what_nobody_needs_can_be_left_out(reading):
    assert list(feeds(reading("\n[feeds]\nall = false\ntags = false\n"))) == ["eu", "water"]


def test_a_rule_may_publish_nothing(reading):
    endpoint = '\n[[endpoint]]\nid = "desk"\nurl = "https://desk.example/"\n'
    found = feeds(reading(endpoint, RULES | {"eu": 'keywords = ["EU"]\nfeed = false\nnotify = ["desk"]\n'}))
    assert "eu" not in found


@pytest.mark.parametrize(
    "closed",
    [
        pytest.param('[feed]\ntoken = "0123456789abcdef"\n', id="secret"),
        pytest.param("[feed]\npublic = false\n", id="in no list"),
        pytest.param('feed = false\nnotify = ["desk"]\n', id="alerts only"),
    ],
)
def test_what_a_rule_does_not_publish_to_all_is_in_no_feed_that_does_not_name_it(reading, closed):
    more = (
        '\n[[endpoint]]\nid = "desk"\nurl = "https://desk.example/"\n'
        '\n[[feed]]\nid = "any"\n\n[[feed]]\nid = "like"\nrules = ["*"]\n'
        '\n[[feed]]\nid = "named"\nrules = ["eu", "w*"]\n'
    )
    found = feeds(reading(more, RULES | {"eu": f'keywords = ["EU"]\n{closed}'}))
    assert {name: found[name].rules for name in ("all", "tag-kz", "any", "like", "named")} == {
        "all": ("water",),
        "tag-kz": ("water",),
        "any": ("water",),
        "like": ("water",),
        "named": ("eu", "water"),
    }


def test_a_feed_collects_the_rules_and_tags_that_it_names(reading):
    found = feeds(
        reading('\n[[feed]]\nid = "desk"\ntitle = "Desk"\nrules = ["e*", "water"]\ntags = ["k*"]\n')
    )
    assert found["desk"].rules == ("eu", "water")
    assert found["desk"].sources == ("wire", "post")
    assert found["desk"].about == "News that matches The EU, Water, from sources tagged k*"


def test_a_feed_of_ones_own_takes_the_place_of_the_one_of_everything(reading):
    found = feeds(reading('\n[[feed]]\nid = "all"\nlimit = 7\n'))
    assert (found["all"].rules, found["all"].settings.limit) == (None, 7)


def test_every_setting_of_a_feed(reading):
    table = """
[[feed]]
id = "brief"
title = "In brief"
limit = 30
order = "matched"
full_text = "summary"
dedupe = "story"
explain = false
public = false
token = "0123456789abcdef"
"""
    feed = feeds(reading(table))["brief"]
    assert feed.settings == FeedSettings(
        title="In brief",
        limit=30,
        order=Order.MATCHED,
        full_text=FullText.SUMMARY,
        dedupe=Dedupe.STORY,
        explain=False,
        public=False,
        token="0123456789abcdef",
    )
    assert (feed.title, feed.name, feed.is_listed) == ("In brief", "0123456789abcdef/brief", False)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('rules = ["eux"]', 'rules, number 1: there is no rule "eux"; did you mean "eu"?'),
        ('tags = ["kzz"]', 'tags, number 1: there is no tag "kzz"; did you mean "kz"?'),
        ("rules = []", "rules: must not be empty"),
        ("limit = 0", "limit: must be at least 1"),
        ("limit = 5000", "limit: must be at most 1000"),
        ('order = "best"', 'order: must be "published" or "matched"'),
        ("full_text = false", 'full_text: must be true, "summary" or "none"'),
        ('token = "short"', "token: must be 16 to 128 letters, digits, - or _"),
        ('token = "0123456789abcde/"', "token: must be 16 to 128 letters, digits, - or _"),
        ('rule = ["eu"]', 'unknown key "rule"; did you mean "rules"?'),
    ],
)
def test_mistakes_in_a_feed_are_said(reading, table, said):
    (problem,) = problems(reading(f'\n[[feed]]\nid = "desk"\n{table}\n'))
    assert problem.startswith(said)


@pytest.mark.parametrize(
    ("name", "said"),
    [("eu", "is the feed of a rule, at "), ("index", "is what the list of all feeds is called")],
)
def test_a_feed_needs_a_name_of_its_own(reading, name, said):
    (problem,) = problems(reading(f'\n[[feed]]\nid = "{name}"\n'))
    assert said in problem


def test_a_rule_whose_feed_would_be_the_list_is_told(reading):
    (problem,) = problems(reading(rules=RULES | {"index": 'keywords = ["x"]\n'}))
    assert "a feed can't be called" in problem


@pytest.mark.parametrize("written", ["feed = 3", 'feed = "yes"', "feed = []"])
def test_a_rules_feed_is_true_false_or_a_table(reading, written):
    (problem,) = problems(reading(rules={"eu": f'keywords = ["EU"]\n{written}\n'}))
    assert problem == "feed: must be true, false, or a table: [feed], or { limit = 50 }"


def test_a_mistake_in_the_feed_of_a_rule_has_its_line(reading):
    (problem,) = reading(rules={"eu": 'keywords = ["EU"]\n\n[feed]\nlimit = "ten"\n'}).problems
    assert (problem.line, problem.text) == (4, "limit: must be a whole number, without quotes")


@pytest.mark.parametrize(
    ("value", "hub"),
    [(None, True), ("true", True), ("false", False), ('"https://hub.example/"', "https://hub.example/")],
)
def test_who_tells_of_feeds_is_our_hub_nobody_or_another(reading, value, hub):
    read = reading("" if value is None else f"\n[feeds]\nhub = {value}\n")
    assert read.problems == ()
    assert read.config.hub == hub


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("1", "must be true, false, or the address of a hub in quotes"),
        ('"hub.example"', "must begin with http:// or https://"),
        ('"https://user@hub.example/"', "must have no user name or password"),
        ('["https://hub.example/"]', "must be true, false, or the address of a hub in quotes"),
    ],
)
def test_what_is_no_hub_is_said(reading, value, said):
    (problem,) = problems(reading(f"\n[feeds]\nhub = {value}\n"))
    assert problem.startswith("hub: ")
    assert said in problem


@pytest.mark.parametrize(
    ("text", "hub"), [("false", False), ("true", True), ("https://hub.example/", "https://hub.example/")]
)
def test_the_hub_can_be_set_by_the_environment(reading, tmp_path, text, hub):
    reading()
    found = read(tmp_path / "config.toml", {"SYNDICATE_FEEDS__HUB": text, "SYNDICATE_FEEDS__TAGS": "false"})
    assert found.problems == ()
    assert found.config is not None
    assert found.config.hub == hub
    assert not any(feed.id.startswith("tag-") for feed in found.config.feeds)


OFF = {**RULES, "quiet": 'title = "Quiet"\nkeywords = ["EU"]\nfeed = false\n'}


def test_a_rule_without_a_feed_of_its_own_may_be_collected_by_another(reading):
    (problem,) = problems(reading(rules=OFF))
    assert problem.startswith("feed: without a feed the rule does nothing: name an endpoint")
    found = feeds(reading('\n[[feed]]\nid = "both"\nrules = ["quiet", "eu"]\n', OFF))
    assert set(found["both"].rules or ()) == {"quiet", "eu"}
    assert "quiet" not in found
    (problem,) = problems(reading('\n[[feed]]\nid = "both"\nrules = ["*"]\n', OFF))  # which selects it not
    assert problem.startswith("feed: without a feed the rule does nothing")


def test_a_token_is_not_the_id_of_a_feed(reading):
    secret = 'keywords = ["EU"]\n[feed]\ntoken = "quite-a-long-id-of-a-feed"\n'
    (problem,) = problems(
        reading('\n[[feed]]\nid = "quite-a-long-id-of-a-feed"\n', {**RULES, "secret": secret})
    )
    assert problem == "feed.token: is the id of a feed, which anybody can guess"
