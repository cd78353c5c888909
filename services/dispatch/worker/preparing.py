"""From a claimed message to bytes that may leave: persons opened in one query, the last look, the wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.dispatch.channels import mime
from services.dispatch.channels.dkim import Signer
from services.dispatch.channels.port import Outgoing
from services.dispatch.channels.render import Renderer
from services.dispatch.domain.address import Address, parse_address
from services.dispatch.domain.letter import Ask, Letter, Links, Reader, invite, note
from services.dispatch.domain.look import Facts, Go, Later, Suppress, Verdict, last_look
from services.dispatch.domain.model import MESSAGE, OWNER, REPLY_TO, Claimed, read_texts
from services.dispatch.domain.recipient import BLIND_KIND, Recipient, recipient_of
from services.dispatch.domain.return_path import Way, local_part
from services.dispatch.domain.sms import survey_text
from services.dispatch.domain.subjects import SHOWN_BY, line_for
from services.dispatch.domain.told import survey_told
from services.dispatch.store import queue
from shared.contracts.directory import OrganisationChanged
from shared.contracts.messages import MessageKind
from shared.contracts.model import Channel, Person, Snapshot
from shared.contracts.reasons import Reason
from shared.db.database import Connection
from shared.security.sealing import SealBrokenError, Sealer
from shared.security.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Desk:
    """What is needed to word a message.

    Attributes:
        public_url: stands in until the organisation names its own.
        channels: those that can be delivered by here.
        sms_replies: whether what people send back by text message arrives here.
        return_domain: where bounces come back to a signed address; "" for nowhere.
        replies: whether replies come back there, too.
        signer: signs mails of its own domain; None when a relay does.
    """

    sealer: Sealer
    tokens: Tokens
    renderer: Renderer
    public_url: str
    envelope_sender: str = ""
    channels: frozenset[Channel] = frozenset({Channel.EMAIL})
    sms_replies: bool = False
    return_domain: str = ""
    replies: bool = False
    signer: Signer | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """A claimed message with its recipient and what the last look said; `defect` when it cannot be read.

    `answers_to`: who of ours takes care of the recipient and gets the reply; None for the sender's address.
    """

    claimed: Claimed
    person: Person
    address: Recipient | None
    address_hash: str
    verdict: Verdict
    defect: str = ""
    answers_to: Address | None = None


async def examine(
    conn: Connection, claimed: Sequence[Claimed], organisation: OrganisationChanged, desk: Desk, now: datetime
) -> list[Examined]:
    """Open the persons and take the last look at every message."""
    opened = await _opened(conn, desk.sealer, claimed)
    reps = await _reps(conn, desk.sealer, claimed)
    people: list[tuple[Claimed, Person | None, str, Recipient | None, str]] = []
    for message, (person, defect) in zip(claimed, opened, strict=True):
        # What the account's owner is to pass on goes there; about whoever was erased nothing goes anywhere.
        owner = message.slots.get(OWNER, "")
        address = recipient_of(message.channel, person, message.contact_id, owner) if person else None
        kind = BLIND_KIND.get(message.channel)
        hashed = desk.sealer.blind(kind, str(address)) if address and kind else ""
        people.append((message, person, defect, address, hashed))
    blocked = await queue.blocked(conn, [(m.contact_id, m.programme, h) for m, _, _, _, h in people])
    result: list[Examined] = []
    for message, person, defect, address, hashed in people:
        stopped = blocked.get((message.contact_id, message.programme, hashed), "")
        facts = _facts(message, address, organisation, stopped, known=bool(person or defect))
        verdict = last_look(facts, now) if message.channel in desk.channels else _unsupported(facts, now)
        rep = reps.get(message.delivery_id)
        result.append(Examined(message, person or Person(), address, hashed, verdict, defect, rep))
    return result


def outgoing(
    examined: Examined, address: Recipient, organisation: OrganisationChanged, desk: Desk, now: datetime
) -> Outgoing:
    """Word and set a message that may go.

    Raises:
        UnsafeText: a value could break the message.
    """
    claimed = examined.claimed
    letter = _worded(examined, organisation, desk)
    if examined.answers_to is not None:
        letter = replace(letter, frame=replace(letter.frame, reply_to=examined.answers_to))
    elif desk.return_domain and desk.replies:
        back = _return_address(desk, Way.REPLY, claimed.delivery_id)
        letter = replace(letter, frame=replace(letter.frame, reply_to=back))
    if not isinstance(address, Address):
        return Outgoing(str(claimed.delivery_id), "", str(address), _content(examined, letter, desk, now))
    posting = mime.Posting(claimed.delivery_id, address, now, claimed.programme, claimed.kind)
    content = mime.compose(letter, desk.renderer.render(letter), posting)
    if desk.signer is not None and letter.frame.sender.belongs_to((desk.signer.domain,)):
        content = desk.signer.sign(content)
    if desk.return_domain:
        sender = str(_return_address(desk, Way.BOUNCE, claimed.delivery_id))
    else:
        sender = desk.envelope_sender or str(letter.frame.sender)
    return Outgoing(str(claimed.delivery_id), sender, str(address), content)


def subject_line(claimed: Claimed) -> str:
    """Which of several subjects a message shows; "" for none, or where there is no choice."""
    if not claimed.of_survey or claimed.channel not in SHOWN_BY:
        return ""
    line = line_for(read_texts(claimed.texts)[1], claimed.programme, claimed.contact_id)
    return line.id if line else ""


def _return_address(desk: Desk, way: Way, delivery_id: UUID) -> Address:
    return Address(local_part(way, desk.tokens.sign(way.value, delivery_id)), desk.return_domain)


def _content(examined: Examined, letter: Letter, desk: Desk, now: datetime) -> bytes:
    """What goes by another channel than mail."""
    claimed = examined.claimed
    match claimed.channel:
        case Channel.SMS:
            return survey_text(letter, reminder=claimed.reached, replies=desk.sms_replies).encode()
        case Channel.WEBHOOK:
            told = survey_told(letter, claimed, Snapshot.model_validate_json(claimed.snapshot), now)
            return told.encode()
        case Channel.LINK:
            return letter.links.survey.encode()
        case _:
            return b""


def links_of(tokens: Tokens, base: str, contact_id: UUID, delivery_id: UUID, survey_id: UUID | None) -> Links:
    """The pages behind a mail. The stop link names the person: it works when the mail is long forgotten."""
    stop = tokens.sign("unsubscribe", contact_id, delivery_id.bytes)
    base = base.rstrip("/")
    survey = f"{base}/s/{tokens.sign('answer', survey_id)}" if survey_id else ""
    return Links(f"{base}/u/{stop}", survey)


_OURS = frozenset({REPLY_TO, MESSAGE})
"""Values of notes that stand in no text."""


def _worded(examined: Examined, organisation: OrganisationChanged, desk: Desk) -> Letter:
    claimed = examined.claimed
    snapshot = Snapshot.model_validate_json(claimed.snapshot)
    slots = {name: value for name, value in claimed.slots.items() if name not in _OURS}
    reader = Reader(examined.person, snapshot, slots)
    base = organisation.public_url or desk.public_url
    links = links_of(desk.tokens, base, claimed.contact_id, claimed.delivery_id, claimed.survey_id)
    if not claimed.of_survey:
        if claimed.slots.get(MESSAGE):
            taking_part = desk.tokens.sign("invitation", UUID(claimed.slots[MESSAGE]))
            links = replace(links, survey=f"{base.rstrip('/')}/invitations/{taking_part}")
        return note(MessageKind(claimed.kind), reader, organisation, links)
    form, texts = read_texts(claimed.texts)
    ask = Ask(texts, form, claimed.closes_at, reminder=claimed.reached, started=claimed.started)
    return invite(ask, reader, organisation, links)


def _unsupported(facts: Facts, now: datetime) -> Verdict:
    """What is said of a channel that is not set up here; a "no" about the person comes first."""
    verdict = last_look(facts, now)
    nothing = isinstance(verdict, Go | Later) or facts.address is None
    return Suppress(Reason.NO_CHANNEL) if nothing else verdict


def _facts(
    message: Claimed,
    address: Recipient | None,
    organisation: OrganisationChanged,
    stopped: str,
    *,
    known: bool,
) -> Facts:
    blocked = Reason.OPTED_OUT if message.opted_out else Reason(stopped) if stopped else None
    return Facts(
        of_survey=message.of_survey,
        address=address,
        expires_at=message.expires_at,
        # Nothing to open means that the key is gone: the erasure itself may still be on its way here.
        erased=message.erased or not known,
        blocked=blocked,
        cancelled=message.cancelled,
        answered=message.answered,
        closed=message.closed,
        paused=message.paused,
        superseded=message.earlier_open,
        hours=message.hours,
        own_company=(
            isinstance(address, Address)
            and OWNER not in message.slots
            and not _is_test(message)
            and address.belongs_to(organisation.own_domains)
        ),
    )


def _is_test(message: Claimed) -> bool:
    """Whether one of our own people tries a programme."""
    return Snapshot.model_validate_json(message.snapshot).test


async def _opened(
    conn: Connection, sealer: Sealer, claimed: Sequence[Claimed]
) -> list[tuple[Person | None, str]]:
    """The persons in clear, in one query; one by one only when a sealed text among them is broken."""
    items = [(message.contact_id, message.person) for message in claimed]
    try:
        return [(person, "") for person in await sealer.open(conn, items, Person)]
    except SealBrokenError:
        return [await _opened_alone(conn, sealer, item) for item in items]


async def _reps(conn: Connection, sealer: Sealer, claimed: Sequence[Claimed]) -> dict[UUID, Address]:
    """Who of ours gets the replies to notes; nobody where the text is broken, so that the note still goes."""
    notes = [m for m in claimed if not m.of_survey and m.slots.get(REPLY_TO)]
    found: dict[UUID, Address] = {}
    for message in notes:
        person, _ = await _opened_alone(conn, sealer, (message.contact_id, message.slots[REPLY_TO]))
        address = parse_address(person.email) if person else None
        if address is not None:
            found[message.delivery_id] = address
    return found


async def _opened_alone(
    conn: Connection, sealer: Sealer, item: tuple[UUID, str]
) -> tuple[Person | None, str]:
    try:
        return (await sealer.open(conn, [item], Person))[0], ""
    except SealBrokenError:
        return None, "person: the sealed text is broken"
