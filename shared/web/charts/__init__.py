"""Charts as SVG drawn on the server: titled, described, without script, each with its numbers as a table.

All functions are pure and return markup that is safe to put into a page. Colours come from the style sheet.
"""

from shared.web.charts.bars import columns, histogram
from shared.web.charts.drawing import Words
from shared.web.charts.lines import Mark, TrendPoint, trend
from shared.web.charts.plane import Place, quadrants
from shared.web.charts.ranges import ranges
from shared.web.charts.shares import Share, distribution, stack

__all__ = [
    "Mark",
    "Place",
    "Share",
    "TrendPoint",
    "Words",
    "columns",
    "distribution",
    "histogram",
    "quadrants",
    "ranges",
    "stack",
    "trend",
]
