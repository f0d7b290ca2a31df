"""One story is told once, however many outlets have it, and whatever becomes of links, sources and rules."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.desk import endpoint, eventually, network, rule, service, source
from tests.documents import DOCS
from tests.json_schema import faults
from tests.outlets import Article, Reply, feed
from tests.told import texts

SCHEMA = json.loads((DOCS / "webhook.schema.json").read_text())
FIFTH = """
Kazakhstan has put its third railway link with China into service. According to the government, the line from
Ayagoz to Bakhty, 272 kilometres long, raises the capacity for freight by 20 million tonnes a year. On Monday
a first train of 55 containers left Bakhty for Tacheng; Transport Minister Daulet Karimov said that Dostyk and
Khorgos would have less to carry. Work began in December 2023 and cost 577 billion tenge, 30 percent of it
from private investors, and 1,200 people have found jobs.
"""
OUTLETS = ("wire", "post", "mail", "news", "echo")


def told(name, outlet, **fields):
    text = texts("en")[name]
    link = f"https://{outlet}.example/{name}"
    return Article(**{"link": link, "title": text.title, "text": text.body, "guid": link, **fields})


STORY = {
    "wire": told("rail-a", "wire"),
    "post": told("rail-b", "post"),
    "mail": told("rail-c", "mail"),
    "news": told("rail-copy", "news"),
    "echo": told("rail-a", "echo", title="A third railway to China", text=FIFTH),
}


@pytest.fixture
def watch(desk, outlets, receiver):
    """Write a configuration with these outlets; what they have from the first document on is news."""

    def write(*names, rules, **keys):
        for path in desk.folder.glob("rules/*.toml"):
            path.unlink()
        desk.write(
            service(),
            network(),
            *(source(name, f"{outlets.address}/{name}", **{"baseline": False, **keys}) for name in names),
            endpoint("desk", f"{receiver.address}/desk"),
            rules=rules,
        )

    return write


def rail(**keys):
    return rule("railway", "rail", "trains", notify=["desk"], **keys)


def messages(receiver):
    found = [json.loads(asked.body) for asked in receiver.asked]
    assert [fault for message in found for fault in faults(message, SCHEMA)] == []
    return found


def kinds(receiver):
    return [(message["type"], message["data"]["rule"]["id"]) for message in messages(receiver)]


def poll(desk, pages, **articles_by_outlet):
    """Have outlets say these articles, and poll each of them after the other."""
    for outlet, articles in articles_by_outlet.items():
        pages[f"/{outlet}"] = feed(articles)
    return desk.call("once", "--all")


def test_a_story_in_five_outlets_is_told_once_and_says_why_it_is_one(desk, pages, receiver, watch):
    watch(*OUTLETS, rules={"rail": rail()})
    poll(desk, pages, **{outlet: [article] for outlet, article in STORY.items()})
    assert kinds(receiver) == [("alert.match", "rail")]
    items = desk.json("items", "--rule", "rail")
    assert len(items) == 5
    assert len({item["story"] for item in items}) == 1
    other = next(item for item in items if item["id"] != messages(receiver)[0]["data"]["item"]["id"])
    explained = desk.json("explain", str(other["id"]), "rail")
    assert {item["source"] for item in explained["story"]["items"]} == set(OUTLETS)
    assert explained["story"]["joined"]["by"] == "alike"
    said = desk.call("explain", str(other["id"]), "rail").out
    assert "5 items of" in said
    assert explained["story"]["joined"]["evidence"] in " ".join(said.split())


def test_nothing_that_becomes_of_a_story_tells_it_again(desk, pages, receiver, watch):
    watch("wire", "post", rules={"rail": rail()})
    poll(desk, pages, wire=[STORY["wire"]], post=[])
    article = STORY["wire"]
    flips = [
        replace(article, guid=article.guid.replace("https", "http")),
        replace(article, link=f"{article.link}?utm_source=rss", guid="41"),
        replace(article, title="Kazakhstan opens rail crossing, edited", guid="41"),
        replace(article, link="https://wire.example/amp/rail-a", guid="42"),
    ]
    for flipped in flips:
        poll(desk, pages, wire=[flipped])
    mirror = replace(article, link="https://mirror.example/7", guid="7")
    poll(desk, pages, post=[mirror])
    with desk.running():  # a restart
        pass
    watch("post", rules={"rail": rail()})
    desk.call("once", "--all")
    watch("wire-again", "post", rules={"rail": rail()})
    poll(desk, pages, **{"wire-again": [replace(article, link="https://new.example/1", guid="new")]})
    watch("wire", "post", rules={"railways": rail(renamed_from="rail")})
    poll(desk, pages, wire=[replace(article, title="Trains to China")], post=[STORY["post"], mirror])
    assert kinds(receiver) == [("alert.match", "rail")]
    later = told("rail-other", "wire")
    poll(desk, pages, wire=[later, article])
    assert kinds(receiver)[1:] == [("alert.match", "railways")]


def test_a_renamed_rule_goes_on_with_its_feed(desk, pages, receiver, watch):
    watch("wire", rules={"rail": rail()})
    poll(desk, pages, wire=[STORY["wire"]])
    before = (desk.folder / "feeds/rail.atom").read_text()
    watch("wire", rules={"railways": rail(renamed_from=["trains", "rail"])})
    called = desk.call("once", "--all")
    assert "new or edited" not in called.out
    after = (desk.folder / "feeds/railways.atom").read_text()
    assert not (desk.folder / "feeds/rail.atom").exists()
    assert ids(after) == ids(before)
    assert STORY["wire"].guid in ids(after)
    assert [item["matches"] for item in desk.json("items")] == [["railways"]]


def test_a_rule_that_is_renamed_again_and_back_while_the_service_runs_tells_nothing_again(
    desk, pages, receiver, watch
):
    names = ("rail", "railways", "trains", "rail")
    watch(*OUTLETS, rules={"rail": rail()})
    poll(desk, pages, **{outlet: [] for outlet in OUTLETS} | {"wire": [STORY["wire"]]})
    with desk.running():
        for number, (former, present) in enumerate(pairwise(names)):
            watch(*OUTLETS, rules={present: rail(renamed_from=former)})
            eventually((desk.folder / f"feeds/{present}.atom").exists)
            outlet = OUTLETS[number + 1]
            poll(desk, pages, **{outlet: [STORY[outlet]]})
    assert kinds(receiver) == [("alert.match", "rail")]
    assert {tuple(item["matches"]) for item in desk.json("items")} == {("rail",)}


def ids(text):
    """Return the ids of a feed, of its entries and of their sources."""
    return [part.partition("</id>")[0] for part in text.split("<id>")[1:]]


def test_a_story_that_three_sources_carry_is_told_again_once(desk, pages, receiver, watch):
    watch(*OUTLETS, rules={"rail": rail(escalate=3)})
    for outlet in OUTLETS:
        pages[f"/{outlet}"] = feed([])
    for outlet in OUTLETS:
        poll(desk, pages, **{outlet: [STORY[outlet]]})
    assert kinds(receiver) == [("alert.match", "rail"), ("alert.escalation", "rail")]
    first, again = (message["data"] for message in messages(receiver))
    assert "sources" not in first
    assert [each["id"] for each in again["sources"]] == ["wire", "post", "mail"]
    assert again["sources_total"] == 3
    assert (again["story"], again["item"]["source"]["id"]) == (first["story"], "mail")
    said = " ".join(desk.call("explain", str(again["item"]["id"]), "rail").out.split())
    assert "when 3 sources carried the story: wire, post, mail." in said


def test_a_baseline_and_a_new_rule_are_silent_and_later_copy_is_told_once(desk, pages, receiver, watch):
    watch("wire", "post", "mail", rules={"other": rule("cricket")}, baseline=True)
    poll(desk, pages, wire=[STORY["wire"]], post=[], mail=[])
    watch("wire", "post", "mail", rules={"rail": rail(escalate=2)}, baseline=True)
    desk.call("once", "--all")
    assert messages(receiver) == []
    poll(desk, pages, post=[STORY["post"]])
    assert kinds(receiver) == [("alert.match", "rail")]
    poll(desk, pages, mail=[STORY["mail"]])
    assert kinds(receiver)[1:] == [("alert.escalation", "rail")]


def test_articles_that_name_one_page_as_their_own_are_one_story(desk, pages, outlets, receiver, watch):
    watch("wire", "post", rules={"rail": rail()}, full_text=True)
    pages["/robots.txt"] = Reply(status=404)
    for outlet, text in (("wire", "rail-a"), ("post", "water-a")):
        told_there = texts("en")[text]
        body = "".join(f"<p>{line}</p>" for line in told_there.body.split("\n"))
        pages[f"/articles/{outlet}"] = Reply(
            headers={"content-type": "text/html"},
            body=(
                f"<html><head><title>{told_there.title}</title>"
                f'<link rel="canonical" href="https://agency.example/rail"></head>'
                f"<body><article><h1>{told_there.title}</h1>{body}</article></body></html>"
            ).encode(),
        )
        article = Article(
            link=f"{outlets.address}/articles/{outlet}", title="Rail news", text=f"By {outlet}."
        )
        pages[f"/{outlet}"] = feed([article])
    desk.call("once", "--all")
    assert len(desk.json("items", "--rule", "rail")) == 2
    assert kinds(receiver) == [("alert.match", "rail")]
