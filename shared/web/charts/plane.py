"""Things on a plane that is cut in four."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from shared.web.charts.drawing import Frame, Words, filled, joined, px, svg, table

_PLANE = Frame("", 480, 300, labels=0, left=14, right=26, top=28, bottom=28)


@dataclass(frozen=True, slots=True)
class Place:
    """One thing on a plane; `x` and `y` are shares from 0 to 1, `kind` its colour (low, high, bar)."""

    label: str
    x: float
    y: float
    kind: str


def quadrants(
    places: Sequence[Place], axes: tuple[str, str], middle: tuple[float, float], words: Words
) -> Markup:
    """Things on a plane that is cut in four: numbered dots, and a table that says which is which.

    Args:
        places: What is shown; the numbers follow their order.
        axes: What grows to the right, and what grows upwards.
        middle: Where the plane is cut.
        words: Title, description and headings of the table.
    """
    frame = _PLANE
    x0, y0 = _on_plane(frame, middle[0], middle[1])
    right, bottom = frame.left + frame.plot_width, frame.top + frame.plot_height
    cut = filled(
        '<line class="grid" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
        '<line class="grid" x1="{3}" x2="{4}" y1="{5}" y2="{5}"/>',
        px(x0),
        frame.top,
        bottom,
        frame.left,
        right,
        px(y0),
    )
    cut += filled(
        '<text x="{}" y="{}" text-anchor="end">{} \N{RIGHTWARDS ARROW}</text>'
        '<text x="{}" y="{}">\N{UPWARDS ARROW} {}</text>',
        right,
        frame.height - 8,
        axes[0],
        frame.left,
        frame.top - 8,
        axes[1],
    )
    dots = joined(_numbered(frame, number, place) for number, place in enumerate(places, 1))
    rows = [
        (f"{number}. {place.label}", f"{round(100 * place.x)}\N{NO-BREAK SPACE}%", f"{place.y:.2f}")
        for number, place in enumerate(places, 1)
    ]
    return filled(
        "<figure>{}{}</figure>", svg(frame, words, cut + dots), table((words.value, *axes), rows, words)
    )


def _on_plane(frame: Frame, x: float, y: float) -> tuple[float, float]:
    return frame.left + frame.plot_width * x, frame.top + frame.plot_height * (1 - y)


def _numbered(frame: Frame, number: int, place: Place) -> Markup:
    x, y = _on_plane(frame, place.x, place.y)
    return filled(
        '<circle class="{}" cx="{}" cy="{}" r="6"/><text class="value" x="{}" y="{}">{}</text>',
        place.kind,
        px(x),
        px(y),
        px(x + 9),
        px(y + 5),
        number,
    )
