"""Mails that come back to a signed address of ours: bounces, complaints, and words of people."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from services.dispatch import metrics
from services.dispatch.domain.inbound import Mail, Said, read_mail
from services.dispatch.domain.model import read_texts
from services.dispatch.domain.return_path import read_local
from services.dispatch.handlers.fates import Return, arrived, came_back, complained, stopped
from services.dispatch.store import queue, replies, suppressions
from services.dispatch.store.suppressions import Known
from shared.contracts.deliveries import BounceKind
from shared.contracts.reasons import Reason
from shared.db.database import Database, Tx
from shared.security.tokens import Tokens

VIA = "mail"
Forward = Callable[[str, str, bytes], Awaitable[None]]


class NotOursError(Exception):
    """The address was not signed here, or its mail is no longer kept."""


@dataclass(frozen=True, slots=True)
class Returns:
    """Takes in what mail servers bring to the return address.

    Attributes:
        forward: passes a mail on: from which return address, to whom, and the mail itself.
    """

    db: Database
    tokens: Tokens
    forward: Forward

    def about(self, to: str) -> UUID | None:
        """The mail that an address was signed for here; None for an address of anybody else."""
        found = read_local(to)
        verified = self.tokens.verify(found[0].value, found[1]) if found else None
        return verified.subject if verified else None

    async def take(self, to: str, raw: bytes) -> Said:
        """Read a mail and do what it calls for.

        Args:
            to: the address it came to.
            raw: the mail as it was received.

        Raises:
            NotOursError: it is about no mail of ours; the server should refuse it.
            SendError: a reply could not be passed on; the server should bring it again.
        """
        delivery_id = self.about(to)
        if delivery_id is None:
            raise NotOursError
        mail = read_mail(raw)
        async with self.db.read() as conn:
            known = await suppressions.known(conn, delivery_id)
            house = await queue.house(conn)
        if known is None or house is None:
            raise NotOursError
        if mail.said is Said.REPLY:
            texts = read_texts(known.texts)[1] if known.texts else None
            sender = queue.organisation_of(house).sender
            person = (texts.reply_to or texts.sender_email) if texts else ""
            # Some servers write it in capitals, which would be no plain sender of what is passed on.
            await self._forward(person or sender.reply_to or sender.email, to.strip(" <>").lower(), raw)
        async with self.db.begin() as tx:
            digest = hashlib.sha256(raw).hexdigest()
            fresh = await replies.note(tx.conn, digest, delivery_id, mail.said.value, tx.now)
            await _act(tx, delivery_id, known, mail)
        if fresh:
            metrics.REPLIES.labels(VIA, mail.said.value).inc()
        return mail.said

    async def _forward(self, person: str, to: str, raw: bytes) -> None:
        """The mail as it came, with a line on top that says by which way; its own signature stays good."""
        head = f"Resent-To: <{person}>\r\nX-Afterword-Reply: {to}\r\n".encode("ascii", "replace")
        await self.forward(to, person, head + raw)


async def _act(tx: Tx, delivery_id: UUID, known: Known, mail: Mail) -> None:
    match mail.said:
        case Said.BOUNCED:
            kind = mail.kind or BounceKind.SOFT
            reason = Reason.INVALID_ADDRESS if kind is BounceKind.HARD else Reason.BOUNCED
            await came_back(tx, delivery_id, Return(kind, reason, f"bounce: {mail.status}".strip(), VIA))
        case Said.DELIVERED:
            await arrived(tx, delivery_id, delivered=True)
        case Said.COMPLAINED:
            await complained(tx, delivery_id, "complaint")
        case Said.STOP:
            await stopped(tx, known.contact_id, known.account_id, VIA)
        case Said.DELAYED | Said.AUTOMATIC | Said.REPLY:
            pass
