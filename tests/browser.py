"""Pages in a real browser, and their colours as people see them."""

import re
import subprocess
from pathlib import Path

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


def low_contrasts(css: str, texts: tuple[str, ...], backgrounds: tuple[str, ...]) -> list[str]:
    """Return what is hard to read, by day or by night: less than 4.5:1 (WCAG 2.2, 1.4.3).

    Args:
        css: which has its colours as variables, and all of them anew in its first `@media`.
        texts: names of variables, as `backgrounds`.
    """
    day, night = (colours(part) for part in css.split("@media", 1))
    assert day.keys() == night.keys()
    return [
        f"{text} on {background}"
        for theme in (day, night)
        for text in texts
        for background in backgrounds
        if contrast(theme[text], theme[background]) < 4.5
    ]
