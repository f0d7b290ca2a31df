"""A feed's page for people, opened from a disk in a real browser, which takes its style and nothing else."""

import pytest

from syndicate.feeds.page import Format
from tests.browser import browse, low_contrasts
from tests.published import FEED, ITEM, described, page_of, stored
from tests.support import ROOT

FORMATS = (Format(name="Atom", media_type="application/atom+xml", url=FEED.self_url),)


@pytest.fixture
def page(tmp_path):
    file = tmp_path / "central-asia.html"
    file.write_bytes(page_of(described(stored()), FORMATS))
    return file.as_uri()


def test_a_browser_shows_the_page_and_complains_about_nothing(page, tmp_path):
    shown, complaints = browse(page, tmp_path / "profile", "--dump-dom", "--enable-logging=stderr", "--v=0")
    assert ITEM.title in shown
    assert "Content Security Policy" not in complaints
    assert "CONSOLE" not in complaints


@pytest.mark.parametrize("option", ["--hide-scrollbars", "--force-dark-mode"])
def test_a_browser_draws_the_page(page, tmp_path, option):
    picture = tmp_path / "page.png"
    browse(page, tmp_path / "profile", "--window-size=860,900", f"--screenshot={picture}", option)
    assert picture.stat().st_size > 20_000  # an empty page takes a tenth of that


def test_text_has_enough_contrast_by_day_and_by_night():
    css = (ROOT / "syndicate/feeds/templates/style.css").read_text()
    assert low_contrasts(css, ("text", "quiet", "link"), ("page", "card", "chip")) == []
    assert low_contrasts(css, ("text",), ("mark",)) == []
