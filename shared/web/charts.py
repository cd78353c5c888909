"""Charts as SVG drawn on the server: titled, described, without script, each with its numbers as a table.

All functions are pure and return markup that is safe to put into a page. Colours come from the style sheet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from zlib import crc32

from markupsafe import Markup, escape

_NOTHING = Markup("")
_LINES = 5
"""Grid lines of a chart, at most."""


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One period: its value with the interval around it; None where nothing was answered."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""
    """What the table shows beside the value, as the number of answers."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole; `kind` is its colour (low, mid, high)."""

    label: str
    count: int
    kind: str


@dataclass(frozen=True, slots=True)
class Place:
    """One thing on a plane; `x` and `y` are shares from 0 to 1, `kind` its colour (low, high, bar)."""

    label: str
    x: float
    y: float
    kind: str


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


@dataclass(frozen=True, slots=True)
class _Frame:
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
        return self.width - self.left - self.right

    @property
    def plot_height(self) -> int:
        return self.height - self.top - self.bottom


_LARGE = _Frame("large-screen", 720, 280, labels=8)
_SMALL = _Frame("small-screen", 360, 230, labels=4, left=38, right=10)
_PLANE = _Frame("", 480, 300, labels=0, left=14, right=26, top=28, bottom=28)
_HISTOGRAM = _Frame("", 480, 200, labels=11, left=0, right=0, top=24, bottom=26)


def trend(points: Sequence[TrendPoint], words: Words, scale: tuple[float, float] = (-100, 100)) -> Markup:
    """A line over periods with the band of its intervals; a gap where a period has no value.

    Args:
        points: Oldest first.
        words: Title, description and headings of the table.
        scale: The least and the greatest value that can be; the axis shows the part that is needed.
    """
    if all(point.value is None for point in points):
        return _filled('<p class="empty">{}</p>', words.nothing)
    low, high = _axis(points, scale)
    drawn = [_trend_svg(frame, points, words, (low, high)) for frame in (_LARGE, _SMALL)]
    return _filled("<figure>{}{}</figure>", _NOTHING.join(drawn), _trend_table(points, words))


def distribution(shares: Sequence[Share], words: Words) -> Markup:
    """One bar of stacked shares with a legend that says each count and percentage."""
    total = sum(share.count for share in shares)
    if total == 0:
        return _filled('<p class="empty">{}</p>', words.nothing)
    legend = _NOTHING.join(
        _filled(
            '<li><span class="swatch {}"></span>{} <b>{}&nbsp;%</b> <span class="muted">({})</span></li>',
            share.kind,
            share.label,
            round(100 * share.count / total),
            share.count,
        )
        for share in shares
    )
    return _filled(
        '<figure>{}<ul class="legend">{}</ul></figure>',
        stack(shares, f"{words.title}. {words.description}"),
        legend,
    )


def stack(shares: Sequence[Share], label: str) -> Markup:
    """One bar of stacked shares, for a table that says the numbers beside it."""
    total = sum(share.count for share in shares) or 1
    bars, x = [], 0.0
    for share in shares:
        width = 100 * share.count / total
        # A hair of background between neighbours: told apart without colour.
        bars.append(
            _filled(
                '<rect class="{}" x="{}" y="0" width="{}" height="10"/>',
                share.kind,
                _px(x),
                _px(max(width - 0.4, 0)),
            )
        )
        x += width
    return _filled(
        '<svg class="chart share" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}</svg>',
        label,
        _NOTHING.join(bars),
    )


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
    cut = _filled(
        '<line class="grid" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
        '<line class="grid" x1="{3}" x2="{4}" y1="{5}" y2="{5}"/>',
        _px(x0),
        frame.top,
        bottom,
        frame.left,
        right,
        _px(y0),
    )
    cut += _filled(
        '<text x="{}" y="{}" text-anchor="end">{} \N{RIGHTWARDS ARROW}</text>'
        '<text x="{}" y="{}">\N{UPWARDS ARROW} {}</text>',
        right,
        frame.height - 8,
        axes[0],
        frame.left,
        frame.top - 8,
        axes[1],
    )
    dots = _NOTHING.join(_numbered(frame, number, place) for number, place in enumerate(places, 1))
    rows = [
        (f"{number}. {place.label}", f"{round(100 * place.x)}\N{NO-BREAK SPACE}%", f"{place.y:.2f}")
        for number, place in enumerate(places, 1)
    ]
    return _filled(
        "<figure>{}{}</figure>", _svg(frame, words, cut + dots), _table((words.value, *axes), rows, words)
    )


def _on_plane(frame: _Frame, x: float, y: float) -> tuple[float, float]:
    return frame.left + frame.plot_width * x, frame.top + frame.plot_height * (1 - y)


def _numbered(frame: _Frame, number: int, place: Place) -> Markup:
    x, y = _on_plane(frame, place.x, place.y)
    return _filled(
        '<circle class="{}" cx="{}" cy="{}" r="6"/><text class="value" x="{}" y="{}">{}</text>',
        place.kind,
        _px(x),
        _px(y),
        _px(x + 9),
        _px(y + 5),
        number,
    )


