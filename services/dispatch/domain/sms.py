"""Text messages: how long they are to the network, and what they say.

A message of GSM 03.38 characters has room for 160 of them, or 153 in each part when it is cut; a single
character beyond that alphabet makes it 70, or 67. Each part is paid for, so a text that would take too many
is shortened where it is longest: in the question. The link is never cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

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

    Args:
        letter: the words as a mail would say them.
        reminder: whether the person was reached before.
        replies: whether a number sent back arrives here; else the link alone is offered.

    Raises:
        UnsafeText: even without its question it takes more than three parts.
    """
    if letter.row is None:
        raise UnsafeText("sms: nothing is asked")
    question = " ".join(plain(letter.row.question).split())
    text = _asked(letter, letter.row, question, reminder=reminder, replies=replies)
    words = question.split(" ")
    while measure(text).segments > MAX_SEGMENTS:
        words = words[:-1]
        if not words:
            raise UnsafeText(f"sms: longer than {MAX_SEGMENTS} parts")
        text = _asked(letter, letter.row, " ".join(words) + " ...", reminder=reminder, replies=replies)
    return text


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
