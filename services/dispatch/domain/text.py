"""Texts of customers and programmes: plain `{name}` slots, and a guard against bytes that would break a mail.

No expression language: a slot is a name from a closed list, its value is put in once and never read again
for slots (SEC-M1). Values come from backends and CRMs, so a value that could open a second header is
refused, not cleaned: the message fails with a reason that can be found, and the name of the slot, never its
content (SEC-M2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.errors import Unprocessable

MAX_VALUE = 500
MAX_TEXT = 5000

_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_BREAKS = re.compile("[\r\n\x00\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Encoded-words: some interpreters turn them into real headers when a message is written (CVE-2024-6923).
_ENCODED_WORD = "=?"
# Direction overrides and isolates make a subject read backwards; they carry no text of their own.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\ud800-\udfff\u2028\u2029]")


class UnsafeText(Unprocessable):
    """A text could break the message it was meant for; names the field and the kind, never the content."""


def guard(field: str, value: str, *, longest: int = MAX_VALUE) -> str:
    """Check a value that may stand in a header or a link.

    Returns:
        The value without direction marks.

    Raises:
        UnsafeText: it holds a line break of any kind, a NUL or other control, an encoded-word, or is too
            long.
    """
    if len(value) > longest:
        raise UnsafeText(f"{field}: longer than {longest} characters")
    if value.isascii() and value.isprintable() and _ENCODED_WORD not in value:
        return value.strip()
    if _BREAKS.search(value):
        raise UnsafeText(f"{field}: a line break or NUL")
    if _CONTROLS.search(value):
        raise UnsafeText(f"{field}: a control character")
    if _ENCODED_WORD in value:
        raise UnsafeText(f"{field}: an encoded-word")
    return _BIDI.sub("", value).strip()


def guard_block(field: str, value: str) -> str:
    """Check a text of several lines that stands in the body only.

    Raises:
        UnsafeText: it holds a control character other than line feed and tab, or is too long.
    """
    plain = value.replace("\r\n", "\n")
    if len(plain) > MAX_TEXT:
        raise UnsafeText(f"{field}: longer than {MAX_TEXT} characters")
    if _CONTROLS.search(plain) or "\r" in plain:
        raise UnsafeText(f"{field}: a control character")
    return _BIDI.sub("", plain).strip()


def slots_of(text: str) -> frozenset[str]:
    """Names of the slots in a text."""
    return frozenset(_SLOT.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values into the slots of a text, each once; a value that looks like a slot stays text.

    A slot without a value becomes empty, and the space or comma it leaves behind is closed up: a name that
    the backend did not send must not reach a customer as `{product}`.
    """
    filled = _SLOT.sub(lambda match: values.get(match[1], ""), text)
    if filled == text:
        return text
    return re.sub(r"[ \t]+([,.;:!?])", r"\1", re.sub(r"[ \t]{2,}", " ", filled)).strip()


def pick(texts: Mapping[str, str], locale: str) -> str:
    """The text in a language: its exact tag, its base language, English, or the first there is."""
    for tag in (locale, re.split("[-_]", locale, maxsplit=1)[0], "en"):
        if texts.get(tag):
            return texts[tag]
    return next(iter(texts.values()), "")
