"""Telephone numbers that may be written to: international, and of a kind that takes text messages."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType
from typing_extensions import override

_TAKES_TEXT = frozenset(
    {
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True)
class Phone:
    """One number in E.164 form: a plus sign and digits."""

    number: str

    @override
    def __str__(self) -> str:
        return self.number


def parse_phone(text: str) -> Phone | None:
    """Read a number; None when it is not international, impossible in its country, or surely a landline."""
    try:
        number = phonenumbers.parse(text.strip(), None)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in _TAKES_TEXT:
        return None
    return Phone(phonenumbers.format_number(number, PhoneNumberFormat.E164))
