"""One round of the postman: claim, look, write down, hand over, record.

Three short transactions, none of them open while a provider is called. As many messages are claimed as can
be under way at once, so that a kill leaves no more of them uncertain than calls were open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.dispatch import metrics
from services.dispatch.channels.port import Channel as Port
from services.dispatch.channels.port import Outgoing, RefusedError
from services.dispatch.domain.look import Go, Later, Suppress, Wait
from services.dispatch.domain.model import Announced, Ending, Postponed
from services.dispatch.domain.pace import Limits
from services.dispatch.domain.retry import End, Failure, GiveUp, RetryAt, next_attempt
from services.dispatch.domain.states import Happening
from services.dispatch.domain.text import UnsafeText
from services.dispatch.handlers.passing import Ends, pass_on
from services.dispatch.handlers.reporting import count, fields_of, tell
from services.dispatch.store import hours, queue, suppressions
from services.dispatch.worker.pacing import count_waiting, keep_to
from services.dispatch.worker.preparing import Desk, Examined, examine, outgoing, subject_line
from shared.contracts.deliveries import DeliveryLinkReady
from shared.contracts.directory import OrganisationChanged
from shared.contracts.model import Channel
from shared.contracts.reasons import Reason
from shared.db.database import Database, Tx
from shared.db.errors import RAISED, is_transient
from shared.errors import SendError
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Machine
from shared.runtime.failpoints import failpoint
from shared.runtime.ids import derive, random_id

LEASE_SECONDS = 15.0
PAUSED_FOR = timedelta(seconds=30)
RECORD_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Call:
    """A hand-over that is written down and may be made."""

    delivery_id: UUID
    number: int
    channel: Channel
    message: Outgoing
    expires_at: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call with what became of it; no error means that the provider took the message."""

    call: Call
    error: SendError | None = None


