"""The start page in a real browser: readable and whole on a desk and on a phone, by day and by night."""

import pytest

from syndicate.web.app import create
from tests.browser import browse, low_contrasts
from tests.served import RULES, SOURCES, SomeView, served
from tests.support import ROOT


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    view = SomeView(
        feeds_folder=tmp_path_factory.mktemp("feeds"), shown_sources=SOURCES * 3, shown_rules=RULES
    )
    with served(create(view)) as address:
        yield address + "/"


def test_a_browser_shows_everything_and_complains_about_nothing(page, tmp_path):
    shown, complaints = browse(page, tmp_path, "--dump-dom", "--enable-logging=stderr", "--v=0")
    for text in ("What is being watched", "Степной вестник", "صحيفة الواحة", "Central Asia", "Subscribe"):
        assert text in shown
    assert "Content Security Policy" not in complaints
    assert "Failed to load resource" not in complaints
    assert "CONSOLE" not in complaints


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("desk", ["--window-size=1200,1500"]),
        ("phone", ["--window-size=500,2000"]),
        ("night", ["--window-size=1200,1500", "--force-dark-mode"]),
    ],
)
def test_a_browser_draws_the_page(page, tmp_path, name, options):
    picture = tmp_path / f"{name}.png"
    browse(page, tmp_path / "profile", f"--screenshot={picture}", *options)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000  # an empty page takes a tenth of that


def test_text_has_enough_contrast_by_day_and_by_night():
    css = (ROOT / "syndicate/web/static/style.css").read_text()
    assert low_contrasts(css, ("text", "quiet", "link", "good", "bad"), ("page", "card", "chip")) == []
