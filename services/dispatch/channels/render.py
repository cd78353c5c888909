"""Letters set as HTML and as text. Templates are ours and compiled once; customers' texts are only values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import mjml
from jinja2 import BaseLoader, Environment, StrictUndefined, Template

from services.dispatch.domain.letter import Letter

_TEMPLATES = Path(__file__).with_name("templates")
_BRAND_LINE = "#aabbcc"
_MACROS = {
    "brand": "letter.frame.house",
    "score_row": "letter.row",
    "hint": "letter",
    "act": "letter",
    "signature": "letter.frame",
    "footer": "letter",
}
_MACRO = re.compile(r"{% macro (\w+)\((\w+)\) -%}(.*?){%- endmacro %}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rendered:
    """Both forms of one letter."""

    html: str
    text: str


class Renderer:
    """Sets letters with the templates of this process."""

    def __init__(self) -> None:
        self._html, self._text = _templates()

    def render(self, letter: Letter) -> Rendered:
        """Set a letter in both forms."""
        return Rendered(self._html.render(letter=letter), _tidy(self._text.render(letter=letter)))


@cache
def _templates() -> tuple[Template, Template]:
    """The templates for HTML and for plain text, compiled once."""
    pages = Environment(loader=BaseLoader(), autoescape=True, undefined=StrictUndefined)
    plain = Environment(loader=BaseLoader(), autoescape=False, undefined=StrictUndefined)  # noqa: S701 - plain text
    return pages.from_string(_html_source()), plain.from_string(_read("letter.txt"))


def _html_source() -> str:
    """The MJML template as HTML, with our macros in the places that MJML has no element for."""
    # No web fonts: MJML would link those it knows by name, and a mail must not call strangers.
    html = mjml.mjml2html(_read("letter.mjml"))
    html = html.replace(_BRAND_LINE, "{{ letter.frame.house.colour }}")
    html = "\n".join(line.strip() for line in html.splitlines() if line.strip())
    # Written in place: to call a macro costs as much as what most of them say.
    for macro, argument, body in _MACRO.findall(_read("parts.html")):
        inline = f"{{% with {argument} = {_MACROS[macro]} %}}{body.strip()}{{% endwith %}}"
        html = html.replace(f"{{{{ {macro}() }}}}", inline)
    return html


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _tidy(text: str) -> str:
    """At most one empty line in a row, one line feed at the end."""
    lines: list[str] = []
    for line in text.splitlines():
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip("\n") + "\n"
