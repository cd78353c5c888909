"""Parts of a whole as one stacked bar."""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from shared.values import Value
from shared.web.charts.drawing import Words, filled, joined, px


class Share(Value, frozen=True):
    """A part of a whole; `kind` is its colour (low, mid, high)."""

    label: str
    count: int
    kind: str


def distribution(
    shares: Sequence[Share], words: Words, percent: Callable[[float], str] | None = None
) -> Markup:
    """One bar of stacked shares with a legend that says each count and percentage.

    Args:
        shares: The parts, in their order.
        words: Title, description, and what is said of nothing.
        percent: Writes a share of 1 for the reader; without it counts stand alone, for parts of so little
            that a share would say more than is known.
    """
    total = sum(share.count for share in shares)
    if total == 0:
        return filled('<p class="empty">{}</p>', words.nothing)
    legend = joined(_entry(share, total, percent) for share in shares)
    if percent is None:
        return filled('<ul class="legend">{}</ul>', legend)
    return filled(
        '<figure>{}<ul class="legend">{}</ul></figure>',
        stack(shares, f"{words.title}. {words.description}"),
        legend,
    )


def _entry(share: Share, total: int, percent: Callable[[float], str] | None) -> Markup:
    if percent is None:
        told = filled("<b>{}</b>", share.count)
    else:
        told = filled('<b>{}</b> <span class="muted">({})</span>', percent(share.count / total), share.count)
    return filled('<li><span class="swatch {}"></span>{} {}</li>', share.kind, share.label, told)


def stack(shares: Sequence[Share], label: str) -> Markup:
    """One bar of stacked shares, for a table that says the numbers beside it."""
    total = sum(share.count for share in shares) or 1
    bars, x = [], 0.0
    for share in shares:
        width = 100 * share.count / total
        # A hair of background between neighbours: told apart without colour.
        bars.append(
            filled(
                '<rect class="{}" x="{}" y="0" width="{}" height="10"/>',
                share.kind,
                px(x),
                px(max(width - 0.4, 0)),
            )
        )
        x += width
    return filled(
        '<svg class="chart share" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}</svg>',
        label,
        joined(bars),
    )