def histogram(counts: Sequence[tuple[str, int, str]], words: Words) -> Markup:
    """A bar per possible answer: its label, how often it was given, and its kind (low, mid, high or bar)."""
    most = max((number for _, number, _ in counts), default=0)
    if most == 0:
        return _filled('<p class="empty">{}</p>', words.nothing)
    frame = _HISTOGRAM
    step = frame.plot_width / len(counts)
    parts = [_histogram_bar(frame, place, entry, most, step) for place, entry in enumerate(counts)]
    rows = [(label, str(number)) for label, number, _ in counts]
    return _filled(
        "<figure>{}{}</figure>",
        _svg(frame, words, _NOTHING.join(parts)),
        _table((words.value, words.note), rows, words),
    )


def columns(
    bars: Sequence[tuple[str, float]], words: Words, limit: tuple[str, float] | None = None
) -> Markup:
    """A bar per day or week, over an axis from zero; `limit` is a line across with its name."""
    if not any(value for _, value in bars):
        return _filled('<p class="empty">{}</p>', words.nothing)
    most = max([*(value for _, value in bars), *([limit[1]] if limit else [])])
    drawn = [_columns_svg(frame, bars, words, most, limit) for frame in (_LARGE, _SMALL)]
    rows = [(label, _signed(value)) for label, value in bars]
    table = _table((words.period, words.value), rows, words)
    return _filled("<figure>{}{}</figure>", _NOTHING.join(drawn), table)


