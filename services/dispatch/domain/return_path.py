"""Addresses that mails come back to: signed, for one mail each, and proof against servers that fold case."""

from __future__ import annotations

import re
from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
from enum import StrEnum

_LOCAL = re.compile(r"([br])\+([a-z2-7]{40,62})\Z", re.IGNORECASE)
_B32 = 8
_B64 = 4


class Way(StrEnum):
    """What an address is for; also the purpose its token is signed for."""

    BOUNCE = "bounce"
    REPLY = "reply"


_LETTERS = {Way.BOUNCE: "b", Way.REPLY: "r"}


def local_part(way: Way, token: str) -> str:
    """The local part that carries a token; letters and digits of one case, 64 at most."""
    raw = urlsafe_b64decode(token + "=" * (-len(token) % _B64))
    return f"{_LETTERS[way]}+{b32encode(raw).decode('ascii').rstrip('=').lower()}"


def read_local(address: str) -> tuple[Way, str] | None:
    """The way and the token of an address of ours, in whatever case it came back; None for any other."""
    found = _LOCAL.match(address.strip(" <>").rpartition("@")[0])
    if found is None:
        return None
    text = found[2].upper()
    try:
        raw = b32decode(text + "=" * (-len(text) % _B32))
    except ValueError:
        return None
    way = next(way for way, letter in _LETTERS.items() if letter == found[1].lower())
    return way, urlsafe_b64encode(raw).decode("ascii").rstrip("=")
