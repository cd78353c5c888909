"""Values with their intervals, one below the other on one axis."""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from shared.web.charts.drawing import Frame, Words, filled, joined, px, signed, svg
from shared.web.charts.lines import TrendPoint, axis_of, numbers_of, ticks_of

_ROW = 54
"""Height of one value: its name, and below it the interval."""

_BAND = 34
"""From the top of a row to the middle of its interval."""


def ranges(points: Sequence[TrendPoint], words: Words, scale: tuple[float, float] = (-100, 100)) -> Markup:
    """A dot in its interval for each value, to be held against each other.

    Args:
        points: What is shown, from the top down; one without a value is named, and its note stands there.
        words: Title, description and headings of the table.
        scale: The least and the greatest value that can be; the axis shows the part that is needed.
    """
    if all(point.value is None for point in points):
        return filled('<p class="empty">{}</p>', words.nothing)
    axis = axis_of(points, scale)
    frames = [
        Frame(css, width, 24 + _ROW * len(points), labels=0, left=12, right=12, top=0, bottom=24)
        for css, width in (("large-screen", 720), ("small-screen", 360))
    ]
    drawn = [_drawn(frame, points, words, axis) for frame in frames]
    return filled("<figure>{}{}</figure>", joined(drawn), numbers_of(points, words))


def _drawn(frame: Frame, points: Sequence[TrendPoint], words: Words, axis: tuple[float, float]) -> Markup:
    def x(value: float) -> float:
        return frame.left + frame.plot_width * (value - axis[0]) / (axis[1] - axis[0])

    bottom = frame.height - frame.bottom
    lines = joined(
        filled(
            '<line class="{}" x1="{}" x2="{}" y1="0" y2="{}"/>'
            '<text x="{}" y="{}" text-anchor="middle">{}</text>',
            "grid" if tick else "zero",
            *(px(x(tick)), px(x(tick)), bottom),
            *(px(x(tick)), frame.height - 6, signed(tick)),
        )
        for tick in ticks_of(axis)
    )
    rows = joined(_row(frame, place, point, x) for place, point in enumerate(points))
    return svg(frame, words, lines + rows)


def _row(frame: Frame, place: int, point: TrendPoint, x: Callable[[float], float]) -> Markup:
    top = _ROW * place
    name = filled('<text x="{}" y="{}">{}</text>', frame.left, top + 17, point.label)
    if point.value is None:
        return name
    low = point.value if point.low is None else point.low
    high = point.value if point.high is None else point.high
    middle = top + _BAND
    at_edge = x(high) > frame.width - frame.right - 48
    return name + filled(
        '<rect class="band" x="{}" y="{}" width="{}" height="14" rx="7"/>'
        '<circle class="dot" cx="{}" cy="{}" r="6"/>'
        '<text class="value" x="{}" y="{}" text-anchor="{}">{}</text>',
        *(px(x(low)), middle - 7, px(max(x(high) - x(low), 1))),
        *(px(x(point.value)), middle),
        *(px(x(low) - 8 if at_edge else x(high) + 8), middle + 5, "end" if at_edge else "start"),
        signed(point.value),
    )
