"""The closed list of `{name}` slots that texts may use, and what fills them."""

from __future__ import annotations

import re

PERSONAL = frozenset({"name", "first_name"})
"""Filled by dispatch and collector from the sealed person."""

KNOWN: dict[str, str] = {
    "name": "the person's name",
    "first_name": "the first word of the name",
    "product": "the product of the touchpoint, else the organisation's name",
    "account": "the customer company's name",
    "organisation": "who asks",
    "account_owner": "the account manager's name, else the sender's",
    "agent": "who helped, from the touchpoint's context, else the organisation's name",
    "subject": "the number of the ticket, order or contract",
    "renewal_date": "the day the contract renews, written in the recipient's language",
}

_SLOT = re.compile(r"\{([^{}]*)\}")


def used(text: str) -> tuple[str, ...]:
    """Names of the slots in a text, in order."""
    return tuple(_SLOT.findall(text))


def unknown(text: str) -> tuple[str, ...]:
    """Slots of a text that nothing would fill, and stray braces."""
    stray = ("{" if "{" in _SLOT.sub("", text) else "}",) if re.search(r"[{}]", _SLOT.sub("", text)) else ()
    return tuple(name for name in used(text) if name not in KNOWN) + stray
