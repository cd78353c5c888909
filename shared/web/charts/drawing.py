"""What all charts are drawn with: frames, grids, tables and texts that are escaped in their place."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal
from zlib import crc32

from markupsafe import Markup, escape

_special = re.compile("[&<>\"']").search
# The class itself looks first whether the text is an object with markup of its own.
_markup: Callable[[str], Markup] = partial(str.__new__, Markup)
LINES = 5
"""Grid lines of a chart, at most."""


@dataclass(frozen=True, slots=True)
class Words:
    """The texts around a chart, in the reader's language."""

    title: str
    description: str
    table: str = "Show as a table"
    period: str = "Period"
    value: str = "Value"
    interval: str = "Interval"
    note: str = "Answers"
    nothing: str = "No answers yet"
    marks: str = "What happened where a number stands"


@dataclass(frozen=True, slots=True)
class Frame:
    """The plotting area of one size of a chart."""

    css: str
    width: int
    height: int
    labels: int
    left: int = 44
    right: int = 16
    top: int = 14
    bottom: int = 30

    @property
    def plot_width(self) -> int:
        """Between the axis and the right edge."""
        return self.width - self.left - self.right

    @property
    def plot_height(self) -> int:
        """Above the labels."""
        return self.height - self.top - self.bottom


LARGE = Frame("large-screen", 720, 280, labels=8)
SMALL = Frame("small-screen", 360, 230, labels=4, left=38, right=10)


def svg(frame: Frame, words: Words, content: Markup, role: Literal["img", "group"] = "img") -> Markup:
    """The picture itself, with title and description for who does not see it; a group if links are in it."""
    key = f"c{crc32(f'{words.title}{words.description}{frame.css}'.encode()):08x}"
    return filled(
        '<svg class="chart {0}" viewBox="0 0 {1} {2}" role="{7}" aria-labelledby="{3}t {3}d">'
        '<title id="{3}t">{4}</title><desc id="{3}d">{5}</desc>{6}</svg>',
        frame.css,
        frame.width,
        frame.height,
        key,
        words.title,
        words.description,
        content,
        role,
    )


def grid(frame: Frame, y: float, tick: float) -> Markup:
    """A line across with the value that it stands for; the one at zero stands out."""
    return filled(
        '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>',
        "grid" if tick else "zero",
        frame.left,
        frame.width - frame.right,
        px(y),
        px(y),
        frame.left - 8,
        px(y + 4.5),
        signed(tick),
    )


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], words: Words) -> Markup:
    """The numbers of a chart as a table that unfolds; the first cell of a row is its heading."""
    head = joined(
        filled('<th scope="col"{}>{}</th>', Markup(' class="n"') if i else "", heading)
        for i, heading in enumerate(headings)
    )
    body = joined(
        filled(
            "<tr>{}</tr>",
            joined(
                filled('<td class="n">{}</td>', cell) if i else filled('<th scope="row">{}</th>', cell)
                for i, cell in enumerate(row)
            ),
        )
        for row in rows
    )
    return filled(
        '<details><summary>{}</summary><table class="table"><caption class="sr">{}</caption>'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></details>",
        words.table,
        words.title,
        head,
        body,
    )


def filled(template: str, *values: object) -> Markup:
    """The template with each value escaped in its place: what Markup.format does, at a tenth of the cost."""
    return _markup(template.format(*map(_safe, values)))  # every value is escaped


def joined(parts: Iterable[Markup]) -> Markup:
    """Parts one behind the other: what Markup.join does, which looks into each of them once more."""
    return _markup("".join(parts))  # every part is safe


def _safe(value: object) -> object:
    """A value escaped. Most are coordinates, in which there is nothing to escape."""
    plain = isinstance(value, Markup) or (type(value) is str and not _special(value))
    return value if plain else escape(value)


def px(value: float) -> str:
    """A coordinate with one decimal, as short as can be."""
    return f"{value:.1f}".removesuffix(".0")


def signed(value: float) -> str:
    """A value with one decimal at most and a true minus sign."""
    text = f"{abs(value):.1f}".removesuffix(".0")
    return f"\N{MINUS SIGN}{text}" if value < 0 and text != "0" else text
