"""Words on their way to helpdesks that keep HTML or bytes, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.connectors.markup import to_html, to_text
from services.alerts.connectors.salesforce import shortened
from shared.partners.salesforce import literal

LINK = "https://afterword.test/tickets/1?a=1&b=2"
_LINES = st.lists(
    st.text("aä; <>&'\"#/!-", max_size=12).map(lambda line: " ".join(line.split())).filter(bool), max_size=3
)


@given(_LINES)
def test_what_goes_there_as_html_reads_the_same_when_it_comes_back(lines: list[str]) -> None:
    said = "\n".join(lines)
    assert to_text(to_html(said)) == said


def test_our_own_link_can_be_followed_and_one_of_a_customer_cannot() -> None:
    html = to_html(f"See https://evil.test\n{LINK}", LINK)
    assert html.count("<a ") == 1
    assert 'href="https://afterword.test/tickets/1?a=1&amp;b=2"' in html
    assert to_html("hello") == "hello"


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<div><p>We ship <b>tomorrow</b>.</p><p>Sam</p></div>", "We ship tomorrow.\nSam"),
        ("a<br/>b<br>c", "a\nb\nc"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("<style>p {}</style><script>alert(1)</script>seen", "seen"),
        ("&lt;b&gt; &amp; &#39;", "<b> & '"),
        ("", ""),
    ],
)
def test_html_is_read_as_lines(html: str, said: str) -> None:
    assert to_text(html) == said


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("ana@acme.test", "'ana@acme.test'"),
        ("o'hara\\' OR 1", r"'o\'hara\\\' OR 1'"),
        ("a\nb\r", r"'a\nb\r'"),
    ],
)
def test_a_value_cannot_leave_its_quotes(value: str, quoted: str) -> None:
    assert literal(value) == quoted


@given(st.text(max_size=60), st.integers(3, 80))
def test_a_long_text_is_cut_to_so_many_bytes_with_a_sign(said: str, most: int) -> None:
    cut = shortened(said, most)
    assert len(cut.encode()) <= most
    assert cut == said or cut.endswith("…")


@pytest.mark.parametrize(("said", "cut"), [("abcd", "abcd"), ("abcde", "a…"), ("äää", "…")])
def test_the_cut_is_at_the_limit_and_between_letters(said: str, cut: str) -> None:
    assert shortened(said, 4) == cut
