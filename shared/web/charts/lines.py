"""A line over periods with the band of its intervals."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil, floor
from typing import NamedTuple

from markupsafe import Markup

from shared.values import Value
from shared.web.charts.drawing import (
    LARGE,
    LINES,
    SMALL,
    Frame,
    Words,
    filled,
    grid,
    joined,
    px,
    signed,
    svg,
    table,
)

_LANE = 24
"""Height of the lane above the plot that marks have for themselves."""


class TrendPoint(Value, frozen=True):
    """One period: its value with the interval around it; None where nothing was answered."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""
    """What the table shows beside the value, as the number of answers."""


class Mark(NamedTuple):
    """What happened in one period: the place of its point, and what the list below the chart says of it."""

    point: int
    text: str


def trend(
    points: Sequence[TrendPoint],
    words: Words,
    scale: tuple[float, float] = (-100, 100),
    marks: Sequence[Mark] = (),
) -> Markup:
    """A line over periods with the band of its intervals; a gap where a period has no value.

    Args:
        points: Oldest first.
        words: Title, description and headings of the table.
        scale: The least and the greatest value that can be; the axis shows the part that is needed.
        marks: What happened, oldest first. They are numbered from 1 on, above the points of their periods
            and in a list below. Those that would overlap share a mark: `2\N{EN DASH}4`.
    """
    if all(point.value is None for point in points):
        return filled('<p class="empty">{}</p>', words.nothing)
    low, high = axis_of(points, scale)
    drawn = [_trend_svg(frame, points, words, (low, high), marks) for frame in (LARGE, SMALL)]
    numbers = numbers_of(points, words)
    return filled("<figure>{}{}{}</figure>", joined(drawn), _listed(marks, words), numbers)


def _trend_svg(
    frame: Frame,
    points: Sequence[TrendPoint],
    words: Words,
    axis: tuple[float, float],
    marks: Sequence[Mark],
) -> Markup:
    if marks:
        frame = replace(frame, height=frame.height + _LANE, top=frame.top + _LANE)
    xs = [frame.left + frame.plot_width * (i / max(len(points) - 1, 1)) for i in range(len(points))]
    if len(points) == 1:
        xs = [frame.left + frame.plot_width / 2]

    def y(value: float) -> float:
        return frame.top + frame.plot_height * (axis[1] - value) / (axis[1] - axis[0])

    parts = [grid(frame, y(tick), tick) for tick in ticks_of(axis)]
    parts += [_mark(frame, group, xs) for group in _groups(frame, marks, xs)]
    parts += [_run(xs, points, run, y) for run in _runs(points)]
    last = max(i for i, point in enumerate(points) if point.value is not None)
    parts.append(_last_value(frame, xs[last], y(points[last].value or 0), points[last].value or 0))
    every = ceil(len(points) / frame.labels)
    for i in range(len(points) - 1, -1, -every):
        anchor = "middle" if 0 < i < len(points) - 1 else "end" if i else "start"
        parts.append(
            filled(
                '<text x="{}" y="{}" text-anchor="{}">{}</text>',
                px(xs[i]),
                frame.height - 8,
                anchor if len(points) > 1 else "middle",
                points[i].label,
            )
        )
    return svg(frame, words, joined(parts))


def axis_of(points: Sequence[TrendPoint], scale: tuple[float, float]) -> tuple[float, float]:
    """The part of the scale that the values and their intervals need, widened to whole steps."""
    seen = [v for p in points for v in (p.value, p.low, p.high) if v is not None]
    room = (scale[1] - scale[0]) * 0.05
    step = _step(max(seen) - min(seen) + 2 * room)
    low = max(scale[0], floor((min(seen) - room) / step) * step)
    high = min(scale[1], ceil((max(seen) + room) / step) * step)
    return (low, high) if low < high else (scale[0], scale[1])


def _step(width: float) -> float:
    """A round distance of grid lines, for four or five of them."""
    return next((step for step in (1, 2, 5, 10, 20, 25, 50) if width / step <= LINES), 100)


def ticks_of(axis: tuple[float, float]) -> list[float]:
    """Where grid lines of an axis are."""
    step = _step(axis[1] - axis[0])
    first = ceil(axis[0] / step) * step
    return [first + step * i for i in range(int((axis[1] - first) / step) + 1)]


def _runs(points: Sequence[TrendPoint]) -> list[range]:
    """The stretches of points without a gap."""
    runs: list[range] = []
    for i, point in enumerate(points):
        if point.value is None:
            continue
        if runs and runs[-1].stop == i:
            runs[-1] = range(runs[-1].start, i + 1)
        else:
            runs.append(range(i, i + 1))
    return runs


