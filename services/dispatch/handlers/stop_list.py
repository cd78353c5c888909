"""Who is not written to, as people of ours see and change it: looked up, entered, taken off again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.dispatch.domain.address import Address
from services.dispatch.domain.recipient import BLIND_KIND, Recipient
from services.dispatch.domain.stop_list import Entry, Grounds, grounds_for
from services.dispatch.store import stop_list
from services.dispatch.store.stop_list import PAGE, Row
from shared.contracts.model import Channel, Person
from shared.db.database import Connection, Database
from shared.errors import Unprocessable
from shared.security.access_store import audit
from shared.security.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody of the list in clear; `address` only where the entry is about the one that is known."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class StopList:
    """The list over a database, with the keys that find an address in it."""

    db: Database
    sealer: Sealer

    def hash_of(self, recipient: Recipient) -> str:
        """By what an address is kept."""
        return self.sealer.blind(BLIND_KIND[_channel(recipient)], str(recipient))

    async def about(self, recipient: Recipient) -> list[Row]:
        """Everything that keeps an address from being written to."""
        async with self.db.read() as conn:
            return await stop_list.about(conn, self.hash_of(recipient))

    async def entry(self, address_hash: str) -> Row | None:
        """What is said of an address by itself; None when it is not on the list."""
        async with self.db.read() as conn:
            found = await stop_list.about(conn, address_hash)
        return next((row for row in found if row.kind == "address"), None)

    async def everything(self) -> AsyncIterator[list[dict[str, Any]]]:
        """The whole list in pages, as it is written to files: no address is in it."""
        after = ("", "", "")
        while True:
            # No connection is held while somebody slow takes a page.
            async with self.db.read() as conn:
                rows = await stop_list.part(conn, after)
            if not rows:
                return
            yield [_written(row) for row in rows]
            after = (rows[-1].kind, rows[-1].subject, rows[-1].programme)

    async def enter(self, entries: Sequence[Entry], by: UUID | None = None) -> int:
        """Add entries; gives how many were new. `by` is the user who does it, None for a command."""
        added = 0
        for start in range(0, len(entries), PAGE):
            async with self.db.begin() as tx:
                rows = [self._row(one, tx.now) for one in entries[start : start + PAGE]]
                fresh = await stop_list.enter(tx.conn, rows, by, tx.now)
                what = rows[0].subject if len(entries) == 1 else rows[0].via
                await audit(
                    tx.conn, tx.now, _actor(by), "suppressions.entered", what, lines=len(rows), added=fresh
                )
            added += fresh
        return added

    async def lift(
        self, row: Row, grounds: Grounds, agreed_at: datetime | None = None, by: UUID | None = None
    ) -> bool:
        """Take an address off; False when these are no grounds for it, or the entry is another one by now.

        Args:
            row: the entry as it was seen.
            grounds: why.
            agreed_at: when the person agreed, which belongs to those grounds and to no others.
            by: the user who does it, None for a command.
        """
        if grounds not in grounds_for(row.kind, row.reason, row.via):
            return False
        if (agreed_at is None) is (grounds is Grounds.AGREED):
            return False
        async with self.db.begin() as tx:
            gone = await stop_list.lift(tx.conn, row, grounds.value, agreed_at or tx.now, by, tx.now)
            if gone:
                why = {"grounds": grounds.value}
                await audit(tx.conn, tx.now, _actor(by), "suppressions.lifted", row.subject, **why)
        return gone

    async def names(self, conn: Connection, rows: Sequence[Row]) -> Mapping[tuple[str, str], Named]:
        """Who entries are about, by kind and subject; nothing of those of whom nothing is kept."""
        wanted = sorted({row.contact_id for row in rows if row.contact_id})
        sealed = await stop_list.persons(conn, wanted)
        try:
            opened = await self.sealer.open(conn, sealed, Person)
        except Unprocessable:
            # One broken text among them must not hide the list; ids are shown in its place.
            return {}
        people = {one: person for (one, _), person in zip(sealed, opened, strict=True) if person}
        return {
            (row.kind, row.subject): self._named(row, people[row.contact_id])
            for row in rows
            if row.contact_id in people
        }

    def _named(self, row: Row, person: Person) -> Named:
        known = {
            self.sealer.blind(BLIND_KIND[channel], text): text
            for channel, text in ((Channel.EMAIL, person.email), (Channel.SMS, person.phone))
            if text
        }
        address = person.email if row.kind == "contact" else known.get(row.subject, "")
        return Named(person.name, address)

    def _row(self, entry: Entry, now: datetime) -> Row:
        whom, channel = entry.whom, entry.channel
        if not isinstance(whom, str):
            channel, whom = _channel(whom), self.hash_of(whom)
        return Row(entry.kind, whom, entry.programme, entry.reason.value, entry.source, now, channel)


def _written(row: Row) -> dict[str, Any]:
    """An entry under the names of the columns of files."""
    return {
        "kind": row.kind,
        "subject": row.subject,
        "programme": row.programme,
        "reason": row.reason,
        "source": row.via,
        "noted_at": row.noted_at,
        "channel": row.channel or "",
    }


def _channel(recipient: Recipient) -> Channel:
    return Channel.EMAIL if isinstance(recipient, Address) else Channel.SMS


def _actor(by: UUID | None) -> str:
    return f"user:{by}" if by else "system"
