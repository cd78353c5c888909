"""Lists of who is not written to, as files: read line by line, each with a reason and a source."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from services.dispatch.domain.address import parse_address
from services.dispatch.domain.phone import parse_phone
from services.dispatch.domain.recipient import Recipient
from shared.contracts.reasons import Reason
from shared.tables import Cell, harmless

COLUMNS = ("kind", "subject", "programme", "reason", "source", "noted_at")
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

_SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
# A keyed hash of 32 bytes in base64url.
_HASH = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One who is not to be written to.

    Attributes:
        whom: a mailbox or number that is yet to be hashed, or the hash or contact id of a file of ours.
        kind: "address" or "contact".
    """

    whom: Recipient | str
    kind: str
    reason: Reason
    source: str
    programme: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file by its number, with what it says or why it cannot be used."""

    number: int
    entry: Entry | None = None
    problem: str = ""


def read_list(text: str, reason: str, source: str) -> Iterator[Line]:
    """The lines of a CSV file; `reason` and `source` stand where a line names none."""
    reader = csv.DictReader(text.removeprefix("\ufeff").splitlines())
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


def written(value: str | None) -> Cell:
    """A cell that no spreadsheet runs."""
    return harmless(value or "")


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
    return Entry(subject, kind, reason, source)


def _plain(value: str) -> str:
    """A cell without the apostrophe that keeps spreadsheets from running it."""
    text = value.strip()
    return text[1:] if text.startswith("'") and harmless(text[1:]) == text else text
