"""Where a message goes: a mailbox, a telephone, or a person whom a system of the customer's own reaches."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from typing_extensions import override

from services.dispatch.domain.address import Address, parse_address
from services.dispatch.domain.phone import Phone, parse_phone
from shared.contracts.model import Channel, Person


@dataclass(frozen=True, slots=True)
class Known:
    """A person by our own id: the widget asks for what waits for them, a backend passes the link on."""

    contact_id: UUID

    @override
    def __str__(self) -> str:
        return str(self.contact_id)


Recipient = Address | Phone | Known

BLIND_KIND = {Channel.EMAIL: "email", Channel.SMS: "phone"}
"""Under which name the address of a channel is hashed; the others write to no address."""


def recipient_of(channel: Channel, person: Person, contact_id: UUID, owner: str = "") -> Recipient | None:
    """Whom a message of a channel goes to; None when no usable address is known.

    Args:
        channel: the medium.
        person: the recipient in clear.
        contact_id: the recipient's id.
        owner: address of the account's owner, who gets the mail in the person's place and passes it on.
    """
    if channel is Channel.EMAIL:
        return parse_address(owner or person.email)
    if owner:
        return None
    return parse_phone(person.phone) if channel is Channel.SMS else Known(contact_id)
