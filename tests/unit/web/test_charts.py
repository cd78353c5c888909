import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from shared.web.charts import Mark, Share, TrendPoint, Words, distribution, histogram, ranges, trend

WORDS = Words("NPS by week", "From 12 to 44.")
HOSTILE = '"><svg/onload=alert(1)>'


def parsed(markup: str) -> ET.Element:
    return ET.fromstring(markup.replace("&nbsp;", " "))  # noqa: S314 -- our own markup


def points(*values: float | None) -> list[TrendPoint]:
    return [
        TrendPoint(f"W{n}", v, None if v is None else v - 10, None if v is None else v + 10, "20")
        for n, v in enumerate(values, 1)
    ]


def test_a_trend_names_itself_and_has_its_numbers_as_a_table() -> None:
    figure = parsed(trend(points(12, 20.5, -4), WORDS))
    svg = figure.find("svg")
    assert svg is not None
    title, desc = svg.findtext("title"), svg.findtext("desc")
    assert (title, desc) == ("NPS by week", "From 12 to 44.")
    ids = {element.get("id") for element in svg if element.get("id")}
    assert set((svg.get("aria-labelledby") or "").split()) == ids
    cells = ["".join(cell.itertext()) for cell in figure.iter("td")]
    assert cells[:3] == ["12", "2 … 22", "20"]
    assert "\u22124" in cells


def test_values_to_be_held_against_each_other_lie_in_their_intervals_on_one_axis() -> None:
    figure = parsed(ranges(points(95, -40), WORDS))
    assert ["".join(cell.itertext()) for cell in figure.iter("td")][1::3] == [
        "85 … 105",
        "\u221250 … \u221230",
    ]
    for svg in figure.findall("svg"):
        bands = [(float(band.get("x", "")), float(band.get("width", ""))) for band in svg.iter("rect")]
        dots = [float(dot.get("cx", "")) for dot in svg.iter("circle")]
        assert len(bands) == len(dots) == 2
        assert all(x <= dot <= x + width for (x, width), dot in zip(bands, dots, strict=True))
        assert dots[0] > dots[1]
    assert parsed(ranges(points(None), WORDS)).tag == "p"


def test_the_two_sizes_have_different_ids() -> None:
    ids = re.findall(r'id="([^"]+)"', trend(points(1, 2), WORDS))
    assert len(ids) == len(set(ids)) == 4


def test_a_period_without_answers_is_a_gap_not_a_zero() -> None:
    markup = trend(points(10, None, 20), WORDS)
    assert markup.count('class="line"') == 4  # two runs in two sizes
    assert "\u2013" in markup


@pytest.mark.parametrize(
    "values",
    [(5.0,), (None, 5.0), (100.0, 100.0), (-100.0,), (0.0, 0.0, 0.0), tuple(float(n) for n in range(90))],
)
def test_every_point_lies_inside_the_picture(values: tuple[float | None, ...]) -> None:
    markup = trend(points(*values), WORDS)
    for svg in parsed(markup).iter("svg"):
        _, _, width, height = map(float, (svg.get("viewBox") or "").split())
        for pair in " ".join(shape.get("points", "") for shape in svg.iter()).split():
            x, y = map(float, pair.split(","))
            # An interval may be wider than the scale, as of a score near its end.
            assert 0 <= x <= width
            assert -height <= y <= 2 * height
        for dot in svg.iter("circle"):
            assert 0 <= float(dot.get("cy", "")) <= height


def boxes(svg: ET.Element) -> list[tuple[float, float, str]]:
    """Left and right edge of each mark, and what stands in it, from left to right."""
    drawn = list(svg)
    return [
        (float(box.get("x", "")), float(box.get("x", "")) + float(box.get("width", "")), text.text or "")
        for box, text in pairwise(drawn)
        if box.tag == "rect" and box.get("class") == "mark"
    ]


def numbers(label: str) -> list[int]:
    first, _, last = label.partition("\N{EN DASH}")
    return list(range(int(first), int(last or first) + 1))


def test_what_happened_is_numbered_in_the_picture_and_in_the_list_below() -> None:
    figure = parsed(
        trend(points(*range(12)), WORDS, marks=[Mark(2, "Release 4.1"), Mark(9, "Incident"), Mark(9, "Fix")])
    )
    assert ["".join(entry.itertext()) for entry in figure.findall("ol/li")] == [
        "Release 4.1",
        "Incident",
        "Fix",
    ]
    for svg in figure.findall("svg"):
        assert [label for _, _, label in boxes(svg)] == ["1", "2\N{EN DASH}3"]
        dots = [float(dot.get("cx", "")) for dot in svg.iter("circle")]
        lines = {
            float(line.get("x1", ""))
            for line in svg.iter("line")
            if line.get("class") == "mark" and line.get("x1") == line.get("x2")
        }
        assert lines == {dots[2], dots[9]}


