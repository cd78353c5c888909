"""Text messages: how long they are to the network, and what they say.

A message of GSM 03.38 characters has room for 160 of them, or 153 in each part when it is cut; a single
character beyond that alphabet makes it 70, or 67. Each part is paid for, so a text that would take too many
is shortened where it is longest: in the question. The link is never cut, and a promise is told whole or not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from services.dispatch.domain.letter import Letter, ScoreRow
from services.dispatch.domain.text import UnsafeText, fill
from services.dispatch.domain.wording import WORDINGS

MAX_SEGMENTS = 3

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅå\N{GREEK CAPITAL LETTER DELTA}_\N{GREEK CAPITAL LETTER PHI}"
    "\N{GREEK CAPITAL LETTER GAMMA}\N{GREEK CAPITAL LETTER LAMDA}\N{GREEK CAPITAL LETTER OMEGA}"
    "\N{GREEK CAPITAL LETTER PI}\N{GREEK CAPITAL LETTER PSI}\N{GREEK CAPITAL LETTER SIGMA}"
    "\N{GREEK CAPITAL LETTER THETA}\N{GREEK CAPITAL LETTER XI}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
_PLAIN = str.maketrans(
    {
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{NO-BREAK SPACE}": " ",
        "\N{NARROW NO-BREAK SPACE}": " ",
    }
)
_NUMBER = re.compile(r"\s*(\d{1,2})\s*[.!]?\s*\Z", re.ASCII)


class Encoding(StrEnum):
    """The alphabet of a message."""

    GSM7 = "gsm-7"
    UCS2 = "ucs-2"


_ROOM = {Encoding.GSM7: (160, 153), Encoding.UCS2: (70, 67)}


@dataclass(frozen=True, slots=True)
class Length:
    """How a text goes over the network: its alphabet, its units in it, and the parts it is cut into."""

    encoding: Encoding
    units: int
    segments: int


def plain(text: str) -> str:
    """The text without typographic marks that would cost the small alphabet and say nothing more."""
    return text.translate(_PLAIN)


def measure(text: str) -> Length:
    """How long a text is to the network; a character is never cut in two."""
    small = all(character in _BASIC or character in _EXTENDED for character in text)
    encoding = Encoding.GSM7 if small else Encoding.UCS2
    widths = [_width(character, encoding) for character in text]
    alone, part = _ROOM[encoding]
    if sum(widths) <= alone:
        return Length(encoding, sum(widths), 1)
    segments, used = 1, 0
    for width in widths:
        if used + width > part:
            segments, used = segments + 1, 0
        used += width
    return Length(encoding, sum(widths), segments)


def _width(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return 2 if character in _EXTENDED else 1
    return len(character.encode("utf-16-be")) // 2


def survey_text(letter: Letter, *, reminder: bool, replies: bool) -> str:
    """The text message of an invitation or a reminder.

    What is promised to whoever answers is told in the programme's words, whole, for half a promise is another
    one; where they find no room beside the question, that there is one (R55). The page behind the link says
    it in full.

    Args:
        letter: the words as a mail would say them.
        reminder: whether the person was reached before.
        replies: whether a number sent back arrives here; else the link alone is offered.

    Raises:
        UnsafeText: even without its question it takes more than three parts.
    """
    if letter.row is None:
        raise UnsafeText("sms: nothing is asked")
    row, question, own = letter.row, _line(letter.row.question), _line(letter.incentive)
    hint = WORDINGS[letter.frame.locale].sms_promise

    def say(question: str, promise: str) -> str:
        said = f"{question} {_sentence(promise)}" if promise else question
        return _asked(letter, row, said, reminder=reminder, replies=replies)

    whole = [say(question, promise) for promise in ((own, hint) if own else ("",))]
    shortened = (_shortened(question, partial(say, promise=one)) for one in ((hint, "") if own else ("",)))
    found = next((text for text in (*whole, *shortened) if text and _fits(text)), None)
    if found is None:
        raise UnsafeText(f"sms: longer than {MAX_SEGMENTS} parts")
    return found


def _line(text: str) -> str:
    return " ".join(plain(text).split())


def _sentence(text: str) -> str:
    """The text with a full stop where its writer left it out, since more follows."""
    return f"{text}." if text[-1].isalnum() else text


def _fits(text: str) -> bool:
    return measure(text).segments <= MAX_SEGMENTS


def _shortened(question: str, say: Callable[[str], str]) -> str:
    """The text with as many words of the question as fit; empty where not even one does."""
    words = question.split(" ")
    texts = (say(" ".join(words[:count]) + " ...") for count in range(len(words) - 1, 0, -1))
    return next((text for text in texts if _fits(text)), "")


def _asked(letter: Letter, row: ScoreRow, question: str, *, reminder: bool, replies: bool) -> str:
    wording = WORDINGS[letter.frame.locale]
    values = {
        "company": letter.frame.house.name,
        "question": question,
        "low": str(row.scores[0][0]),
        "high": str(row.scores[-1][0]),
        "url": letter.links.survey,
    }
    # Whoever is asked yes or no answers by the link: no number means either.
    text = fill(wording.sms_ask if replies and row.numbered else wording.sms_link, values)
    text = fill(wording.sms_reminder, {"text": text}) if reminder else text
    return plain(f"{text} {wording.sms_stop}" if replies else text)


def read_number(body: str) -> int | None:
    """The number that a reply consists of; None when it says anything else."""
    found = _NUMBER.match(body)
    return int(found[1]) if found else None
