"""E-mail addresses that may be written to: one mailbox, nothing a mail server could read otherwise."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from typing_extensions import override

MAX_LOCAL = 64
MAX_ADDRESS = 254

# Narrower than RFC 5322 on purpose: no quoting, comments, groups or source routes, no `%` or `!` routing.
_LOCAL = re.compile(r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9#$&'*+/=?^_`{|}~-]+)*\Z")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_MIN_LABELS = 2


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox; the domain is lower case and in its ASCII (IDNA) form."""

    local: str
    domain: str

    @override
    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    def belongs_to(self, domains: Collection[str]) -> bool:
        """Whether the mailbox lies in one of these domains or below one."""
        return any(
            self.domain == own or self.domain.endswith(f".{own}") for own in map(_ascii, domains) if own
        )


def parse_address(text: str) -> Address | None:
    """Read one address; None when it is not exactly one plain mailbox."""
    local, at, domain = text.strip(" ").rpartition("@")
    if not at or len(local) > MAX_LOCAL or not _LOCAL.match(local) or "=?" in local:
        return None
    ascii_domain = _ascii(domain)
    labels = ascii_domain.split(".")
    if len(labels) < _MIN_LABELS or not all(map(_LABEL.match, labels)):
        return None
    address = Address(local, ascii_domain)
    return address if len(str(address)) <= MAX_ADDRESS else None


def _ascii(domain: str) -> str:
    """The domain in lower-case ASCII, "" when it has no such form."""
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
