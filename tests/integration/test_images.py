"""Images of articles: left out, or fetched by us alone, and nothing else is had that way."""

import re
from dataclasses import replace

import httpx
import pytest

from syndicate.web.app import create
from syndicate.web.images import MAX_BYTES, kind_of
from tests.contract.making import entry
from tests.dashboard import SOURCES, configuration, dashboard
from tests.outlets import LocalServer, Pages, Reply
from tests.served import TLS, served, visitor

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
OPEN = '[network]\nallow_private = ["127.0.0.0/8"]\n'


@pytest.fixture(scope="module")
def outlet():
    pages = Pages(
        {
            "/a.png": Reply(body=PNG, headers={"Content-Type": "text/html", "Set-Cookie": "a=b"}),
            "/moved": Reply(status=302, headers={"Location": "/a.png"}),
            "/page": Reply(body=b"<script>alert(1)</script>", headers={"Content-Type": "image/png"}),
            "/drawing": Reply(body=SVG, headers={"Content-Type": "image/svg+xml"}),
            "/huge": Reply(body=PNG + b"x" * MAX_BYTES, headers={"Content-Type": "image/png"}),
            "/gone": Reply(status=404, body=PNG),
        }
    )
    with LocalServer(pages.answer) as server:
        yield server


def desk(folder, outlet, *paths, web='images = "proxied"', network=OPEN):
    images = "".join(f'<img src="{path if "://" in path else outlet.address + path}">' for path in paths)
    loaded = configuration(folder, web=web, sources=network + SOURCES)
    return loaded, entry("a", "With images", content_html=f"<p>Text.</p>{images}")


@pytest.fixture
def fetched(tmp_path, outlet):
    def fetch(*paths, **settings):
        """Return the page of an item with these images, and what each image is answered."""
        loaded, item = desk(tmp_path, outlet, *paths, **settings)
        with dashboard(loaded) as view:
            view.report("steppe", item)
            with (
                served(create(view)) as address,
                visitor(address) as client,
            ):
                page = client.get("/items/1")
                addresses = re.findall(r'src="(/image/[^"]+)"', page.text)
                return page, [client.get(each) for each in addresses]

    return fetch


def test_an_image_is_fetched_by_us_without_saying_for_whom(fetched, outlet):
    outlet.asked.clear()
    page, (image,) = fetched("/a.png")
    assert outlet.address not in page.text
    assert (image.status_code, image.content) == (200, PNG)
    assert image.headers["Content-Type"] == "image/png"
    assert image.headers["Cache-Control"] == "private, max-age=86400"
    assert "sandbox" in image.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in image.headers
    (asked,) = outlet.asked
    assert not {"cookie", "referer", "x-forwarded-for"} & {name.lower() for name in asked.headers}


@pytest.mark.parametrize(
    ("path", "status"), [("/moved", 200), ("/page", 404), ("/drawing", 404), ("/gone", 404)]
)
def test_nothing_but_a_picture_is_passed_on(fetched, path, status):
    _, (image,) = fetched(path)
    assert image.status_code == status
    assert status == 200 or b"alert" not in image.content


def test_what_is_too_large_is_refused(fetched):
    _, (image,) = fetched("/huge")
    assert image.status_code == 502
    assert len(image.content) < 1000


def test_what_a_poll_may_not_ask_an_image_may_not_either(fetched, outlet):
    outlet.asked.clear()
    _, images = fetched("/a.png", "http://169.254.169.254/x.png", network="")
    assert [image.status_code for image in images] == [502, 502]
    assert outlet.asked == []


def test_addresses_that_no_item_shows_are_not_fetched(fetched, tmp_path, outlet):
    loaded, item = desk(tmp_path, outlet, "/a.png")
    with dashboard(loaded) as view:
        view.report("steppe", item)
        with (
            served(create(view)) as address,
            visitor(address) as client,
        ):
            (found,) = re.findall(r'src="(/image/[^"]+)"', client.get("/items/1").text)
            _, _, signature, written = found.split("/")
            outlet.asked.clear()
            for path in (
                f"/image/{signature}/{written}x",
                f"/image/{signature[:-1]}{'0' if signature[-1] != '0' else '1'}/{written}",
                f"/image/{signature}/!!!",
                f"/image//{written}",
            ):
                assert client.get(path).status_code == 404, path
            off = replace(view, loaded=configuration(tmp_path, sources=OPEN + SOURCES))
            assert outlet.asked == []
            assert client.get(found).status_code == 200
        with served(create(off)) as address:
            assert httpx.get(f"{address}{found}", trust_env=False, verify=TLS).status_code == 404


def test_usually_there_are_no_images(fetched, outlet):
    page, images = fetched("/a.png", web="")
    assert images == []
    assert "<img" not in page.text.split("<article>")[1].split("</article>")[0]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (PNG, "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"GIF89a", "gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
        (b"\x00\x00\x00\x1cftypavif", "avif"),
        (SVG, None),
        (b"", None),
        (b"<!doctype html>", None),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
    ],
)
def test_pictures_are_known_by_how_they_begin(body, kind):
    assert kind_of(body) == kind