@pytest.mark.parametrize(("weeks", "every"), [(1, 1), (2, 1), (13, 1), (53, 1), (53, 4), (160, 3), (160, 40)])
def test_marks_do_not_overlap_and_none_is_lost(weeks: int, every: int) -> None:
    marks = [Mark(week, f"Release {week}") for week in range(0, weeks, every) for _ in range(2)]
    figure = parsed(trend(points(*(float(n % 7) for n in range(weeks))), WORDS, marks=marks))
    assert len(figure.findall("ol/li")) == len(marks)
    for svg in figure.findall("svg"):
        found = boxes(svg)
        assert [n for _, _, label in found for n in numbers(label)] == list(range(1, len(marks) + 1))
        assert all(before[1] < after[0] for before, after in pairwise(found))
        _, _, width, _ = map(float, (svg.get("viewBox") or "").split())
        assert found[0][0] >= 0
        assert found[-1][1] <= width


def test_without_anything_that_happened_a_trend_is_as_high_as_ever() -> None:
    plain, marked = (parsed(trend(points(1, 2), WORDS, marks=marks)) for marks in ((), [Mark(0, "Fix")]))
    assert plain.find("ol") is None
    assert [svg.get("viewBox") for svg in plain.findall("svg")] == ["0 0 720 280", "0 0 360 230"]
    assert [svg.get("viewBox") for svg in marked.findall("svg")] == ["0 0 720 304", "0 0 360 254"]


@pytest.mark.parametrize(
    "empty",
    [
        trend([], WORDS),
        trend(points(None, None), WORDS),
        distribution([Share("Promoters", 0, "high")], WORDS),
        histogram([("0", 0, "low")], WORDS),
        histogram([], WORDS),
    ],
)
def test_nothing_is_said_as_nothing(empty: str) -> None:
    assert "No answers yet" in empty
    assert "<svg" not in empty


def test_shares_carry_their_numbers_in_words() -> None:
    shares = [Share("Detractors", 1, "low"), Share("Passives", 1, "mid"), Share("Promoters", 1, "high")]
    figure = parsed(distribution(shares, WORDS, "{:.0%}".format))
    assert ["".join(item.itertext()) for item in figure.iter("li")] == [
        "Detractors 33% (1)",
        "Passives 33% (1)",
        "Promoters 33% (1)",
    ]
    widths = [float(bar.get("width", "")) for bar in figure.iter("rect")]
    assert sum(widths) < 100


def test_of_too_little_counts_stand_alone() -> None:
    shares = [Share("Detractors", 1, "low"), Share("Promoters", 2, "high")]
    drawn = parsed(distribution(shares, WORDS))
    assert ["".join(item.itertext()) for item in drawn.iter("li")] == ["Detractors 1", "Promoters 2"]
    assert list(drawn.iter("rect")) == []


def test_bars_are_as_tall_as_their_counts() -> None:
    figure = parsed(histogram([("0", 10, "low"), ("1", 20, "bar"), ("2", 0, "bar")], WORDS))
    heights = [float(bar.get("height", "")) for bar in figure.iter("rect")]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.1)
    assert heights[2] == 1


def test_bars_that_lead_on_are_links_with_a_name_and_an_empty_one_is_none() -> None:
    counts = [("0", 10, "low"), ("1", 20, "bar"), ("2", 0, "bar")]
    figure = parsed(histogram(counts, WORDS, lambda label: f"/answers?value={label}&a=b"))
    links = [(link.get("href"), link.get("aria-label")) for link in figure.iter("a")]
    assert links == [("/answers?value=0&a=b", "Answers 0: 10"), ("/answers?value=1&a=b", "Answers 1: 20")]
    assert [svg.get("role") for svg in figure.iter("svg")] == ["group"], "links in an image are not found"
    assert [svg.get("role") for svg in parsed(histogram(counts, WORDS)).iter("svg")] == ["img"]


def test_texts_cannot_break_out() -> None:
    words = Words(HOSTILE, HOSTILE, nothing=HOSTILE)
    for markup in (
        trend([TrendPoint(HOSTILE, 1, 0, 2, HOSTILE)], words, marks=[Mark(0, HOSTILE)]),
        trend([], words),
        distribution([Share(HOSTILE, 1, HOSTILE)], words, lambda _: HOSTILE),
        histogram([(HOSTILE, 1, HOSTILE)], words),
        histogram([(HOSTILE, 1, HOSTILE)], words, lambda _: HOSTILE),
    ):
        assert "<svg/onload" not in markup
        parsed(markup)


def test_charts_need_no_inline_style_or_script() -> None:
    markup = trend(points(1, 2), WORDS) + histogram([("0", 1, "low")], WORDS)
    assert "style=" not in markup
    assert "<script" not in markup
