"""Plain text for partners that keep HTML, and back: a customer's words are never read as markup."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

from typing_extensions import override

_BREAKS = frozenset({"br", "p", "div", "li", "tr", "blockquote", "h1", "h2", "h3"})
_HIDDEN = frozenset({"script", "style", "head"})


def to_html(said: str, link: str = "") -> str:
    """A text as HTML, a line for each line; the line that is our own `link` can be followed."""
    shown = escape(link)
    anchor = f'<a href="{shown}">{shown}</a>'
    return "<br>".join(anchor if link and line == link else escape(line) for line in said.split("\n"))


def to_text(html: str) -> str:
    """The words of HTML, a line for each block."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.said).split("\n"))
    return "\n".join(line for line in lines if line)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._hidden = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN
        if tag in _BREAKS:
            self.said.append("\n")

    @override
    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(self._hidden - (tag in _HIDDEN), 0)
        if tag in _BREAKS:
            self.said.append("\n")

    @override
    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.said.append(" ".join(data.split("\n")))
