"""The list of feeds is OPML that readers import."""

from xml.etree import ElementTree

from syndicate.feeds.opml import ListedFeed, render

FEEDS = [
    ListedFeed(title="Central Asia", feed_url="http://h.example/feeds/ca.atom", site_url="http://h.example/"),
    ListedFeed(title='Вода & "река" <\x00\ud800>', feed_url="http://h.example/feeds/вода.atom"),
]


def test_the_list_names_each_feed_with_its_addresses():
    opml = ElementTree.fromstring(render("My feeds", FEEDS))
    assert (opml.tag, opml.get("version")) == ("opml", "2.0")
    assert opml.findtext("head/title") == "My feeds"
    assert [outline.attrib for outline in opml.iterfind("body/outline")] == [
        {
            "type": "rss",
            "text": "Central Asia",
            "title": "Central Asia",
            "xmlUrl": "http://h.example/feeds/ca.atom",
            "htmlUrl": "http://h.example/",
        },
        {
            "type": "rss",
            "text": 'Вода & "река" <>',
            "title": 'Вода & "река" <>',
            "xmlUrl": "http://h.example/feeds/вода.atom",
        },
    ]


def test_a_list_of_nothing_is_a_list():
    opml = ElementTree.fromstring(render("", []))
    assert opml.find("body") is not None
    assert render("", []) == render("", [])