@dataclass(frozen=True, slots=True)
class Postman:
    """Brings due messages to their channels. Several may work side by side, in one process or many."""

    db: Database
    machine: Machine
    channels: Mapping[Channel, Port]
    desk: Desk
    batch: int = 8
    limits: Limits = field(default_factory=Limits)
    lease_seconds: float = LEASE_SECONDS

    async def round(self) -> int:
        """Deliver one batch; returns how many messages were claimed."""
        token = random_id()
        async with self.db.begin() as tx:
            house = await queue.house(tx.conn)
            if house is None or house.paused:
                return 0
            claimed = await queue.claim(tx.conn, token, self.batch, self.lease_seconds)
        if not claimed:
            return 0
        failpoint("dispatch.after_claim")
        calls = await self._write_down(token, queue.organisation_of(house))
        failpoint("dispatch.after_handing_over_commit")
        if calls:
            await self._deliver(token, calls)
        return claimed

    async def _write_down(self, token: UUID, organisation: OrganisationChanged) -> list[Call]:
        """Look at each claimed message once more and commit which of them are being handed over."""
        told: list[tuple[Happening, list[Announced]]] = []
        async with self.db.begin() as tx:
            claimed = await queue.load(tx.conn, token)
            looked = await examine(tx.conn, claimed, organisation, self.desk, tx.now)
            failpoint("dispatch.after_last_look")
            seen = looked
            if self.limits.any:
                seen = await keep_to(tx.conn, token, looked, self.limits, self.desk.sealer)
            going, rejected = _set(seen, organisation, self.desk, tx.now)
            waiting = [
                Postponed(one.claimed.delivery_id, PAUSED_FOR)
                for one in seen
                if isinstance(one.verdict, Wait)
            ]
            await queue.postpone(tx.conn, token, Happening.RELEASE, waiting)
            later = [(one.claimed, one.verdict.at) for one in seen if isinstance(one.verdict, Later)]
            await hours.wait(tx.conn, token, {one.delivery_id: at for one, at in later})
            refused, off = _apart(seen, _suppressed(seen))
            rejected, off_too = _apart(seen, rejected)
            await queue.end(tx.conn, token, Happening.CALL_OFF, [*off, *off_too], tx.now)
            passed, suppressed = await pass_on(tx, refused, self._under(tx, token))
            told.append((Happening.PASS_ON, passed))
            for happening, endings in ((Happening.SUPPRESS, suppressed), (Happening.REJECT, rejected)):
                ended = await queue.end(tx.conn, token, happening, endings, tx.now)
                told.append((happening, await tell(tx, happening, ended)))
            leaving = {
                one.claimed.delivery_id: queue.Leaving(one.address_hash, subject_line(one.claimed))
                for one, _ in going
            }
            numbers = await queue.call(tx.conn, token, leaving, self.lease_seconds)
        count_waiting(looked, seen)
        for one, _ in later:
            metrics.OUT_OF_HOURS.labels(one.channel.value).inc()
        for happening, announced in told:
            count(happening, announced)
        return [
            Call(
                delivery_id,
                numbers[delivery_id],
                one.claimed.channel,
                message,
                one.claimed.expires_at,
                one.claimed.again,
            )
            for one, message in going
            if (delivery_id := one.claimed.delivery_id) in numbers
        ]

    def _under(self, tx: Tx, token: UUID) -> Ends:
        """Ending messages under a lease."""

        async def end(happening: Happening, endings: Sequence[Ending]) -> list[UUID]:
            return await queue.end(tx.conn, token, happening, endings, tx.now)

        return end

    async def _deliver(self, token: UUID, calls: Sequence[Call]) -> None:
        """Make the calls side by side and record each outcome as soon as it is known."""
        outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            renewing = tasks.create_task(self._keep_lease(token))
            for call in calls:
                tasks.create_task(self._hand_over(call, outcomes))
            recorded = 0
            while recorded < len(calls):
                batch = [await outcomes.get()]
                while not outcomes.empty():
                    batch.append(outcomes.get_nowait())
                await self._record(token, batch)
                recorded += len(batch)
            renewing.cancel()

    async def _hand_over(self, call: Call, outcomes: asyncio.Queue[Outcome]) -> None:
        started = self.machine.monotonic()
        try:
            await self.channels[call.channel].send(call.message)
        except SendError as error:
            outcome = Outcome(call, error)
        else:
            outcome = Outcome(call)
            failpoint("dispatch.after_accept_before_record")
        metrics.HANDOVER_SECONDS.labels(call.channel.value).observe(self.machine.monotonic() - started)
        await outcomes.put(outcome)

    async def _keep_lease(self, token: UUID) -> None:
        """Renew the lease while calls are open; a database that is away is met by the recording."""
        while True:
            await self.machine.sleep(self.lease_seconds / 3)
            with suppress(*RAISED):
                async with self.db.begin() as tx:
                    await queue.renew(tx.conn, token, self.lease_seconds)

    async def _record(self, token: UUID, outcomes: Sequence[Outcome]) -> None:
        """Write outcomes down, waiting for a database that is away: what was taken must not be uncertain."""
        backoff = Backoff(self.machine)
        give_up_at = self.machine.monotonic() + RECORD_SECONDS
        while True:
            try:
                await self._record_once(token, outcomes)
            except RAISED as error:
                if not is_transient(error) or self.machine.monotonic() > give_up_at:
                    raise
                await backoff.wait()
            else:
                failpoint("dispatch.after_record")
                return

    async def _record_once(self, token: UUID, outcomes: Sequence[Outcome]) -> None:
        told: list[tuple[Happening, list[Announced]]] = []
        async with self.db.begin() as tx:
            sorted_out = settle(outcomes, machine_now=self.machine.wall(), now=tx.now)
            ends = dict(sorted_out.ended)
            passed, ends[Happening.REFUSE] = await pass_on(
                tx, ends.get(Happening.REFUSE, ()), self._under(tx, token)
            )
            told.append((Happening.PASS_ON, passed))
            for happening, endings in ends.items():
                ended = await queue.end(tx.conn, token, happening, endings, tx.now)
                told.append((happening, await tell(tx, happening, ended)))
                if happening is Happening.ACCEPT:
                    _tell_links(tx, told[-1][1], outcomes)
            await queue.postpone(tx.conn, token, Happening.DEFER, sorted_out.postponed)
            for outcome, endings in sorted_out.tried.items():
                await queue.end_attempts(tx.conn, outcome, endings)
            if sorted_out.dead:
                # Not written to again, by any contact's name.
                await suppressions.note_dead(tx.conn, sorted_out.dead, tx.now)
        for happening, announced in told:
            count(happening, announced)
        for one in outcomes:
            metrics.ATTEMPTS.labels(one.call.channel.value, _word(one)).inc()


@dataclass(frozen=True, slots=True)
class Settled:
    """Outcomes by what follows from them.

    Attributes:
        ended: how messages end; what is passed on is among the refused.
        postponed: what is tried once more, and when.
        tried: how the attempts ended, which is not always how their messages do.
        dead: whose address is dead, or said stop, and which of both.
    """

    ended: Mapping[Happening, Sequence[Ending]]
    postponed: Sequence[Postponed]
    tried: Mapping[str, Sequence[Ending]]
    dead: Sequence[tuple[UUID, Reason]]


