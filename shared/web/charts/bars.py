"""A bar per answer, per day or per week."""

from collections.abc import Callable, Sequence
from math import ceil, floor, log10

from markupsafe import Markup

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

_HISTOGRAM = Frame("", 480, 200, labels=11, left=0, right=0, top=24, bottom=26)


def histogram(
    counts: Sequence[tuple[str, int, str]], words: Words, leads: Callable[[str], str] | None = None
) -> Markup:
    """A bar per possible answer: its label, how often it was given, and its kind (low, mid, high or bar).

    `leads` gives the address that the bar of a label leads to; a label without an answer leads nowhere.
    """
    most = max((number for _, number, _ in counts), default=0)
    if most == 0:
        return filled('<p class="empty">{}</p>', words.nothing)
    frame = _HISTOGRAM
    step = frame.plot_width / len(counts)
    parts = []
    for place, (label, number, kind) in enumerate(counts):
        bar = _histogram_bar(frame, place, (label, number, kind), most, step)
        if leads and number:
            room = filled(
                '<rect class="room" x="{}" y="0" width="{}" height="{}"/>',
                *(px(frame.left + step * place), px(step), frame.height),
            )
            told = f"{words.note} {label}: {number}"
            bar = filled('<a href="{}" aria-label="{}">{}{}</a>', leads(label), told, room, bar)
        parts.append(bar)
    rows = [(label, str(number)) for label, number, _ in counts]
    return filled(
        "<figure>{}{}</figure>",
        svg(frame, words, joined(parts), role="group" if leads else "img"),
        table((words.value, words.note), rows, words),
    )


def columns(
    bars: Sequence[tuple[str, float]], words: Words, limit: tuple[str, float] | None = None
) -> Markup:
    """A bar per day or week, over an axis from zero; `limit` is a line across with its name."""
    if not any(value for _, value in bars):
        return filled('<p class="empty">{}</p>', words.nothing)
    most = max([*(value for _, value in bars), *([limit[1]] if limit else [])])
    drawn = [_columns_svg(frame, bars, words, most, limit) for frame in (LARGE, SMALL)]
    rows = [(label, signed(value)) for label, value in bars]
    numbers = table((words.period, words.value), rows, words)
    return filled("<figure>{}{}</figure>", joined(drawn), numbers)


def _columns_svg(
    frame: Frame,
    bars: Sequence[tuple[str, float]],
    words: Words,
    most: float,
    limit: tuple[str, float] | None,
) -> Markup:
    step = _round_step(most)
    top = ceil(most / step) * step
    width = frame.plot_width / len(bars)
    bottom = frame.top + frame.plot_height

    def y(value: float) -> float:
        return frame.top + frame.plot_height * (top - value) / top

    parts = [grid(frame, y(step * place), step * place) for place in range(round(top / step) + 1)]
    for place, (_, value) in enumerate(bars):
        if value:
            parts.append(
                filled(
                    '<rect class="bar" x="{}" y="{}" width="{}" height="{}"/>',
                    px(frame.left + width * (place + 0.1)),
                    px(y(value)),
                    px(max(width * 0.8, 0.5)),
                    px(bottom - y(value)),
                )
            )
    every = ceil(len(bars) / frame.labels)
    parts += [
        filled(
            '<text x="{}" y="{}" text-anchor="middle">{}</text>',
            px(frame.left + width * (place + 0.5)),
            frame.height - 8,
            bars[place][0],
        )
        for place in range(0, len(bars), every)
    ]
    if limit:
        parts.append(
            filled(
                '<line class="zero limit" x1="{}" x2="{}" y1="{}" y2="{}"/>'
                '<text class="value named" x="{}" y="{}" text-anchor="end">{}</text>',
                *(frame.left, frame.width - frame.right, px(y(limit[1])), px(y(limit[1]))),
                *(frame.width - frame.right, px(y(limit[1]) - 6), limit[0]),
            )
        )
    return svg(frame, words, joined(parts))


def _round_step(most: float) -> float:
    """A round distance of grid lines, for at most five of them, however small or great the values are."""
    unit = 10.0 ** floor(log10(most / LINES))
    return next(step * unit for step in (1, 2, 5, 10) if most / (step * unit) <= LINES)


def _histogram_bar(frame: Frame, place: int, entry: tuple[str, int, str], most: int, step: float) -> Markup:
    label, number, kind = entry
    height = frame.plot_height * number / most
    middle = frame.left + step * (place + 0.5)
    bottom = frame.top + frame.plot_height
    return filled(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="3"/>'
        '<text class="value" x="{}" y="{}" text-anchor="middle">{}</text>'
        '<text x="{}" y="{}" text-anchor="middle">{}</text>',
        kind,
        px(middle - step * 0.38),
        px(bottom - max(height, 1)),
        px(step * 0.76),
        px(max(height, 1)),
        px(middle),
        px(bottom - height - 7),
        number or "",
        px(middle),
        px(frame.height - 6),
        label,
    )