def _run(
    xs: Sequence[float], points: Sequence[TrendPoint], run: range, y: Callable[[float], float]
) -> Markup:
    values = [(xs[i], points[i].value or 0.0, points[i]) for i in run]
    upper = [(x, y(value if point.high is None else point.high)) for x, value, point in values]
    lower = [(x, y(value if point.low is None else point.low)) for x, value, point in values]
    line = [(x, y(value)) for x, value, _ in values]
    if len(run) == 1:
        # A band of one period has no width: draw the interval as a bar.
        x, (_, top), (_, bottom) = line[0][0], upper[0], lower[0]
        band = filled(
            '<rect class="band" x="{}" y="{}" width="8" height="{}"/>',
            px(x - 4),
            px(top),
            px(max(bottom - top, 0)),
        )
    else:
        band = filled('<polygon class="band" points="{}"/>', _path([*upper, *reversed(lower)]))
    dots = joined(filled('<circle class="dot" cx="{}" cy="{}" r="4"/>', px(x), px(at)) for x, at in line)
    return band + filled('<polyline class="line" points="{}"/>', _path(line)) + dots


class _Group(NamedTuple):
    """Marks that share a box, because boxes of their own would overlap: numbers and places, both included."""

    first: int
    last: int
    points: tuple[int, ...]

    @property
    def label(self) -> str:
        """Its number or numbers: `3`, `3\N{EN DASH}5`."""
        return f"{self.first}" if self.first == self.last else f"{self.first}\N{EN DASH}{self.last}"

    @property
    def width(self) -> int:
        """Of its box."""
        return 9 * len(self.label) + 9

    def middle(self, frame: Frame, xs: Sequence[float]) -> float:
        """Where its box is, inside the picture."""
        middle = (xs[self.points[0]] + xs[self.points[-1]]) / 2
        return min(max(middle, self.width / 2 + 1), frame.width - self.width / 2 - 1)


def _groups(frame: Frame, marks: Sequence[Mark], xs: Sequence[float]) -> list[_Group]:
    """Marks of one period together, and those of neighbours whose boxes would touch."""
    found: list[_Group] = []
    for number, mark in enumerate(marks, 1):
        group = _Group(number, number, (mark.point,))
        # A group that grows may reach back to the one before it.
        while found and _touch(frame, found[-1], group, xs):
            before = found.pop()
            group = _Group(before.first, group.last, tuple(dict.fromkeys(before.points + group.points)))
        found.append(group)
    return found


def _touch(frame: Frame, before: _Group, after: _Group, xs: Sequence[float]) -> bool:
    apart = after.middle(frame, xs) - before.middle(frame, xs)
    return before.points[-1] == after.points[0] or apart < (before.width + after.width) / 2 + 4


def _mark(frame: Frame, group: _Group, xs: Sequence[float]) -> Markup:
    """A box with the numbers, and a line from it down through each of its points."""
    top, bottom = frame.top - _LANE + 2, frame.height - frame.bottom
    foot = top + 20
    middle = group.middle(frame, xs)
    places = [xs[point] for point in group.points]
    lines = joined(
        filled('<line class="mark" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>', px(x), foot, bottom)
        for x in places
    )
    return lines + filled(
        '<line class="mark" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<rect class="mark" x="{}" y="{}" width="{}" height="18" rx="4"/>'
        '<text class="value" x="{}" y="{}" text-anchor="middle">{}</text>',
        *(px(min(*places, middle)), px(max(*places, middle)), foot, foot),
        *(px(middle - group.width / 2), foot - 18, group.width),
        *(px(middle), foot - 4.5, group.label),
    )


def _listed(marks: Sequence[Mark], words: Words) -> Markup:
    """What the numbers of the marks mean; nothing where there are none."""
    if not marks:
        return Markup("")
    entries = joined(filled("<li>{}</li>", mark.text) for mark in marks)
    return filled('<p class="small muted">{}</p><ol class="marks small">{}</ol>', words.marks, entries)


def _last_value(frame: Frame, x: float, y: float, value: float) -> Markup:
    """The newest value, written where it is."""
    at_edge = x > frame.width - frame.right - 12
    above = y - 12 if y - 12 > frame.top else y + 22
    return filled(
        '<text class="value" x="{}" y="{}" text-anchor="{}">{}</text>',
        px(x),
        px(above),
        "end" if at_edge else "middle",
        signed(value),
    )


def _path(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{px(x)},{px(y)}" for x, y in places)


def numbers_of(points: Sequence[TrendPoint], words: Words) -> Markup:
    """Values and intervals as a table."""
    rows = [
        (
            point.label,
            "\N{EN DASH}" if point.value is None else signed(point.value),
            ""
            if point.low is None or point.high is None
            else f"{signed(point.low)} \N{HORIZONTAL ELLIPSIS} {signed(point.high)}",
            point.note,
        )
        for point in points
    ]
    return table((words.period, words.value, words.interval, words.note), rows, words)
