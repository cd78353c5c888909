import gzip
import re
from itertools import product

import pytest

from shared.web.static import FILES, FOLDER, static_url
from shared.web.templates import SHARED_TEMPLATES

CSS = (FOLDER / "afterword.css").read_text(encoding="utf-8")


def tokens(scheme: str) -> dict[str, str]:
    blocks = re.findall(r":root \{([^}]*)\}", CSS)
    light = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", blocks[0]))
    return (
        light if scheme == "light" else light | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", blocks[1]))
    )


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TEXT = [
    *product(("text", "muted", "accent", "danger", "warn"), ("bg", "surface")),
    ("muted", "sunken"),
    ("accent", "accent-soft"),
    ("text", "accent-soft"),
    *((state, f"{state}-soft") for state in ("ok", "warn", "danger")),
    *(("text", f"{state}-soft") for state in ("ok", "warn", "danger")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-danger", "danger"),
    ("on-danger", "danger-strong"),
    ("surface", "ok"),
    ("surface", "warn"),
]
EDGES = [("edge", "surface"), ("edge", "bg"), ("accent", "surface"), ("low", "surface"), ("high", "surface")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), TEXT)
def test_text_is_readable(scheme: str, ink: str, paper: str) -> None:
    colours = tokens(scheme)
    assert contrast(colours[ink], colours[paper]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "paper"), EDGES)
def test_edges_and_marks_are_visible(scheme: str, edge: str, paper: str) -> None:
    colours = tokens(scheme)
    assert contrast(colours[edge], colours[paper]) >= 3


def test_the_style_sheet_is_small_and_loads_nothing_from_elsewhere() -> None:
    assert len(gzip.compress(CSS.encode())) < 6_000
    assert "@import" not in CSS
    assert "//" not in re.sub(r"/\*.*?\*/", "", CSS, flags=re.DOTALL)
    for name in re.findall(r"url\(([^)]+)\)", CSS):
        assert name in FILES


def test_every_used_token_is_defined() -> None:
    assert set(re.findall(r"var\(--([\w-]+)", CSS)) - set(re.findall(r"--([\w-]+):", CSS)) == set()


def test_templates_use_no_inline_style_or_script() -> None:
    foreign = re.compile(r"<script(?! src=.\{\{ static)|<style|\sstyle=|\son\w+=|https?://")
    for template in SHARED_TEMPLATES.glob("*.html"):
        assert not foreign.search(template.read_text(encoding="utf-8")), template.name


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".js")])
def test_scripts_are_small_and_ask_nobody_else(name: str) -> None:
    assert len(gzip.compress(FILES[name].body)) < 4_000
    assert not re.search(rb"https?:|innerHTML|eval\(", FILES[name].body)


def test_an_address_changes_with_the_content() -> None:
    assert re.fullmatch(r"/static/afterword\.css\?v=[0-9a-f]{12}", static_url("afterword.css"))
    with pytest.raises(KeyError):
        static_url("none.css")