def _columns_svg(
    frame: _Frame,
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

    parts = [_grid(frame, y(step * place), step * place) for place in range(round(top / step) + 1)]
    for place, (_, value) in enumerate(bars):
        if value:
            parts.append(
                _filled(
                    '<rect class="bar" x="{}" y="{}" width="{}" height="{}"/>',
                    _px(frame.left + width * (place + 0.1)),
                    _px(y(value)),
                    _px(max(width * 0.8, 0.5)),
                    _px(bottom - y(value)),
                )
            )
    every = ceil(len(bars) / frame.labels)
    parts += [
        _filled(
            '<text x="{}" y="{}" text-anchor="middle">{}</text>',
            _px(frame.left + width * (place + 0.5)),
            frame.height - 8,
            bars[place][0],
        )
        for place in range(0, len(bars), every)
    ]
    if limit:
        parts.append(
            _filled(
                '<line class="zero limit" x1="{}" x2="{}" y1="{}" y2="{}"/>'
                '<text class="value" x="{}" y="{}" text-anchor="end">{}</text>',
                *(frame.left, frame.width - frame.right, _px(y(limit[1])), _px(y(limit[1]))),
                *(frame.width - frame.right, _px(y(limit[1]) - 6), limit[0]),
            )
        )
    return _svg(frame, words, _NOTHING.join(parts))


def _round_step(most: float) -> float:
    """A round distance of grid lines, for at most five of them, however small or great the values are."""
    unit = 10.0 ** floor(log10(most / _LINES))
    return next(step * unit for step in (1, 2, 5, 10) if most / (step * unit) <= _LINES)


def _histogram_bar(frame: _Frame, place: int, entry: tuple[str, int, str], most: int, step: float) -> Markup:
    label, number, kind = entry
    height = frame.plot_height * number / most
    middle = frame.left + step * (place + 0.5)
    bottom = frame.top + frame.plot_height
    return _filled(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="3"/>'
        '<text class="value" x="{}" y="{}" text-anchor="middle">{}</text>'
        '<text x="{}" y="{}" text-anchor="middle">{}</text>',
        kind,
        _px(middle - step * 0.38),
        _px(bottom - max(height, 1)),
        _px(step * 0.76),
        _px(max(height, 1)),
        _px(middle),
        _px(bottom - height - 7),
        number or "",
        _px(middle),
        _px(frame.height - 6),
        label,
    )


def _trend_svg(
    frame: _Frame, points: Sequence[TrendPoint], words: Words, axis: tuple[float, float]
) -> Markup:
    xs = [frame.left + frame.plot_width * (i / max(len(points) - 1, 1)) for i in range(len(points))]
    if len(points) == 1:
        xs = [frame.left + frame.plot_width / 2]

    def y(value: float) -> float:
        return frame.top + frame.plot_height * (axis[1] - value) / (axis[1] - axis[0])

    parts = [_grid(frame, y(tick), tick) for tick in _ticks(axis)]
    parts += [_run(xs, points, run, y) for run in _runs(points)]
    last = max(i for i, point in enumerate(points) if point.value is not None)
    parts.append(_last_value(frame, xs[last], y(points[last].value or 0), points[last].value or 0))
    every = ceil(len(points) / frame.labels)
    for i in range(len(points) - 1, -1, -every):
        anchor = "middle" if 0 < i < len(points) - 1 else "end" if i else "start"
        parts.append(
            _filled(
                '<text x="{}" y="{}" text-anchor="{}">{}</text>',
                _px(xs[i]),
                frame.height - 8,
                anchor if len(points) > 1 else "middle",
                points[i].label,
            )
        )
    return _svg(frame, words, _NOTHING.join(parts))


def _axis(points: Sequence[TrendPoint], scale: tuple[float, float]) -> tuple[float, float]:
    """The part of the scale that the values and their intervals need, widened to whole steps."""
    seen = [v for p in points for v in (p.value, p.low, p.high) if v is not None]
    room = (scale[1] - scale[0]) * 0.05
    step = _step(max(seen) - min(seen) + 2 * room)
    low = max(scale[0], floor((min(seen) - room) / step) * step)
    high = min(scale[1], ceil((max(seen) + room) / step) * step)
    return (low, high) if low < high else (scale[0], scale[1])


def _step(width: float) -> float:
    """A round distance of grid lines, for four or five of them."""
    return next((step for step in (1, 2, 5, 10, 20, 25, 50) if width / step <= _LINES), 100)


def _ticks(axis: tuple[float, float]) -> list[float]:
    step = _step(axis[1] - axis[0])
    first = ceil(axis[0] / step) * step
    return [first + step * i for i in range(int((axis[1] - first) / step) + 1)]


def _grid(frame: _Frame, y: float, tick: float) -> Markup:
    return _filled(
        '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>',
        "grid" if tick else "zero",
        frame.left,
        frame.width - frame.right,
        _px(y),
        _px(y),
        frame.left - 8,
        _px(y + 4.5),
        _signed(tick),
    )


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
        band = _filled(
            '<rect class="band" x="{}" y="{}" width="8" height="{}"/>',
            _px(x - 4),
            _px(top),
            _px(max(bottom - top, 0)),
        )
    else:
        band = _filled('<polygon class="band" points="{}"/>', _path([*upper, *reversed(lower)]))
    dots = _NOTHING.join(
        _filled('<circle class="dot" cx="{}" cy="{}" r="4"/>', _px(x), _px(at)) for x, at in line
    )
    return band + _filled('<polyline class="line" points="{}"/>', _path(line)) + dots


def _last_value(frame: _Frame, x: float, y: float, value: float) -> Markup:
    """The newest value, written where it is."""
    at_edge = x > frame.width - frame.right - 12
    above = y - 12 if y - 12 > frame.top else y + 22
    return _filled(
        '<text class="value" x="{}" y="{}" text-anchor="{}">{}</text>',
        _px(x),
        _px(above),
        "end" if at_edge else "middle",
        _signed(value),
    )


def _svg(frame: _Frame, words: Words, content: Markup) -> Markup:
    key = f"c{crc32(f'{words.title}{words.description}{frame.css}'.encode()):08x}"
    return _filled(
        '<svg class="chart {0}" viewBox="0 0 {1} {2}" role="img" aria-labelledby="{3}t {3}d">'
        '<title id="{3}t">{4}</title><desc id="{3}d">{5}</desc>{6}</svg>',
        frame.css,
        frame.width,
        frame.height,
        key,
        words.title,
        words.description,
        content,
    )


def _trend_table(points: Sequence[TrendPoint], words: Words) -> Markup:
    rows = [
        (
            point.label,
            "\N{EN DASH}" if point.value is None else _signed(point.value),
            ""
            if point.low is None or point.high is None
            else f"{_signed(point.low)} \N{HORIZONTAL ELLIPSIS} {_signed(point.high)}",
            point.note,
        )
        for point in points
    ]
    return _table((words.period, words.value, words.interval, words.note), rows, words)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], words: Words) -> Markup:
    head = _NOTHING.join(
        _filled('<th scope="col"{}>{}</th>', Markup(' class="n"') if i else "", heading)
        for i, heading in enumerate(headings)
    )
    body = _NOTHING.join(
        _filled(
            "<tr>{}</tr>",
            _NOTHING.join(
                _filled('<td class="n">{}</td>', cell) if i else _filled('<th scope="row">{}</th>', cell)
                for i, cell in enumerate(row)
            ),
        )
        for row in rows
    )
    return _filled(
        '<details><summary>{}</summary><table class="table"><caption class="sr">{}</caption>'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></details>",
        words.table,
        words.title,
        head,
        body,
    )


def _filled(template: str, *values: object) -> Markup:
    """The template with each value escaped in its place: what Markup.format does, at a tenth of the cost."""
    return Markup(template.format(*map(escape, values)))  # noqa: S704 - every value is escaped


def _path(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_px(x)},{_px(y)}" for x, y in places)


def _px(value: float) -> str:
    """A coordinate with one decimal, as short as can be."""
    return f"{value:.1f}".removesuffix(".0")


def _signed(value: float) -> str:
    text = f"{abs(value):.1f}".removesuffix(".0")
    return f"\N{MINUS SIGN}{text}" if value < 0 and text != "0" else text
