"""What comes of text messages after they left: their fate, and what people send back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.dispatch import metrics
from services.dispatch.domain.fate import Fate
from services.dispatch.domain.model import read_texts
from services.dispatch.domain.phone import parse_phone
from services.dispatch.domain.recipient import BLIND_KIND
from services.dispatch.domain.sms import plain, read_number
from services.dispatch.domain.stop_list import BY_TEXT
from services.dispatch.domain.text import fill
from services.dispatch.domain.wording import WORDINGS, language_of
from services.dispatch.handlers.fates import (
    ABOUT_THE_ADDRESS,
    Return,
    arrived,
    came_back,
    started_again,
    stopped,
)
from services.dispatch.handlers.reporting import fields_of
from services.dispatch.store import queue, replies
from services.dispatch.store.replies import Answered
from services.dispatch.webhooks.twilio import Reply, Report, Wish
from shared.contracts.deliveries import BounceKind, DeliveryReplied
from shared.contracts.forms import SCALES
from shared.contracts.model import Channel, Snapshot
from shared.db.database import Database, Tx
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Texting:
    """Takes in what a provider of text messages calls back with."""

    db: Database
    sealer: Sealer
    tokens: Tokens
    public_url: str

    async def fate(self, report: Report) -> None:
        """Keep what became of a message; one that got lost goes on to the next channel, or bounced."""
        async with self.db.begin() as tx:
            if report.fate is Fate.LOST:
                hard = report.reason in ABOUT_THE_ADDRESS
                kind = BounceKind.HARD if hard else BounceKind.SOFT
                await came_back(tx, report.delivery_id, Return(kind, report.reason, report.code, BY_TEXT))
            else:
                await arrived(tx, report.delivery_id, delivered=report.fate is Fate.DELIVERED)

    async def reply(self, reply: Reply) -> str:
        """Take a reply in: an opt-out or its end, an answer, or something to ask back about.

        Opt-outs and their ends count in the order in which they are first heard; the provider tells no time
        of theirs.

        Returns:
            The text to send back; "" for none. The provider itself confirms opt-outs and their ends.
        """
        number = parse_phone(reply.number)
        hashed = self.sealer.blind(BLIND_KIND[Channel.SMS], str(number)) if number else ""
        async with self.db.begin() as tx:
            answered = await replies.newest_to(tx.conn, hashed, tx.now) if hashed else None
            delivery_id = answered.delivery_id if answered else None
            kind = reply.wish.value if reply.wish else "reply"
            fresh = await replies.note(tx.conn, reply.reply_id, delivery_id, kind, tx.now)
            if reply.wish is Wish.START and hashed:
                who = answered.contact_id if answered else None
                if not fresh or await started_again(tx, hashed, who, reply.reply_id) or reply.confirmed:
                    return ""
            if answered is None:
                return ""
            if reply.wish is Wish.STOP:
                # Heard again it may be older by now than a start.
                if fresh:
                    await stopped(tx, answered.contact_id, answered.account_id, BY_TEXT)
                return ""
            return await self._answer(tx, answered, reply, fresh=fresh)

    async def _answer(self, tx: Tx, answered: Answered, reply: Reply, *, fresh: bool) -> str:
        snapshot = Snapshot.model_validate_json(answered.snapshot)
        wording = WORDINGS[language_of(snapshot.locale)]
        if answered.survey_id is None or not answered.open:
            return plain(wording.sms_late)
        form, _ = read_texts(answered.texts)
        low, high = SCALES[next(q.type for q in form.questions if q.id == form.primary)]
        url = f"{self.public_url.rstrip('/')}/s/{self.tokens.sign('answer', answered.survey_id)}"
        values = {"low": str(low), "high": str(high), "url": url}
        score = read_number(reply.body)
        if score is None or not low <= score <= high:
            return plain(fill(wording.sms_unclear, values))
        if fresh:
            await _replied(tx, answered.delivery_id, reply.reply_id, score)
        return plain(fill(wording.sms_thanks, values))


async def _replied(tx: Tx, delivery_id: UUID, reply_id: str, score: int) -> None:
    [one] = await queue.announcements(tx.conn, [delivery_id])
    event = DeliveryReplied(**fields_of(one, tx.now), reply_id=reply_id, score=score)
    tx.emit(event, identity=reply_id, key=one.key)
    metrics.REPLIES.labels(BY_TEXT, "answer").inc()
