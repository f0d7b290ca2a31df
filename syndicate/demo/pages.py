"""The outlets' pages for people: a front page and one per article. Pure."""

from collections.abc import Sequence
from html import escape

from syndicate.demo.documents import MEDIA_TYPES, Site
from syndicate.demo.newsroom import Shown

# One outlet's articles carry scripts on purpose: nobody's browser is to run them, here either.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
}
STYLE = """
body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem; font: 1.1rem/1.6 Georgia, serif; }
header { border-bottom: 3px double; margin-bottom: 2rem; }
header a { color: inherit; text-decoration: none; font-size: 2rem; }
time, .by, footer { color: #666; font-size: 0.85rem; }
"""


def front_page(site: Site, shown: Sequence[Shown]) -> str:
    """Return the front page, newest article first."""
    articles = "\n".join(
        f'<article><h2><a href="{escape(site.article_url(each))}">{escape(each.article.title)}</a></h2>'
        f"<p>{_time(each)} {escape(each.article.summary)}</p></article>"
        for each in shown
    )
    return _page(site, site.outlet.title, f"<p>{escape(site.outlet.description)}</p>\n{articles}")


def article_page(site: Site, shown: Shown) -> str:
    """Return the page of one article."""
    article = shown.article
    by = f'<span class="by">{escape(article.author)}</span>' if article.author else ""
    return _page(
        site, article.title, f"<h1>{escape(article.title)}</h1>\n<p>{_time(shown)} {by}</p>\n{article.body}"
    )


def _page(site: Site, title: str, content: str) -> str:
    outlet = site.outlet
    return f"""<!DOCTYPE html>
<html lang="{escape(outlet.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="alternate" type="{MEDIA_TYPES[outlet.format]}" href="{escape(site.feed_url)}">
<style>{STYLE}</style>
</head>
<body>
<header><a href="{escape(site.url)}">{escape(outlet.title)}</a></header>
{content}
<footer><p>An invented outlet of the Syndicate demo. <a href="{escape(site.feed_url)}">Feed</a></p></footer>
</body>
</html>
"""


def _time(shown: Shown) -> str:
    moment = shown.changed
    return f'<time datetime="{moment.isoformat()}">{moment.astimezone():%Y-%m-%d %H:%M}</time>'
