"""Lists of who is not written to, as files: read line by line, each with a reason and a source."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.dispatch.domain.address import parse_address
from services.dispatch.domain.phone import parse_phone
from services.dispatch.domain.recipient import Recipient
from shared.contracts.model import Channel
from shared.contracts.reasons import Reason
from shared.tables import Column, Kind, harmless

SHAPE = (
    Column("kind", Kind.TEXT, "contact or address"),
    Column("subject", Kind.TEXT, "a contact's id, or the keyed hash of an address"),
    Column("programme", Kind.TEXT, "the only one that is meant; empty for all"),
    Column("reason", Kind.TEXT, "opted_out, bounced, invalid_address or erased"),
    Column("source", Kind.TEXT, "who told"),
    Column("noted_at", Kind.INSTANT, "since when"),
    Column("channel", Kind.TEXT, "what the address is: email or sms, where that is known"),
)
"""Of a file that was written here; those of others name `email` or `phone` instead of kind and subject."""

REASONS: Mapping[str, Reason] = {
    "opted_out": Reason.OPTED_OUT,
    "unsubscribed": Reason.OPTED_OUT,
    "complained": Reason.OPTED_OUT,
    "complaint": Reason.OPTED_OUT,
    "spam": Reason.OPTED_OUT,
    "bounced": Reason.BOUNCED,
    "bounce": Reason.BOUNCED,
    "hard_bounce": Reason.BOUNCED,
    "invalid_address": Reason.INVALID_ADDRESS,
    "invalid": Reason.INVALID_ADDRESS,
    "erased": Reason.ERASED,
}
"""Words for reasons, also those that others' lists use."""

BY_HAND = "operator"
"""Source of what somebody of ours typed in."""

BY_TEXT = "sms"
"""Source of what somebody said by a text message, or what the provider of text messages says of them."""

_SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
# A keyed hash of 32 bytes in base64url.
_HASH = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One who is not to be written to.

    Attributes:
        whom: a mailbox or number that is yet to be hashed, or the hash or contact id of a file of ours.
        kind: "address" or "contact".
        channel: what an address is that is given by its hash; None where the file does not say.
    """

    whom: Recipient | str
    kind: str
    reason: Reason
    source: str
    programme: str = ""
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file by its number, with what it says or why it cannot be used."""

    number: int
    entry: Entry | None = None
    problem: str = ""


class Grounds(StrEnum):
    """Why somebody of ours takes an address off the list."""

    AGREED = "agreed"
    WORKS_AGAIN = "works_again"
    MISTAKE = "mistake"


TAKEN_BACK = "taken_back"
"""Why an entry is over whose person said START after STOP; nobody of ours can say that for them."""


def grounds_for(kind: str, reason: str, source: str) -> tuple[Grounds, ...]:
    """On which grounds an entry may be taken off by hand; none for what only the person can end, or nobody.

    A person's own stop ends with a consent of theirs, and whoever was erased stays. Of an address that said
    stop it must be known when they agreed again, unless one of ours had typed it in wrongly.
    """
    if kind != "address" or reason == Reason.ERASED:
        return ()
    mistake = (Grounds.MISTAKE,) if source == BY_HAND else ()
    if reason == Reason.OPTED_OUT:
        return (Grounds.AGREED, *mistake)
    return (Grounds.WORKS_AGAIN, *mistake)


def read_list(text: str, reason: str, source: str) -> Iterator[Line]:
    """The lines of a CSV file; `reason` and `source` stand where a line names none."""
    reader = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    try:
        yield from _lines(reader, reason, source)
    except csv.Error as error:
        yield Line(reader.line_num, problem=f"the file ends here for us: {error}")


def _lines(reader: csv.DictReader[str], reason: str, source: str) -> Iterator[Line]:
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or []]
    if not {"email", "phone", "subject"} & set(reader.fieldnames):
        yield Line(1, problem="no column named email, phone or subject")
        return
    for row in reader:
        fields = {name: _plain(value) for name, value in row.items() if name and isinstance(value, str)}
        try:
            yield Line(reader.line_num, _entry(fields, reason, source))
        except ValueError as error:
            yield Line(reader.line_num, problem=str(error))


def recipient_in(text: str) -> Recipient | None:
    """The mailbox or number that a text is; None for anything else."""
    return parse_address(text) if "@" in text else parse_phone(text)


def reason_in(text: str) -> Reason:
    """The reason that a word stands for.

    Raises:
        ValueError: it stands for none.
    """
    found = REASONS.get(text.strip().lower().replace(" ", "_").replace("-", "_"))
    if found is None:
        raise ValueError(f"reason: not one of {', '.join(sorted(REASONS))}")
    return found


def source_in(text: str) -> str:
    """A source as it is kept: a short name, never a person's.

    Raises:
        ValueError: it is no such name.
    """
    name = text.strip().lower()
    if not _SOURCE.fullmatch(name):
        raise ValueError("source: letters, digits, dots and hyphens, 40 at most")
    return name


def _entry(fields: Mapping[str, str], reason: str, source: str) -> Entry:
    why, told_by = reason_in(fields.get("reason") or reason), source_in(fields.get("source") or source)
    if fields.get("subject"):
        return _of_ours(fields, why, told_by)
    email, phone = fields.get("email", ""), fields.get("phone", "")
    if not email and not phone:
        raise ValueError("neither an e-mail address nor a number")
    whom: Recipient | None = parse_address(email) if email else parse_phone(phone)
    if whom is None:
        raise ValueError("email: not one plain address" if email else "phone: no international number")
    return Entry(whom, "address", why, told_by)


def _of_ours(fields: Mapping[str, str], reason: Reason, source: str) -> Entry:
    kind, subject, programme = fields.get("kind", ""), fields["subject"], fields.get("programme", "")
    if kind == "contact":
        return Entry(str(UUID(subject)), kind, reason, source, programme)
    if kind != "address" or not _HASH.fullmatch(subject):
        raise ValueError("subject: neither a contact's id nor the hash of an address")
    return Entry(subject, kind, reason, source, channel=_channel(fields.get("channel", "")))


def _channel(text: str) -> Channel | None:
    """What an address is; only those of mail and text messages are kept."""
    if text not in {"", Channel.EMAIL, Channel.SMS}:
        raise ValueError("channel: email or sms")
    return Channel(text) if text else None


def _plain(value: str) -> str:
    """A cell without the apostrophe that keeps spreadsheets from running it."""
    text = value.strip()
    return text[1:] if text.startswith("'") and harmless(text[1:]) == text else text