_ABOUT_THE_ADDRESS = frozenset({Reason.INVALID_ADDRESS, Reason.OPTED_OUT})
"""What a provider's "no" says of the address for good: nobody is there, or who is there said stop."""


def settle(outcomes: Sequence[Outcome], *, machine_now: datetime, now: datetime) -> Settled:
    """Decide what follows from each outcome: accepted, tried again, failed, or uncertain for good.

    What a person had sent again ends accepted or uncertain: that it is refused now says nothing of its first
    try, and no other channel takes its place.
    """
    ended: dict[Happening, list[Ending]] = {}
    tried: dict[str, list[Ending]] = {}
    postponed: list[Postponed] = []
    dead: list[tuple[UUID, Reason]] = []
    for outcome in outcomes:
        call, error = outcome.call, outcome.error
        if error is None:
            ending = Ending(call.delivery_id)
            ended.setdefault(Happening.ACCEPT, []).append(ending)
            tried.setdefault("accepted", []).append(ending)
            continue
        ending = Ending(call.delivery_id, detail=str(error))
        step = next_attempt(
            call.number,
            Failure(error.permanent, error.uncertain, error.retry_after),
            now=machine_now,
            fresh_for=call.expires_at - now,
            draw=_draw(call),
        )
        match step:
            case RetryAt(at):
                postponed.append(Postponed(call.delivery_id, at - machine_now, str(error)))
                tried.setdefault("deferred", []).append(ending)
            case GiveUp(End.UNCERTAIN):
                ended.setdefault(Happening.LOSE, []).append(ending)
                tried.setdefault("unknown", []).append(ending)
            case GiveUp(end):
                reason = _reason(end, error)
                happening = Happening.LOSE if call.again else Happening.REFUSE
                ended.setdefault(happening, []).append(replace(ending, reason=reason.value))
                tried.setdefault("refused", []).append(ending)
                if reason in _ABOUT_THE_ADDRESS:
                    dead.append((call.delivery_id, reason))
    return Settled(ended, postponed, tried, dead)


def _reason(end: End, error: SendError) -> Reason:
    if end is End.EXPIRED:
        return Reason.EXPIRED
    return error.reason if isinstance(error, RefusedError) and error.permanent else Reason.BOUNCED


def _tell_links(tx: Tx, announced: Sequence[Announced], outcomes: Sequence[Outcome]) -> None:
    """Give links that a backend passes on to whoever listens."""
    urls = {o.call.delivery_id: o.call.message.content for o in outcomes if o.call.channel is Channel.LINK}
    for one in announced:
        if one.delivery_id in urls:
            event = DeliveryLinkReady(**fields_of(one, tx.now), url=urls[one.delivery_id].decode())
            tx.emit(event, identity=str(one.delivery_id), key=one.key)


def _draw(call: Call) -> float:
    """A number from 0 to 1 that spreads waits, the same for the same attempt."""
    return derive("back-off", call.delivery_id, call.number).int / 2**128


def _word(outcome: Outcome) -> str:
    if outcome.error is None:
        return "accepted"
    if outcome.error.uncertain:
        return "unknown"
    return "refused" if outcome.error.permanent else "deferred"


def _suppressed(seen: Sequence[Examined]) -> list[Ending]:
    return [
        Ending(one.claimed.delivery_id, one.verdict.reason.value)
        for one in seen
        if isinstance(one.verdict, Suppress) and not one.defect
    ]


def _apart(seen: Sequence[Examined], endings: Sequence[Ending]) -> tuple[list[Ending], list[Ending]]:
    """Endings of what leaves for the first time, and of what may have left before."""
    again = {one.claimed.delivery_id for one in seen if one.claimed.again}
    first = [ending for ending in endings if ending.delivery_id not in again]
    return first, [ending for ending in endings if ending.delivery_id in again]


def _set(
    seen: Sequence[Examined], organisation: OrganisationChanged, desk: Desk, now: datetime
) -> tuple[list[tuple[Examined, Outgoing]], list[Ending]]:
    """Word what may go; what cannot be worded safely is put aside with the reason."""
    going: list[tuple[Examined, Outgoing]] = []
    rejected: list[Ending] = []
    for one in seen:
        if one.defect:
            rejected.append(Ending(one.claimed.delivery_id, Reason.UNSENDABLE.value, one.defect))
        elif isinstance(one.verdict, Go) and one.address is not None:
            try:
                going.append((one, outgoing(one, one.address, organisation, desk, now)))
            except UnsafeText as error:
                rejected.append(Ending(one.claimed.delivery_id, Reason.UNSENDABLE.value, str(error)))
    return going, rejected
