"""An outlet whose feed fails, then its sitemap: the command goes on with what there is, and comes back."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.desk import Desk, endpoint, network, rule, service
from tests.outlets import Article, LocalServer, Pages, Reply, rss

PATTERN = "/news/[0-9]*"


@pytest.fixture
def publish(pages: Pages, outlets: LocalServer):
    """Publish articles (number, title, when) in all ways of the outlet but for those that are down."""

    def publish(*articles: tuple[int, str, datetime], down: tuple[str, ...] = ()) -> None:
        links = [f"{outlets.address}/news/{number}" for number, _, _ in articles]
        told = [
            Article(link=link, title=title, text=f"{title}, in full.", guid=f"id {number}", published=when)
            for link, (number, title, when) in zip(links, articles, strict=True)
        ]
        urls = "".join(
            f"<url><loc>{each.link}</loc><news:news><news:title>{each.title}</news:title>"
            f"<news:publication_date>{each.published:%Y-%m-%dT%H:%M:%SZ}</news:publication_date></news:news></url>"
            for each in told
        )
        items = "".join(
            f'<li><a href="{each.link}?utm_source=front">{each.title}</a>'
            f" <time>{each.published:%d.%m.%Y %H:%M:%S}</time>"
            for each in told
        )
        pages["/rss"] = Reply(headers={"content-type": "application/rss+xml"}, body=rss(told))
        pages["/sitemap.xml"] = Reply(
            headers={"content-type": "text/xml"}, body=f"<urlset>{urls}</urlset>".encode()
        )
        pages["/news"] = Reply(
            headers={"content-type": "text/html"}, body=f"<html><ul>{items}</ul></html>".encode()
        )
        pages.update(dict.fromkeys(down, Reply(status=502)))

    return publish


def test_feed_sitemap_and_page_stand_in_for_one_another(desk: Desk, publish, outlets, receiver):
    source = f"""[[source]]
id = "outlet"
urls = [
    "{outlets.address}/rss",
    {{ url = "{outlets.address}/sitemap.xml", kind = "sitemap" }},
    {{ url = "{outlets.address}/news", kind = "page", link_pattern = "{PATTERN}" }},
]
"""
    desk.write(
        service(),
        network(),
        source,
        endpoint("desk", f"{receiver.address}/hook"),
        rules={"water": rule("water", notify=["desk"])},
    )
    assert desk.call("check").status == 0
    start = datetime.now(UTC)
    old = [(number, f"Old water {number}", start - timedelta(hours=number)) for number in (3, 2, 1)]

    def polled() -> tuple[str, int, int]:
        """Return the source's state, how many items there are, and how many alerts were delivered."""
        desk.call("once", "--all")
        (shown,) = desk.json("sources")
        return shown["state"], shown["items"], len(receiver.asked)

    publish(*old)
    assert polled() == ("ok", 3, 0)  # a baseline
    soon = start + timedelta(minutes=5)  # as if published after the polls before
    publish((4, "Water by sitemap", soon), *old, down=("/rss",))
    assert polled() == ("fallback", 4, 1)
    publish((5, "Water by page", soon), (4, "Water by sitemap", soon), *old, down=("/rss", "/sitemap.xml"))
    assert polled() == ("fallback", 5, 2)
    publish((6, "Water by feed", soon), (5, "Water by page", soon), (4, "Water by sitemap", soon), *old)
    assert polled() == ("ok", 6, 3)
    titles = sorted(item["title"] for item in desk.json("items"))
    assert titles == sorted(
        [title for _, title, _ in old] + [f"Water by {way}" for way in ("feed", "page", "sitemap")]
    )
