"""Reports of mail providers, put to the mails they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.dispatch.domain.address import parse_address
from services.dispatch.domain.return_path import Way
from services.dispatch.handlers.fates import Return, arrived, came_back, complained, stopped
from services.dispatch.store import replies, suppressions
from services.dispatch.webhooks.mail import MailReport, What
from shared.contracts.deliveries import BounceKind
from shared.contracts.reasons import Reason
from shared.db.database import Connection, Database
from shared.runtime.logging import get_logger
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens

log = get_logger("mail_reports")


@dataclass(frozen=True, slots=True)
class MailReports:
    """Takes in what a provider reports; each report is a transaction of its own and may be heard again."""

    db: Database
    sealer: Sealer
    tokens: Tokens

    async def take(self, reports: Sequence[MailReport], via: str, once: str = "") -> int:
        """Do what reports call for; how many were about mails of ours.

        Args:
            reports: what a call says.
            via: who told.
            once: what must not have been heard before, where the provider's proof is good for one call. It is
                kept together with what the report calls for, so a call that broke off may be repeated.
        """
        taken = 0
        for number, report in enumerate(reports):
            async with self.db.begin() as tx:
                if once and not await replies.first(tx.conn, f"{via}/{once}/{number}"):
                    log.warning("call_repeated", via=via)
                    continue
                delivery_id = await self._delivery(tx.conn, report)
                known = await suppressions.known(tx.conn, delivery_id) if delivery_id else None
                if delivery_id is None or known is None:
                    continue
                taken += 1
                match report.what:
                    case What.DELIVERED:
                        await arrived(tx, delivery_id, delivered=True)
                    case What.BOUNCED:
                        kind = report.kind or BounceKind.SOFT
                        reason = Reason.INVALID_ADDRESS if kind is BounceKind.HARD else Reason.BOUNCED
                        detail = f"bounce: {report.detail}".strip()
                        await came_back(tx, delivery_id, Return(kind, reason, detail, via))
                    case What.COMPLAINED:
                        await complained(tx, delivery_id, "complaint")
                    case What.STOPPED:
                        await stopped(tx, known.contact_id, known.account_id, via)
        return taken

    async def _delivery(self, conn: Connection, report: MailReport) -> UUID | None:
        """The mail a report is about; by its recipient only where the provider names nothing of ours."""
        if report.delivery_id:
            return report.delivery_id
        verified = self.tokens.verify(Way.BOUNCE.value, report.return_token) if report.return_token else None
        if verified:
            return verified.subject
        address = parse_address(report.recipient)
        hashed = self.sealer.blind("email", str(address)) if address else ""
        return await suppressions.newest_to(conn, hashed) if hashed else None
