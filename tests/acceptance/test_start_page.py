"""The start page in a real browser: readable and whole on a desk and on a phone, by day and by night."""

import re
import subprocess
from pathlib import Path

import pytest

from syndicate.web.app import create
from tests.served import RULES, SOURCES, SomeView, served
from tests.support import require

REMEDY = "apt-get install chromium"
BROWSER = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
]


def browse(url: str, profile: Path, *options: str) -> tuple[str, str]:
    """Return what a browser printed about a page, and its complaints."""
    command = [require("chromium", REMEDY), *BROWSER, f"--user-data-dir={profile}", *options, url]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return result.stdout, result.stderr


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


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", css))


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2)."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_has_enough_contrast_by_day_and_by_night():
    css = (Path(__file__).parents[2] / "syndicate/web/static/style.css").read_text()
    day, night = (colours(part) for part in css.split("@media", 1))
    assert day.keys() == night.keys()
    for theme in (day, night):
        for text in ("text", "quiet", "link", "good", "bad"):
            for background in ("page", "card", "chip"):
                assert contrast(theme[text], theme[background]) >= 4.5, (text, background)
